/* either.h - the first of several things that has something: the others lose nothing.
 *
 *     int which = 0;
 *     while (!(err = await(either(&which, websocket_source(ws), subscription_source(s)))))
 *         err = which == 0 ? await(take_message(ws)) : await(pass_on(s));
 *
 * A race of two receives throws away what the loser has received in the same instant. This one asks each who is ready, which
 * takes nothing; then the caller receives from that one. One that has ended, or failed, is ready too: to receive from it says so.
 *
 *   Fairness.  The search begins behind the one that was ready last, which it finds in *which: of those that always are, each
 *              has its turn.
 *   A thread   that blocks waits for all of them in one poll(). For a limit of time there is time_source, in both modes.
 *   Threads.   Sources are those of the thread that waits. */
#ifndef EITHER_H
#define EITHER_H

#include "promise.h"
#include "server/base/blocking_wait.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct source {
    const struct source_kind *kind;
    union {
        void    *of;                         /* the thing; it must be there until either has settled */
        uint64_t time;
    };
} source;

/* What a thing that can be waited for has to know. */
typedef struct source_kind {
    bool     (*is_ready)(const source *s);   /* looks, and does not wait */
    promise *(*ready)(const source *s);      /* on a loop, where it is not: settles when it may be; can be cancelled */
    void     (*expect)(const source *s, blocking_set *set);  /* in a blocking thread: adds what may make it so; it is asked
                                                                once more before the wait */
} source_kind;

enum { EITHER_MOST = 8 };                    /* sources */

/* Ready when that time has come, of deadline.h. */
source time_source(uint64_t time);

/* Settles with 0 when a source is ready: which one is in *which, where it must be known which was taken last, at first any.
 * UV_ECANCELED, or in a blocking thread UV_ETIMEDOUT, its deadline has come: nothing has been taken. The array is the
 * caller's, and may go at once. */
MUST_AWAIT promise *promise_either(const source sources[], int count, int *which);

/* The same of sources that are written down one by one. */
#define either(which, ...) \
    promise_either((const source[]){ __VA_ARGS__ }, (int)(sizeof(source[]){ __VA_ARGS__ } / sizeof(source)), (which))

#endif
