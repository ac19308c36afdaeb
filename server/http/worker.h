/* worker.h - one thread's part of the server: what its connections share. */
#ifndef HTTP_WORKER_H
#define HTTP_WORKER_H

#include "intake.h"
#include "server/config.h"

#include <uv.h>

enum { READ_BUFFER = 64 * 1024 };

typedef struct worker {
    const config *config;
    const router *router;
    uv_tcp_t      listener;
    int           connections;               /* open now */
    bool          draining;                  /* no new connections, and no new requests on old ones */
    void        (*emptied)(struct worker *); /* called when the last connection of a draining worker is gone */
    void        (*answering)(request *req);  /* the site's, see server.h */
    intake        intake;                    /* of the head that is being read */
    char          buffer[READ_BUFFER];       /* all reads go here: an idle connection holds none */
} worker;

extern _Thread_local worker *worker_here;

void connection_accept(uv_stream_t *listener, int status);   /* libuv's callback */
void connections_drain(void);                /* each ends after what it is doing */
void connections_break_off(void);            /* bodies that stream end here: their handlers answer with what they have */
void connections_abort(void);                /* each ends now; handlers are cancelled */

#endif
