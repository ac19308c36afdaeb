/* outgoing_call.h - a call to another server, as a part of the trace of the request for which it is made (identity.h).
 *
 * Where that trace is kept, so is the call, as a span: its id is the parent that the other server is told.
 *
 *   Threads.  The one that serves the request. */
#ifndef HTTP_OUTGOING_CALL_H
#define HTTP_OUTGOING_CALL_H

#include "server/http/identity.h"

typedef struct outgoing_call {
    const char *headers[IDENTITY_HEADERS];   /* for the other server */
    int         count;                       /* of them; 0: it is made for no request */
    char        span[SPAN_ID];
    uint16_t    request;                     /* its number, and since when who calls is there: of scope_for_number */
    uint32_t    since;
} outgoing_call;

/* For the request for which this thread works now. Texts are the arena's. */
void outgoing_call_begin(outgoing_call *c, arena *a, const char *method, const char *url);

/* It has ended with that status, or error. Its request may have done so before. */
void outgoing_call_end(const outgoing_call *c, int status);

#endif
