/* heads.h - a request's head, and its headers, for tests of who has sent it. */
#ifndef TESTS_HEADS_H
#define TESTS_HEADS_H

#include "server/http/message/head.h"

#include <check.h>
#include <string.h>

/* Of lines NAME: VALUE, each with CRLF behind it. */
static inline int headers_of(const char *lines, header headers[])
{
    int count = 0;
    for (const char *at = lines, *end; *at; at = end + 2) {
        const char *const colon = strstr(at, ": ");
        end = strstr(at, "\r\n");
        ck_assert(colon && end && colon < end);
        headers[count++] = (header){ (uint16_t)(at - lines), (uint16_t)(colon - at), (uint16_t)(colon + 2 - lines),
                                     (uint16_t)(end - colon - 2) };
    }
    return count;
}

#endif
