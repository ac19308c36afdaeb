/* call.h - one request to another server (client.h): what is asked, within which bounds, and the answer. */
#ifndef HTTP_CALL_H
#define HTTP_CALL_H

#include "server/base/text.h"

#include <stddef.h>
#include <stdint.h>

typedef struct http_call {
    const char        *method;               /* NULL: GET */
    const char        *url;
    const char *const *headers;              /* "Name: value" each, up to a NULL; or NULL: none */
    const char        *type;                 /* of the body; or NULL */
    text               body;
    size_t             most;                 /* bytes of the answer's body; 0: [outgoing] size */
    uint64_t           timeout_ms;           /* 0: [outgoing] timeout */
} http_call;

typedef struct http_answer {
    int  status;
    text type;                               /* its Content-Type; "" */
    text head;                               /* the status line and all headers, as they came */
    text body;
} http_answer;

/* Of all calls. */
typedef struct http_client_options {
    int      connections;                    /* requests at once, of each loop */
    int      line;                           /* requests that wait: as connections */
    int      loops;                          /* all blocking threads together have as much as so many loops; 0: as one */
    uint64_t target_ms;                      /* the longest wait there, while more come than can be made; 0: any */
    uint64_t timeout_ms, connect_timeout_ms;
    size_t   size;
} http_client_options;

text http_answer_header(const http_answer *got, const char *name);  /* the first of that name; "" for none */

#endif
