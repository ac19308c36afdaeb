/* deflate.h - messages of a websocket, compressed by zlib: permessage-deflate (RFC 7692).
 *
 * Both sides begin each message anew (7.1.1): the server does, and has the client do so. So a socket has nothing of zlib's
 * between messages, and all of a thread share what takes some 90 KB together. What such messages lose by it is little, as
 * they are short; and what compression saves is bytes on the way, never time.
 *
 *   Threads.  All of it is for the thread that calls. */
#ifndef HTTP_WEBSOCKET_DEFLATE_H
#define HTTP_WEBSOCKET_DEFLATE_H

#include "server/base/text.h"

#include <stdbool.h>

enum {
    DEFLATE_LEAST = 128,                     /* bytes of a message: less gains nothing */
    DEFLATE_MOST  = 128 * 1024,              /* more would take the loop's time: some 10 ns a byte */
    DEFLATE_ANSWER = 112,                    /* bytes of the header's value, terminated */
};

/* Looks for an offer that can be accepted in offers, the Sec-WebSocket-Extensions of the client (7.1): then writes the header's
 * value for the answer, and returns how many bits the server's window may have, 9 to 15. 0: there is none. */
int deflate_negotiate(text offers, char answer[DEFLATE_ANSWER]);

/* What t becomes, in memory that is the caller's, for mem_free; without the four bytes that every message would end in
 * (7.2.1). {NULL}: it would not get smaller, or there is no memory. */
text deflate_message(text t, int window);

/* What was compressed so, or otherwise as the RFC allows it: bytes for mem_free behind which there is a NUL. 0, or the code with
 * which to close: 1007: it cannot be inflated; 1009: it would have more than most bytes; 1013: there is no memory. */
int  deflate_inflate(text t, size_t most, char **out, size_t *length);

void deflate_trim(void);                     /* a thread about to exit gives back what it has of zlib's */

#endif
