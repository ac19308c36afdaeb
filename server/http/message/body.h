/* body.h - a request's body as it arrives, whatever its framing: gathered whole, or as a stream, a
 * piece at a time.
 *
 * It is bounded in what it holds and in what it costs to send: chunk sizes, their extensions and the
 * trailers may take only a head's worth of bytes more than the chunks deserve (CVE-2024-22019).
 * Extensions and trailers are read and dropped; the head scanner looks at the trailers first, as at a head. */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include "chunked.h"
#include "head_scanner.h"
#include "head.h"
#include "server/base/arena.h"

enum {
    BODY_PIECE = 64 * 1024,                  /* bytes that a stream holds, at most */
    BODY_RATE = 16,                          /* bytes a ms: a body that comes faster may take longer */
};
#define BODY_STREAMS SIZE_MAX                /* instead of a limit */

typedef struct body {
    chunked  chunks;                         /* of one that has a length: one that is as long, and no more */
    char    *at;                             /* owned; what has arrived, and of a stream: since body_drop */
    size_t   length, capacity;
    size_t   limit;                          /* of length */
    uint64_t received;                       /* bytes of content, ever */
    uint64_t framing;                        /* bytes that were not content */
    size_t   framing_limit;
    uint64_t waited;                         /* ms: see body_waited */
    struct promise *arriving;                /* of a piece for which its handler waits; stream.c's */
    int      err;                            /* why no more will come; 0 */
    bool     is_chunked;
    bool     complete;
    bool     streams;
    bool     lent;                           /* its reader has what is there, and drops it before it reads on */
    bool     unannounced;                    /* the client waits for 100 Continue before it sends any */
    head_scanner scanner;                    /* of the trailers, which are gathered behind the content */
    size_t   trailers;                       /* bytes of them */
} body;

/* The body that follows h, or NULL with *err if it is to be refused unseen (413). It ends with the arena.
 * limit may be BODY_STREAMS: there is none, for it streams. */
body *body_new(arena *a, const head *h, size_t limit, size_t framing_limit, int *err);

/* Takes what belongs to the body from the bytes at: sets complete with its last. Returns how many it
 * took, or an HTTP_STATUS error: 400 bad framing, 413 too large, 431 too much around it, REFUSED_MEMORY. A stream
 * takes a piece; it must want one. */
long body_take(body *b, const char *at, size_t length);
bool body_wants(const body *b);              /* more; a stream does only when it holds nothing */
void body_drop(body *b);                     /* what has arrived has been used */

/* How many ms its client may still be waited for, if the time for a body is so many. A body that is
 * gathered has so long in all, and more for what has come. A stream has no end in sight: there, time
 * is used up only while it is waited for, and a piece that comes faster than BODY_RATE earns it back. */
uint64_t body_patience(const body *b, uint64_t ms);
void     body_waited(body *b, uint64_t ms);  /* for so long, for the piece of a stream that is there now */

#endif
