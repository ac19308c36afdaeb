/* clock.h - microseconds of CLOCK_MONOTONIC, which is the same for all processes of a machine. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>
#include <time.h>

enum { MILLISECOND = 1000, SECOND = 1000 * MILLISECOND };

static inline int64_t clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * SECOND + t.tv_nsec / 1000;
}

static inline void clock_sleep_until(int64_t when)
{
    const struct timespec t = { .tv_sec = when / SECOND, .tv_nsec = when % SECOND * 1000 };
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

#endif
