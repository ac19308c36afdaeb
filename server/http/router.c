/* router.c - see router.h. A tree with a node for each segment. */
#include "router.h"
#include "server/base/memory.h"

#include <assert.h>
#include <stdio.h>

struct node {
    text         segment;                    /* ":" for any segment, "*" for the rest */
    struct node *child, *sibling;            /* plain ones first, then ":", then "*" */
    int          rank;                       /* 0 plain, 1 ":", 2 "*" */
    struct { text method; const route *route; label label; } routes[8];   /* route is NULL behind the last */
    char         allow[64];
    bool         readable;
};

struct router { struct node root; };

static text router_next_segment(const char **path, const char *end)
{
    const char *at = *path, *slash = memchr(at, '/', (size_t)(end - at));
    *path = slash ? slash + 1 : end + 1;     /* beyond the end: there are no more */
    return (text){ at, (size_t)((slash ? slash : end) - at) };
}

static int segment_rank(text segment)
{
    return segment.length && segment.at[0] == '*' ? 2 : segment.length && segment.at[0] == ':' ? 1 : 0;
}

static struct node *node_child(struct node *parent, text segment)
{
    struct node **link = &parent->child;
    if (segment_rank(segment) == 1)
        segment.length = 1;                  /* its name is the route's affair */
    for (; *link && (*link)->rank <= segment_rank(segment); link = &(*link)->sibling)
        if (text_equal((*link)->segment, segment))
            return *link;
    struct node *n = mem_alloc(sizeof *n);
    n->segment = segment;
    n->rank = segment_rank(segment);
    n->sibling = *link;
    return *link = n;
}

static void node_allow(struct node *n, const char *method)
{
    const size_t used = strlen(n->allow);
    snprintf(n->allow + used, sizeof n->allow - used, "%s%s", used ? ", " : "", method);
}

static void router_add(struct node *root, const route *r)
{
    char name[128];
    struct node *n = root;
    assert((!r->streams || r->await) && "a body is pulled by a handler that can wait");
    const char *end = r->path + strlen(r->path);
    for (const char *at = r->path + 1; at <= end;)
        n = node_child(n, router_next_segment(&at, end));
    int i = 0;
    while (n->routes[i].route)
        i++;
    assert(i < 7);
    n->routes[i].method = text_of(r->method);
    n->routes[i].route = r;
    snprintf(name, sizeof name, "%s %s", r->method, r->path);
    n->routes[i].label = label_of(name);
    if (i == 0)
        node_allow(n, "OPTIONS");
    node_allow(n, r->method);
    if (strcmp(r->method, "GET") == 0) {
        node_allow(n, "HEAD");
        n->readable = true;
    }
}

router *router_new(const route routes[], int count)
{
    router *r = mem_alloc(sizeof *r);
    for (int i = 0; i < count; i++)
        if (!routes[i].there || routes[i].there())
            router_add(&r->root, &routes[i]);
    return r;
}

static void node_free_children(struct node *n)
{
    for (struct node *c = n->child, *next; c; c = next) {
        next = c->sibling;
        node_free_children(c);
        mem_free(c);
    }
}

void router_free(router *r)
{
    node_free_children(&r->root);
    mem_free(r);
}

/* The node for the rest of a path, depth first: a plain segment that leads nowhere gives way to ":". */
static const struct node *router_walk(const struct node *n, text path, const char *at, span *parameters, int count)
{
    const char *const end = path.at + path.length;
    if (at > end)
        return n->routes[0].route ? n : NULL;
    const char *rest = at;
    const text segment = router_next_segment(&rest, end);
    const span here = { (uint16_t)(at - path.at), (uint16_t)segment.length };

    for (const struct node *c = n->child; c; c = c->sibling) {
        const struct node *found = NULL;
        switch (c->rank) {
        case 0:
            if (text_equal(c->segment, segment))
                found = router_walk(c, path, rest, parameters, count);
            break;
        case 1:
            if (segment.length > 0 && count < ROUTE_PARAMETERS) {
                parameters[count] = here;
                found = router_walk(c, path, rest, parameters, count + 1);
            }
            break;
        case 2:
            if (count == ROUTE_PARAMETERS)
                break;
            parameters[count] = (span){ here.at, (uint16_t)(end - at) };
            found = c;
            break;
        }
        if (found)
            return found;
    }
    return NULL;
}

void router_find(const router *r, text method, text path, match *m)
{
    m->route = NULL;
    m->found = m->readable = false;
    if (path.length == 0 || path.at[0] != '/')
        return;
    const struct node *n = router_walk(&r->root, path, path.at + 1, m->parameters, 0);
    if (!n)
        return;
    m->found = true;
    m->allow = n->allow;
    m->readable = n->readable;
    if (text_equal(method, TEXT("HEAD")))
        method = TEXT("GET");
    for (int i = 0; n->routes[i].route; i++)
        if (text_equal(method, n->routes[i].method)) {
            m->route = n->routes[i].route;
            m->label = n->routes[i].label;
        }
}
