/* identity.c - see identity.h. */
#include "identity.h"
#include "request.h"
#include "server/http/message/random_id.h"
#include "server/http/message/url.h"

#include <stdatomic.h>
#include <stdio.h>

bool identity_answers;

static identity *request_identity(request *req)
{
    if (req->identified)
        return req->identity;
    identity *const i = request_alloc(req, sizeof *i);
    i->answer = req->answer;
    i->request = i->state = TEXT("");
    req->identified = true;
    return req->identity = i;
}

static _Atomic uint64_t sampled_below;       /* of all numbers of 64 bits; 0: none */

void identity_sample(double part)
{
    atomic_store_explicit(&sampled_below, part >= 1 ? UINT64_MAX : (uint64_t)(part * 0x1p64), memory_order_relaxed);
}

/* A request that is not sampled must not cost more: so the numbers are of a generator of this thread (G. Marsaglia, "Xorshift
 * RNGs", Journal of Statistical Software, 2003). */
bool identity_is_sampled(void)
{
    static _Thread_local uint64_t state;
    const uint64_t below = atomic_load_explicit(&sampled_below, memory_order_relaxed);
    if (below == 0)
        return false;
    while (state == 0)
        state = random_number();
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state <= below;
}

bool request_id_is_fit(text id)
{
    static const bool FIT[256] = {
        ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true, ['-'] = true, ['.'] = true, ['_'] = true,
        ['~'] = true, ['+'] = true, ['/'] = true, ['='] = true, [':'] = true, ['@'] = true,
    };
    for (size_t i = 0; i < id.length; i++)
        if (!FIT[(unsigned char)id.at[i]])
            return false;
    return id.length > 0 && id.length <= REQUEST_ID_MOST;
}

text request_id(request *req)
{
    enum { DIGITS = 32 };
    identity *const i = request_identity(req);
    if (i->request.length > 0)
        return i->request;
    const text given = request_header(req, "x-request-id");
    if (request_id_is_fit(given)) {          /* a copy: its head may end before it does */
        i->request = (text){ arena_copy(request_arena(req), given), given.length };
    } else {
        char *const made = request_alloc(req, DIGITS + 1);
        random_hex(made, DIGITS);
        i->request = (text){ made, DIGITS };
    }
    return i->request;
}

/* What is made to be kept has no connection, and answers many. */
void request_answer_named(request *req)
{
    if (!req->connection || !(identity_answers || req->identity->request.length > 0))
        return;
    const text id = request_id(req);
    respond_header(req, "X-Request-Id", "%.*s", (int)id.length, id.at);
}

const identity *request_trace(request *req)
{
    identity *const i = request_identity(req);
    if (i->traced)
        return i;
    i->traced = true;
    if (trace_context_read(&i->trace, request_header(req, "traceparent"))) {
        const text state = request_list(req, "tracestate");
        if (tracestate_is_fit(state))
            i->state = (text){ arena_copy(request_arena(req), state), state.length };
    } else {
        trace_context_make(&i->trace);
        i->trace.sampled = identity_is_sampled();
    }
    random_hex(i->span, SPAN_ID);
    return i;
}

int identity_headers(arena *a, const char *headers[IDENTITY_HEADERS], char span[SPAN_ID])
{
    char parent[TRACEPARENT];
    request *const req = request_here();
    if (!req)
        return 0;
    const identity *const i = request_trace(req);
    random_hex(span, SPAN_ID);
    trace_context_write(&i->trace, span, parent);
    headers[0] = arena_printf(a, "traceparent: %.*s", TRACEPARENT, parent);
    if (i->state.length == 0)
        return 1;
    headers[1] = arena_printf(a, "tracestate: %.*s", (int)i->state.length, i->state.at);
    return 2;
}

void identity_in_log(char *to, size_t size)
{
    request *const req = request_here();
    if (!req)
        return;
    const text id = request_id(req);
    snprintf(to, size, " (request %.*s, trace %.*s)", (int)id.length, id.at, TRACE_ID, request_trace(req)->trace.trace);
}

/* Keys in order; values encoded as in a URL, in which there is neither a quote nor the end of a comment. */
char *identity_in_sql(arena *a)
{
    char parent[TRACEPARENT];
    request *const req = request_here();
    if (!req)
        return NULL;
    const identity *const i = request_trace(req);
    trace_context_write(&i->trace, i->span, parent);
    const char *const state = i->state.length ? arena_printf(a, ",tracestate='%s'", url_encode(a, i->state)) : "";
    const char *const route = req->route ? url_encode(a, text_of(req->route->path)) : "";
    return arena_printf(a, " /*application='tenk',route='%s',traceparent='%.*s'%s*/", route, TRACEPARENT, parent, state);
}
