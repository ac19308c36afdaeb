/* job_queue.c - see job_queue.h. */
#include "job_queue.h"

#include <assert.h>

void job_list_add(job_list *l, job *j)
{
    j->next = NULL;
    j->prev = l->last;
    if (l->last)
        l->last->next = j;
    else
        l->first = j;
    l->last = j;
    l->count++;
}

void job_list_remove(job_list *l, job *j)
{
    if (j->prev)
        j->prev->next = j->next;
    else
        l->first = j->next;
    if (j->next)
        j->next->prev = j->prev;
    else
        l->last = j->prev;
    j->next = j->prev = NULL;
    l->count--;
}

void job_queue_init(job_queue *l)
{
    *l = (job_queue){ 0 };
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->came, NULL);
}

void job_queue_done(job_queue *l)
{
    assert(!l->jobs.first);
    pthread_cond_destroy(&l->came);
    pthread_mutex_destroy(&l->lock);
}

void job_queue_add(job_queue *l, job_list *jobs)
{
    if (!jobs->first)
        return;
    pthread_mutex_lock(&l->lock);
    for (job *j = jobs->first; j; j = j->next) {
        j->waits = true;
        j->number = ++l->added;
    }
    jobs->first->prev = l->jobs.last;
    if (l->jobs.last)
        l->jobs.last->next = jobs->first;
    else
        l->jobs.first = jobs->first;
    l->jobs.last = jobs->last;
    l->jobs.count += jobs->count;
    const int idle = atomic_load_explicit(&l->idle, memory_order_relaxed);
    const int wake = l->jobs.count < idle ? l->jobs.count : idle;
    pthread_mutex_unlock(&l->lock);          /* first, so that who wakes does not find it locked */
    for (int i = 0; i < wake; i++)
        pthread_cond_signal(&l->came);
    *jobs = (job_list){ 0 };
}

bool job_queue_remove(job_queue *l, job *j)
{
    pthread_mutex_lock(&l->lock);
    const bool waited = j->waits;
    if (waited) {
        j->waits = false;
        job_list_remove(&l->jobs, j);
    }
    pthread_mutex_unlock(&l->lock);
    return waited;
}

void job_queue_end(job_queue *l)
{
    pthread_mutex_lock(&l->lock);
    l->ended = true;
    pthread_mutex_unlock(&l->lock);
    pthread_cond_broadcast(&l->came);
}

/* Both with the lock held. A worker counts as idle until it has its job: whoever reads the count
 * beside the number of those who wait sees room for one too many rather than one too few. */
static bool wait_for_one(job_queue *l)
{
    if (l->jobs.first || l->ended)
        return false;
    atomic_fetch_add_explicit(&l->idle, 1, memory_order_relaxed);
    while (!l->jobs.first && !l->ended)
        pthread_cond_wait(&l->came, &l->lock);
    return true;
}

static job *take(job_queue *l)
{
    job *j = l->jobs.first;
    if (j) {
        job_list_remove(&l->jobs, j);
        j->waits = false;
        job_begun(j);
    }
    return j;
}

job *job_queue_take_all(job_queue *l, int most)
{
    job *first = NULL, **link = &first;
    pthread_mutex_lock(&l->lock);
    const bool slept = wait_for_one(l);
    for (job *j; most-- > 0 && (j = take(l)); link = &j->next)
        *link = j;
    if (slept)
        atomic_fetch_sub_explicit(&l->idle, 1, memory_order_relaxed);
    pthread_mutex_unlock(&l->lock);
    return first;
}

job *job_queue_take(job_queue *l, uint64_t *newest)
{
    pthread_mutex_lock(&l->lock);
    const bool slept = wait_for_one(l);
    job *j = take(l);
    if (j)
        *newest = l->jobs.last ? l->jobs.last->number : j->number;
    if (slept)
        atomic_fetch_sub_explicit(&l->idle, 1, memory_order_relaxed);
    pthread_mutex_unlock(&l->lock);
    return j;
}

job *job_queue_take_up_to(job_queue *l, uint64_t newest)
{
    pthread_mutex_lock(&l->lock);
    job *j = l->jobs.first && l->jobs.first->number <= newest ? take(l) : NULL;
    pthread_mutex_unlock(&l->lock);
    return j;
}
