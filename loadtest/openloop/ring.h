/* ring.h - requests in the order in which they were asked for, as many as there is room for. */
#ifndef RING_H
#define RING_H

#include <stdbool.h>
#include <stdint.h>

typedef struct asked {
    int64_t due; /* when it was to be sent, in microseconds */
    uint32_t id; /* what it asks for */
} asked;

typedef struct ring {
    asked *all;
    uint32_t room; /* a power of two */
    uint32_t first, end;
} ring;

void ring_init(ring *r, uint32_t at_least);
static inline uint32_t ring_count(const ring *r) { return r->end - r->first; }
static inline bool ring_full(const ring *r) { return ring_count(r) == r->room; }
static inline asked *ring_at(const ring *r, uint32_t n) /* the nth; n < ring_count() */
{
    return &r->all[(r->first + n) & (r->room - 1)];
}
static inline void ring_put(ring *r, asked a) { r->all[r->end++ & (r->room - 1)] = a; }
static inline asked ring_take(ring *r) { return r->all[r->first++ & (r->room - 1)]; }

#endif
