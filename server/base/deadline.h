/* deadline.h - a time by which something must be over, in nanoseconds of uv_hrtime's clock.
 *
 * A request has one. Its task has the same (task.h), or its blocking thread (blocking_wait.h), and what they wait
 * for ends with it: whoever asks how long, takes the sooner of that and of its own time limit. */
#ifndef DEADLINE_H
#define DEADLINE_H

#include <stdint.h>

#define NO_DEADLINE UINT64_MAX

/* So many milliseconds after that time; 0 of them: there is none. */
static inline uint64_t deadline_after(uint64_t time, uint64_t ms)
{
    return ms && ms < (NO_DEADLINE - time) / 1000000 ? time + ms * 1000000 : NO_DEADLINE;
}

static inline uint64_t deadline_sooner(uint64_t a, uint64_t b) { return a < b ? a : b; }

#endif
