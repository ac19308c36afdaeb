/* stall_detector.h - whether a loop is blocked: by what, where, and for how long.
 *
 * A loop may be blocked as long as its activity (loop.h) shows the same callback. The thread that looks at it time and
 * again, which is the watchdog's, gets reports to log: one while the loop is still blocked, and one when that is over. */
#ifndef STALL_DETECTOR_H
#define STALL_DETECTOR_H

#include "stall_table.h"

#include <sys/types.h>

typedef struct stall_detector {
    int           number;                    /* of the loop, for people */
    pthread_t     thread;                    /* it runs on */
    pid_t         id;                        /* of that; the kernel's */
    stack_sampler sampler;
    scope *const *entered;                   /* where its thread has for whom it runs (scope.h) */
    const scope  *own;                       /* and this is when there is none */
    /* Of the thread that looks: */
    uint64_t      sequence, since;           /* the callback that ran at the last look, and from when on */
    enum { STALL_NONE, STALL_SAMPLING, STALL_REPORTED } state;
    uint64_t      sampled;                   /* when its stack was asked for */
    label         label;
    stall_entry  *entry;                     /* of the stall that has been reported */
    bool          quiet;                     /* it is not logged: too many were, of late */
} stall_detector;

typedef struct stall_report stall_report;

/* {0}; of this thread's loop, until stall_detector_end on the same. */
void stall_detector_begin(stall_detector *d, int number);
void stall_detector_end(stall_detector *d, stall_report **reports);

/* Looks whether a callback has run for slow milliseconds. Its thread may not end meanwhile. Returns true if
 * one may have: look again soon. late: for so many milliseconds it could not be called. Adds to reports. */
bool stall_detector_look(stall_detector *d, uint64_t slow, uint64_t late, stall_report **reports);

/* Logs, counts (label.h) and frees them. It takes milliseconds. */
void stall_reports_log(stall_report *reports);

#endif
