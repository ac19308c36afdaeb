/* sqlite_job.h - one query on its way: made by a thread's db, run by a reader or the writer, brought back.
 *
 *   Ownership.  The db's, always. A worker has it from line_take until job_done; meanwhile the db
 *               touches only cancelled. So neither rows nor arena are ever seen by a worker. */
#ifndef DB_SQLITE_JOB_H
#define DB_SQLITE_JOB_H

#include "sqlite_result.h"

#include <stdatomic.h>

typedef struct job {
    struct job      *next, *prev;            /* in a list of jobs: gathered, in line, in a group, done */
    struct line     *line;                   /* the one that it is for */
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

    struct sqlite_db *db;
    struct job      *older, *newer;          /* among all of the db that have not settled */
    promise         *promise;                /* NULL in a plain thread */
    bool             gathered;               /* not handed over to its line yet */
    uint64_t         give_up;                /* when to leave the line, by the loop's clock; 0 for never */
    arena           *arena;
    rows            *out;
    stopwatch       *watch;
} job;

typedef struct job_list { job *first, *last; int count; } job_list;

void job_list_add(job_list *l, job *j);
void job_list_remove(job_list *l, job *j);

void job_begun(job *j);                      /* it has left its line for a worker: there is room for another */
void job_done(job *j);                       /* back to its db, from whatever thread */

#endif
