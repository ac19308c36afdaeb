/* seen.h - what was seen of another tenk at a moment: loops, tasks, what each awaits, requests, threads, queues.
 *
 *   Ownership.  Texts are the target's; all else is the snapshot's, until snapshot_free (snapshot.h). */
#ifndef INSPECT_SEEN_H
#define INSPECT_SEEN_H

#include "target.h"

enum { SEEN_FRAMES = 32, SEEN_LATENCIES = 32 };

/* A promise, in a tree: what a task awaits, and what that waits for. */
typedef struct seen_wait {
    uint64_t    promise;
    const char *maker;                       /* the function that made it */
    uint64_t    place;                       /* where that was called, for target_place */
    const char *name;                        /* of its query or job; NULL: it is none */
    bool        queued;                      /* which still waits for its turn */
    int         task;                        /* whose outcome it is, among tasks; -1: no task's */
    int         first, next;                 /* its first part, and its next sibling, among waits; -1: none */
} seen_wait;

typedef enum seen_state { SEEN_RUNS, SEEN_NEW, SEEN_YIELDS, SEEN_AWAITS } seen_state;

typedef struct seen_task {
    uint64_t    at;                          /* its address: by that it is known */
    int         loop;                        /* among loops */
    const char *name, *label;
    uint32_t    age;                         /* milliseconds */
    seen_state  state;
    uint64_t    place;                       /* where it awaits or yields; 0: nowhere yet */
    int         awaits;                      /* among waits; -1: nothing */
    int         parent;                      /* the task that awaits it, be it by a gather or so; -1: none */
} seen_task;

/* A request that has no task: its handler is a promise's or a callback's, or it has not begun. */
typedef struct seen_request {
    enum { SEEN_WAITS, SEEN_PROMISE, SEEN_CALLBACK, SEEN_NOT_BEGUN } kind;   /* SEEN_WAITS: in a queue, to be admitted */
    int         loop;
    const char *method, *path;
    uint64_t    age;
    int         awaits;                      /* of a promise's */
} seen_request;

/* Of threads mode. */
typedef struct seen_thread {
    pid_t       id;
    bool        idle;                        /* its client has asked for nothing */
    const char *method, *path;               /* of its request; NULL: no handler runs */
    uint64_t    age;
    int         count;                       /* of frames; 0: it runs, or nothing is known */
    uint64_t    frames[SEEN_FRAMES];
} seen_thread;

typedef struct seen_loop {
    int         number;                      /* for people */
    pid_t       thread;
    bool        busy;                        /* a callback runs */
    uint64_t    busy_ms;                     /* for how long its turn has lasted */
    const char *name, *label;                /* on whose behalf it runs; NULL: nobody's */
    int         count;                       /* of frames: where, if it sleeps there, or the watchdog has asked */
    uint64_t    frames[SEEN_FRAMES];
    bool        whole;                       /* its tasks are all */
    size_t      tasks;
    uint64_t    latencies[SEEN_LATENCIES];   /* loop_latency.h's counts */
    uint64_t    scope;                       /* where what it runs for is */
} seen_loop;

/* A thread that runs no loop, with what it does: a query of SQLite's, a job of the pool. */
typedef struct seen_work {
    const char *name;                        /* "sqlite reader" */
    int         number;                      /* among those of that name */
    pid_t       thread;
    const char *what, *label;                /* the statement or the executor; for whom, NULL: it is not known */
    uint64_t    age;                         /* milliseconds */
} seen_work;

typedef struct seen_gauge { const char *name; int loop; int64_t value; } seen_gauge;     /* loop: -1: all of them */

typedef struct snapshot {
    target       *target;
    uint64_t      taken, took;               /* uv_hrtime, and nanoseconds */
    bool          threads_mode, async_mode;  /* which of them serves, or both, or none */
    seen_loop    *loops;
    seen_task    *tasks;
    seen_wait    *waits;
    seen_request *requests;
    seen_thread  *threads;
    seen_work    *works;                     /* of those threads that do something */
    seen_gauge   *gauges;
    size_t        loop_count, task_count, wait_count, request_count, thread_count, work_count, gauge_count;
    size_t        loop_room, task_room, wait_room, request_room, thread_room, work_room, gauge_room;
} snapshot;

/* One more at the end of an array of the snapshot's: where it is, and it is zero. */
#define SEEN_ADD(snap, what) ((typeof(&(snap)->what##s[0]))seen_add((void **)&(snap)->what##s, &(snap)->what##_count, \
                                                                   &(snap)->what##_room, sizeof (snap)->what##s[0]))
void *seen_add(void **array, size_t *count, size_t *room, size_t size);

/* How many queries and jobs there are in what tasks and requests await, and how many of them have not been sent. */
void seen_count_queries(const snapshot *s, size_t *all, size_t *queued);

uint64_t    seen_pointer(target *t, uint64_t at);    /* what is there; 0 if it cannot be read */
const char *seen_label(target *t, uint64_t label);   /* its name */

#endif
