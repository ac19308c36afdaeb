/* websocket.h - messages to and fro on one connection, after a handshake by HTTP (RFC 6455).
 *
 *     async int chat(request *req)                  a route with .await and .websocket
 *     {
 *         websocket *ws;
 *         websocket_message m;
 *         int err = websocket_accept(req, "", &ws);
 *         while (!err && !(err = await(websocket_receive(ws, &m))))
 *             err = await(websocket_send(ws, m));
 *         return err;
 *     }
 *
 *     static promise *answer(websocket *ws, websocket_message m, void *arg) { return websocket_send(ws, m); }
 *
 *     promise *chat(request *req)                   the same with .promise, which takes no task
 *     {
 *         websocket *ws;
 *         const int err = websocket_accept(req, "", &ws);
 *         return err ? promise_settled(err) : websocket_each(ws, answer, NULL);
 *     }
 *
 * In callback style the promise goes to when_settled. Frames are wslay's (frame.h), and permessage-deflate is
 * zlib's (deflate.h), if [websocket] compression is on; a secret, and what a stranger can choose, do not belong into one
 * message then: its length would tell of the secret.
 *
 *   Origin.     A page of another site is refused with 403 before the handler runs (policy.h), unless [websocket]
 *               origins has its own.
 *   Room.       What one client can make the server hold is bounded: a message by [websocket] message, also once it is
 *               inflated, and what the client does not take by [limits] output and one message more. While the handler does
 *               not receive, the client is not read from beyond a little.
 *   Silence.    A client of which nothing has come for [websocket] ping is pinged, and is gone if nothing comes for as
 *               long again.
 *   The end.    The first to close says so with a code, and the other one answers. A handler that returns 0 or UV_EOF
 *               closes with 1000, one that fails with 1011. When the server stops, it closes with 1001, each client at a
 *               moment of its own in the first quarter of [timeouts] drain (stop_spread.h); after half of it clients that
 *               have not answered are gone.
 *   Ownership.  A websocket is its request's, and lives as long. An idle one is small: its request's head ends before it
 *               does in promise and callback style, see websocket_receive. */
#ifndef HTTP_WEBSOCKET_H
#define HTTP_WEBSOCKET_H

#include "server/base/text.h"
#include "server/async/either.h"
#include "server/http/route.h"

typedef struct websocket websocket;

typedef struct websocket_message {
    text bytes;                              /* of text: UTF-8 */
    bool binary;                             /* else text */
} websocket_message;

/* Codes to close with (RFC 6455, 7.4.1); an application's own are from 4000 to 4999. */
enum {
    WEBSOCKET_NORMAL = 1000, WEBSOCKET_GOING_AWAY = 1001, WEBSOCKET_PROTOCOL_ERROR = 1002, WEBSOCKET_UNSUPPORTED = 1003,
    WEBSOCKET_NO_CODE = 1005,                /* never sent: the client's Close had none */
    WEBSOCKET_INVALID_TEXT = 1007, WEBSOCKET_POLICY = 1008, WEBSOCKET_TOO_BIG = 1009, WEBSOCKET_INTERNAL_ERROR = 1011,
    WEBSOCKET_TRY_AGAIN = 1013,
};

enum { WEBSOCKET_REASON = 123 };             /* bytes, at most */

/* Answers the handshake: from now on there are messages instead of an answer, and no deadline. protocols is a list of
 * subprotocols: the first that the client offers is agreed on, or none. If it is no handshake that can be accepted, it has
 * been answered with 400, 403 or 426, and that error is returned, for the handler to return, or to settle with. Any
 * other answer may be given instead of this call. */
int  websocket_accept(request *req, const char *protocols, websocket **ws);
text websocket_protocol(const websocket *ws);        /* the one agreed on; "" if none was */

/* Settles when there is a message, which is valid until the next of these calls, or until the handler has ended. m must
 * be there until then. Each is awaited before the next. UV_EOF: the websocket has been closed, by either side; what came
 * before that has been received. UV_ECANCELED: the client is gone, without a word; or it was cancelled.
 *
 * In promise and callback style the head of the request ends when this is first called, or websocket_each: what
 * request_header and others have given is to be copied before, and from then on they give "". */
MUST_AWAIT promise *websocket_receive(websocket *ws, websocket_message *m);

/* Receives for as long as there are messages, and gives each to step, which answers it: the next one follows when its
 * promise has settled. So a websocket that waits takes no promise of its own; and no task, if it is a handler in promise or
 * callback style that calls it. Settles with what ended it: UV_EOF and UV_ECANCELED as above, or a step's error. A cancel
 * reaches the step. */
typedef promise *websocket_step(websocket *ws, websocket_message m, void *arg);
MUST_AWAIT promise *websocket_each(websocket *ws, websocket_step *step, void *arg);

/* For either(): ready when websocket_receive would not wait, which is then called; meanwhile nothing else receives. */
source websocket_source(websocket *ws);

/* Sends a message, which is copied. Settles when there is room for another; each is awaited before the next.
 * UV_EOF: the websocket has been closed; UV_ECANCELED: the client is gone. */
MUST_AWAIT promise *websocket_send(websocket *ws, websocket_message m);

/* Begins to close. The handler may then return, or receive what the client has sent before it knew, up to UV_EOF, for
 * which there are two seconds. Settles as websocket_send's; a second time it does nothing. UV_EINVAL: the reason is too
 * long, or the code none that may be sent. */
MUST_AWAIT promise *websocket_close(websocket *ws, int code, text reason);

/* Once it is UV_EOF: with which code, and why; the client's own, or, if the server had to end it, the server's. 0 before. */
int  websocket_close_code(const websocket *ws);
text websocket_close_reason(const websocket *ws);

#endif
