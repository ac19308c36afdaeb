/* entry.h - within server/executor: what wants to run in an executor, a job (job.c) or a ticket, and its place in line.
 *
 * What a loop has in an executor is its own, but for the line: the thread of the pool whose job has ended goes on with the next
 * one in it by itself, and tells the loop. Else each job would wait until the loop has heard of the one before, and two threads
 * that wake each other by turns take longer than a short job does. */
#ifndef ENTRY_H
#define ENTRY_H

#include "server/base/list.h"
#include "server/base/overload/wait_queue.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

typedef struct executor executor;
struct executor {
    const char      *name;
    int              most_running, most_waiting;             /* of each loop */
    uint64_t         target;                 /* codel.h's, in nanoseconds */
    atomic_int       running, waiting;       /* of all */
    _Atomic uint64_t done, refused;
};

typedef struct entry entry;
struct entry {
    wait_queue_entry waiting;                /* in no queue once it runs */
    executor        *executor;
    void           (*admit)(entry *n);       /* its turn has come */
    void           (*refuse)(entry *n, int err);             /* or will not */
};

/* What a loop has in an executor. */
typedef struct local {
    executor       *executor;                /* once any have waited */
    int             running;                 /* of the loop's thread alone */
    pthread_mutex_t lock;                    /* of what threads of the pool touch, too: */
    int             waiting;
    wait_queue      queue;
    fifo            ended;                   /* jobs that are to be settled */
    bool            open;                    /* wake is: from when one has to wait until nothing runs */
    bool            closing;                 /* of the loop's thread alone: wake is */
    uv_async_t      wake;                    /* calls job_on_wake (job.c) */
} local;

/* On the loop's thread. */
local *executor_local(executor *e);
bool   executor_is_full(executor *e);        /* it takes no more */
int    executor_refuse(executor *e, bool full, uint64_t waited);     /* counts one, and says why */
void   executor_refuse_late(executor *e);    /* those that have waited too long, now that another has ended */
void   executor_free_place(executor *e);     /* one has ended, and another may run */
void   entry_begin(entry *n);                /* admits it, or has it wait */
bool   entry_stop_waiting(entry *n);         /* false: it did not */
void   job_on_wake(uv_async_t *wake);

/* Under its lock, on any thread. */
entry *local_first(const local *l);          /* that waits; NULL: nothing does */
void   local_leave(local *l, entry *n);      /* it waits no more */

#endif
