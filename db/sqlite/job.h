/* job.h - one query on its way: made by a thread's db, run by a reader or the writer, brought back.
 *
 *   Ownership.  The db's, always. A worker has it from job_queue_take until job_done; meanwhile the db
 *               touches only cancelled. So neither rows nor arena are ever seen by a worker. What a plain
 *               thread reads never leaves it: then all but statement, parameters and result is unused. */
#ifndef DB_SQLITE_JOB_H
#define DB_SQLITE_JOB_H

#include "result.h"

#include <stdatomic.h>

typedef struct job {
    struct job      *next, *prev;            /* in a list of jobs: gathered, in line, in a group, done */
    struct job_queue *line;                   /* the one that it is for */
    atomic_int      *waiting;                /* what counts it until a worker has it */
    uint64_t         number;                 /* in the order in which that line got them */
    bool             waits;                  /* is in that line; under its lock */
    atomic_bool      cancelled;              /* asks the worker to stop */

    const statement *statement;
    value            parameters[MAX_PARAMETERS];
    int              count;                  /* of the parameters */
    char            *texts;                  /* what those of them that are texts point into */
    size_t           texts_size;

    int              err;                    /* how it went */
    result           result;
    void           (*done)(struct job *j);   /* brings it back, from whatever thread */

    struct sqlite_db *db;                    /* of a loop; from here on, its own */
    struct job      *older, *newer;          /* among all of the db that have not settled */
    promise         *promise;
    bool             gathered;               /* not handed over to its line yet */
    uint64_t         give_up;                /* when to leave the line, by uv_hrtime in ms; 0 for never */
    arena           *arena;
    rows            *out;
    stopwatch       *watch;
} job;

typedef struct job_list { job *first, *last; int count; } job_list;

void job_list_add(job_list *l, job *j);
void job_list_remove(job_list *l, job *j);

/* It has left its line, for a worker or for good: there is room for another. */
static inline void job_begun(job *j) { atomic_fetch_sub_explicit(j->waiting, 1, memory_order_relaxed); }

static inline void job_done(job *j) { j->done(j); }          /* it is its db's again */

#endif
