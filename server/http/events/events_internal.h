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
    bool     (*flush)(request *req);         /* what is in the output leaves soon: is there room for more, and does it go on? */
    bool     (*has_room)(const request *req);        /* is there, without that? */
} event_host;

enum { FOLLOWER_ROOM = 48 };                 /* bytes that events_follow takes of its request's arena, on a loop */

/* A comment into the output, for a client of which nothing is sent. */
void events_beat(request *req);

/* Its client is gone, or the server stops: what it follows (events_follow) ends, whether its handler can be cancelled or not. */
void events_cancel(request *req);

/* Its handler has ended so: the last that the client is told. Returns the error that is left. */
int  events_end(request *req, int err);

#endif
