/* intake.h - from bytes to a request and its route, whoever serves it.
 *
 *   const long size = intake_read(&in, &g, at, length, config, router);    guard, parser, router
 *   request *r = ...                             the server's: intake_size() bytes, on a stack or the heap
 *   intake_init(&in, r, size);
 *   err = intake_body(&in, r, config);           if it has one: body.h takes its bytes
 *
 * An intake is large, and only of use until the body begins: one a thread is enough. */
#ifndef HTTP_INTAKE_H
#define HTTP_INTAKE_H

#include "exchange.h"
#include "server/config/config.h"

typedef struct intake {
    head  head;
    match match;
    need  needs;                             /* its route's */
} intake;

/* Looks at the bytes from a request's first on; g starts as {0}, and is {0} again after a whole head.
 * Returns the length of the head; 0 if more must come first; or an HTTP_STATUS
 * error; or REFUSED_MEMORY. */
long intake_read(intake *in, guard *g, const char *at, size_t length, const config *c, const router *r);

/* The bytes that intake_init needs, with so many more for the request's arena. */
size_t intake_size(const intake *in, size_t more);
void   intake_init(const intake *in, request *req, size_t size);

text   intake_accepts(const intake *in, arena *a);   /* what its client would like: a view of the head, or the arena's */
bool   intake_streams(const intake *in);     /* its body, if it has one, is pulled by its handler */

/* What lies behind a request has another as a whole: whoever sent them waits for that one by now. */
static inline bool intake_is_overtaken(const char *behind, size_t length) { return memmem(behind, length, "\r\n\r\n", 4); }

/* 0, or the error with which to refuse the body unseen. */
int    intake_body(const intake *in, request *req, const config *c);

#endif
