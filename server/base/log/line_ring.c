/* line_ring.c - see line_ring.h. */
#include "line_ring.h"

#include <string.h>

typedef _Atomic uint32_t line_length;

enum { ALIGNED = 64 };                       /* bytes: a length never goes round the end, and who frees has few to clear */

static size_t line_takes(size_t length) { return (sizeof(line_length) + length + ALIGNED - 1) & ~(size_t)(ALIGNED - 1); }

static line_length *line_length_at(const line_ring *r, uint64_t at)
{
    /* Each line begins where it is ALIGNED. NOLINTNEXTLINE(bugprone-casting-through-void) */
    return (line_length *)(void *)(r->bytes + (at & (r->size - 1)));
}

/* How many bytes from that position on lie side by side: nearly always all. */
static inline size_t line_ring_straight(const line_ring *r, uint64_t at, size_t length)
{
    const size_t to_end = r->size - (size_t)(at & (r->size - 1));
    return length < to_end ? length : to_end;
}

bool line_ring_put(line_ring *r, const char *line, size_t length)
{
    const size_t takes = line_takes(length);
    uint64_t at = atomic_load_explicit(&r->given, memory_order_relaxed);
    do
        if (at + takes - atomic_load_explicit(&r->taken, memory_order_acquire) > r->size)
            return false;
    while (!atomic_compare_exchange_weak(&r->given, &at, at + takes));

    const uint64_t from = at + sizeof(line_length);
    const size_t straight = line_ring_straight(r, from, length);
    memcpy(r->bytes + (from & (r->size - 1)), line, straight);
    if (straight < length)
        memcpy(r->bytes, line + straight, length - straight);
    atomic_store_explicit(line_length_at(r, at), (uint32_t)length, memory_order_release);
    return true;
}

size_t line_ring_copy(const line_ring *r, uint64_t *at, char *to, size_t room)
{
    if (*at == atomic_load(&r->given))
        return 0;
    const size_t length = atomic_load_explicit(line_length_at(r, *at), memory_order_acquire);
    if (length == 0 || length > room)
        return 0;
    const uint64_t from = *at + sizeof(line_length);
    const size_t straight = line_ring_straight(r, from, length);
    memcpy(to, r->bytes + (from & (r->size - 1)), straight);
    if (straight < length)
        memcpy(to + straight, r->bytes, length - straight);
    *at += line_takes(length);
    return length;
}

void line_ring_free(line_ring *r, uint64_t at)
{
    for (uint64_t from = atomic_load_explicit(&r->taken, memory_order_relaxed); from < at; from += ALIGNED)
        atomic_store_explicit(line_length_at(r, from), 0, memory_order_relaxed);
    atomic_store(&r->taken, at);
}
