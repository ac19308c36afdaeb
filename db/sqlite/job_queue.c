/* job_queue.c - see job_queue.h. */
#include "job_queue.h"

#include <assert.h>

void sqlite_job_queue_init(sqlite_job_queue *q)
{
    *q = (sqlite_job_queue){ 0 };
    uv_mutex_init(&q->lock);
    uv_cond_init(&q->came);
}

void sqlite_job_queue_done(sqlite_job_queue *q)
{
    assert(!q->jobs.first);
    uv_cond_destroy(&q->came);
    uv_mutex_destroy(&q->lock);
}

void sqlite_job_queue_add(sqlite_job_queue *q, sqlite_job_list *jobs)
{
    if (!jobs->first)
        return;
    uv_mutex_lock(&q->lock);
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
    uv_mutex_unlock(&q->lock);          /* first, so that a worker that wakes does not find it locked */
    for (int i = 0; i < wake; i++)
        uv_cond_signal(&q->came);
    *jobs = (sqlite_job_list){ 0 };
}

bool sqlite_job_queue_remove(sqlite_job_queue *q, sqlite_job *j)
{
    uv_mutex_lock(&q->lock);
    const bool waited = j->queued;
    if (waited) {
        j->queued = false;
        sqlite_job_list_remove(&q->jobs, j);
    }
    uv_mutex_unlock(&q->lock);
    return waited;
}

void sqlite_job_queue_end(sqlite_job_queue *q)
{
    uv_mutex_lock(&q->lock);
    q->ended = true;
    uv_mutex_unlock(&q->lock);
    uv_cond_broadcast(&q->came);
}

/* With the lock held, as those below. */
static void wait_for_first(sqlite_job_queue *q)
{
    while (!q->jobs.first && !q->ended)
        uv_cond_wait(&q->came, &q->lock);
}

/* A worker counts as idle until it has its job: a thread that reads this count
 * beside that of the jobs that wait sees room for one too many rather than one too few. */
static bool wait_for_job(sqlite_job_queue *q)
{
    if (q->jobs.first || q->ended)
        return false;
    atomic_fetch_add_explicit(&q->idle, 1, memory_order_relaxed);
    wait_for_first(q);
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

/* What has come may leave meanwhile. */
static void wait_for_more(sqlite_job_queue *q, int wanted, uint64_t until)
{
    q->wanted = wanted;
    for (uint64_t now; q->jobs.count < wanted && !q->ended && (now = uv_hrtime()) < until;)
        uv_cond_timedwait(&q->came, &q->lock, until - now);
    q->wanted = 0;
}

sqlite_job *sqlite_job_queue_take_all(sqlite_job_queue *q, int most, int wanted, uint64_t until, int *left)
{
    sqlite_job *first = NULL, **link = &first;
    uv_mutex_lock(&q->lock);
    atomic_fetch_add_explicit(&q->idle, 1, memory_order_relaxed);
    do {
        wait_for_first(q);
        wait_for_more(q, wanted, until);
    } while (!q->jobs.first && !q->ended);
    for (sqlite_job *j; most-- > 0 && (j = take_first(q)); link = &j->next)
        *link = j;
    *left = q->jobs.count;
    atomic_fetch_sub_explicit(&q->idle, 1, memory_order_relaxed);
    uv_mutex_unlock(&q->lock);
    return first;
}

sqlite_job *sqlite_job_queue_take(sqlite_job_queue *q, uint64_t *newest)
{
    uv_mutex_lock(&q->lock);
    const bool slept = wait_for_job(q);
    sqlite_job *j = take_first(q);
    if (j)
        *newest = q->jobs.last ? q->jobs.last->number : j->number;
    if (slept)
        atomic_fetch_sub_explicit(&q->idle, 1, memory_order_relaxed);
    uv_mutex_unlock(&q->lock);
    return j;
}

sqlite_job *sqlite_job_queue_take_up_to(sqlite_job_queue *q, uint64_t newest)
{
    uv_mutex_lock(&q->lock);
    sqlite_job *j = q->jobs.first && q->jobs.first->number <= newest ? take_first(q) : NULL;
    uv_mutex_unlock(&q->lock);
    return j;
}
