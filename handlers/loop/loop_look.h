/* loop_look.h - what waits now, of one loop or of all threads, the oldest first: what tenk ps sees, of this very process.
 *
 *   {"mode": "async", "loop": 1, "took_ms": 1.2, "count": 1, "idle": 0,
 *    "waits": [{"is": "task", "number": 71234, "name": "/sleep", "for": "GET /sleep", "age_ms": 34, "state": "awaits",
 *               "awaits": "sleep_for", "place": "handlers/sleep.c:21", "parts": []}],
 *    "at_work": [{"name": "sqlite reader", "number": 2, "what": "posts_by_user", "for": "GET /users/:id", "age_ms": 3}],
 *    "queues": [{"name": "reads waiting", "count": 2}], "entries": [6612]}
 *
 *   is        task; request, one without a task; or thread, of threads mode
 *   number    of the task, as the loop's events have it, or of the thread
 *   state     of a task runs, new, yields, awaits; of a request waits (to be admitted), promise, callback, new; of a thread
 *             blocked, runs
 *   parts     of what is awaited: the query, or those of a gather; of a thread where it is, the innermost first
 *   count     how many there are: waits has LOOP_LOOK_MOST of them at most
 *   idle      threads whose client has asked for nothing
 *   at_work   threads that run no loop, and what they do at the moment: queries of SQLite's, jobs of the pool; for any loop
 *   entries   of each loop, how much it has recorded, ever */
#ifndef LOOP_LOOK_H
#define LOOP_LOOK_H

#include "server/base/buffer.h"

#include <stddef.h>

enum { LOOP_LOOK_MOST = 100, LOOP_LOOK_WORKS = 64 };

/* A thread that runs no loop. */
typedef struct loop_work {
    const char *name, *what, *whom;          /* whom NULL: it is not known */
    int         number;
    uint64_t    age;                         /* milliseconds */
} loop_work;

typedef struct loop_wait {
    const char *is, *name, *whom, *state, *awaits, *place;   /* NULL: none */
    int         number;
    uint64_t    age;                         /* milliseconds */
    const char *parts[12];
    int         part_count;
} loop_wait;

typedef struct loop_look {
    int       loop;                          /* 0: of threads mode */
    double    took_ms;
    size_t    count, idle;
    loop_wait waits[LOOP_LOOK_MOST];
    int       wait_count;                    /* of these */
    loop_work works[LOOP_LOOK_WORKS];
    int       work_count;
    struct { const char *name; int64_t count; } queues[32];
    int       queue_count;
} loop_look;

/* Of that loop, or of all threads: 0. In a thread that may block; its texts are the arena's. 0, or a negative error and why. */
int  loop_look_take(loop_look *l, arena *a, int loop, char *why, size_t size);
void loop_look_write_json(buffer *b, const loop_look *l);
void loop_look_write_rows(buffer *b, const loop_look *l);    /* of an HTML table: for whom, what, where, for how long; last, who
                                                                is at work */

#endif
