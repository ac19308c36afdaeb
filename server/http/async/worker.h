/* worker.h - one thread's part of the server: what its connections share. */
#ifndef HTTP_WORKER_H
#define HTTP_WORKER_H

#include "acceptor.h"
#include "admission.h"
#include "server/http/request_parser.h"
#include "poller.h"
#include "server/async/loop.h"
#include "server/config/config.h"

#include <stdbool.h>
#include <uv.h>

enum {
    READ_BUFFER = 64 * 1024,
    TURN_BUDGET = 4,                         /* ms of one turn that clients' requests may take: then all else has its turn */
};

typedef struct worker_list { ready *first, **last; } worker_list;    /* last: where the next one goes; if there is none, anything */

typedef struct worker {
    const config *config;
    const router *router;
    acceptor      acceptor;
    poller        poller;                    /* of its connections' sockets */
    int           connections;               /* open now */
    size_t        unwritten;                 /* bytes that slow readers have not taken */
    bool          draining;                  /* no new connections, and each answer is the last on its own */
    void        (*emptied)(struct worker *); /* called when the last connection of a draining worker is gone */
    void        (*answering)(request *req);  /* the site's, see server.h */
    admission     admission;
    uv_check_t    check;                     /* once a turn, after I/O */
    uint64_t      now;                       /* nanoseconds, when a read was begun last */
    uint64_t      turn_end;                  /* nanoseconds: when this turn's budget is used up; 0: it has not begun */
    worker_list   due, later;                /* what was put off in earlier turns, and in this one */
    ready         awake;                     /* keeps the loop from sleeping meanwhile */
    bool          is_awake;
    request_parser        request_parser;                    /* of the head that is being read */
    char          buffer[READ_BUFFER];       /* all reads go here: an idle connection holds none */
} worker;

extern _Thread_local worker *worker_here;

/* config, router and site are there, and the loop: from now on it serves what its acceptor brings. 0, or libuv's error. */
int  worker_open(worker *w);
void worker_close(worker *w);                /* its last connection has gone */

/* Whether clients have had their part of this turn; what is left of theirs then waits for the next. */
bool worker_turn_is_over(uint64_t now);
void worker_next_turn(ready *r);             /* runs r in the next turn that has time for it, in the order of these calls */

int  connections_open(void);                 /* the worker's poller is there from now on; 0, or libuv's error */
void connections_drain(void);                /* each ends after what it is doing, or, if that is nothing, after its next request */
void connections_break_off(void);            /* bodies that stream end here: their handlers answer with what they have */
int  connections_abort(void);                /* each ends now; handlers are cancelled: how many had anything under way */

#endif
