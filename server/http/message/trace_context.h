/* trace_context.h - where a request belongs in a trace, as W3C Trace Context has it (www.w3.org/TR/trace-context/, level 1).
 *
 *     traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
 *                  |  trace, 32 digits                 |                 flags: 01 is sampled
 *                  version                             the caller's span, 16 digits
 *
 * Ids are lower-case hexadecimal digits, and not all zeros. Of a later version what this one has is taken (3.2.2.3). */
#ifndef TRACE_CONTEXT_H
#define TRACE_CONTEXT_H

#include "server/base/text.h"

enum { TRACE_ID = 32, SPAN_ID = 16, TRACEPARENT = 55, TRACESTATE_MOST = 512 };       /* characters */

typedef struct trace_context {
    char trace[TRACE_ID];                    /* not terminated */
    char parent[SPAN_ID];                    /* the span that caused this one; all 0 bytes: it is the first of its trace */
    bool sampled;                            /* whoever began it records it */
} trace_context;

/* False, and *t is untouched: it is not well-formed. */
bool trace_context_read(trace_context *t, text traceparent);
void trace_context_make(trace_context *t);   /* one that begins here, not sampled */

static inline bool trace_has_parent(const trace_context *t) { return t->parent[0]; }

/* For what is called by this span of it. */
void trace_context_write(const trace_context *t, const char span[SPAN_ID], char to[TRACEPARENT]);

/* May it be handed on? It is not looked into: printable ASCII, and no longer than everybody has to take (3.3.1.5). */
bool tracestate_is_fit(text state);

#endif
