/* trace.c - see trace.h. One block holds all; a lock guards it, for only what is recorded pays for it. */
#include "trace.h"
#include "loop.h"
#include "server/base/observe/layout.h"
#include "server/base/memory.h"

#include <assert.h>
#include <pthread.h>

struct track {
    trace      *trace;
    const char *expects;                     /* what the next await is for */
    uint16_t    number, line;
    bool        waiting;                     /* a TRACE_AWAIT has no TRACE_WAKE yet */
};

struct trace {
    pthread_mutex_t lock;                    /* of all below */
    uint64_t        begun;                   /* by uv_hrtime */
    int             count, reserved;         /* events there are; and will be: ends and wakes to come */
    int             dropped;
    int             tracks_used, open;       /* open: tracks that have not ended */
    bool            stopped, freed;
    trace_event     events[TRACE_EVENTS];
    track           tracks[TRACE_TRACKS];
};

_Thread_local track *track_here;

static bool trace_has_room(trace *t, int events)
{
    if (t->stopped)
        return false;
    if (t->count + t->reserved + events <= TRACE_EVENTS)
        return true;
    t->dropped += events;
    return false;
}

static void trace_append(trace *t, trace_event e)
{
    if (t->stopped)
        return;
    const uint64_t us = (uv_hrtime() - t->begun) / 1000;
    e.at = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
    t->events[t->count++] = e;
}

static track *trace_begin_track(trace *t, const char *name, uint16_t parent, bool task, int line)
{
    if (t->tracks_used == TRACE_TRACKS) {
        t->dropped += !t->stopped * (2 + task);
        return NULL;
    }
    if (!trace_has_room(t, 2 + task))
        return NULL;
    track *k = &t->tracks[t->tracks_used];
    *k = (track){ .trace = t, .number = (uint16_t)t->tracks_used++, .waiting = task };
    t->open++;
    t->reserved += 1 + task;
    trace_append(t, (trace_event){ .kind = TRACE_BEGIN, .track = k->number, .other = parent, .line = (uint16_t)line, .name = name,
                                   .value = task });
    return k;
}

static void track_wake(track *k, int outcome)
{
    if (!k->waiting)
        return;
    k->waiting = false;
    k->trace->reserved--;
    trace_append(k->trace, (trace_event){ .kind = TRACE_WAKE, .track = k->number, .value = outcome });
}

static void track_finish(track *k, int outcome)
{
    trace *t = k->trace;
    track_wake(k, outcome);
    t->open--;
    t->reserved--;
    trace_append(t, (trace_event){ .kind = TRACE_END, .track = k->number, .value = outcome });
}

static void track_await(track *k)
{
    if (k->waiting || !trace_has_room(k->trace, 2))
        return;
    k->waiting = true;
    k->trace->reserved++;
    trace_append(k->trace, (trace_event){ .kind = TRACE_AWAIT, .track = k->number, .line = k->line, .name = k->expects });
    k->expects = NULL;
    k->line = 0;
}

static void trace_lock(trace *t)   { pthread_mutex_lock(&t->lock); }
static void trace_unlock(trace *t) { pthread_mutex_unlock(&t->lock); }

/* The last that may still write frees it. */
static void trace_unlock_or_free(trace *t)
{
    const bool last = t->freed && t->open == 0;
    trace_unlock(t);
    if (!last)
        return;
    pthread_mutex_destroy(&t->lock);
    mem_free(t);
}

trace *trace_new(const char *name)
{
    trace *t = mem_alloc(sizeof *t);
    pthread_mutex_init(&t->lock, NULL);
    t->begun = uv_hrtime();
    trace_begin_track(t, name, 0, false, 0);
    return t;
}

track *trace_root(trace *t)                        { return &t->tracks[0]; }
int trace_count(const trace *t)                    { return t->count; }
const trace_event *trace_events(const trace *t)    { return t->events; }
int trace_dropped(const trace *t)                  { return t->dropped; }

int trace_open(trace *t)
{
    trace_lock(t);
    const int open = t->open;
    trace_unlock(t);
    return open;
}

void trace_stop(trace *t)
{
    trace_lock(t);
    track_finish(&t->tracks[0], 0);
    t->stopped = true;
    trace_unlock(t);
}

void trace_free(trace *t)
{
    assert(t->stopped);
    trace_lock(t);
    t->freed = true;
    trace_unlock_or_free(t);
}

static track *track_begin_under(track *parent, const char *name, bool task, int line)
{
    if (!parent)
        return NULL;
    trace *t = parent->trace;
    trace_lock(t);
    track *k = trace_begin_track(t, name, parent->number, task, line);
    trace_unlock(t);
    return k;
}

track *track_begin(track *parent, const char *name)      { return track_begin_under(parent, name, false, 0); }
track *track_begin_task(track *parent, const char *name) { return track_begin_under(parent, name, true, 0); }

track *track_begin_at(track *parent, const char *name, int line) { return track_begin_under(parent, name, false, line); }

void track_end(track *k, int outcome)
{
    if (!k)
        return;
    trace *t = k->trace;
    trace_lock(t);
    track_finish(k, outcome);
    trace_unlock_or_free(t);
}

void track_awaits(track *k)
{
    if (!k)
        return;
    trace_lock(k->trace);
    track_await(k);
    trace_unlock(k->trace);
}

void track_wakes(track *k, int outcome)
{
    if (!k)
        return;
    trace_lock(k->trace);
    track_wake(k, outcome);
    trace_unlock(k->trace);
}

void track_expects(const char *what, int line)
{
    track *k = track_here;
    if (!k)
        return;
    k->expects = what;
    k->line = (uint16_t)line;
    if (!loop_here())
        track_awaits(k);
}

static void track_record(track *k, trace_event e)
{
    if (!k)
        return;
    e.track = k->number;
    trace_lock(k->trace);
    if (trace_has_room(k->trace, 1))
        trace_append(k->trace, e);
    trace_unlock(k->trace);
}

void track_mark(track *k, const char *name) { track_mark_at(k, name, 0); }

void track_mark_at(track *k, const char *name, int line)
{
    track_record(k, (trace_event){ .kind = TRACE_MARK, .name = name, .line = (uint16_t)line });
}

static int32_t trace_value_of(int64_t value)
{
    return value > INT32_MAX ? INT32_MAX : value < INT32_MIN ? INT32_MIN : (int32_t)value;
}

void track_value(track *k, const char *name, int64_t value)
{
    track_record(k, (trace_event){ .kind = TRACE_VALUE, .name = name, .value = trace_value_of(value) });
}

void track_took(track *k, const char *name, int64_t us)
{
    track_record(k, (trace_event){ .kind = TRACE_TOOK, .name = name, .value = trace_value_of(us) });
}

/* A promise whose settling ends a track. */

struct follower { promise *whole, *part; track *track; };

static _Thread_local pool followers = POOL(struct follower);

static void follower_on_settled(int err, void *arg)
{
    struct follower *f = arg;
    track_end(f->track, err);
    promise_settle(f->whole, err);
    pool_put(&followers, f);
}

static void follower_on_cancel(promise *p, void *arg)
{
    struct follower *f = arg;
    (void)p;
    promise_cancel(f->part);
}

static const layout_entry FOLLOWER_LAYOUT[] LAYOUT_ENTRIES = {
    LAYOUT_ADDRESS("follow.follower.cancel", follower_on_cancel),
    LAYOUT_FIELD("follow.follower.promise", struct follower, part),
};

promise *track_follows(track *t, promise *p)
{
    int err;
    if (!t)
        return p;
    if (promise_take_if_settled(p, &err)) {
        track_end(t, err);
        return promise_settled(err);
    }
    struct follower *f = pool_get(&followers);
    *f = (struct follower){ .part = p, .track = t };
    f->whole = promise_new(follower_on_cancel, f);
    when_settled(p, follower_on_settled, f);
    return f->whole;
}
