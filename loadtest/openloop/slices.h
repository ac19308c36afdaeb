/* slices.h - what happened in each slice of time, so that one can see how soon after a step all is
 * as it should be.
 *
 * A request is counted as offered, sent, unsent or missed in the slice in which it was due, and its
 * answer in the slice in which that came. */
#ifndef SLICES_H
#define SLICES_H

#include "histogram.h"

typedef struct slice {
    long offered; /* were due */
    long sent;
    long unsent;  /* given up: there was no room in the socket, or too much was outstanding */
    long missed;  /* not even tried: this program was much too late */
    long late;    /* sent, but more than LATE after they were due, because this program was late */
    long good;    /* answered with 200 */
    long refused; /* with 503 */
    long other;   /* with anything else */
    long broken;  /* not answered: the connection ended */
    int64_t lag;  /* the longest that this program was late */
    histogram times; /* of the good answers, from when each was due to when it was here */
} slice;

enum { LATE = 5000 };

void slices_start(int64_t begin, int64_t width); /* both in microseconds */

/* The slice of that moment; good until the next call. */
slice *slice_at(int64_t when);

/* One line of JSON a slice; at is when it begins. */
void slices_print(FILE *out);

#endif
