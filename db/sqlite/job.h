/* job.h - one query: made by a db, run by a reading thread or the writing one, and reported to its db.
 *
 * Or several of the same statement, from db_query_each, or those of a db_transaction, which one thread runs one after the
 * other.
 *
 *   Ownership.  The db's, always. A worker has it from sqlite_job_queue_take until sqlite_job_done; meanwhile
 *               the db touches only cancelled. So no worker ever sees rows or arena. What a blocking thread
 *               reads never leaves it: then all but statement, parameters and result is unused. */
#ifndef DB_SQLITE_JOB_H
#define DB_SQLITE_JOB_H

#include "result.h"
#include "server/base/list.h"
#include "server/base/observe/recorder.h"

#include <stdatomic.h>

typedef struct sqlite_job {
    struct sqlite_job *next, *prev;          /* in a list of jobs: gathered, queued, in a group, reported */
    struct sqlite_job_queue *queue;          /* the one that it is for */
    atomic_int      *waiting;                /* counts it until a worker has it */
    uint64_t         number;                 /* in the order in which jobs came to that queue */
    bool             queued;                 /* is in that queue; under its lock */
    atomic_bool      cancelled;              /* asks the worker to stop */

    const statement *statement;
    value            parameters[MAX_PARAMETERS];
    int              count;                  /* of the parameters */
    int              runs;                   /* how often it runs, for db_query_each; else 0 */
    const value     *each;                   /* then: the parameters of each run, in its arena, as are */
    int             *ends;                   /* how many rows there are after each */
    const db_step   *steps;                  /* of a transaction, in its arena; else NULL. statement is one that writes */
    int              step_count;
    sqlite_result   *results;                /* of each, in its arena, which ends them */
    char            *texts;                  /* what those of them that are texts point into, if it is not much */
    size_t           texts_size;

    int              err;                    /* how it went */
    uint64_t         took;                   /* nanoseconds, for each of several runs */
    sqlite_result    result;
    void           (*done)(struct sqlite_job *j);    /* reports it to its db, on the worker's thread */

    struct sqlite_loop_db *db;               /* of a loop; from here on, its own */
    list_node        unsettled;              /* among all of the db */
    promise         *promise;
    bool             gathered;               /* not handed over to its queue yet */
    uint64_t         since;                  /* recorder_clock when it was asked for */
    uint64_t         began;                  /* and when it was run; or 0 */
    bool             watched;                /* more is noted: */
    uint8_t          lane;                   /* by which thread it is run, from 1 on, */
    uint64_t         ended;                  /* and until when */
    uint64_t         give_up;                /* when to leave the queue, by uv_hrtime in ms; 0 for never */
    arena           *arena;
    rows            *out;
    stopwatch       *watch;
} sqlite_job;

typedef struct sqlite_job_list { sqlite_job *first, *last; int count; } sqlite_job_list;

void sqlite_job_list_add(sqlite_job_list *l, sqlite_job *j);
void sqlite_job_list_remove(sqlite_job_list *l, sqlite_job *j);

/* It has left its queue, for a worker or for good: there is room for another. */
static inline void sqlite_job_left_queue(sqlite_job *j) { atomic_fetch_sub_explicit(j->waiting, 1, memory_order_relaxed); }

sqlite_job *sqlite_job_new(void);
void        sqlite_job_free(sqlite_job *j);

/* With their texts, to memory of its own, which it keeps for the next that it will be; what is large, to its arena. */
void sqlite_job_copy_parameters(sqlite_job *j, int n, const value parameters[]);

const value *sqlite_values_copy(arena *a, int n, const value values[]);      /* with their texts */

/* It is that transaction: the steps are copied to a, where its results are, too. */
void sqlite_job_transact(sqlite_job *j, arena *a, int count, const db_step steps[]);
void sqlite_job_give_steps(const sqlite_job *j);             /* each its rows: it has ended well */

void sqlite_job_tell(const sqlite_job *j, channels *heard);  /* the channels of its statements, if it is, or may be, committed */

/* The statement by which it is known: the first that writes. */
const statement *sqlite_steps_statement(int count, const db_step steps[]);

static inline void sqlite_job_done(sqlite_job *j) { j->done(j); }            /* it is its db's again */

/* A thread has it; and, for who watches, has run it. */
static inline void sqlite_job_note_begin(sqlite_job *j, int thread)
{
    j->lane = (uint8_t)thread;
    j->began = recorder_clock();
    driver_query_is_begun();
}

static inline void sqlite_job_note_end(sqlite_job *j)
{
    if (j->watched)
        j->ended = recorder_clock();
}

/* What its db tells who watches: it is in its queue, for the thread of that lane; it was run, and by which. */
FOR_WATCHERS void sqlite_job_record_sent(const sqlite_job *j, uint8_t lane);
FOR_WATCHERS void sqlite_job_record_run(const sqlite_job *j, int err);

#endif
