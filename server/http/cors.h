/* cors.h - which other sites' pages may use our answers: Cross-Origin Resource Sharing (Fetch Standard, "CORS protocol").
 *
 * Only of routes that have cors among what stands before their handlers (route.h); whose pages, [cors] says:
 *
 *     Origin: https://a.example                ->  the answer, with Access-Control-Allow-Origin: https://a.example
 *     OPTIONS, and with it                     ->  204, which says what methods and headers such a page may use, and for
 *     Access-Control-Request-Method: PUT           how long a browser may remember that: a preflight, which no handler sees
 *
 * An origin that is listed may also change something: that is no forgery then (policy.h). With * all may read, and no more. */
#ifndef HTTP_CORS_H
#define HTTP_CORS_H

#include "router.h"

struct head;

typedef struct cors_options {
    const char *origins;                     /* a list of https://host and https://host:port; *; or none */
    const char *methods, *headers;           /* lists, as preflights are told */
    bool        credentials;                 /* may a page's requests carry cookies? Not with * */
    uint64_t    max_age_ms;                  /* for which a preflight holds */
} cors_options;

void cors_configure(const cors_options *o);  /* once, before a server is opened; all of it must outlive that */

int  cors(request *req);                     /* the middleware: never ends a request */

/* May pages of that origin send what changes something to this route? */
bool cors_trusts(const route *r, text origin);

/* What answers the request, by OPTIONS, if it is a preflight for a route that takes part; else NULL. */
const route *cors_preflight(const struct head *h, const router *r);

bool origin_is_listed(text origins, text origin);            /* in such a list */

#endif
