/* loop_pool_internal.h - the workers of one loop and the calls that wait for them: what slot.c, which sees to the
 * workers, and loop_pool.c, which sees to the calls, have in common.
 *
 * A worker has a slot, which goes round:
 *
 *            +---------------------------------------------------+
 *            v                                                   |
 *     EMPTY ---> CHANGING ---> STARTING ---> IDLE <---> BUSY     | it died, was killed, or has
 *            ^      |             |            |         |       | done its number of jobs
 *            |      v             v            v         v       |
 *            +-- RESTING          +------------+---------+-------+
 *
 * CHANGING is all that blocks: the end of the old process and the start of the new, on the thread pool. Only
 * after starts that failed there is a rest, so that workers that cannot start are not started all the time. */
#ifndef LOOP_POOL_INTERNAL_H
#define LOOP_POOL_INTERNAL_H

#include "message.h"
#include "pool_internal.h"
#include "process.h"
#include "server/async/timer.h"
#include "server/base/overload/wait_queue.h"

#include <stdbool.h>
#include <uv.h>

typedef struct loop_call {
    wait_queue_entry waiting;                /* must be first */
    process_call     call;
    promise         *promise;
    timer            limit;
    struct slot     *slot;                   /* whose worker does it; NULL: it waits */
} loop_call;

enum slot_state { SLOT_EMPTY, SLOT_RESTING, SLOT_CHANGING, SLOT_STARTING, SLOT_IDLE, SLOT_BUSY };

typedef struct slot {
    process         process;
    process_message message;                 /* between the process and us */
    uv_poll_t       poll;                    /* of its socket, but while it is CHANGING */
    timer           timer;                   /* until when it must have started, or rests */
    enum slot_state state;
    loop_call      *call;                    /* of one that is BUSY */
    int             done;                    /* jobs of this process */
    unsigned        failures;                /* starts that failed, one after the other */
    int             grace;                   /* while CHANGING: for the old process to end */
    const char     *died_of;                 /* as process_end has it */
    bool            next;                    /* a new process is to follow the old one */
} slot;

typedef struct loop_pool {
    slot      *slots;
    int        count, waiting;
    wait_queue queue;                        /* of loop_calls */
    promise   *closing;                      /* settles when all slots are empty */
} loop_pool;

extern _Thread_local loop_pool *loop_pool_here;              /* of this loop; NULL until it is needed */

int   loop_pool_count(enum slot_state state);
slot *loop_pool_find(enum slot_state state); /* one in that state; NULL: there is none */

/* slot.c. */
void slot_fill(slot *s);                     /* one that is empty gets a process */
void slot_refresh(slot *s, int grace, const char *died_of);  /* its process has died, or is to end now */
void slot_vacate(slot *s);                   /* the pool is closing, and it has no job */
void slot_listen(slot *s);                   /* looks whether its idle process is still there */
void slot_watch(slot *s);                    /* for what its message needs next */
void slot_idle(slot *s);                     /* its process has nothing to do */

/* loop_pool.c: what a slot tells. */
void loop_pool_serve(void);                  /* there is one more that is idle */
void loop_pool_on_progress(slot *s, int err);                /* of a busy one: as process_message_step */
void loop_pool_on_rest(void);                /* one more rests */
void loop_pool_on_change(void);              /* a process has ended; if the pool is closing, maybe the last */

#endif
