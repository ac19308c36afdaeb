/* trace_context.c - see trace_context.h. */
#include "trace_context.h"
#include "random_id.h"

static bool is_hex(text t)
{
    for (size_t i = 0; i < t.length; i++)
        if (!((t.at[i] >= '0' && t.at[i] <= '9') || (t.at[i] >= 'a' && t.at[i] <= 'f')))
            return false;
    return true;
}

static bool is_id(text t)
{
    return is_hex(t) && strspn(t.at, "0") < t.length;        /* what is behind it ends the zeros: a hyphen */
}

bool trace_context_read(trace_context *t, text p)
{
    if (p.length < TRACEPARENT || p.at[2] != '-' || p.at[35] != '-' || p.at[52] != '-')
        return false;
    const text version = { p.at, 2 }, trace = { p.at + 3, TRACE_ID }, parent = { p.at + 36, SPAN_ID }, flags = { p.at + 53, 2 };
    const bool first = text_equal(version, TEXT("00"));
    if (!is_hex(version) || text_equal(version, TEXT("ff")) || !is_id(trace) || !is_id(parent) || !is_hex(flags))
        return false;
    if (p.length > TRACEPARENT && (first || p.at[TRACEPARENT] != '-'))
        return false;
    memcpy(t->trace, trace.at, sizeof t->trace);
    memcpy(t->parent, parent.at, sizeof t->parent);
    t->sampled = (flags.at[1] >= 'a' ? flags.at[1] - 'a' + 10 : flags.at[1] - '0') & 1;
    return true;
}

void trace_context_make(trace_context *t)
{
    *t = (trace_context){ .sampled = false };
    random_hex(t->trace, TRACE_ID);
}

void trace_context_write(const trace_context *t, const char span[SPAN_ID], char to[TRACEPARENT])
{
    memcpy(to, "00-", 3);
    memcpy(to + 3, t->trace, TRACE_ID);
    to[35] = '-';
    memcpy(to + 36, span, SPAN_ID);
    memcpy(to + 52, t->sampled ? "-01" : "-00", 3);
}

bool tracestate_is_fit(text state)
{
    for (size_t i = 0; i < state.length; i++)
        if (state.at[i] < ' ' || state.at[i] > '~')
            return false;
    return state.length > 0 && state.length <= TRACESTATE_MOST;
}
