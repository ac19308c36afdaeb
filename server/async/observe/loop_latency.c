/* loop_latency.c - see loop_latency.h. */
#include "server/async/observe/loop_latency.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static list            all;                  /* the newest first; under the lock */
static int             last_number;          /* under the lock */

uint64_t loop_latency_bound(int bucket)
{
    if (bucket == LOOP_LATENCY_BUCKETS - 1)
        return UINT64_MAX;
    if (bucket < 2)
        return (uint64_t)bucket + 1;
    return (bucket % 2 ? 4ull : 3ull) << (bucket / 2 - 1);
}

void loop_latency_begin(loop_latency *l)
{
    pthread_mutex_lock(&lock);
    l->number = ++last_number;
    list_push(&all, &l->node);
    pthread_mutex_unlock(&lock);
}

void loop_latency_end(loop_latency *l)
{
    pthread_mutex_lock(&lock);
    list_remove(&l->node);
    pthread_mutex_unlock(&lock);
}

void loop_latency_count(loop_latency *l, uint64_t ns)
{
    const uint64_t ms = ns / 1000000;
    int bucket = 0;
    while (ms >= loop_latency_bound(bucket))
        bucket++;
    counter_add(false, &l->counts[bucket], 1);
    counter_add(false, &l->busy, ns);
}

void loop_latency_each(void (*show)(const loop_latency_view *v, void *arg), void *arg)
{
    pthread_mutex_lock(&lock);
    for (list_node *n = all.first; n; n = n->next) {
        const loop_latency *l = container_of(n, loop_latency, node);
        loop_latency_view v = { .number = l->number, .busy = counter_read(&l->busy) };
        for (int i = 0; i < LOOP_LATENCY_BUCKETS; i++)
            v.turns += v.counts[i] = counter_read(&l->counts[i]);
        show(&v, arg);
    }
    pthread_mutex_unlock(&lock);
}
