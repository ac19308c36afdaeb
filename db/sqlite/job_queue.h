/* job_queue.h - jobs that wait for a worker, first come, first served, of all loops together.
 *
 * A job is given to one worker at a time, never several while another worker is idle: two slow
 * queries of one turn run side by side. Taking one costs a lock that is held for some nanoseconds. */
#ifndef DB_SQLITE_LINE_H
#define DB_SQLITE_LINE_H

#include "job.h"

#include <pthread.h>

typedef struct job_queue {
    pthread_mutex_t lock;
    pthread_cond_t  came;
    job_list        jobs;
    uint64_t        added;                   /* jobs so far: the number of the newest */
    atomic_int      idle;                    /* workers asleep; written under the lock */
    bool            ended;
} job_queue;

void job_queue_init(job_queue *l);
void job_queue_done(job_queue *l);             /* it must be empty, and its workers gone */

void job_queue_add(job_queue *l, job_list *jobs);              /* takes them all, under one lock; wakes as many as are idle and needed */
bool job_queue_remove(job_queue *l, job *j);   /* false if a worker has it already */
void job_queue_end(job_queue *l);              /* its workers get NULL once it is empty */

job *job_queue_take(job_queue *l, uint64_t *newest);           /* waits for one; newest is the number of the last that now waits, or its own */
job *job_queue_take_up_to(job_queue *l, uint64_t newest);      /* the next one if it has at most that number, else NULL; never waits */
job *job_queue_take_all(job_queue *l, int most);               /* waits for one, and takes what else is there; linked by next */

#endif
