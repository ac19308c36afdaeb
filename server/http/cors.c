/* cors.c - see cors.h. */
#include "cors.h"
#include "request.h"
#include "server/http/message/head.h"

#include <strings.h>

static struct {
    cors_options options;
    text         origins;
    bool         on, any;                    /* any: all origins are allowed */
} here;

void cors_configure(const cors_options *o)
{
    here.options = *o;
    here.origins = text_of(o->origins);
    here.on = !text_equal(here.origins, TEXT("none"));
    here.any = text_equal(here.origins, TEXT("*"));
}

bool origin_is_listed(text origins, text origin)
{
    text member;
    if (text_equal(origins, TEXT("*")))
        return true;
    while (text_next_member(&origins, &member))
        if (member.length == origin.length && strncasecmp(member.at, origin.at, origin.length) == 0)
            return true;
    return false;
}

static bool cors_takes_part(const route *r)
{
    for (middleware *const *m = r->before; m && *m; m++)
        if (*m == cors)
            return true;
    return false;
}

bool cors_trusts(const route *r, text origin)
{
    return here.on && !here.any && cors_takes_part(r) && origin_is_listed(here.origins, origin);
}

/* True if it has been told that it is allowed. A cache must not give one origin's answer to another. */
static bool cors_admit(request *req, const char *vary)
{
    const text origin = request_header(req, "origin");
    if (!here.any)
        respond_header(req, "Vary", "%s", vary);
    if (origin.length == 0 || !origin_is_listed(here.origins, origin))
        return false;
    if (here.any)
        respond_header(req, "Access-Control-Allow-Origin", "*");
    else
        respond_header(req, "Access-Control-Allow-Origin", "%.*s", (int)origin.length, origin.at);
    if (here.options.credentials)
        respond_header(req, "Access-Control-Allow-Credentials", "true");
    return true;
}

int cors(request *req)
{
    if (here.on)
        cors_admit(req, "Origin");
    return 0;
}

static int preflight(request *req)
{
    if (cors_admit(req, "Origin, Access-Control-Request-Method, Access-Control-Request-Headers")) {
        respond_header(req, "Access-Control-Allow-Methods", "%s", here.options.methods);
        respond_header(req, "Access-Control-Allow-Headers", "%s", here.options.headers);
        respond_header(req, "Access-Control-Max-Age", "%llu", (unsigned long long)here.options.max_age_ms / 1000);
    }
    return respond_nothing(req, 204);
}

static const route PREFLIGHT = { "OPTIONS", "(preflight)", .answer = preflight };

static int method_of(text name)
{
    for (int m = HTTP_DELETE; m <= HTTP_SOURCE; m++)
        if (text_equal(name, text_of(llhttp_method_name((llhttp_method_t)m))))
            return m;
    return -1;
}

const route *cors_preflight(const head *h, const router *r)
{
    match m;
    if (!here.on || header_find(h->at, h->headers, h->count, "origin").length == 0)
        return NULL;
    const int method = method_of(header_find(h->at, h->headers, h->count, "access-control-request-method"));
    if (method < 0)
        return NULL;
    router_find(r, method, h->path, &m);
    return m.route && cors_takes_part(m.route) ? &PREFLIGHT : NULL;
}
