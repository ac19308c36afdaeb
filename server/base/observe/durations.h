/* durations.h - how long things took, counted: a histogram with fixed bounds, as Prometheus wants it.
 *
 * The bounds reach from what a loop answers at once to what nobody waits for. */
#ifndef DURATIONS_H
#define DURATIONS_H

#include "counter.h"

enum { DURATION_BUCKETS = 19 };

/* How many took at most DURATION_BOUNDS nanoseconds, but more than the bound before; and all together. */
typedef struct durations { _Atomic uint64_t counts[DURATION_BUCKETS], time; } durations;

extern const uint64_t    DURATION_BOUNDS[DURATION_BUCKETS];          /* of the last UINT64_MAX */
extern const char *const DURATION_SECONDS[DURATION_BUCKETS];         /* the same, as Prometheus writes them: "0.0001", "+Inf" */

static inline void durations_add(bool shared, durations *d, uint64_t ns)
{
    int i = 0;
    while (ns > DURATION_BOUNDS[i])          /* most are short: the first look ends it */
        i++;
    counter_add(shared, &d->counts[i], 1);
    counter_add(shared, &d->time, ns);
}

typedef struct duration_sums { uint64_t counts[DURATION_BUCKETS], count, time; } duration_sums;

void duration_sums_add(duration_sums *to, const durations *d);       /* what it has counted by now */

#endif
