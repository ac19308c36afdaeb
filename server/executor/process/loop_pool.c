/* loop_pool.c - see loop_pool_internal.h: the jobs of one loop, in line and with their workers. */
#include "loop_pool_internal.h"
#include "server/async/loop.h"
#include "server/base/memory.h"
#include "server/base/refusal.h"

#include <assert.h>
#include <stddef.h>

_Thread_local crew *crew_here;

static _Thread_local pool errands = POOL(errand);

/* The line. */

static errand *first_in_line(void) { return (errand *)crew_here->line.first; }

static void line_up(errand *e)
{
    wait_queue_join(&crew_here->line, &e->in_line);
    crew_here->waiting++;
    processes_tally.waiting++;
}

static void leave_line(errand *e)
{
    wait_queue_leave(&crew_here->line, &e->in_line);
    crew_here->waiting--;
    processes_tally.waiting--;
}

static void finish(errand *e, int err)
{
    timer_stop(&e->limit);
    promise_settle(e->promise, err);
    pool_put(&errands, e);
}

/* Nobody wants its answer any more: whoever works at it is killed, for that is how to stop it. */
static void give_up(errand *e, int err)
{
    place *p = e->place;
    if (p) {
        processes_tally.killed++;
        if (err == UV_ETIMEDOUT)
            worker_late(&p->process, e->task.name);
        place_refresh(p, 0, NULL);
    } else {
        leave_line(e);
    }
    finish(e, err);
}

static void cancel(promise *p, void *arg)
{
    (void)p;
    give_up(arg, UV_ECANCELED);
}

static void on_limit(timer *t) { give_up((errand *)((char *)t - offsetof(errand, limit)), UV_ETIMEDOUT); }

int crew_count(enum place_state state)
{
    int n = 0;
    for (int i = 0; i < crew_here->count; i++)
        n += crew_here->places[i].state == state;
    return n;
}

place *crew_find(enum place_state state)
{
    for (int i = 0; i < crew_here->count; i++)
        if (crew_here->places[i].state == state)
            return &crew_here->places[i];
    return NULL;
}

/* When only those that rest are left, it would be long until one has a worker, if ever. */
void crew_on_rest(void)
{
    if (crew_count(PLACE_RESTING) < crew_here->count)
        return;
    for (errand *e; (e = first_in_line());) {
        processes_tally.refused++;
        leave_line(e);
        finish(e, UV_EAGAIN);
    }
}

/* Working. */

static void on_answered(place *p)
{
    errand *e = p->errand;
    if (!p->call.err)
        *e->task.out = p->call.out;
    finish(e, p->call.err);
    processes_tally.done++;
    if (++p->done >= processes_here.jobs) {
        place_refresh(p, PROCESS_GRACE, NULL);
        return;
    }
    p->errand = NULL;
    processes_tally.running--;
    place_idle(p);
}

void crew_on_progress(place *p, int err)
{
    errand *e = p->errand;
    if (err == UV_EAGAIN) {
        place_watch(p);
        return;
    }
    if (!err) {
        on_answered(p);
        return;
    }
    place_refresh(p, 0, worker_judge(&p->process, err, e->task.name));
    finish(e, PROCESS_EDIED);
}

static void take(place *p, errand *e)
{
    leave_line(e);
    e->place = p;
    p->errand = e;
    p->state = PLACE_BUSY;
    processes_tally.running++;
    uv_ref((uv_handle_t *)&p->poll);
    process_call_begin(&p->call, e->task.number, e->task.in, e->task.arena);
    crew_on_progress(p, process_call_step(&p->call, p->process.fd));
}

/* For the others in line, who have waited too long, while more come than can be done. */
static void turn_away_the_late(void)
{
    const uint64_t now = uv_hrtime();
    while (wait_queue_is_late(&crew_here->line, now)) {
        errand *e = first_in_line();
        const uint64_t since = e->in_line.since;
        processes_tally.refused++;
        leave_line(e);
        finish(e, refuse(REFUSED_PROCESSES_WAIT, now - since));
    }
}

/* Gives what waits to those who are idle, and starts as many more as it needs. One that has just died, of which the
 * loop does not know yet, gets nothing. */
static void serve_line(void)
{
    for (place *p; first_in_line() && (p = crew_find(PLACE_IDLE));) {
        place_listen(p);
        if (p->state == PLACE_IDLE)
            take(p, first_in_line());
    }
    turn_away_the_late();
    int coming = crew_count(PLACE_STARTING) + crew_count(PLACE_CHANGING);
    for (place *p; coming < crew_here->waiting && (p = crew_find(PLACE_EMPTY)); coming++)
        place_fill(p);
}

void crew_on_idle(void) { serve_line(); }

/* The whole. */

static void open_crew(void)
{
    if (crew_here)
        return;
    crew_here = mem_alloc(sizeof *crew_here);
    crew_here->count = processes_here.workers;
    crew_here->line.codel = codel_of_ms(processes_here.target_ms, 0);
    crew_here->places = mem_alloc((size_t)crew_here->count * sizeof *crew_here->places);
}

void crew_on_change(void)
{
    if (!crew_here->closing || crew_count(PLACE_EMPTY) < crew_here->count)
        return;
    promise_settle(crew_here->closing, 0);
    mem_free(crew_here->places);
    mem_free(crew_here);
    crew_here = NULL;
}

/* Those that a worker will soon take do not wait in the line's sense. */
static bool is_full(void)
{
    const int working = crew_count(PLACE_BUSY), resting = crew_count(PLACE_RESTING);
    return resting == crew_here->count ||
           crew_here->waiting >= processes_here.line + crew_here->count - working - resting;
}

promise *processes_on_loop(const process_task *t)
{
    open_crew();
    if (crew_here->closing)
        return promise_settled(UV_ECANCELED);
    if (is_full()) {
        processes_tally.refused++;
        return promise_settled(crew_count(PLACE_RESTING) == crew_here->count ? UV_EAGAIN : refuse(REFUSED_PROCESSES_LINE, 0));
    }
    errand *e = pool_get(&errands);
    *e = (errand){ .task = *t };
    promise *p = e->promise = promise_new(cancel, e);
    timer_set(&e->limit, t->ms, on_limit);
    line_up(e);
    serve_line();
    return p;
}

promise *processes_on_loop_close(void)
{
    if (!crew_here)
        return promise_settled(0);
    assert(!crew_here->closing);
    promise *closed = crew_here->closing = promise_new(NULL, NULL);
    for (errand *e; (e = first_in_line());)
        give_up(e, UV_ECANCELED);
    for (int i = 0; i < crew_here->count; i++) {
        place *p = &crew_here->places[i];
        if (p->state == PLACE_BUSY)
            give_up(p->errand, UV_ECANCELED);
        else
            place_vacate(p);
    }
    crew_on_change();
    return closed;
}
