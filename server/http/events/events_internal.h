/* events_internal.h - an answer of events as a loop's connection, or a thread, sees it. */
#ifndef HTTP_EVENTS_INTERNAL_H
#define HTTP_EVENTS_INTERNAL_H

#include "server/config/config.h"
#include "server/http/route.h"

#include <stdbool.h>

/* What it needs of what serves it, beside its request's. */
typedef struct event_host {
    const config *(*config)(const request *req);
    bool     (*stops)(const request *req);   /* does the server? */
    void     (*begun)(request *req);         /* it has: from now on there are heartbeats, and the handler is told to stop */
    promise *(*sent)(request *req);          /* there is more in the output: settles when there is room for another event */
} event_host;

/* A comment into the output, for a client of which nothing is sent. */
void events_beat(request *req);

/* Its handler has ended so: the last that the client is told. Returns the error that is left. */
int  events_end(request *req, int err);

#endif
