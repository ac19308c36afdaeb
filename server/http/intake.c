/* intake.c - see intake.h. */
#include "intake.h"
#include "policy.h"
#include "server/base/memory.h"
#include "server/base/refusal.h"

long intake_read(intake *in, guard *g, const char *at, size_t length, const config *c, const router *r)
{
    const guard_limits limits = { c->limits.head, c->limits.uri, c->limits.headers };
    const long size = guard_head(g, at, length, &limits);
    if (size == 0)
        return 0;
    *g = (guard){ 0 };
    const int err = size < 0 ? (int)size : head_read(&in->head, at, (size_t)size);
    if (err)
        return err;
    if (mem_is_short())
        return refuse(REFUSED_MEMORY, 0);
    router_find(r, text_of(llhttp_method_name(in->head.method)), in->head.path, &in->match);
    const route *refusal = in->match.route ? policy_refusal(&in->head) : NULL;
    if (refusal)
        in->match.route = refusal;
    in->needs = in->match.route ? in->match.route->needs : NEEDS_NOTHING;
    return size;
}

text intake_accepts(const intake *in, arena *a)
{
    return header_list(a, in->head.at, in->head.headers, in->head.count, "accept");
}

bool intake_streams(const intake *in) { return in->match.route && in->match.route->streams; }

size_t intake_size(const intake *in, size_t more) { return exchange_size(&in->head, more); }

void intake_init(const intake *in, request *req, size_t size)
{
    exchange_init(req, size, &in->head);
    req->route = in->match.route;
    req->needs = in->needs;
    if (req->route)
        req->owner = (owner){ .name = req->route->path, .label = in->match.label };
    else
        req->allow = in->match.found ? in->match.allow : NULL;
    memcpy(req->parameters, in->match.parameters, sizeof req->parameters);
}

int intake_body(const intake *in, request *req, const config *c)
{
    int err = 0;
    const size_t limit = intake_streams(in) ? BODY_STREAMS : c->limits.body;
    req->body = body_new(&req->arena, &in->head, limit, c->limits.head, &err);
    return err;
}
