/* blocked.h - whether a loop is blocked: by what, where, and for how long.
 *
 * A loop is a suspect as long as its pulse shows the same callback. Whoever looks at it time and again gets
 * reports to log: one while it is still blocked, and one when that is over. */
#ifndef BLOCKED_H
#define BLOCKED_H

#include "witness.h"

#include <sys/types.h>

typedef struct suspect {
    int           number;                    /* of the loop, for people */
    pthread_t     thread;                    /* it runs on */
    pid_t         id;                        /* of that; the kernel's */
    witness       witness;
    owner *const *entered;                   /* where its thread has for whom it runs (owner.h) */
    const owner  *own;                       /* and this is when there is none */
    /* The looker's own: */
    uint64_t      beats, since;              /* the callback that ran at the last look, and from when on */
    enum { FINE, QUESTIONED, REPORTED } state;
    uint64_t      asked;
    label         label;
} suspect;

typedef struct report report;

void suspect_begin(suspect *s, int number);  /* {0}; of this thread's loop, until suspect_end on the same */
void suspect_end(suspect *s, report **reports);

/* Looks whether a callback has run for slow milliseconds. Its thread may not end meanwhile. Returns true if
 * one may have: look again soon. late: so many milliseconds nobody could look. Adds to reports. */
bool suspect_look(suspect *s, uint64_t slow, uint64_t late, report **reports);

/* Logs, counts (label.h) and frees them. It takes milliseconds. */
void reports_log(report *reports);

#endif
