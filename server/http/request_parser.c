/* request_parser.c - see request_parser.h. */
#include "request_parser.h"
#include "cors.h"
#include "policy.h"
#include "server/base/memory.h"
#include "server/base/overload/refusal.h"

long request_parser_read(request_parser *p, head_scanner *s, const char *at, size_t length, const config *c, const router *r,
                         const peer *from)
{
    const head_limits limits = { c->limits.head, c->limits.uri, c->limits.headers };
    const long size = head_scan(s, at, length, &limits, &p->head);
    if (size == 0)
        return 0;
    *s = (head_scanner){ 0 };
    const int err = size < 0 ? (int)size : head_read(&p->head);
    if (err)
        return err;
    if (mem_is_short())
        return refuse(REFUSED_MEMORY, 0);
    router_find(r, p->head.method, p->head.path, &p->match);
    const route *const preflight = p->head.method == HTTP_OPTIONS ? cors_preflight(&p->head, r) : NULL;
    if (preflight)
        p->match.route = preflight;
    const route *refusal = p->match.route ? policy_refusal(&p->head, &p->match, from, c->websocket.origins) : NULL;
    if (refusal)
        p->match.route = refusal;
    p->needs = p->match.route ? p->match.route->needs : NEEDS_NOTHING;
    return size;
}

text request_parser_accepts(const request_parser *p, arena *a)
{
    return header_list(a, p->head.at, p->head.headers, p->head.count, "accept");
}

bool request_parser_streams(const request_parser *p) { return p->match.route && p->match.route->streams; }

bool request_parser_is_overtaken(const request_parser *p, uint64_t worth, const char *behind, size_t length)
{
    return p->head.method == HTTP_GET && !p->head.has_body && length / p->head.length >= worth &&
           memmem(behind, length, "\r\n\r\n", 4);
}

size_t request_parser_size(const request_parser *p, bool apart, size_t more) { return request_size(&p->head, apart, more); }

void request_parser_init(const request_parser *p, request *req, size_t size, bool apart, uint64_t now)
{
    request_init(req, size, &p->head, apart);
    req->started = now;
    req->route = p->match.route;
    req->needs = p->needs;
    if (req->route)
        req->scope = (scope){ .name = req->route->path, .label = p->match.label, .since = (uint32_t)(now / 1000000),
                              .at_once = req->route->answer };
    else {
        req->allow = p->match.found ? p->match.allow : NULL;
        req->scope.label = p->match.label;
    }
}

int request_parser_body(const request_parser *p, request *req, const config *c)
{
    int err = 0;
    const size_t limit = request_parser_streams(p) ? BODY_STREAMS : c->limits.body;
    req->body = body_new(&req->arena, &p->head, limit, c->limits.head, &err);
    return err;
}
