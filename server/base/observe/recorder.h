/* recorder.h - a flight recorder: what a thread did last, always written down, in a ring of a fixed size.
 *
 *     recorder_begin("loop 1", 1 << 20);                      this thread has a ring from now on
 *     ...
 *     const uint64_t since = recorder_clock();
 *     ...
 *     recorder_add(RECORD_JOB, since, recorder_clock(), "cpu", label, err);
 *
 * Nobody reads it until somebody wants to know: then another process does (layout.h, server/inspect/recording.h). An entry is
 * written when what it tells of has ended, and costs a look at the clock and half a cache line. How far back a ring reaches
 * depends on how much happens: 1 MiB are 32,768 entries. What still goes on is not in it.
 *
 *   Ownership.  Texts are static: pointers to them are kept.
 *   Threads.    Each thread has a ring of its own, or none, and then nothing is written; or many share one (threads mode). */
#ifndef RECORDER_H
#define RECORDER_H

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
    RECORD_KINDS,
} record_kind;

typedef struct record {
    uint64_t    since, end;                  /* by recorder_clock; of requests and turns since is uv_hrtime's */
    const char *what;
    int32_t     value;
    uint16_t    label;                       /* for whom (server/async/label.h) */
    uint8_t     kind, unused;
} record;

_Static_assert(sizeof(record) == 32, "two in a cache line");

typedef struct recorder {
    list_node        node;                   /* among all */
    const char      *name;
    pid_t            thread;                 /* the kernel's number of it; 0 of one that is shared */
    bool             shared, ticks;          /* ticks: recorder_clock is not uv_hrtime */
    uint64_t         tick, ns;               /* of both clocks, at the same time */
    uint64_t         count;                  /* of entries there is room for: a power of two */
    _Atomic uint64_t next;                   /* how many were written, ever */
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

void recorder_add_here(record_kind kind, uint64_t since, uint64_t end, const char *what, uint16_t label, int value);

/* Has just ended. */
static inline void recorder_add(record_kind kind, uint64_t since, const char *what, uint16_t label, int value)
{
    if (recorder_here)
        recorder_add_here(kind, since, recorder_clock(), what, label, value);
}

/* Asks that what all threads have recorded be written down, now; who waits for that has said by which eventfd it is to be
 * woken, or -1: nobody does. From any thread, or a signal handler. */
void recorder_ask(void);
void recorder_ask_of_slow(void);             /* the same, for a request that took long: at most once a minute */
void recorder_wake_by(int fd);
bool recorder_asked(void);                   /* since this was called last */

#endif
