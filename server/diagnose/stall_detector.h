/* stall_detector.h - whether a loop is blocked: by what, where, and for how long.
 *
 * A loop is a suspect as long as its pulse shows the same callback. Whoever looks at it time and again gets
 * reports to log: one while it is still blocked, and one when that is over. */
#ifndef BLOCKED_H
#define BLOCKED_H

#include "stack_sampler.h"

#include <sys/types.h>

typedef struct stall_detector {
    int           number;                    /* of the loop, for people */
    pthread_t     thread;                    /* it runs on */
    pid_t         id;                        /* of that; the kernel's */
    stack_sampler sampler;
    scope *const *entered;                   /* where its thread has for whom it runs (scope.h) */
    const scope  *own;                       /* and this is when there is none */
    /* The looker's own: */
    uint64_t      beats, since;              /* the callback that ran at the last look, and from when on */
    enum { FINE, QUESTIONED, REPORTED } state;
    uint64_t      asked;
    label         label;
} stall_detector;

typedef struct report report;

void stall_detector_begin(stall_detector *s, int number);  /* {0}; of this thread's loop, until stall_detector_end on the same */
void stall_detector_end(stall_detector *s, report **reports);

/* Looks whether a callback has run for slow milliseconds. Its thread may not end meanwhile. Returns true if
 * one may have: look again soon. late: so many milliseconds nobody could look. Adds to reports. */
bool stall_detector_look(stall_detector *s, uint64_t slow, uint64_t late, report **reports);

/* Logs, counts (label.h) and frees them. It takes milliseconds. */
void stall_reports_log(report *reports);

#endif
