/* websocket_internal.h - a websocket as a loop's connection, or a thread, sees it: bytes in, bytes out.
 *
 *     bytes -> websocket_take -> messages -> handler -> the request's output
 *
 * A loop reads, and wakes the handler (async/upgrade.c); a thread reads when its handler receives (threads/upgrade.c). */
#ifndef HTTP_WEBSOCKET_INTERNAL_H
#define HTTP_WEBSOCKET_INTERNAL_H

#include "server/base/blocking_wait.h"
#include "server/base/text.h"
#include "server/config/config.h"
#include "server/http/route.h"

#include <stddef.h>

typedef struct websocket websocket;

enum { WEBSOCKET_ROOM = 72 };                /* bytes that websocket_accept takes of its request's arena */

/* What it needs of what serves it, beside its request's. */
typedef struct websocket_host {
    int      (*wait)(websocket *ws);         /* 0: it has something. A thread waits; a loop may say UV_EAGAIN, and
                                                websocket_deliver later. Else nothing will come: UV_ECANCELED */
    int      (*look)(websocket *ws);         /* the same, but a thread does not wait either */
    void     (*expect)(websocket *ws, blocking_set *set);    /* of a thread: sends, pings if it is time, and adds what the next
                                                look is for; then the client may be gone */
    promise *(*sent)(request *req);          /* there is more in the output: settles when there is room for another message */
    void     (*begun)(request *req);         /* what comes next are frames; sends the answer, whatever its handler waits for */
    void     (*flush)(request *req);         /* as sent, but nobody waits for the end */
    bool     (*has_room)(const request *req);        /* for another message, of which nobody waits for the end */
    const config *(*config)(const request *req);
} websocket_host;

request *websocket_request(const websocket *ws);

/* follow.c: the subscription whose messages go to the client; NULL: none. */
struct subscription **websocket_followed(websocket *ws);

/* What has come of it goes to the output, as far as there is room: true if there is more in that now. set is a thread's, or
 * NULL: what the next look is for. */
bool     websocket_pass_on(websocket *ws, blocking_set *set);

bool   websocket_wants(const websocket *ws); /* more bytes; else its handler has messages to receive first */

/* How many from the front it has used; 0: more must come first, or its handler receive. */
size_t websocket_take(websocket *ws, const char *at, size_t length);

bool   websocket_has_something(const websocket *ws);         /* for its handler: a message, or the end */

/* Of a loop, whose handlers wait: if there is something it goes on, if it waits for that. It may be called from a task. */
void   websocket_deliver(websocket *ws);
void   websocket_cancel(websocket *ws);      /* nothing will come, or its handler has been told to stop */

/* Its client has been silent for [websocket] ping: it is pinged. False if it has been so before, and is gone. */
bool   websocket_ping(websocket *ws);
bool   websocket_compresses(const websocket *ws, size_t length);     /* messages of so many bytes */
bool   websocket_may_send(const websocket *ws);      /* it has not been closed, and its client is there */
void   websocket_begin_close(websocket *ws, int code, text reason);
void   websocket_going_away(websocket *ws);  /* the server stops: closes with 1001 */
int    websocket_end(websocket *ws, int err);        /* its handler has ended so: closes. Returns the error that is left */
void   websocket_free(websocket *ws);        /* what it holds, but for itself, which is its request's */

void   websocket_trim(void);                 /* a thread about to exit gives back what it kept for reuse */

bool     websocket_is_closing(const websocket *ws);  /* the server has sent Close, and the client has not */
uint64_t websocket_closed_at(const websocket *ws);   /* when it did, of uv_hrtime */
bool     websocket_is_over(const websocket *ws);     /* nothing that comes counts any more */

#endif
