/* slot.c - see loop_pool_internal.h: a place, and the processes that come and go there. */
#include "loop_pool_internal.h"
#include "server/executor/executor.h"
#include "server/async/loop.h"

#include <poll.h>
#include <stddef.h>

enum { STARTS = 2 };                         /* at once, of each loop */

static executor *spawn;

void processes_on_loop_begin(void) { spawn = executor_add("spawn", STARTS, MOST_WORKERS); }

static place *of_timer(timer *t) { return (place *)((char *)t - offsetof(place, timer)); }

/* Changing its process. */

static int change_there(void *arg)           /* on the thread pool */
{
    place *p = arg;
    worker_end(&p->process, p->grace, p->died_of);
    return p->next ? worker_start(&p->process) : 0;
}

static void on_slow_start(timer *t);

static void begin_start(place *p)
{
    p->state = PLACE_STARTING;
    p->done = 0;
    uv_poll_init(loop_here(), &p->poll, p->process.fd);
    process_call_greet(&p->call);
    place_watch(p);
    timer_set(&p->timer, WORKER_START, on_slow_start);
}

static void change(place *p, bool next);

static void on_rested(timer *t) { change(of_timer(t), true); }

static void rest(place *p)
{
    p->state = PLACE_RESTING;
    timer_set(&p->timer, worker_rest(p->failures), on_rested);
    crew_on_rest();
}

static void on_changed(int err, void *arg)
{
    place *p = arg;
    const bool closing = crew_here->closing;
    if (closing && p->process.pid) {         /* it came too late */
        p->grace = 0;
        p->died_of = NULL;
        change(p, false);
        return;
    }
    if (err) {
        p->failures++;
        worker_failed(err);
    }
    if (p->process.pid)
        begin_start(p);
    else if (p->failures > 0 && !closing)
        rest(p);
    else
        p->state = PLACE_EMPTY;
    crew_on_change();
}

static void change(place *p, bool next)
{
    p->state = PLACE_CHANGING;
    p->next = next;
    when_settled(run_in_executor(spawn, change_there, p), on_changed, p);
}

static void on_poll_closed(uv_handle_t *h)
{
    place *p = (place *)((char *)h - offsetof(place, poll));
    loop_enter();
    change(p, !crew_here->closing && p->failures == 0);
    loop_leave();
}

void place_fill(place *p) { change(p, true); }

void place_refresh(place *p, int grace, const char *died_of)
{
    if (p->state == PLACE_BUSY)
        processes_tally.running--;
    p->state = PLACE_CHANGING;
    p->errand = NULL;
    p->grace = grace;
    p->died_of = died_of;
    timer_stop(&p->timer);
    uv_close((uv_handle_t *)&p->poll, on_poll_closed);
}

void place_vacate(place *p)
{
    if (p->state == PLACE_IDLE || p->state == PLACE_STARTING) {
        place_refresh(p, p->state == PLACE_IDLE ? PROCESS_GRACE : 0, NULL);
    } else if (p->state == PLACE_RESTING) {
        timer_stop(&p->timer);
        p->state = PLACE_EMPTY;
    }
}

static void start_failed(place *p, int err)
{
    p->failures++;
    worker_failed(err);
    place_refresh(p, 0, err == UV_ETIMEDOUT ? NULL : worker_judge(&p->process, err, ""));
}

static void on_slow_start(timer *t) { start_failed(of_timer(t), UV_ETIMEDOUT); }

/* What its process says. */

static void on_greeting(place *p, int err)
{
    if (err == UV_EAGAIN)
        return;
    timer_stop(&p->timer);
    if (err) {
        start_failed(p, err);
        return;
    }
    p->failures = 0;
    place_idle(p);
}

/* A worker that dies before its first job might do so for ever. */
void place_listen(place *p)
{
    const int err = process_call_listen(p->process.fd);
    if (!err)
        return;
    p->failures = p->done == 0 ? p->failures + 1 : 0;
    place_refresh(p, 0, worker_judge(&p->process, err, ""));
}

static void on_event(uv_poll_t *h, int status, int events)
{
    place *p = (place *)((char *)h - offsetof(place, poll));
    (void)status;                            /* an error shows when the socket is used */
    (void)events;
    loop_enter();
    switch (p->state) {
    case PLACE_STARTING: on_greeting(p, process_call_step(&p->call, p->process.fd)); break;
    case PLACE_BUSY:     crew_on_progress(p, process_call_step(&p->call, p->process.fd)); break;
    default:       place_listen(p); break;
    }
    loop_leave();
}

void place_watch(place *p)
{
    const bool sends = process_call_events(&p->call) & POLLOUT;
    uv_poll_start(&p->poll, (sends ? UV_WRITABLE : UV_READABLE) | UV_DISCONNECT, on_event);
}

void place_idle(place *p)
{
    p->state = PLACE_IDLE;
    place_watch(p);                          /* for its end, or what it has no reason to say */
    uv_unref((uv_handle_t *)&p->poll);       /* a worker that has nothing to do keeps no loop running */
    crew_on_idle();
}
