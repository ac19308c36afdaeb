/* loop_activity.h - whether a loop's thread is inside a callback, and in which one, for other threads to see.
 *
 * A loop that runs callbacks beats: its number grows when one begins and again when it has ended. Who
 * looks twice and finds the same odd number has found a callback that has run for all that time. It
 * costs the loop one relaxed store at each end. */
#ifndef PULSE_H
#define PULSE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

typedef struct loop_activity {
    _Atomic uint64_t beats;                  /* odd while a callback runs; written by its own thread only */
    pthread_t        thread;                 /* the loop's */
    struct loop_activity    *next, *prev;            /* among those of all loops */
} loop_activity;

void loop_activity_begin(loop_activity *p);                  /* of this thread's loop: for all to see, until loop_activity_end */
void loop_activity_end(loop_activity *p);

/* One writer: a plain addition, but one that others may watch. */
static inline void loop_activity_step(loop_activity *p)
{
    const uint64_t beats = atomic_load_explicit(&p->beats, memory_order_relaxed);
    atomic_store_explicit(&p->beats, beats + 1, memory_order_relaxed);
}

static inline uint64_t loop_activity_sequence(loop_activity *p) { return atomic_load_explicit(&p->beats, memory_order_relaxed); }

/* Looks at each loop in turn, then returns; no loop may begin or end in look, nor can one meanwhile. */
void loop_activity_each(void (*look)(loop_activity *p, void *arg), void *arg);

#endif
