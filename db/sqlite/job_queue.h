/* job_queue.h - jobs that wait for a worker, first come, first served, of all loops together.
 *
 * A worker takes one job at a time, never several while another worker is idle: two slow queries of
 * one turn run side by side. Taking one costs a lock that is held for some nanoseconds. */
#ifndef DB_SQLITE_JOB_QUEUE_H
#define DB_SQLITE_JOB_QUEUE_H

#include "job.h"

#include <uv.h>

typedef struct sqlite_job_queue {
    uv_mutex_t      lock;
    uv_cond_t       came;
    sqlite_job_list jobs;
    uint64_t        added;                   /* jobs so far: the number of the newest */
    atomic_int      idle;                    /* workers asleep; written under the lock */
    int             wanted;                  /* one of them waits until there are so many; else 0 */
    bool            ended;
} sqlite_job_queue;

void sqlite_job_queue_init(sqlite_job_queue *q);
void sqlite_job_queue_done(sqlite_job_queue *q);             /* it must be empty, and its workers gone */

/* Takes them all, under one lock, and wakes as many workers as are idle and needed. */
void sqlite_job_queue_add(sqlite_job_queue *q, sqlite_job_list *jobs);
bool sqlite_job_queue_remove(sqlite_job_queue *q, sqlite_job *j);    /* false if a worker has it already */
void sqlite_job_queue_end(sqlite_job_queue *q);              /* its workers get NULL once it is empty */

/* Waits for one; *newest is the number of the last that now waits, or its own. */
sqlite_job *sqlite_job_queue_take(sqlite_job_queue *q, uint64_t *newest);

/* The next one if it has at most that number, else NULL; never waits. */
sqlite_job *sqlite_job_queue_take_up_to(sqlite_job_queue *q, uint64_t newest);

/* Waits for one, then until there are as many as are wanted, but no longer than until then, by uv_hrtime; and takes what is
 * there, up to most; linked by next. *left is how many stay. For a queue of one worker. */
sqlite_job *sqlite_job_queue_take_all(sqlite_job_queue *q, int most, int wanted, uint64_t until, int *left);

#endif
