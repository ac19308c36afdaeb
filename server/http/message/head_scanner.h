/* head_scanner.h - one strict walk over the bytes of a request's head: finds its end, refuses what must not be in it, and
 * makes the table of its lines.
 *
 * Two programs that read the same bytes as different requests let one visitor speak for another (request smuggling). What
 * is lenient in llhttp, or in some other program, is refused here, with RFC 9112's sections:
 *
 *   a CR that no LF follows, an LF without CR, NUL and other control bytes      2.2, 5.5
 *   a header whose name is no token, or from whose colon white space parts it,
 *   or before whose name there is some (obs-fold)                               5.1, 5.2
 *   a request line without version (HTTP/0.9), or another version than 1.0 or 1.1: 505    2.3, 3
 *   a method longer than any there is: 501; a target longer than its limit: 414;
 *   a head longer than its: 431; too many headers: 431                          3, RFC 6585
 *
 * What is left can be cut in one way only:
 *
 *   method SP target SP HTTP/1.1 CR LF          no space in any of the three
 *   name : value CR LF                          no colon in a name; spaces and tabs around a value are not part of it
 *   CR LF */
#ifndef HTTP_HEAD_SCANNER_H
#define HTTP_HEAD_SCANNER_H

#include "head.h"

/* RFC 9110, 5.6.2: what a method, a field name and the like are made of. */
extern const bool HEAD_TOKEN[256];

typedef struct head_scanner {
    size_t line;                             /* offset of the line that is not complete yet */
    int    lines;                            /* complete ones, the request line included */
} head_scanner;

typedef struct head_limits {
    size_t head, uri;                        /* bytes */
    int    headers;                          /* at most HEAD_MAX_HEADERS */
} head_limits;

/* Looks at the bytes from the request's first on; s starts as {0} and remembers what has been seen.
 * Returns the length of the whole head with its empty line, of which h has the lines then, for head_read; 0 if more
 * bytes must come first; or an HTTP_STATUS error. Empty lines before the request line count as part of the head.
 *
 * Of trailers, which are a head without a request line, s starts with one line that is complete, and h is NULL. */
long head_scan(head_scanner *s, const char *at, size_t length, const head_limits *limits, head *h);

#endif
