/* line_ring.h - lines on their way from many threads to one, in a ring of bytes, without a lock.
 *
 *     given: bytes that were reserved, ever ----------------------+
 *     taken: of them, those that are free again ---+              |
 *                                                  v              v
 *         ...free | length line pad | length line pad | 0 ...     | free...
 *                                                      a line that is being put in: 0 until it is whole
 *
 * A thread reserves its place by one compare-and-swap, writes its line there, and last its length, by which the reader knows
 * that it is whole. One that is slow in between keeps the lines behind its own from being read, and nobody from putting in.
 * Where a line may begin in what is free, a multiple of 64, there are zeros.
 *
 *   Threads.  line_ring_put is for any; the rest for one, the reader. */
#ifndef LINE_RING_H
#define LINE_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct line_ring {
    char                         *bytes;     /* the caller's, zeros at first */
    size_t                        size;      /* of them: a power of two */
    _Alignas(64) _Atomic uint64_t given;
    _Alignas(64) _Atomic uint64_t taken;
} line_ring;

/* The whole line, or false: there is no room for it. It is not empty. */
bool line_ring_put(line_ring *r, const char *line, size_t length);

/* How much of the ring is in use. */
static inline size_t line_ring_used(const line_ring *r)
{
    const uint64_t taken = atomic_load(&r->taken);   /* this first: it never passes the other */
    return (size_t)(atomic_load(&r->given) - taken);
}

/* Copies the line at *at, a position that begins as taken, and moves on to the next: its length; 0 if there is none there
 * yet, or it does not fit. */
size_t line_ring_copy(const line_ring *r, uint64_t *at, char *to, size_t room);

void   line_ring_free(line_ring *r, uint64_t at);            /* all before that position has been used */

#endif
