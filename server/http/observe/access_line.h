/* access_line.h - a request that has ended, as a line of the access log.
 *
 *   combined   what Apache and nginx call so, and behind it, for those who read on: seconds, request, trace and route
 *
 *       127.0.0.1 - - [30/Nov/2026:04:24:10 +0000] "GET /users/42 HTTP/1.1" 200 1873 "-" "curl/7.88.1" 0.000412 - -
 *       "GET /users/:id"
 *
 *   JSON       an object a line, with what there is of these members:
 *
 *       {"time":"2026-11-30T04:24:10.123Z","client":"127.0.0.1","method":"GET","path":"/users/42","query":"a=b",
 *        "protocol":"HTTP/1.1","status":200,"bytes":1873,"seconds":0.000412,"aborted":true,"referer":"...",
 *        "user_agent":"curl/7.88.1","route":"GET /users/:id","request_id":"...","trace_id":"..."}
 *
 * What strangers sent is escaped (escape.h; of JSON what is not UTF-8 is U+FFFD), and a long value is cut, and ends with "...":
 * so a line is never longer than ACCESS_LINE, and stays whole in a pipe. */
#ifndef ACCESS_LINE_H
#define ACCESS_LINE_H

#include "server/base/text.h"

#include <limits.h>
#include <time.h>

enum { ACCESS_LINE = PIPE_BUF };

typedef struct access {
    struct timespec when;                    /* it has ended */
    /* Ours, or looked through: nothing in them is escaped. */
    text            client;                  /* its address; "": not known */
    text            route;                   /* "GET /users/:id"; "": none */
    text            request_id, trace_id;    /* "": it has none */
    text            method;                  /* "": its head was not understood, or did not come; then there is no path, either */
    text            path, query;             /* as sent; "" for none. Behind each is a byte that continues no UTF-8 */
    int             minor;                   /* of HTTP/1 */
    int             status;
    uint64_t        bytes;                   /* of the answer's body, without what frames them; 0 of a websocket */
    uint64_t        took;                    /* nanoseconds since its head had come; 0: not known */
    bool            aborted;                 /* its client was gone, or it broke off, before all was made */
    text            referer, user_agent;     /* "" for none; behind it as behind the path */
} accessed;

/* The line with its end: its length. */
typedef size_t access_line(const accessed *a, char to[ACCESS_LINE]);

access_line access_line_combined, access_line_json;

#endif
