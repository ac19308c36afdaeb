/* router.h - finds the route of a path.
 *
 * A route's path is made of segments: plain ones, ":name" for any one segment, and "*" at the end for
 * all the rest. Plain beats ":name" beats "*". Paths are matched as they were sent; a parameter is looked for and decoded
 * when the handler asks for it.
 *
 * A path of plain segments alone is looked up in a hash table: it beats all others. What is not there is looked for in
 * a tree, segment by segment. */
#ifndef HTTP_ROUTER_H
#define HTTP_ROUTER_H

#include "server/async/label.h"
#include "server/base/text.h"
#include "route.h"

typedef struct match {
    const route *route;                      /* NULL if none */
    label        label;                      /* of the route: "GET /users/:id"; of none: "GET unmatched" */
    bool         found;                      /* the path exists; if route is NULL, by other methods */
    bool         readable;                   /* it exists by GET */
    const char  *allow;                      /* of a path that exists: for the Allow header */
} match;

typedef struct router router;

/* Of those that are there, or of those for [admin] listen. They must outlive it. */
router *router_new(const route routes[], int count, bool admin);
void    router_free(router *r);
void    router_find(const router *r, int method, text path, match *m);       /* llhttp's number; HEAD finds GET's */

#endif
