/* deadline.h - a time by which something must be over, in nanoseconds of uv_hrtime's clock.
 *
 * A request has one. Its task has the same (task.h), or its blocking thread (blocking_wait.h), and what they wait
 * for ends with it: it takes the sooner of that and of its own time limit. */
#ifndef DEADLINE_H
#define DEADLINE_H

#include <limits.h>
#include <stdint.h>
#include <uv.h>

#define NO_DEADLINE UINT64_MAX

/* So many milliseconds after that time; 0 of them: there is none. */
static inline uint64_t deadline_after(uint64_t time, uint64_t ms)
{
    return ms && ms < (NO_DEADLINE - time) / 1000000 ? time + ms * 1000000 : NO_DEADLINE;
}

/* In so many milliseconds from now; UINT64_MAX of them: never. */
static inline uint64_t deadline_in(uint64_t ms)
{
    const uint64_t now = uv_hrtime();
    return ms < (NO_DEADLINE - now) / 1000000 ? now + ms * 1000000 : NO_DEADLINE;
}

/* How long poll may wait for it, at that time or now: milliseconds, rounded up; -1 is NO_DEADLINE. */
static inline int deadline_poll_ms_at(uint64_t time, uint64_t now)
{
    if (time == NO_DEADLINE)
        return -1;
    const uint64_t left = time > now ? (time - now + 999999) / 1000000 : 0;
    return left < INT_MAX ? (int)left : INT_MAX;
}

static inline int deadline_poll_ms(uint64_t time) { return deadline_poll_ms_at(time, uv_hrtime()); }

static inline uint64_t deadline_sooner(uint64_t a, uint64_t b) { return a < b ? a : b; }

#endif
