/* job_queue.c - see job_queue.h. */
#include "job_queue.h"

#include <assert.h>
#include <time.h>
#include <uv.h>

void sqlite_job_queue_init(sqlite_job_queue *q)
{
    *q = (sqlite_job_queue){ 0 };
    pthread_condattr_t attributes;
    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&q->came, &attributes);
    pthread_condattr_destroy(&attributes);
}

void sqlite_job_queue_done(sqlite_job_queue *q)
{
    assert(!q->jobs.first);
    pthread_cond_destroy(&q->came);
    pthread_mutex_destroy(&q->lock);
}

void sqlite_job_queue_add(sqlite_job_queue *q, sqlite_job_list *jobs)
{
    if (!jobs->first)
        return;
    pthread_mutex_lock(&q->lock);
    for (sqlite_job *j = jobs->first; j; j = j->next) {
        j->queued = true;
        j->number = ++q->added;
    }
    jobs->first->prev = q->jobs.last;
    if (q->jobs.last)
        q->jobs.last->next = jobs->first;
    else
        q->jobs.first = jobs->first;
    q->jobs.last = jobs->last;
    q->jobs.count += jobs->count;
    const int idle = atomic_load_explicit(&q->idle, memory_order_relaxed);
    const int wake = q->wanted ? q->jobs.count >= q->wanted : q->jobs.count < idle ? q->jobs.count : idle;
    pthread_mutex_unlock(&q->lock);          /* first, so that a worker that wakes does not find it locked */
    for (int i = 0; i < wake; i++)
        pthread_cond_signal(&q->came);
    *jobs = (sqlite_job_list){ 0 };
}

bool sqlite_job_queue_remove(sqlite_job_queue *q, sqlite_job *j)
{
    pthread_mutex_lock(&q->lock);
    const bool waited = j->queued;
    if (waited) {
        j->queued = false;
        sqlite_job_list_remove(&q->jobs, j);
    }
    pthread_mutex_unlock(&q->lock);
    return waited;
}

void sqlite_job_queue_end(sqlite_job_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->ended = true;
    pthread_mutex_unlock(&q->lock);
    pthread_cond_broadcast(&q->came);
}

/* Both with the lock held. A worker counts as idle until it has its job: a thread that reads this count
 * beside that of the jobs that wait sees room for one too many rather than one too few. */
static bool wait_for_job(sqlite_job_queue *q)
{
    if (q->jobs.first || q->ended)
        return false;
    atomic_fetch_add_explicit(&q->idle, 1, memory_order_relaxed);
    while (!q->jobs.first && !q->ended)
        pthread_cond_wait(&q->came, &q->lock);
    return true;
}

static sqlite_job *take_first(sqlite_job_queue *q)
{
    sqlite_job *j = q->jobs.first;
    if (j) {
        sqlite_job_list_remove(&q->jobs, j);
        j->queued = false;
        sqlite_job_left_queue(j);
    }
    return j;
}

/* With the lock held. What has come may leave meanwhile. */
static void wait_for_more(sqlite_job_queue *q, int wanted, uint64_t until)
{
    const struct timespec end = { .tv_sec = (time_t)(until / 1000000000), .tv_nsec = (long)(until % 1000000000) };
    q->wanted = wanted;
    while (q->jobs.count < wanted && !q->ended && pthread_cond_timedwait(&q->came, &q->lock, &end) == 0)
        continue;
    q->wanted = 0;
}

sqlite_job *sqlite_job_queue_take_all(sqlite_job_queue *q, int most, int wanted, uint64_t until, int *left)
{
    sqlite_job *first = NULL, **link = &first;
    pthread_mutex_lock(&q->lock);
    atomic_fetch_add_explicit(&q->idle, 1, memory_order_relaxed);
    do {
        while (!q->jobs.first && !q->ended)
            pthread_cond_wait(&q->came, &q->lock);
        if (q->jobs.count < wanted && !q->ended && uv_hrtime() < until)
            wait_for_more(q, wanted, until);
    } while (!q->jobs.first && !q->ended);
    for (sqlite_job *j; most-- > 0 && (j = take_first(q)); link = &j->next)
        *link = j;
    *left = q->jobs.count;
    atomic_fetch_sub_explicit(&q->idle, 1, memory_order_relaxed);
    pthread_mutex_unlock(&q->lock);
    return first;
}

sqlite_job *sqlite_job_queue_take(sqlite_job_queue *q, uint64_t *newest)
{
    pthread_mutex_lock(&q->lock);
    const bool slept = wait_for_job(q);
    sqlite_job *j = take_first(q);
    if (j)
        *newest = q->jobs.last ? q->jobs.last->number : j->number;
    if (slept)
        atomic_fetch_sub_explicit(&q->idle, 1, memory_order_relaxed);
    pthread_mutex_unlock(&q->lock);
    return j;
}

sqlite_job *sqlite_job_queue_take_up_to(sqlite_job_queue *q, uint64_t newest)
{
    pthread_mutex_lock(&q->lock);
    sqlite_job *j = q->jobs.first && q->jobs.first->number <= newest ? take_first(q) : NULL;
    pthread_mutex_unlock(&q->lock);
    return j;
}
