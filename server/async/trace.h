/* trace.h - what tasks and other work did, and when: a recording, to be drawn as a timeline.
 *
 *   trace *t = trace_new("a run");
 *   track *before = track_enter(trace_root(t));             what this thread starts now is recorded
 *   ...
 *   track_enter(before);
 *   trace_stop(t);
 *   for (int i = 0; i < trace_count(t); i++) ... trace_events(t)[i] ...
 *   trace_free(t);
 *
 * A track is one line of the timeline: a task, or a stretch of work that has no task. It begins, waits
 * and wakes, and ends with an outcome. A task that is started while a track is entered gets a track of
 * its own, and so on for the tasks that it starts. What is not recorded pays for the look at one
 * pointer.
 *
 *   Bounds.     A recording has room for so many events. What no longer fits is counted, not recorded;
 *               but what has begun still ends, and what awaits still wakes: their room is set aside.
 *   Ownership.  Names must outlive the trace: string literals. A track belongs to its trace until
 *               track_end; tracks still open at trace_free end later, unrecorded.
 *   Threads.    Any thread may write to a track that it was given. Events are in the order of their times. */
#ifndef TRACE_H
#define TRACE_H

#include "promise.h"

#include <stdint.h>

typedef struct trace trace;
typedef struct track track;

typedef enum trace_kind {
    TRACE_BEGIN,                             /* of the track called name; its parent's number is in other; value: is it a
                                                task? Then it begins by waiting for its turn, and wakes */
    TRACE_END,                               /* value: its outcome, 0 or a negative error */
    TRACE_AWAIT,                             /* for name, which may be NULL */
    TRACE_WAKE,                              /* value: the outcome of what it waited for */
    TRACE_MARK,                              /* something called name happened */
    TRACE_VALUE,                             /* what is called name is now value */
    TRACE_TOOK,                              /* what is called name has ended, and took value microseconds */
} trace_kind;

typedef struct trace_event {
    uint32_t    at;                          /* microseconds since the trace began */
    int32_t     value;
    const char *name;
    uint16_t    track;                       /* its number: 0 is the root, its first child 1 ... */
    uint16_t    other;
    uint16_t    line;                        /* of the source, of what begins, awaits or is marked; 0: not known */
    uint8_t     kind;                        /* a trace_kind */
} trace_event;

enum { TRACE_EVENTS = 8192, TRACE_TRACKS = 1024 };

trace *trace_new(const char *name);          /* its root begins */
track *trace_root(trace *t);
void   trace_stop(trace *t);                 /* the root ends; from now on nothing is recorded */
int    trace_count(const trace *t);          /* of a stopped trace */
const trace_event *trace_events(const trace *t);
int    trace_dropped(const trace *t);        /* events for which there was no room */
int    trace_open(trace *t);                 /* tracks that have not ended yet, the root among them */
void   trace_free(trace *t);                 /* after trace_stop */

/* All of these do nothing for the track NULL. */
track *track_begin(track *parent, const char *name);         /* of work without a task; NULL if there is no room */
track *track_begin_task(track *parent, const char *name);    /* for task.c */
void   track_end(track *t, int outcome);
void   track_awaits(track *t);               /* what track_expects has told */
void   track_wakes(track *t, int outcome);
void   track_mark(track *t, const char *name);
void   track_value(track *t, const char *name, int64_t value);
void   track_took(track *t, const char *name, int64_t us);

/* The same as above, with the line of the source. */
track *track_begin_at(track *parent, const char *name, int line);
void   track_mark_at(track *t, const char *name, int line);

/* Ends t as p settles, and settles so too. Takes p. */
MUST_AWAIT promise *track_follows(track *t, promise *p);

/* On whose behalf this thread runs: a recorded task's track, or what was entered; NULL for none. */
extern _Thread_local track *track_here;

static inline track *track_enter(track *t)   /* returns the one before, to be entered again */
{
    track *const before = track_here;
    track_here = t;
    return before;
}

/* What the next await here waits for, as its source has it, and where. In a blocking thread the wait begins
 * with this: there it is the work itself that blocks, before await sees its promise. */
void track_expects(const char *what, int line);

#endif
