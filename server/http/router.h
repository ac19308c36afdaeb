/* router.h - which handler answers which path.
 *
 * A route's path is made of segments: plain ones, ":name" for any one segment, and "*" at the end for
 * all the rest. Plain beats ":name" beats "*". A route with more of ':' and '*' than a path may have is never
 * found. Paths are matched as they were sent; a parameter is decoded when the handler asks for it. */
#ifndef HTTP_ROUTER_H
#define HTTP_ROUTER_H

#include "request.h"
#include "server/async/label.h"

#include <stdint.h>

enum { MAX_PARAMETERS_OF_PATH = 4 };

/* What a handler cannot do without, of which there is only so much at once (admission.h): queries that read, or
 * that write; or reads and then the thread pool, to render a page for those who prefer that to JSON. */
typedef enum need { NEEDS_NOTHING, NEEDS_READS, NEEDS_WRITES, NEEDS_PAGE, NEEDS } need;

typedef struct route {
    const char       *method, *path;
    handler          *await;                 /* one of these three */
    promise_handler  *promise;
    callback_handler *callback;
    bool              streams;               /* await's: its body is not gathered, but pulled by request_read */
    need              needs;
    uint32_t          deadline;              /* ms that it may take, if there is a limit, instead of [timeouts] request; 0: that */
} route;

typedef struct span { uint16_t at, length; } span;           /* of the path */

typedef struct match {
    const route *route;                      /* NULL if none */
    label        label;                      /* of the route: "GET /users/:id" */
    bool         found;                      /* the path exists; if route is NULL, by other methods */
    bool         readable;                   /* it exists by GET */
    const char  *allow;                      /* of a path that exists: for the Allow header */
    span         parameters[MAX_PARAMETERS_OF_PATH];         /* in the order of the route's ':' and '*' */
} match;

typedef struct router router;

router *router_new(const route routes[], int count);         /* the routes must outlive it */
void    router_free(router *r);
void    router_find(const router *r, text method, text path, match *m);      /* HEAD finds GET's */

#endif
