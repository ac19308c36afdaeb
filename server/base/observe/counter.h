/* counter.h - a number that goes up, and that any thread may read meanwhile: without a lock. */
#ifndef COUNTER_H
#define COUNTER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Alone it has one writer, and is a load and a store; shared, many. What is taken away wraps around, and a sum of several
 * is right all the same. */
static inline __attribute__((always_inline)) void counter_add(bool shared, _Atomic uint64_t *c, uint64_t n)
{
    if (shared)
        atomic_fetch_add_explicit(c, n, memory_order_relaxed);
    else
        atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n, memory_order_relaxed);
}

static inline uint64_t counter_read(const _Atomic uint64_t *c) { return atomic_load_explicit(c, memory_order_relaxed); }

#endif
