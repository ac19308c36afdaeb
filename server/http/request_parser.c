/* request_parser.c - see request_parser.h. */
#include "request_parser.h"
#include "policy.h"
#include "server/base/memory.h"
#include "server/base/refusal.h"

long request_parser_read(request_parser *in, head_validator *g, const char *at, size_t length, const config *c, const router *r)
{
    const head_validator_limits limits = { c->limits.head, c->limits.uri, c->limits.headers };
    const long size = head_validate(g, at, length, &limits);
    if (size == 0)
        return 0;
    *g = (head_validator){ 0 };
    const int err = size < 0 ? (int)size : head_read(&in->head, at, (size_t)size);
    if (err)
        return err;
    if (mem_is_short())
        return refuse(REFUSED_MEMORY, 0);
    router_find(r, text_of(llhttp_method_name(in->head.method)), in->head.path, &in->match);
    const route *refusal = in->match.route ? policy_refusal(&in->head, &in->match) : NULL;
    if (refusal)
        in->match.route = refusal;
    in->needs = in->match.route ? in->match.route->needs : NEEDS_NOTHING;
    return size;
}

text request_parser_accepts(const request_parser *in, arena *a)
{
    return header_list(a, in->head.at, in->head.headers, in->head.count, "accept");
}

bool request_parser_streams(const request_parser *in) { return in->match.route && in->match.route->streams; }

size_t request_parser_size(const request_parser *in, size_t more) { return request_size(&in->head, more); }

void request_parser_init(const request_parser *in, request *req, size_t size)
{
    request_init(req, size, &in->head);
    req->route = in->match.route;
    req->needs = in->needs;
    if (req->route)
        req->scope = (scope){ .name = req->route->path, .label = in->match.label };
    else
        req->allow = in->match.found ? in->match.allow : NULL;
    memcpy(req->parameters, in->match.parameters, sizeof req->parameters);
}

int request_parser_body(const request_parser *in, request *req, const config *c)
{
    int err = 0;
    const size_t limit = request_parser_streams(in) ? BODY_STREAMS : c->limits.body;
    req->body = body_new(&req->arena, &in->head, limit, c->limits.head, &err);
    return err;
}
