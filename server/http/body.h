/* body.h - a request's body, gathered whole as it arrives, whatever its framing.
 *
 * It is bounded in what it holds and in what it costs to send: chunk sizes, their extensions and the
 * trailers may take only a head's worth of bytes more than the chunks deserve (CVE-2024-22019).
 * Extensions and trailers are read and dropped; the guard looks at the trailers first, as at a head. */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include "guard.h"
#include "head.h"
#include "server/arena.h"

typedef struct body {
    llhttp_t parser;
    char    *at;                             /* owned; what has arrived */
    size_t   length, capacity;
    size_t   limit;                          /* of length */
    size_t   framing, framing_limit;         /* bytes that were not content */
    bool     complete, too_large;
    bool     in_trailers;                    /* the last chunk has come */
    guard    guard;                          /* of the trailers, which are gathered behind the content */
    size_t   trailers;                       /* bytes of them */
} body;

/* The body that follows h, which parser has just read, or NULL with *err if it is to be refused
 * unseen (413). It ends with the arena. */
body *body_new(arena *a, const head *h, const llhttp_t *parser, size_t limit, size_t framing_limit, int *err);

/* Takes what belongs to the body from the bytes at: sets complete with its last. Returns how many it
 * took, or an HTTP_STATUS error: 400 bad framing, 413 too large, 431 too much around it. */
long body_take(body *b, const char *at, size_t length);

#endif
