/* worker_thread.h - a worker and what runs it: from the start of its thread to its end.
 *
 *     started ------------> serves --------------> drains ----------------------------> ended
 *              sockets and          told to stop:          all clients have gone, or the
 *              a loop are there     its share of sockets   time is over: the site is
 *                                   is closed, clients     closed on this thread, too
 *                                   are told
 *
 *   Stopping.  In half of [timeouts] drain what still arrives may arrive, in the other half what has is answered; what is left
 *              then is cut off. Clients who would go on for ever are told within the first quarter (stop_spread.h).
 *   Threads.   It is its own thread's but for what says otherwise. */
#ifndef HTTP_WORKER_THREAD_H
#define HTTP_WORKER_THREAD_H

#include "acceptor.h"
#include "worker.h"
#include "server/async/timer.h"
#include "server/http/server.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

typedef struct worker_thread {
    server     *server;
    int         number;                      /* among the workers */
    void      (*ending)(void *arg);          /* or NULL: on its thread, its loop is about to end */
    void       *ending_arg;
    uv_thread_t id;
    bool        late;                        /* the drain time passed with work left */
    /* Its own: */
    worker      worker;
    acceptor   *acceptors;                   /* its share of each listener's sockets */
    int         acceptor_count;
    uv_sem_t    started;                     /* or it could not: */
    int         err;
    uv_async_t  stop;
    uv_async_t  ask;
    atomic_uint asked, answered;             /* how often */
    bool        gone;                        /* of the server's lock: it does not answer any more */
    timer       deadline;
    timer       telling;                     /* for the next of those clients that have to be told that it stops */
    uint64_t    stopped;                     /* milliseconds of timer_now, when it was told to */
    uint64_t    spread;                      /* for how long clients are told */
} worker_thread;

/* {0} but for the server, the number and ending; it stays where it is until its end. */

int  worker_thread_start(worker_thread *t);  /* on this thread: what it needs to serve. On an error nothing is left of it */
void worker_thread_run(worker_thread *t);    /* serves, until it has been told to stop and has drained */

/* Both on a thread of its own, whose id is there to be joined; has returned once it serves. On an error nothing is left. */
int  worker_thread_create(worker_thread *t);

void worker_thread_stop(worker_thread *t);   /* by any thread, while that runs */

/* By any thread, under the server's lock: to come by and take the latest configuration; has it since it was asked last? */
void worker_thread_ask(worker_thread *t);
bool worker_thread_has_answered(const worker_thread *t);

#endif
