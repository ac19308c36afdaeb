/* request_parser.h - from bytes to a request and its route, on a loop and on a thread.
 *
 *   const long size = request_parser_read(&p, &s, at, length, config, router);     scanner, parser, router
 *   request *r = ...                             the caller's: request_parser_size() bytes, on a stack or the heap
 *   request_parser_init(&p, r, size, now);
 *   err = request_parser_body(&p, r, config);    if it has one: body.h takes its bytes
 *
 * A parser is large, and only of use until the body begins: one a thread is enough. */
#ifndef HTTP_REQUEST_PARSER_H
#define HTTP_REQUEST_PARSER_H

#include "request_internal.h"
#include "server/config/config.h"

typedef struct request_parser {
    head  head;
    match match;
    need  needs;                             /* its route's */
} request_parser;

/* Looks at the bytes from a request's first on; s starts as {0}, and is {0} again after a whole head.
 * Returns the length of the head; 0 if more must come first; or an HTTP_STATUS
 * error; or REFUSED_MEMORY. */
long request_parser_read(request_parser *p, head_scanner *s, const char *at, size_t length, const config *c,
                         const router *r, const peer *from);

/* The bytes that request_parser_init needs, with so many more for the request's arena; apart: see request_init. */
size_t request_parser_size(const request_parser *p, bool apart, size_t more);
void   request_parser_init(const request_parser *p, request *req, size_t size, bool apart, uint64_t now);    /* of uv_hrtime */

text   request_parser_accepts(const request_parser *p, arena *a);    /* its Accept header: of the head, or the arena's */
bool   request_parser_streams(const request_parser *p);      /* its body, if it has one, is pulled by its handler */

/* Is it a GET behind which its client has sent so many others, as their length tells, that it is not worth the wait
 * (codel_worth)? The client waits for a later one by now: that one is there as a whole. */
bool   request_parser_is_overtaken(const request_parser *p, uint64_t worth, const char *behind, size_t length);

/* 0, or the error with which to refuse the body unseen. */
int    request_parser_body(const request_parser *p, request *req, const config *c);

#endif
