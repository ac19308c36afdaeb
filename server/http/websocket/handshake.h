/* handshake.h - the HTTP request that opens a websocket, and its answer (RFC 6455, 4.2). */
#ifndef HTTP_WEBSOCKET_HANDSHAKE_H
#define HTTP_WEBSOCKET_HANDSHAKE_H

#include "server/base/text.h"
#include "server/http/route.h"

enum { WEBSOCKET_ACCEPT = 28 };              /* characters of Sec-WebSocket-Accept */

/* 0, or the error with which the request has been answered, because it is not as the RFC has it: no GET of HTTP/1.1 with
 * Upgrade: websocket, or another version than 13: 426, which says what would be right; no Connection: Upgrade, no key of
 * 16 bytes, or a body: 400; it comes when the server stops: 503. */
int  websocket_handshake_check(request *req);

/* The digest of a key; not terminated. 0, or HTTP_STATUS(500): the library cannot. */
int  websocket_handshake_digest(text key, char digest[WEBSOCKET_ACCEPT]);

void websocket_handshake_trim(void);         /* a thread about to exit: what the library keeps for it */

/* The first of protocols, a list, that is also in offered; "" if there is none. A view into protocols. */
text websocket_handshake_protocol(text protocols, text offered);

#endif
