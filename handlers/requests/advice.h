/* advice.h - which model of concurrency suits a route, judged by what its requests have taken.
 *
 * Of requests that wait, and compute little, a loop holds thousands for the price of their memory. What computes belongs off the
 * loop. Where nobody waits, or few come at a time, a thread for each connection is as good, and simpler. What cannot be stopped
 * belongs into a process, which can be killed. Where one ends and the other begins is in ADVICE_LIMITS, with the reason. */
#ifndef REQUESTS_ADVICE_H
#define REQUESTS_ADVICE_H

#include <stdint.h>

typedef enum advice_word {
    ADVICE_UNKNOWN,                         /* too little is known */
    ADVICE_EITHER,                          /* a loop or threads: it makes no difference */
    ADVICE_ASYNC,
    ADVICE_ASYNC_OR_THREADS,                /* it waits, but few do so at a time */
    ADVICE_ASYNC_WITH_POOL,
    ADVICE_THREADS,
    ADVICE_PROCESSES,
    ADVICE_WORDS,
} advice_word;

/* Of one route: times are nanoseconds of all its requests together. */
typedef struct advice_figures {
    uint64_t requests;
    uint64_t all;                            /* from head to the end of the handler */
    uint64_t waited;                         /* of that, for the database, timers, sockets, files */
    uint64_t computed;                       /* on the loop, or in a thread of its own */
    uint64_t pooled;                         /* in the thread pool */
    uint64_t blocked;                        /* times that a loop stood still for longer than [log] slow_callback */
    uint64_t measured;                       /* for how long */
} advice_figures;

typedef enum advice_limit {
    LIMIT_ENOUGH, LIMIT_SURE, LIMIT_WAITS, LIMIT_SHORT, LIMIT_LONG, LIMIT_BLOCKED, LIMIT_FEW, ADVICE_LIMIT_COUNT,
} advice_limit;

typedef struct advice_limit_row { const char *name; double value; const char *unit, *why; } advice_limit_row;

extern const advice_limit_row ADVICE_LIMITS[ADVICE_LIMIT_COUNT];

/* For code that is yet to be written: what suits which work, and why. */
typedef struct advice_model {
    const char    *work;                     /* "waits, thousands at once" */
    advice_word    word;                     /* what is advised for it; ADVICE_UNKNOWN: no figure of a route tells that work */
    const char    *model;                    /* instead of the word's name; or NULL */
    const char    *why;
    advice_figures example;                  /* of such work, of which the word follows */
} advice_model;

enum { ADVICE_MODEL_COUNT = 8 };
extern const advice_model ADVICE_MODELS[ADVICE_MODEL_COUNT];

typedef struct advice {
    advice_word word;
    const char  *why;                        /* a sentence, which holds for every route with that reason */
    const char  *sure;                       /* "hardly", "fairly", "quite": by how many requests it rests on */
} advice;

advice advice_of(const advice_figures *f);
const char *advice_name(advice_word w);    /* "async with the pool" */

double advice_at_once(const advice_figures *f);            /* requests that were there at a time, on average */

#endif
