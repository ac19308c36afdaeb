/* router.c - see router.h. A tree with a node for each segment, and a table of the plain paths in it. */
#include "router.h"
#include "server/base/memory.h"

#include <assert.h>
#include <llhttp.h>
#include <stdio.h>

struct node {
    text         segment;                    /* ":" for any segment, "*" for the rest */
    struct node *child, *sibling;            /* plain ones first, then ":", then "*" */
    int          rank;                       /* 0 plain, 1 ":", 2 "*" */
    struct { int method; const route *route; label label; } routes[8];    /* route is NULL behind the last */
    char         allow[64];
    bool         readable;
};

enum { METHODS = HTTP_SOURCE + 1 };          /* of llhttp's */

struct router {
    struct node root;
    label unmatched[METHODS];                /* of requests without a route; 0 of a method that is none of a browser's */
    struct plain { text path; const struct node *node; } *plain;     /* node is NULL of an empty place, and many are */
    size_t mask;                             /* of an index into them, whose number is a power of two */
};

/* Eight bytes at a time. */
static size_t path_hash(text path)
{
    const uint64_t odd = 0x9e3779b97f4a7c15; /* 2^64 divided by the golden ratio */
    uint64_t hash = path.length;
    while (path.length > 0) {
        uint64_t part = (unsigned char)*path.at;
        const size_t bytes = path.length >= sizeof part ? sizeof part : 1;
        if (bytes == sizeof part)
            memcpy(&part, path.at, sizeof part);
        hash = (hash ^ part) * odd;
        hash ^= hash >> 32;
        path.at += bytes;
        path.length -= bytes;
    }
    return (size_t)hash;
}

/* The place of that path, or the empty one where it would be. */
static struct plain *router_plain(const router *r, text path)
{
    size_t i = path_hash(path) & r->mask;
    while (r->plain[i].node && !text_equal(r->plain[i].path, path))
        i = (i + 1) & r->mask;
    return &r->plain[i];
}

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

static int method_number(const char *name)
{
    static const struct { int number; const char *name; } METHODS[] = {
#define METHOD(number, name, string) { number, #string },
        HTTP_METHOD_MAP(METHOD)
#undef METHOD
    };
    size_t i = 0;
    while (i < sizeof METHODS / sizeof *METHODS && strcmp(METHODS[i].name, name) != 0)
        i++;
    assert(i < sizeof METHODS / sizeof *METHODS && "a method that the parser knows");
    return METHODS[i].number;
}

static void router_add(router *all, const route *r)
{
    char name[128];
    struct node *n = &all->root;
    bool plain = true;
    assert((!r->streams || r->await) && "a body is pulled by a handler that can wait");
    assert((!r->websocket || !r->answer) && "messages are waited for");
    const char *end = r->path + strlen(r->path);
    for (const char *at = r->path + 1; at <= end;) {
        n = node_child(n, router_next_segment(&at, end));
        plain = plain && n->rank == 0;
    }
    if (plain)
        *router_plain(all, text_of(r->path)) = (struct plain){ text_of(r->path), n };
    int i = 0;
    while (n->routes[i].route)
        i++;
    assert(i < 7);
    n->routes[i].method = method_number(r->method);
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

static void router_label_unmatched(router *r)
{
    static const char *const METHODS_OF_BROWSERS[] = { "GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS" };
    for (size_t i = 0; i < sizeof METHODS_OF_BROWSERS / sizeof *METHODS_OF_BROWSERS; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s unmatched", METHODS_OF_BROWSERS[i]);
        r->unmatched[method_number(METHODS_OF_BROWSERS[i])] = label_of(name);
    }
}

router *router_new(const route routes[], int count, bool admin)
{
    router *r = mem_alloc(sizeof *r);
    router_label_unmatched(r);
    size_t places = 2;
    while (places < 2 * (size_t)count)
        places *= 2;
    r->plain = mem_alloc(places * sizeof *r->plain);
    r->mask = places - 1;
    for (int i = 0; i < count; i++)
        if (admin ? routes[i].admin : !routes[i].there || routes[i].there())
            router_add(r, &routes[i]);
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
    mem_free(r->plain);
    mem_free(r);
}

/* The node for the rest of a path, depth first: a plain segment that leads nowhere gives way to ":". */
static const struct node *router_walk(const struct node *n, const char *at, const char *end)
{
    if (at > end)
        return n->routes[0].route ? n : NULL;
    const char *rest = at;
    const text segment = router_next_segment(&rest, end);

    for (const struct node *c = n->child; c; c = c->sibling) {
        const struct node *found = NULL;
        if (c->rank == 2)
            found = c;
        else if (c->rank == 1 ? segment.length > 0 : text_equal(c->segment, segment))
            found = router_walk(c, rest, end);
        if (found)
            return found;
    }
    return NULL;
}

/* All but the label of what has no route. */
static void router_match(const router *r, int method, text path, match *m)
{
    m->route = NULL;
    m->found = m->readable = false;
    if (path.length == 0 || path.at[0] != '/')
        return;
    const struct node *n = router_plain(r, path)->node;
    if (!n && !(n = router_walk(&r->root, path.at + 1, path.at + path.length)))
        return;
    m->found = true;
    m->allow = n->allow;
    m->readable = n->readable;
    for (int i = 0; n->routes[i].route; i++)
        if (n->routes[i].method == method) {
            m->route = n->routes[i].route;
            m->label = n->routes[i].label;
        }
}

void router_find(const router *r, int method, text path, match *m)
{
    if (method == HTTP_HEAD)
        method = HTTP_GET;
    router_match(r, method, path, m);
    if (!m->route)
        m->label = method < METHODS ? r->unmatched[method] : 0;
}
