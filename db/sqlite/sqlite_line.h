/* sqlite_line.h - jobs that wait for a worker, first come, first served, of all loops together.
 *
 * A job is given to one worker at a time, never several while another worker is idle: two slow
 * queries of one turn run side by side. Taking one costs a lock that is held for some nanoseconds. */
#ifndef DB_SQLITE_LINE_H
#define DB_SQLITE_LINE_H

#include "sqlite_job.h"

#include <pthread.h>

typedef struct job_line {
    pthread_mutex_t lock;
    pthread_cond_t  came;
    job_list        jobs;
    uint64_t        added;                   /* jobs so far: the number of the newest */
    atomic_int      idle;                    /* workers asleep; written under the lock */
    bool            ended;
} job_line;

void job_line_init(job_line *l);
void job_line_done(job_line *l);             /* it must be empty, and its workers gone */

void job_line_add(job_line *l, job_list *jobs);              /* takes them all, under one lock; wakes as many as are idle and needed */
bool job_line_remove(job_line *l, job *j);   /* false if a worker has it already */
void job_line_end(job_line *l);              /* its workers get NULL once it is empty */

job *job_line_take(job_line *l, uint64_t *newest);           /* waits for one; newest is the number of the last that now waits, or its own */
job *job_line_take_up_to(job_line *l, uint64_t newest);      /* the next one if it has at most that number, else NULL; never waits */
job *job_line_take_all(job_line *l, int most);               /* waits for one, and takes what else is there; linked by next */

#endif
