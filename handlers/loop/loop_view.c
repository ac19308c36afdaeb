/* loop_view.c - see loop_view.h.
 *
 *     ring -> records, those of the last turn once more if it had not ended -> whole turns, which of them -> events by time
 *
 * A span is recorded when it ends, so it comes behind what lies in it; of one turn they are put in the order in which they began.
 * What was done elsewhere, a query or a job, is told when it is known here, with how long it took. */
#include "loop_view.h"
#include "server/async/observe/loop_events.h"
#include "server/base/memory.h"
#include "server/inspect/self.h"

#include <stdlib.h>
#include <string.h>

const char *loop_event_kind(record_kind kind)
{
    static const char *const KINDS[RECORD_KINDS] = {
        [RECORD_REQUEST] = "request", [RECORD_RUN] = "run", [RECORD_SETTLED] = "settled", [RECORD_QUERY] = "query",
        [RECORD_JOB] = "job", [RECORD_TURN] = "long_turn", [RECORD_WAITED] = "waited", [RECORD_LINE] = "admitted",
        [RECORD_DATABASE] = "database", [RECORD_SLEEP] = "sleep", [RECORD_PHASE] = "phase",
        [RECORD_CALLBACK] = "callback", [RECORD_READY_ADDED] = "added", [RECORD_READY_RAN] = "ran",
        [RECORD_AWAIT] = "await", [RECORD_TASK_ENDED] = "task_ended", [RECORD_TIMER_SET] = "timer_set",
        [RECORD_TIMER_UNSET] = "timer_unset", [RECORD_TIMER_RAN] = "timer", [RECORD_REQUEST_BEGUN] = "request_begun",
        [RECORD_QUERY_SENT] = "query_sent", [RECORD_QUERY_RAN] = "query_ran", [RECORD_JOB_QUEUED] = "job_queued",
        [RECORD_JOB_RAN] = "job_ran",
    };
    return KINDS[kind];
}

int loop_view_begin(loop_view *v, int loop, label own)
{
    *v = (loop_view){ .own = own, .begun = uv_hrtime() };
    const int err = recorder_watch_begin(&v->watch, loop, 0);
    if (err)
        return err;
    v->records = mem_alloc(LOOP_VIEW_READ * sizeof *v->records);
    v->events = mem_alloc(LOOP_VIEW_EVENTS * sizeof *v->events);
    arena_init(&v->texts, NULL, 0);
    self_hold();
    return 0;
}

void loop_view_end(loop_view *v)
{
    if (!v->records)
        return;
    recorder_watch_end(&v->watch);
    self_release();
    arena_done(&v->texts);
    mem_free(v->records);
    mem_free(v->events);
    v->records = NULL;
    v->events = NULL;
}

/* Turns. */

typedef struct turn { const record *first, *end; } turn;

static bool record_is_turn_end(const record *r) { return r->kind == RECORD_PHASE && r->value == LOOP_PREPARE; }

/* The next one of them, which begins with poll's return; false if there is no more that has ended. */
static bool turn_next(turn *t, const record *end)
{
    const record *r = t->end;
    while (r < end && r->kind != RECORD_SLEEP)
        r++;
    t->first = r;
    while (r < end && !record_is_turn_end(r))
        r++;
    if (r == end)
        return false;
    t->end = r + 1;
    return true;
}

/* Not one in which timers were told that were there before. */
static bool turn_is_own(const turn *t, label own)
{
    bool is_own = false;
    for (const record *r = t->first; r < t->end; r++) {
        if ((r->label && r->label != own) || (r->kind == RECORD_TIMER_SET && r->lane))
            return false;
        is_own = is_own || r->label;
    }
    return own && is_own;
}

/* Events. */

static uint64_t view_time(const loop_view *v, uint64_t ns) { return ns > v->begun ? ns - v->begun : 0; }

/* What has a time of its own, but was done elsewhere, is a moment here: when it is told. */
static bool kind_is_span(record_kind kind)
{
    return kind == RECORD_SLEEP || kind == RECORD_PHASE || kind == RECORD_CALLBACK || kind == RECORD_READY_RAN ||
           kind == RECORD_RUN || kind == RECORD_TIMER_RAN;
}

/* "poller_hand_out (server/http/async/poller.c:21) < poller_on_ready (...)": of those that were compiled into each other, the
 * outermost is the function of libuv's callback, or the one that was put on a list. */
static void event_name_function(loop_view *v, loop_event *e, const char *frame)
{
    const char *last = frame;
    for (const char *at = frame; (at = strstr(at, " < ")); at += 3)
        last = at + 3;
    const char *const open = strchr(last, ' ');
    const size_t length = open ? (size_t)(open - last) : strlen(last);
    e->name = arena_copy(&v->texts, (text){ last, length });
    if (open && open[1] == '(')
        e->place = arena_copy(&v->texts, (text){ open + 2, strcspn(open + 2, ")") });
}

static uint64_t address_of(const char *what) { return (uint64_t)(uintptr_t)what; }

/* t is NULL if debug information cannot be read. */
static void event_name(loop_view *v, loop_event *e, const record *r, target *t)
{
    switch (r->kind) {
    case RECORD_CALLBACK:                    /* where its loop_enter returned to */
        if (t)
            event_name_function(v, e, target_frame(t, address_of(r->what) - 1));
        break;
    case RECORD_READY_RAN:
    case RECORD_TIMER_RAN:
        if (t)
            event_name_function(v, e, target_frame(t, address_of(r->what)));
        break;
    case RECORD_READY_ADDED:
    case RECORD_TIMER_SET:
        if (r->kind == RECORD_READY_ADDED && r->what)
            e->name = r->what;
        else if (t)
            event_name_function(v, e, target_frame(t, r->since));
        break;
    case RECORD_AWAIT:
        e->name = r->what;
        if (t)
            e->place = arena_copy(&v->texts, text_of(target_place(t, r->since)));
        break;
    case RECORD_TIMER_UNSET:
    case RECORD_PHASE:
        break;
    default:
        e->name = r->what;
    }
}

static void event_set(loop_view *v, loop_event *e, const record *r, int64_t turn, target *t)
{
    const bool span = kind_is_span(r->kind);
    *e = (loop_event){ .kind = r->kind, .turn = turn, .value = r->value, .lane = r->lane, .own = r->label && r->label == v->own,
                       .whom = r->label ? label_name(r->label) : NULL };
    e->at = view_time(v, span ? r->since : r->end);
    if (record_since_is_time(r->kind) && r->end > r->since)
        e->took = r->end - r->since;
    if (r->kind == RECORD_TIMER_SET)
        e->value = (int64_t)(address_of(r->what) * 1000000 - v->begun);
    if (r->kind == RECORD_AWAIT || r->kind == RECORD_TASK_ENDED || r->kind == RECORD_RUN || r->kind == RECORD_TIMER_SET ||
        r->kind == RECORD_TIMER_UNSET || r->kind == RECORD_TIMER_RAN)
        e->number = r->value;
    event_name(v, e, r, t);
}

/* The sleep is first, then what was done elsewhere meanwhile; of spans, the one that holds the other. */
static int event_compare(const void *a, const void *b)
{
    const loop_event *const x = a, *const y = b;
    if ((x->kind == RECORD_SLEEP) != (y->kind == RECORD_SLEEP))
        return x->kind == RECORD_SLEEP ? -1 : 1;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return x->took != y->took ? (x->took > y->took ? -1 : 1) : 0;
}

/* A timer's callback is told by the timer. */
static bool record_is_shown(const record *r, const turn *t)
{
    if (r->kind == RECORD_NONE || r->kind >= RECORD_KINDS || r->kind == RECORD_TURN || r->kind == RECORD_DATABASE)
        return false;
    return !(r->kind == RECORD_CALLBACK && r > t->first && r[-1].kind == RECORD_TIMER_RAN);
}

static void view_add_turn(loop_view *v, const turn *t, target *of)
{
    const int before = v->count;
    for (const record *r = t->first; r < t->end; r++) {
        if (!record_is_shown(r, t))
            continue;
        if (v->count < LOOP_VIEW_EVENTS)
            event_set(v, &v->events[v->count++], r, t->first->value, of);
        else
            v->events_left_out++;
    }
    qsort(v->events + before, (size_t)(v->count - before), sizeof *v->events, event_compare);
}

/* Which turns. */

typedef struct choice { loop_view *v; const record *from, *end; } choice;

/* From which on they fit: the newest one is told in any case. */
static const record *turns_that_fit(loop_view *v, const record *first, const record *end)
{
    size_t all = 0;
    for (turn t = { first, first }; turn_next(&t, end);)
        all += turn_is_own(&t, v->own) ? 0 : (size_t)(t.end - t.first);
    for (turn t = { first, first }; all > LOOP_VIEW_EVENTS && turn_next(&t, end);) {
        const size_t size = turn_is_own(&t, v->own) ? 0 : (size_t)(t.end - t.first);
        if (size == all)
            break;
        all -= size;
        v->turns_left_out += size > 0;
        v->events_left_out += size;
        first = t.end;
    }
    return first;
}

static void view_add_turns(target *of, void *arg)
{
    const choice *const c = arg;
    for (turn t = { c->from, c->from }; turn_next(&t, c->end);) {
        if (turn_is_own(&t, c->v->own))
            c->v->own_turns++;
        else
            view_add_turn(c->v, &t, of);
    }
}

/* What comes behind the last turn that has ended is looked at once more, with what follows. */
static void view_keep(loop_view *v, const record *end)
{
    turn t = { v->records, v->records };
    while (turn_next(&t, end))
        ;
    v->kept = (size_t)(end - t.end);
    if (v->kept > LOOP_VIEW_READ / 2)        /* it goes on and on */
        v->kept = 0;
    memmove(v->records, t.end, v->kept * sizeof *v->records);
}

void loop_view_collect(loop_view *v)
{
    char why[256];
    uint64_t missed;
    v->count = 0;
    v->turns_left_out = v->own_turns = 0;
    arena_done(&v->texts);
    const size_t read = recorder_watch_read(&v->watch, v->records + v->kept, LOOP_VIEW_READ - v->kept, &missed);
    const record *first = v->records;
    if (missed > 0)
        first += v->kept;                    /* of that turn something is missing */
    v->events_left_out = missed;
    v->until = view_time(v, uv_hrtime());
    choice c = { v, first, v->records + v->kept + read };
    c.from = turns_that_fit(v, first, c.end);
    if (self_look(view_add_turns, &c, why, sizeof why))
        view_add_turns(NULL, &c);
    view_keep(v, c.end);
}
