/* outgoing_call.c - see outgoing_call.h. */
#include "outgoing_call.h"
#include "server/async/scope_for.h"
#include "server/base/list.h"
#include "server/http/request.h"

void outgoing_call_begin(outgoing_call *c, arena *a, const char *method, const char *url)
{
    request *const req = request_here();
    const scope *const here = scope_here();
    *c = (outgoing_call){ .request = here->request, .since = here->since };
    c->count = identity_headers(a, c->headers, c->span);
    if (c->count == 0 || !request_trace(req)->trace.sampled)
        return;
    outgoing_span *const s = request_alloc(req, sizeof *s);
    *s = (outgoing_span){ .next = req->identity->calls, .since = uv_hrtime(), .method = arena_copy(&req->arena, text_of(method)),
                          .url = arena_copy(&req->arena, text_of(url)) };
    memcpy(s->span, c->span, SPAN_ID);
    req->identity->calls = s;
}

void outgoing_call_end(const outgoing_call *c, int status)
{
    scope *const of = c->count ? scope_for_number(c->request, c->since) : NULL;
    const request *const req = of ? container_of(of, request, scope) : NULL;
    outgoing_span *s = req && req->identified ? req->identity->calls : NULL;
    while (s && memcmp(s->span, c->span, SPAN_ID) != 0)
        s = s->next;
    if (!s)
        return;
    s->end = uv_hrtime();
    s->status = status;
}
