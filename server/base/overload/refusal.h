/* refusal.h - which bound turned something away: an error for each, with the setting behind it.
 *
 * A queue that is full, or in which one has waited too long, fails with REFUSED(its kind). So the
 * answer can say which limit was met, what it is, how long the wait was, and which setting to change; and each kind
 * is counted, for GET /stats.
 *
 *     return promise_settled(refuse(REFUSED_CPU_LINE, 0));
 *
 *   Threads.  All of it is for any thread, but refusal_set_limit, which comes before the others run. */
#ifndef REFUSAL_H
#define REFUSAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    REFUSED_DATABASE_WAIT,                   /* it waited longer than one may while the queue stands */
    REFUSED_DATABASE_AHEAD,                  /* the same queue; its client had sent another behind it, unanswered */
    REFUSED_DATABASE_TIMEOUT,                /* it waited longer than one may at any time */
    REFUSED_DATABASE_LINE,                   /* as many wait as may */
    REFUSED_PAGE_WAIT,                       /* the same four, where it would be rendered on the thread pool, too */
    REFUSED_PAGE_AHEAD,
    REFUSED_PAGE_TIMEOUT,
    REFUSED_PAGE_LINE,
    REFUSED_CPU_WAIT, REFUSED_CPU_LINE,
    REFUSED_FILES_WAIT, REFUSED_FILES_LINE,
    REFUSED_PROCESSES_WAIT, REFUSED_PROCESSES_LINE,
    REFUSED_OUTGOING_WAIT, REFUSED_OUTGOING_LINE,
    REFUSED_PATTERNS,                        /* of the gallery, at once */
    REFUSED_TOPICS,                          /* in use at once */
    REFUSED_CONNECTIONS, REFUSED_THREADS,    /* a client, before it could ask */
    REFUSED_MEMORY,                          /* there is none: whatever has not begun does not */
    REFUSALS,
} refusal;

/* As an error: negative, and no other's. */
#define REFUSED(kind) (-31000 - (int)(kind))

static inline bool refusal_is(int err) { return err <= REFUSED(0) && err > REFUSED(REFUSALS); }
static inline refusal refusal_of(int err) { return (refusal)(REFUSED(0) - err); }

/* Counts one that has waited so many nanoseconds, and returns REFUSED(kind). */
int refuse(refusal kind, uint64_t waited);

void refusal_set_limit(refusal kind, uint64_t limit);        /* milliseconds, or a number of things */

typedef struct refusal_view {
    const char *name;                        /* "database_wait" */
    const char *line;                        /* what it is that waits, as the subject of a sentence; NULL: nothing does */
    const char *setting;                     /* "[database] target" */
    bool        time;                        /* the limit is a time, else a number */
    uint64_t    limit;                       /* of the setting */
    uint64_t    waited;                      /* nanoseconds: the last one that was refused so */
    uint64_t    count;                       /* since the start */
} refusal_view;

refusal_view refusal_look(refusal kind);

/* In words for a person: which limit was met, and what would change it. */
void refusal_explain(const refusal_view *v, char *why, size_t size);

/* When to come again, in seconds: the wait that it met has twice the time to go by. Never 0. */
unsigned refusal_retry_after(const refusal_view *v);

#endif
