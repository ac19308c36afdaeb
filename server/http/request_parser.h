/* request_parser.h - from bytes to a request and its route, whoever serves it.
 *
 *   const long size = request_parser_read(&in, &g, at, length, config, router);    guard, parser, router
 *   request *r = ...                             the server's: request_parser_size() bytes, on a stack or the heap
 *   request_parser_init(&in, r, size);
 *   err = request_parser_body(&in, r, config);           if it has one: body.h takes its bytes
 *
 * An intake is large, and only of use until the body begins: one a thread is enough. */
#ifndef HTTP_REQUEST_PARSER_H
#define HTTP_REQUEST_PARSER_H

#include "request_internal.h"
#include "server/config/config.h"

typedef struct request_parser {
    head  head;
    match match;
    need  needs;                             /* its route's */
} request_parser;

/* Looks at the bytes from a request's first on; g starts as {0}, and is {0} again after a whole head.
 * Returns the length of the head; 0 if more must come first; or an HTTP_STATUS
 * error; or REFUSED_MEMORY. */
long request_parser_read(request_parser *in, head_validator *g, const char *at, size_t length, const config *c, const router *r);

/* The bytes that request_parser_init needs, with so many more for the request's arena. */
size_t request_parser_size(const request_parser *in, size_t more);
void   request_parser_init(const request_parser *in, request *req, size_t size);

text   request_parser_accepts(const request_parser *in, arena *a);   /* what its client would like: a view of the head, or the arena's */
bool   request_parser_streams(const request_parser *in);     /* its body, if it has one, is pulled by its handler */

/* What lies behind a request has another as a whole: whoever sent them waits for that one by now. */
static inline bool request_parser_is_overtaken(const char *behind, size_t length) { return memmem(behind, length, "\r\n\r\n", 4); }

/* 0, or the error with which to refuse the body unseen. */
int    request_parser_body(const request_parser *in, request *req, const config *c);

#endif
