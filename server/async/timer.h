/* timer.h - call me back at a time: millions of timers on one uv_timer_t.
 *
 * A hierarchical timing wheel (Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", 1987):
 * setting and stopping are a list insertion and removal, whatever the number of timers, and a
 * timer is 32 bytes in whatever struct embeds it. Its grain is one millisecond, at whose beginning the loop wakes.
 *
 *   Timing.  A timer is called from the loop, never before so many milliseconds have passed since it was set,
 *            by uv_hrtime's clock: what the turn had computed by then takes nothing from them. Those of
 *            one loop are called in the order of their times; those of the same millisecond in the order in
 *            which they were set.
 *   Many.    When many are due at once, those that are not called within TIMER_BUDGET wait for the loop's next
 *            turn: I/O comes between. At least one is called each time, and none before those ahead of it. */
#ifndef TIMER_H
#define TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TIMER_BUDGET = 4 };                   /* milliseconds of one turn */

typedef struct timer {
    struct timer *next, *prev;               /* in its slot of the wheel; NULL while not set */
    uint64_t      due;                       /* in milliseconds of uv_hrtime's clock */
    void        (*on_due)(struct timer *);
} timer;

void     timer_set(timer *t, uint64_t ms, void (*on_due)(timer *)); /* from now; setting it again moves it */
/* Not before that time of uv_hrtime's clock: for a caller that has read that already. */
void     timer_set_at(timer *t, uint64_t time, void (*on_due)(timer *));
void     timer_unset(timer *t);              /* it must be set */
uint64_t timer_now(void);                    /* milliseconds of uv_hrtime's clock, which it reads */
void     timer_end(void);                    /* before loop_done: closes this loop's uv_timer_t; none may be set */

static inline bool timer_is_set(const timer *t) { return t->next != NULL; }

static inline void timer_stop(timer *t)      /* no-op while not set, which is the usual case: no call for it */
{
    if (timer_is_set(t))
        timer_unset(t);
}

#endif
