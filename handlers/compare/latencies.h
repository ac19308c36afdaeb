/* latencies.h - how long many things took, in little memory: counts by size, which know each to within two per cent.
 *
 * Up to 64 microseconds each has a count of its own; beyond, each power of two is cut into 64 (as in HdrHistogram). */
#ifndef COMPARE_LATENCIES_H
#define COMPARE_LATENCIES_H

#include <stdint.h>

enum { LATENCIES_SUB = 64, LATENCIES_COUNTS = 27 * LATENCIES_SUB };         /* up to an hour */

typedef struct latencies {
    uint32_t counts[LATENCIES_COUNTS];
    uint64_t count;
} latencies;

void     latencies_add(latencies *l, uint64_t us);
void     latencies_merge(latencies *l, const latencies *other);

/* The least that percent of them were not above, rounded up as said; 0 of none. 50 and 99 are usual. */
uint64_t latencies_percentile(const latencies *l, int percent);

#endif
