/* pulse.h - whether a loop's thread is inside a callback, and in which one, for other threads to see.
 *
 * A loop that runs callbacks beats: its number grows when one begins and again when it has ended. Who
 * looks twice and finds the same odd number has found a callback that has run for all that time. It
 * costs the loop one relaxed store at each end. */
#ifndef PULSE_H
#define PULSE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

typedef struct pulse {
    _Atomic uint64_t beats;                  /* odd while a callback runs; written by its own thread only */
    pthread_t        thread;                 /* the loop's */
    struct pulse    *next, *prev;            /* among those of all loops */
} pulse;

void pulse_begin(pulse *p);                  /* of this thread's loop: for all to see, until pulse_end */
void pulse_end(pulse *p);

/* One writer: a plain addition, but one that others may watch. */
static inline void pulse_beat(pulse *p)
{
    const uint64_t beats = atomic_load_explicit(&p->beats, memory_order_relaxed);
    atomic_store_explicit(&p->beats, beats + 1, memory_order_relaxed);
}

static inline uint64_t pulse_beats(pulse *p) { return atomic_load_explicit(&p->beats, memory_order_relaxed); }

/* Looks at each loop in turn, then returns; no loop may begin or end in look, nor can one meanwhile. */
void pulse_each(void (*look)(pulse *p, void *arg), void *arg);

#endif
