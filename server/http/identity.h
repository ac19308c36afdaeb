/* identity.h - by what a request is known elsewhere: its X-Request-Id, and its place in a trace (trace_context.h).
 *
 * Both are taken from its headers if they are well-formed there, else made; when somebody asks first. So they cost a request
 * nothing of which nobody asks: a line in the log, a call to another server, a statement with a comment, a span, or its own
 * answer.
 *
 *   X-Request-Id   1 to 128 of A-Z a-z 0-9 - . _ ~ + / = : @ ; one that is made has 32 hexadecimal digits
 *   traceparent    with its tracestate. One that is made begins a trace here
 *
 *   Ownership.  What is returned lives as long as the request.
 *   Threads.    The one that serves the request. */
#ifndef HTTP_IDENTITY_H
#define HTTP_IDENTITY_H

#include "server/base/arena.h"
#include "server/http/message/trace_context.h"
#include "server/http/request_internal.h"

#include <stdbool.h>

enum { REQUEST_ID_MOST = 128 };

/* A call to another server that is a span of its trace. */
typedef struct outgoing_span {
    struct outgoing_span *next;              /* the one before it */
    char        span[SPAN_ID];
    uint64_t    since, end;                  /* uv_hrtime; end 0: it has not ended yet */
    const char *method, *url;
    int         status;                      /* or the error; 0 while it has not ended */
} outgoing_span;

typedef struct identity {
    answer_so_far answer;                    /* first: the request's, for which there is no other room (request_internal.h) */
    text          request;                   /* its id; "": nobody has asked for it yet */
    bool          traced;                    /* has anybody asked for what follows? */
    trace_context trace;
    char          span[SPAN_ID];             /* the request's own in it, not terminated */
    text          state;                     /* its tracestate; "" for none */
    outgoing_span *calls;                    /* of a trace that is sampled: the last one first */
} identity;

text            request_id(request *req);
const identity *request_trace(request *req);

bool request_id_is_fit(text id);

/* Of traces that begin here from now on so many are sampled, 0 to 1, as at first none; and whether the next one is. */
void identity_sample(double part);
bool identity_is_sampled(void);

extern bool identity_answers;                /* [log] request_id: each answer has the header X-Request-Id */

/* Its answer, whose head is about to be written, has it then, and whenever the log, say, has it too. */
void request_answer_named(request *req);
static inline void request_answer_id(request *req)
{
    if (identity_answers || req->identified)
        request_answer_named(req);
}

/* What follows is about the request for which this thread works now. */

/* The headers with which a server that is asked for it learns of it, and the span that they name: how many, 0 if there is none.
 * They are the arena's. */
enum { IDENTITY_HEADERS = 2 };
int   identity_headers(arena *a, const char *headers[IDENTITY_HEADERS], char span[SPAN_ID]);

void  identity_in_log(char *to, size_t size);        /* " (request 0af7..., trace 4bf9...)", for log_set_whom; or "" */
char *identity_in_sql(arena *a);             /* a comment in SQLCommenter's form (google.github.io/sqlcommenter/spec); or NULL */

#endif
