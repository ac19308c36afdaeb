/* histogram.h - how often which time was measured: counts by class, so that it takes the same room
 * however much is measured, and that many can be added up.
 *
 * A class is as wide as 1/32 of the times in it, and below 32 us one microsecond; what is longer
 * than two minutes counts as two minutes. */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>
#include <stdio.h>

enum { HISTOGRAM_CLASSES = 23 * 32 };

typedef struct histogram {
    uint32_t counts[HISTOGRAM_CLASSES];
} histogram;

void histogram_add(histogram *h, int64_t us);

/* As JSON: {"MICROSECONDS": COUNT}, where the number is the largest time of its class. */
void histogram_print(const histogram *h, FILE *out);

#endif
