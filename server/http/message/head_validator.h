/* head_validator.h - a strict look at the bytes of a request's head, before the parser sees them.
 *
 * llhttp is lenient where a server behind a proxy must not be: two programs that read the same bytes
 * as different requests let one visitor speak for another (request smuggling). Refused here, with
 * RFC 9112's sections:
 *
 *   a CR that no LF follows, an LF without CR, NUL and other control bytes      2.2, 5.5
 *   a header whose name is no token, or from whose colon white space parts it,
 *   or before whose name there is some (obs-fold)                               5.1, 5.2
 *   a request line without version (HTTP/0.9), or another version than 1.0 or 1.1: 505    2.3, 3
 *   a method longer than any there is: 501; a target longer than its limit: 414;
 *   a head longer than its: 431; too many headers: 431                          3, RFC 6585
 *
 * It also finds where the head ends, so that the parser always gets a whole one. */
#ifndef HTTP_HEAD_VALIDATOR_H
#define HTTP_HEAD_VALIDATOR_H

#include <stdbool.h>
#include <stddef.h>

/* RFC 9110, 5.6.2: what a method, a field name and the like are made of. */
extern const bool HEAD_TOKEN[256];

typedef struct head_validator {
    size_t line;                             /* offset of the line that is not complete yet */
    int    lines;                            /* complete ones, the request line included */
} head_validator;

typedef struct head_validator_limits {
    size_t head, uri;                        /* bytes */
    int    headers;
} head_validator_limits;

/* Looks at the bytes from the request's first on; v starts as {0} and remembers what has been seen.
 * Returns the length of the whole head with its empty line; 0 if more bytes must come first; or
 * an HTTP_STATUS error. Empty lines before the request line count as part of the head. */
long head_validate(head_validator *v, const char *at, size_t length, const head_validator_limits *limits);

#endif
