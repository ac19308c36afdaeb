/* recorder.h - a flight recorder: what a thread did last, always written down, in a ring of a fixed size.
 *
 *     recorder_begin("loop 1", 1 << 20);                      this thread has a ring from now on
 *     ...
 *     const uint64_t since = recorder_since();
 *     ...
 *     recorder_add(RECORD_RUN, since, "import", (record_for){ label, request }, err);
 *
 * Nobody reads it until somebody wants to know: then another process does (layout.h, server/inspect/recording.h). An entry is
 * written when what it tells of has ended, and costs a look at the clock and half a cache line. How far back a ring reaches
 * depends on how much happens: 1 MiB are 32,768 entries. What still goes on is not in it.
 *
 * While somebody of this process watches (recorder_watch.h), more is written: how the loop's turns go by, what waits, what has
 * been begun. Nobody pays for that otherwise but by a look at how many there are:
 *
 *     static FOR_WATCHERS void query_record_sent(const query *q)
 *     {
 *         recorder_add_detail(&(record){ .kind = RECORD_QUERY_SENT, .end = recorder_clock(), .what = q->name, .lane = 3 });
 *     }
 *     ...
 *     if (recorder_is_watched())
 *         query_record_sent(q);
 *
 * Besides, all that is written is added up by label and kind, since the ring began: how often, and how long. Requests are by
 * shard.h.
 *
 *   Ownership.  Texts are static: pointers to them are kept, without their highest 16 bits, which are 0.
 *   Threads.    Each thread has a ring of its own, or none, and then nothing is written; or many share one (threads mode). */
#ifndef RECORDER_H
#define RECORDER_H

#include "record_for.h"
#include "server/base/list.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

typedef enum record_kind {
    RECORD_NONE,
    RECORD_REQUEST,                          /* from when it came to the end of its handler; value: its outcome */
    RECORD_RUN,                              /* a task ran, called what */
    RECORD_SETTLED,                          /* a promise did, made by the function what; since is end */
    RECORD_QUERY,                            /* the statement what, from the call to the answer; value: its outcome */
    RECORD_JOB,                              /* of the executor what, on a thread of the pool; value: its outcome */
    RECORD_TURN,                             /* a turn of the loop that lasted a millisecond or longer */
    RECORD_WAITED,                           /* an await paused, for a promise made by the function what; value: where, as
                                                record_place has it */
    RECORD_LINE,                             /* a request waited to be admitted, for what */
    RECORD_DATABASE,                         /* only added up, in nanoseconds: at least one query of a request was under way */

    RECORD_DETAILS,                          /* what follows is written while somebody watches; an address is one of the code's */
    RECORD_SLEEP = RECORD_DETAILS,           /* poll did, since when, and has returned; value: the turn that begins so */
    RECORD_PHASE,                            /* of the loop (loop_events.h): value */
    RECORD_CALLBACK,                         /* of libuv's, called at the address what; value: in which phase */
    RECORD_READY_ADDED,                      /* since: the address of what will run; what: its name, or NULL; value: which list */
    RECORD_READY_RAN,                        /* the address what; value: which list */
    RECORD_AWAIT,                            /* the task value began to wait for what; since: the address where */
    RECORD_TASK_ENDED,                       /* value: the task; what: its name */
    RECORD_TIMER_SET,                        /* value: its number; since: the address that is to be called; what: when, in
                                                milliseconds of uv_hrtime's clock; lane 1: it was set already */
    RECORD_TIMER_UNSET,                      /* value: its number */
    RECORD_TIMER_RAN,                        /* the address what; value: its number */
    RECORD_REQUEST_BEGUN,                    /* its handler is about to run */
    RECORD_QUERY_SENT,                       /* the statement what, on the connection lane, or to where any takes it (0) */
    RECORD_QUERY_RAN,                        /* the statement what, on the connection lane, between these times */
    RECORD_JOB_QUEUED,                       /* for the executor what */
    RECORD_JOB_RAN,                          /* of the executor what, on the pool's thread lane, between these times */
    RECORD_KINDS,
} record_kind;

typedef struct record {
    uint64_t    since, end;                  /* by recorder_clock; of what record_is_by_hrtime since is uv_hrtime's */
    const char *what;                        /* in a ring, its highest 16 bits are the number of the request: record_what */
    int32_t     value;
    uint16_t    label;                       /* for whom (server/async/label.h) */
    uint8_t     kind;
    uint8_t     lane;                        /* of a detail: which connection or thread, from 1 on; 0: any. Of queries and jobs:
                                                so many 255ths of the time passed before it began */
} record;

_Static_assert(sizeof(record) == 32, "two in a cache line");

enum { RECORD_PLACES = 6 };

static inline bool record_is_by_hrtime(int kind) { return kind == RECORD_REQUEST || kind == RECORD_TURN || kind == RECORD_LINE; }
static inline const char *record_what(const record *e)
{
    return (const char *)((uintptr_t)e->what & (((uintptr_t)1 << 48) - 1));
}

static inline uint16_t record_request(const record *e) { return (uint16_t)((uint64_t)(uintptr_t)e->what >> 48); }

/* Of one label, since the ring began. Times are recorder_clock's; of requests and lines, nanoseconds. Runs and so on that were
 * written by several threads at the same moment are all counted. */
typedef struct record_sum { _Atomic uint64_t count, time, queued; } record_sum;

/* The same of one await: of each label the first RECORD_PLACES that paused. */
typedef struct record_place_sum {
    _Atomic int32_t          place;          /* 0: none yet */
    _Atomic(const char *)    what;
    _Atomic uint64_t         count, time;
} record_place_sum;

typedef struct record_sums {
    record_sum       of[RECORD_LABELS][RECORD_DETAILS];
    record_place_sum places[RECORD_LABELS][RECORD_PLACES];
} record_sums;

typedef struct recorder {
    list_node        node;                   /* among all */
    uint64_t         id;                     /* which no other has, ever */
    _Atomic int      watchers, looks;        /* now; and how often one has begun */
    const char      *name;
    pid_t            thread;                 /* the kernel's number of it; 0 of one that is shared */
    bool             shared, ticks;          /* ticks: recorder_clock is not uv_hrtime */
    uint64_t         tick, ns;               /* of both clocks, at the same time */
    uint64_t         count;                  /* of entries there is room for: a power of two */
    _Atomic uint64_t next;                   /* how many were written, ever */
    record_sums     *sums;
    record           records[];
} recorder;

extern _Thread_local recorder *recorder_here;        /* NULL: nothing is recorded */
extern bool                    recorder_ticks;

/* A thread's ring of so many bytes, or none if that is too little for one. Not while it has one. */
void recorder_begin(const char *name, size_t size);
void recorder_end(void);

/* One for many threads; NULL if it is too small. They set recorder_here to it. */
recorder *recorder_new_shared(const char *name, size_t size);
void      recorder_free_shared(recorder *r);         /* no thread has it any more */

/* A clock that is quick to read: the processor's, where that goes steadily and is the same for all processors. */
static inline uint64_t recorder_clock_of(bool ticks)
{
#if defined(__x86_64__)
    if (ticks)
        return __rdtsc();
#endif
    (void)ticks;
    return uv_hrtime();
}

static inline uint64_t recorder_clock(void) { return recorder_clock_of(recorder_ticks); }

/* The same, if it is for a record. */
static inline uint64_t recorder_since(void) { return recorder_here ? recorder_clock() : 0; }

/* What recorder_clock has just said, as nanoseconds of uv_hrtime's clock: to some microseconds, at a tenth of the price. */
uint64_t recorder_ns(uint64_t clock);
uint64_t recorder_ns_of(uint64_t ticks);     /* between two of what it says */
uint64_t recorder_ticks_of(uint64_t ns);

void recorder_add_here(record_kind kind, uint64_t since, uint64_t end, const char *what, record_for whom, int value);

/* Of a query or job, which began only after it had waited its turn. ended 0: just now. */
void recorder_add_begun(record_kind kind, uint64_t since, uint64_t began, uint64_t ended, const char *what, record_for whom,
                        int value);

/* Adds up what is by uv_hrtime, which the others do not. */
void recorder_sum(record_kind kind, uint16_t label, uint64_t ns);

/* A request's handler has just ended: how many nanoseconds after it came, by uv_hrtime. */
uint64_t recorder_add_request(uint64_t started, record_for whom, int value);

/* Has just ended. */
static inline void recorder_add(record_kind kind, uint64_t since, const char *what, record_for whom, int value)
{
    if (recorder_here)
        recorder_add_here(kind, since, recorder_clock(), what, whom, value);
}

/* A number for a request that begins, by which what is done for it is known: after RECORD_REQUESTS - 1 others of its thread they
 * begin anew. Who shares a recorder has a number of its own for each thread. */
extern _Thread_local uint16_t recorder_last_request;
static inline uint16_t recorder_request(void)
{
    return recorder_last_request = recorder_last_request % (RECORD_REQUESTS - 1) + 1;
}

/* A place in the code, in 32 bits; and back. 0: none. */
int32_t     record_place(const void *place);
const void *record_place_at(int32_t value);

/* Does anybody watch this thread? And then: what there is to be seen, as it is given. */
static inline bool recorder_is_watched(void)
{
    return recorder_here && atomic_load_explicit(&recorder_here->watchers, memory_order_relaxed) > 0;
}

void recorder_add_detail(const record *e);

/* Of functions that do so: they stay out of the way of those that are run when nobody watches. */
#define FOR_WATCHERS __attribute__((cold, noinline))

/* Shows all that there are, the newest first; meanwhile none begins or ends. From any thread. */
void recorder_each(void (*show)(recorder *r, void *arg), void *arg);

/* Asks that what all threads have recorded be written down, now; who waits for that has said by which eventfd it is to be
 * woken, or -1: nobody does. From any thread, or a signal handler. */
void recorder_ask(void);
void recorder_ask_of_slow(void);             /* the same, for a request that took long: at most once a minute */
void recorder_wake_by(int fd);
bool recorder_asked(void);                   /* since this was called last */

#endif
