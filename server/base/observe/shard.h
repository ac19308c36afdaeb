/* shard.h - what a thread counts, for itself: how many requests, how long they took, and so on. It is summed when somebody asks.
 *
 *     shard_add(SHARD_TASKS, 1);                              one more, on this thread; -1: one less, on whichever thread
 *     shard_count_answer(label, false, 7);
 *     shard_count_request(label, ns);
 *     shard_count_timed(SHARD_QUERY, "user_by_id", waited, took, false);
 *
 * A loop has a shard of its own, to which nobody else writes: to count is a load and a store there. All other threads share
 * some, in turn, and add by an atomic instruction: so thousands of threads that come and go need neither memory
 * nor a lock. What a loop has counted stays when it has ended.
 *
 *   Units.      Times are nanoseconds.
 *   Ownership.  Names are static, or stay until the process ends, as a label's do (server/async/label.h).
 *   Bounds.     RECORD_LABELS routes, and of each kind SHARD_NAMES names; what is beyond counts as "other".
 *   Threads.    All of it is for any thread. */
#ifndef SHARD_H
#define SHARD_H

#include "durations.h"
#include "record_for.h"
#include "server/base/list.h"

/* The numbers that have no name beside their own. Some go up and down: what is there now. */
typedef enum shard_cell {
    SHARD_CONNECTIONS,                       /* of clients, now */
    SHARD_ACCEPTED,                          /* the same, ever */
    SHARD_RECEIVED, SHARD_SENT,              /* bytes from clients, and to them */
    SHARD_REQUESTS,                          /* begun, and not over, now */
    SHARD_WAITING,                           /* of them, those that wait to be admitted */
    SHARD_LEFT,                              /* requests whose client had gone before they were answered */
    SHARD_WEBSOCKETS, SHARD_WEBSOCKETS_OPENED,       /* now; and ever */
    SHARD_STREAMS, SHARD_STREAMS_OPENED,     /* answers that are events: the same */
    SHARD_TASKS, SHARD_TASKS_STARTED,        /* the same */
    SHARD_DATABASE_CONNECTIONS,              /* up, now */
    SHARD_DATABASE_CONNECTED, SHARD_DATABASE_LOST,   /* connections that came up, and that broke, ever */
    SHARD_DATABASE_QUERIES,                  /* asked for, and not answered, now */
    SHARD_DATABASE_ANSWERED,                 /* without an error, ever */
    SHARD_DATABASE_WAITING,                  /* of them, those that no connection or thread has taken yet */
    SHARD_CELLS,
} shard_cell;

enum { SHARD_OUTCOMES = 48, SHARD_NAMES = 64, SHARD_SHARED = 16 };

/* What is known by a name, and timed. */
typedef enum shard_kind {
    SHARD_QUERY,                             /* a statement */
    SHARD_JOB,                               /* of an executor */
    SHARD_OUTGOING,                          /* a request to another server, by how it ended */
    SHARD_KINDS,
} shard_kind;

typedef struct shard_route {
    durations        took;
    _Atomic uint64_t answers[2][SHARD_OUTCOMES];     /* by their number; [1]: to HEAD */
} shard_route;

typedef struct shard_name {
    const char      *name;
    durations        waited, took;           /* before it was begun; and from then on */
    _Atomic uint64_t failed;                 /* of them */
} shard_name;

typedef struct shard {
    list_node              node;             /* among those of loops */
    int                    number;           /* of the loop, as the watchdog has it; 0: shared */
    _Atomic uint64_t       cells[SHARD_CELLS];
    _Atomic(shard_route *) routes[RECORD_LABELS];    /* NULL until one is counted */
    _Atomic(shard_name *)  names[SHARD_KINDS][SHARD_NAMES + 1];      /* hash tables; behind each, what finds no room */
} shard;

extern _Thread_local shard *shard_here;      /* never NULL */

void shard_begin(void);                      /* a loop's own; not while it has one */
void shard_end(void);                        /* its counts stay */
void shard_share(void);                      /* for one of many threads: from now on it shares the next one */

static inline void shard_add(shard_cell c, int64_t n)
{
    shard *const s = shard_here;
    counter_add(!s->number, &s->cells[c], (uint64_t)n);
}

shard_route *shard_make_route(shard *s, uint16_t label);     /* the one that is there, or a new one */

static inline shard_route *shard_route_of(shard *s, uint16_t label)
{
    shard_route *const r = atomic_load_explicit(&s->routes[label], memory_order_acquire);
    return r ? r : shard_make_route(s, label);
}

/* One more answer, of a request that is known by that label, and of which nothing else is counted: outcome is a number below
 * SHARD_OUTCOMES. */
static inline void shard_count_answer(uint16_t label, bool head, int outcome)
{
    shard *const s = shard_here;
    counter_add(!s->number, &shard_route_of(s, label)->answers[head][outcome], 1);
}

/* A request is over, which SHARD_REQUESTS has had: it was answered, or, outcome 0, its client had left before. */
static inline void shard_end_request(uint16_t label, bool head, int outcome)
{
    shard *const s = shard_here;
    _Atomic uint64_t *const to = outcome ? &shard_route_of(s, label)->answers[head][outcome] : &s->cells[SHARD_LEFT];
    const bool shared = !s->number;
    counter_add(shared, &s->cells[SHARD_REQUESTS], (uint64_t)-1);
    counter_add(shared, to, 1);
}

/* Its handler has run for so long. */
static inline void shard_count_request(uint16_t label, uint64_t ns)
{
    shard *const s = shard_here;
    durations_add(!s->number, &shard_route_of(s, label)->took, ns);
}

/* What has that name has waited for so long, and then taken so long; SHARD_NOT_BEGUN: it has not even begun. */
#define SHARD_NOT_BEGUN UINT64_MAX
void shard_count_timed(shard_kind kind, const char *name, uint64_t waited, uint64_t took, bool failed);

/* Reading: sums of all shards, of the loops that have ended too. */

uint64_t shard_sum(shard_cell c);
void     shard_each(void (*show)(const shard *s, void *arg), void *arg);     /* loops in their order, then the shared ones */

/* The sums of that label; false: nothing has been counted. */
bool shard_sum_route(uint16_t label, duration_sums *took, uint64_t answers[2][SHARD_OUTCOMES]);

typedef struct name_sums {
    const char   *name;                      /* "other": of all for which there was no room */
    duration_sums waited, took;
    uint64_t      failed;
} name_sums;

/* Those of that kind, in the order of the alphabet: how many. */
int shard_sum_names(shard_kind kind, name_sums to[SHARD_NAMES + 1]);

#endif
