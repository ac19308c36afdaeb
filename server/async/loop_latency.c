/* loop_latency.c - see loop_latency.h. */
#include "loop_latency.h"

#include <pthread.h>
#include <stddef.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static loop_latency          *all;                  /* the newest first; under the lock */

uint64_t loop_latency_bound(int kind)
{
    if (kind == LOOP_LATENCY_BUCKETS - 1)
        return UINT64_MAX;
    if (kind < 2)
        return (uint64_t)kind + 1;
    return (kind % 2 ? 4ull : 3ull) << (kind / 2 - 1);
}

static int kind_of(uint64_t ms)
{
    int kind = 0;
    while (ms >= loop_latency_bound(kind))
        kind++;
    return kind;
}

void loop_latency_begin(loop_latency *t)
{
    pthread_mutex_lock(&lock);
    t->prev = NULL;
    t->next = all;
    if (all)
        all->prev = t;
    all = t;
    pthread_mutex_unlock(&lock);
}

void loop_latency_end(loop_latency *t)
{
    pthread_mutex_lock(&lock);
    if (t->prev)
        t->prev->next = t->next;
    else
        all = t->next;
    if (t->next)
        t->next->prev = t->prev;
    pthread_mutex_unlock(&lock);
}

/* One writer: a plain addition, but one that others may watch. */
void loop_latency_count(loop_latency *t, uint64_t ms)
{
    _Atomic uint64_t *count = &t->counts[kind_of(ms)];
    atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + 1, memory_order_relaxed);
}

void loop_latency_each(void (*show)(const uint64_t counts[LOOP_LATENCY_BUCKETS], void *arg), void *arg)
{
    pthread_mutex_lock(&lock);
    for (const loop_latency *t = all; t; t = t->next) {
        uint64_t counts[LOOP_LATENCY_BUCKETS];
        for (int i = 0; i < LOOP_LATENCY_BUCKETS; i++)
            counts[i] = atomic_load_explicit(&t->counts[i], memory_order_relaxed);
        show(counts, arg);
    }
    pthread_mutex_unlock(&lock);
}
