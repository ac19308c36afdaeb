/* turns.c - see turns.h. */
#include "turns.h"

#include <pthread.h>
#include <stddef.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static turns          *all;                  /* the newest first; under the lock */

uint64_t turns_bound(int kind)
{
    if (kind == TURN_KINDS - 1)
        return UINT64_MAX;
    if (kind < 2)
        return (uint64_t)kind + 1;
    return (kind % 2 ? 4ull : 3ull) << (kind / 2 - 1);
}

static int kind_of(uint64_t ms)
{
    int kind = 0;
    while (ms >= turns_bound(kind))
        kind++;
    return kind;
}

void turns_begin(turns *t)
{
    pthread_mutex_lock(&lock);
    t->prev = NULL;
    t->next = all;
    if (all)
        all->prev = t;
    all = t;
    pthread_mutex_unlock(&lock);
}

void turns_end(turns *t)
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
void turns_count(turns *t, uint64_t ms)
{
    _Atomic uint64_t *count = &t->counts[kind_of(ms)];
    atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + 1, memory_order_relaxed);
}

void turns_each(void (*show)(const uint64_t counts[TURN_KINDS], void *arg), void *arg)
{
    pthread_mutex_lock(&lock);
    for (const turns *t = all; t; t = t->next) {
        uint64_t counts[TURN_KINDS];
        for (int i = 0; i < TURN_KINDS; i++)
            counts[i] = atomic_load_explicit(&t->counts[i], memory_order_relaxed);
        show(counts, arg);
    }
    pthread_mutex_unlock(&lock);
}
