/* worker.h - one thread's part of the server: what its connections share. */
#ifndef HTTP_WORKER_H
#define HTTP_WORKER_H

#include "admission.h"
#include "poller.h"
#include "server/config/config.h"
#include "server/http/listen/listener.h"
#include "server/http/request_parser.h"

#include <stdbool.h>
#include <uv.h>

enum { WORKER_BUFFER = 64 * 1024 };

typedef struct worker {
    const config  *config;
    const listeners *listeners;              /* where its connections come from */
    const peer_trust *trust;
    poller         poller;                   /* of its connections' sockets */
    int            connections;              /* open now */
    size_t         unwritten;                /* bytes that slow readers have not taken */
    bool           draining;                 /* no new connections, and each answer is the last on its own */
    void         (*emptied)(struct worker *);        /* called when the last connection of a draining worker is gone */
    void         (*answering)(request *req); /* the site's, see route.h */
    admission      admission;
    uv_check_t     check;                    /* once a turn, after I/O */
    uint64_t       now;                      /* nanoseconds, when a read was begun last */
    request_parser request_parser;           /* of the head that is being read */
    char           buffer[WORKER_BUFFER];    /* all reads go here: an idle connection holds none */
} worker;

extern _Thread_local worker *worker_here;

/* config, listeners and what is the site's are there, and the loop. From now on ready is called for connections whose
 * sockets are (poller.h). 0, or libuv's error. */
int  worker_open(worker *w, bool (*ready)(void *connection, uint32_t events));
void worker_configure(worker *w, const config *c);   /* goes by that one from now on */
void worker_close(worker *w);                /* its last connection has gone */

#endif
