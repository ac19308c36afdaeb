/* loop_pool_internal.h - the workers of one loop and the line before them: what slot.c, which sees to the
 * workers, and loop_pool.c, which sees to the jobs, have in common.
 *
 * A worker has a place, which goes round:
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
#ifndef PROCESSES_CREW_H
#define PROCESSES_CREW_H

#include "server/base/wait_queue.h"
#include "pool_internal.h"
#include "server/async/timer.h"

#include <stdbool.h>
#include <uv.h>

typedef struct errand {                      /* a job on its way */
    wait_queue_entry    in_line;                   /* must be first */
    process_task  task;
    promise      *promise;
    timer         limit;
    struct place *place;                     /* NULL: in line */
} errand;

enum place_state { PLACE_EMPTY, PLACE_RESTING, PLACE_CHANGING, PLACE_STARTING, PLACE_IDLE, PLACE_BUSY };

typedef struct place {
    process      process;
    process_call call;                       /* what the process and we are talking of */
    uv_poll_t    poll;                       /* of its socket, but while it is CHANGING */
    timer        timer;                      /* until when it must have started, or rests */
    enum place_state state;
    errand      *errand;                     /* of one that is BUSY */
    int          done;                       /* jobs of this process */
    unsigned     failures;                   /* starts that failed, one after the other */
    int          grace;                      /* while CHANGING: for the old process to end */
    const char  *died_of;                    /* as worker_end has it */
    bool         next;                       /* a new process is to follow the old one */
} place;

typedef struct crew {
    place   *places;
    int      count, waiting;
    wait_queue     line;                           /* of errands */
    promise *closing;                        /* settles when all places are empty */
} crew;

extern _Thread_local crew *crew_here;        /* of this loop; NULL until it is needed */

int    crew_count(enum place_state state);
place *crew_find(enum place_state state);    /* one in that state; NULL: there is none */

/* slot.c. */
void place_fill(place *p);                   /* one that is empty gets a process */
void place_refresh(place *p, int grace, const char *died_of);        /* its process has died, or is to end now */
void place_vacate(place *p);                 /* the crew is closing, and it has no job */
void place_listen(place *p);                 /* looks whether its idle process is still there */
void place_watch(place *p);                  /* for what it and its process talk of */
void place_idle(place *p);                   /* its process has nothing to do */

/* loop_pool.c: what a place tells. */
void crew_on_idle(void);                     /* there is one more that is idle */
void crew_on_progress(place *p, int err);    /* of a busy one: as process_call_step */
void crew_on_rest(void);                     /* one more rests */
void crew_on_change(void);                   /* a process has ended; if the crew is closing, maybe the last */

#endif
