/* loop_latency.c - see loop_latency.h. */
#include "loop_latency.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static list            all;                  /* the newest first; under the lock */

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
    list_push(&all, &l->node);
    pthread_mutex_unlock(&lock);
}

void loop_latency_end(loop_latency *l)
{
    pthread_mutex_lock(&lock);
    list_remove(&l->node);
    pthread_mutex_unlock(&lock);
}

/* One writer: a plain addition, but one that others may watch. */
void loop_latency_count(loop_latency *l, uint64_t ms)
{
    int bucket = 0;
    while (ms >= loop_latency_bound(bucket))
        bucket++;
    _Atomic uint64_t *count = &l->counts[bucket];
    atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + 1, memory_order_relaxed);
}

void loop_latency_each(void (*show)(const uint64_t counts[LOOP_LATENCY_BUCKETS], void *arg), void *arg)
{
    pthread_mutex_lock(&lock);
    for (list_node *n = all.first; n; n = n->next) {
        const loop_latency *l = container_of(n, loop_latency, node);
        uint64_t counts[LOOP_LATENCY_BUCKETS];
        for (int i = 0; i < LOOP_LATENCY_BUCKETS; i++)
            counts[i] = atomic_load_explicit(&l->counts[i], memory_order_relaxed);
        show(counts, arg);
    }
    pthread_mutex_unlock(&lock);
}
