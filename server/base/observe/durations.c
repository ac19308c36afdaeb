/* durations.c - see durations.h. */
#include "durations.h"

#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

const uint64_t DURATION_BOUNDS[DURATION_BUCKETS] = {
    MS / 20, MS / 10, MS / 4, MS / 2, MS, 5 * MS / 2, 5 * MS, 10 * MS, 25 * MS, 50 * MS,
    100 * MS, 250 * MS, 500 * MS, S, 5 * S / 2, 5 * S, 10 * S, 30 * S, UINT64_MAX,
};

const char *const DURATION_SECONDS[DURATION_BUCKETS] = {
    "5e-05", "0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05",
    "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30", "+Inf",
};

void duration_sums_add(duration_sums *to, const durations *d)
{
    for (int i = 0; i < DURATION_BUCKETS; i++) {
        const uint64_t n = counter_read(&d->counts[i]);
        to->counts[i] += n;
        to->count += n;
    }
    to->time += counter_read(&d->time);
}
