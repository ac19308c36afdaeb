/* head.h - what a request's head says: llhttp reads the request line; what the headers say is read here.
 *
 * The head scanner has walked over all bytes and made the table of headers. llhttp gets the request line, the very bytes of
 * it, and decides about the method, the target's characters and the version; but for a GET of HTTP/1.1 whose target is plain
 * letters, digits and some marks, of which it could say nothing else. The headers it does not get: in those that
 * say how long a body is it refuses, or overlooks, some of what RFC 9112 allows, so that its word could not be the last.
 * That is decided in one place, from the table, and what is not understood there is refused: two readers, of whom one
 * overrules the other, are what request smuggling lives on. */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include "server/base/arena.h"

#include <llhttp.h>
#include <stdbool.h>
#include <stdint.h>

/* Offsets from the start of the head, so that it may be copied elsewhere. A head is below 64 KiB:
 * limits.head sees to it. */
typedef struct header { uint16_t name, name_length, value, value_length; } header;

enum { HEAD_MAX_HEADERS = 256 };

typedef struct head {
    /* By head_scan: */
    const char *at;                          /* its bytes: the caller's */
    size_t      length;
    text        line, target;                /* the request line with its CRLF; of that, what is asked for */
    int         count;                       /* of headers */

    /* By head_read: */
    uint8_t     method;                      /* llhttp's number */
    uint8_t     minor;                       /* 1 of HTTP/1.1 */
    bool        keep_alive;                  /* the client may send another request: 1.1's default, 1.0's wish */
    bool        expects_continue;            /* it waits for 100 Continue before it sends the body */
    bool        has_body;                    /* a length above 0, or chunked */
    bool        chunked;
    uint64_t    content_length;              /* 0 if it is chunked */
    text        path, query;                 /* of the target, as sent; query without its ? */

    char        host[64];                    /* the last Host that was good, of whatever request; none at first */
    size_t      host_length;

    header      headers[HEAD_MAX_HEADERS];   /* by head_scan */
} head;

static inline text header_name(const char *at, header h)  { return (text){ at + h.name, h.name_length }; }
static inline text header_value(const char *at, header h) { return (text){ at + h.value, h.value_length }; }

/* Reads a whole head, of which head_scan has put its part there. Returns 0, or an HTTP_STATUS error.
 * Refused here, with RFC 9112's sections:
 *
 *   whatever llhttp refuses in the request line: 400; a method that it does not know, and CONNECT: 501
 *   a target that is neither a path, nor http://host/path, nor the * of OPTIONS,
 *   or has a fragment: 400                                                      3.2
 *   no Host on HTTP/1.1, two, or one that is not host, host:port, [v6] or [v6]:port: 400   3.2
 *   Content-Length twice, beside Transfer-Encoding, or not a number below 2^64: 400       6.3
 *   Transfer-Encoding on HTTP/1.0, or one that names nothing, or chunked twice: 400; one that
 *   names anything but chunked: 501. Empty members of its list count for nothing  6.1, RFC 9110, 5.6.1
 *   an expectation other than 100-continue: 417                                 RFC 9110, 10.1.1 */
int head_read(head *h);

static inline bool head_is_digit(char c) { return c >= '0' && c <= '9'; }

/* Equal without regard to case; lower is lower case. Inline: the length of a literal costs nothing. */
static inline bool text_is(text t, const char *lower)
{
    if (t.length != strlen(lower))
        return false;
    for (size_t i = 0; i < t.length; i++) {
        const char c = t.at[i];
        if ((c >= 'A' && c <= 'Z' ? c | 0x20 : c) != lower[i])
            return false;
    }
    return true;
}

/* The value of the first of that name, which is in lower case; "" if there is none. at is the head's first byte. */
text header_find(const char *at, const header headers[], int count, const char *name);

/* All of that name as one list (RFC 9110, 5.3): a view if there is one, else the arena's. */
text header_list(arena *a, const char *at, const header headers[], int count, const char *name);

#endif
