/* slowest.h - the slowest requests of each route, each with what was done for it.
 *
 * When a request has ended that was slower than one of those that are kept of its route, what the recorder (recorder.h) of its
 * thread has written for it is copied out of the ring: its queries, jobs, awaits, and when its tasks ran. To look whether it
 * is one costs two loads; to copy, some microseconds, or a tenth of a millisecond from a full ring: no more than a hundredth of
 * a thread's time is spent so, and what ends meanwhile is not kept.
 *
 *   Bounds.     SLOWEST_KEPT of each label, with SLOWEST_SPANS spans each, the longest ones: 8 KiB a label, once it has one.
 *   Age.        What was kept SLOWEST_AGE ago gives way to whatever comes.
 *   Modes.      A loop has a ring of its own. In threads mode all threads share one, and when there is much to do it may not
 *               reach back to a request's beginning: then it is partial.
 *   Threads.    All of it is for any thread; a lock is held for a copy of some KiB, and only by who keeps one or reads. */
#ifndef SLOWEST_H
#define SLOWEST_H

#include "recorder.h"

enum { SLOWEST_KEPT = 4, SLOWEST_SPANS = 56 };

#define SLOWEST_AGE     UINT64_C(600000000000)       /* nanoseconds */
#define SLOWEST_WRITING UINT64_MAX

typedef struct slow_request {
    uint64_t id;                             /* unique in this process; its later ones have greater ones */
    uint64_t ended;                          /* uv_hrtime when its handler did */
    int64_t  at;                             /* milliseconds since 1970: the same */
    uint64_t took, wrote;                    /* nanoseconds: until then; and from then until the kernel had all of its answer, or
                                                SLOWEST_WRITING: it has not yet, or it never became known */
    int32_t  thread;                         /* the kernel's number of its loop's; 0: one of many */
    uint16_t label;
    bool     partial;                        /* the recorder had forgotten its beginning */
    int      outcome;
    int      count, left_out;                /* spans, the earliest first; and those for which there was no room */
    record   spans[SLOWEST_SPANS];           /* since and end are nanoseconds since the request came */
} slow_request;

typedef struct slowest_ended {
    record_for  whom;
    uint64_t    started, took;               /* uv_hrtime; nanoseconds */
    uint64_t    clock;                       /* recorder_clock when it ended */
    int         outcome;
    const void *connection;                  /* by which slowest_written knows it; or NULL */
} slowest_ended;

typedef struct slowest_bar { _Atomic uint64_t least, until; } slowest_bar;

extern slowest_bar          slowest_bars[RECORD_LABELS];     /* what took longer is kept; and so is anything after until */
extern _Thread_local int    slowest_writing;                 /* kept ones of this thread whose answer is being written */

/* Is one that took so long, and has just ended, to be kept? */
static inline bool slowest_is(uint16_t label, uint64_t took, uint64_t now)
{
    const slowest_bar *const b = &slowest_bars[label];
    return took > atomic_load_explicit(&b->least, memory_order_relaxed) ||
           now >= atomic_load_explicit(&b->until, memory_order_relaxed);
}

/* What the recorder of this thread, which has one, has of a request that has just ended: its spans. All else of *s stays. */
void slowest_read(slow_request *s, const slowest_ended *e);

/* On a thread that has a recorder. False: it spends too much of its time so already. */
bool slowest_keep(const slowest_ended *e);

/* All that was answered on that connection is written; or it has gone, which may come twice. */
void slowest_written_there(const void *connection, bool whole);
static inline void slowest_written(const void *connection, bool whole)
{
    if (slowest_writing)
        slowest_written_there(connection, whole);
}

int  slowest_of(uint16_t label, slow_request to[SLOWEST_KEPT]);      /* the slowest first: how many */
bool slowest_find(uint64_t id, slow_request *to);
void slowest_forget_all(void);

#endif
