/* visitor.h - somebody else, while a pattern runs: asks for /healthz every 10 ms, whether what was asked before has been answered
 * or not, on one connection, from a thread of its own. In async mode that connection is one of the loop on which the pattern
 * runs, so what blocks the loop is suffered here. Each answer is recorded, with how long it took (TRACE_TOOK).
 *
 *     visitor *v;
 *     err = visitor_open(&v, req);
 *     ...
 *     visitor_begin(v, trace_root(t));
 *     ...
 *     visitor_end(v, &seen);
 *
 * A visitor ends before its run does, and belongs to the thread that started it. */
#ifndef GALLERY_VISITOR_H
#define GALLERY_VISITOR_H

#include "server/async/task.h"
#include "server/async/trace.h"
#include "server/http/request.h"

typedef struct visitor visitor;

typedef struct visits {                      /* microseconds */
    int     answered;
    int64_t median, longest;
} visits;

extern const char VISITED[];                 /* what is recorded: "GET /healthz" */

/* Returns when it has a connection: 0, or why it has none. UV_EADDRNOTAVAIL: none led to this loop. */
async int visitor_open(visitor **v, request *req);
void visitor_begin(visitor *v, track *t);    /* from now on it asks */
async void visitor_end(visitor *v, visits *seen);            /* when all that it has asked for is answered, or given up */

#endif
