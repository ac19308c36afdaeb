/* slot.c - see loop_pool_internal.h: a slot, and the processes that come and go there. */
#include "loop_pool_internal.h"
#include "server/executor/executor.h"
#include "server/async/loop.h"

#include <poll.h>
#include <stddef.h>

enum { STARTS = 2 };                         /* at once, of each loop */

static executor *spawn;

void loop_pool_begin(void) { spawn = executor_add("spawn", STARTS, MOST_WORKERS); }

static slot *slot_of_timer(timer *t) { return (slot *)((char *)t - offsetof(slot, timer)); }

/* Changing its process. */

static int slot_change_process(void *arg)    /* on the thread pool */
{
    slot *s = arg;
    process_end(&s->process, s->grace, s->died_of);
    return s->next ? process_start(&s->process, process_pool_here.memory) : 0;
}

static void slot_change(slot *s, bool next);
static void slot_on_slow_start(timer *t);

static void slot_on_rested(timer *t) { slot_change(slot_of_timer(t), true); }

static void slot_on_changed(int err, void *arg)
{
    slot *s = arg;
    const bool closing = loop_pool_here->closing;
    if (s->process.pid && !closing)
        err = uv_poll_init(loop_here(), &s->poll, s->process.fd);
    if (err) {
        s->failures++;
        process_log_no_start(err);
    }
    if (s->process.pid && (closing || err)) {        /* it came too late, or in vain */
        s->grace = 0;
        s->died_of = NULL;
        slot_change(s, false);
        return;
    }
    if (s->process.pid) {
        s->state = SLOT_STARTING;
        s->done = 0;
        process_message_expect_hello(&s->message);
        slot_watch(s);
        timer_set(&s->timer, WORKER_START, slot_on_slow_start);
    } else if (s->failures > 0 && !closing) {
        s->state = SLOT_RESTING;
        timer_set(&s->timer, process_rest_ms(s->failures), slot_on_rested);
        loop_pool_on_rest();
    } else {
        s->state = SLOT_EMPTY;
    }
    loop_pool_on_change();
}

static void slot_change(slot *s, bool next)
{
    s->state = SLOT_CHANGING;
    s->next = next;
    when_settled(run_in_executor(spawn, slot_change_process, s), slot_on_changed, s);
}

static void slot_on_poll_closed(uv_handle_t *h)
{
    slot *s = (slot *)((char *)h - offsetof(slot, poll));
    loop_enter();
    slot_change(s, !loop_pool_here->closing && s->failures == 0);
    loop_leave();
}

void slot_fill(slot *s) { slot_change(s, true); }

void slot_refresh(slot *s, int grace, const char *died_of)
{
    if (s->state == SLOT_BUSY)
        process_tally.running--;
    s->state = SLOT_CHANGING;
    s->call = NULL;
    s->grace = grace;
    s->died_of = died_of;
    timer_stop(&s->timer);
    uv_close((uv_handle_t *)&s->poll, slot_on_poll_closed);
}

void slot_vacate(slot *s)
{
    if (s->state == SLOT_IDLE || s->state == SLOT_STARTING) {
        slot_refresh(s, s->state == SLOT_IDLE ? PROCESS_GRACE : 0, NULL);
    } else if (s->state == SLOT_RESTING) {
        timer_stop(&s->timer);
        s->state = SLOT_EMPTY;
    }
}

static void slot_start_failed(slot *s, int err)
{
    s->failures++;
    process_log_no_start(err);
    slot_refresh(s, 0, err == UV_ETIMEDOUT ? NULL : process_judge(&s->process, err, ""));
}

static void slot_on_slow_start(timer *t) { slot_start_failed(slot_of_timer(t), UV_ETIMEDOUT); }

/* What its process says. */

static void slot_on_hello(slot *s, int err)
{
    if (err == UV_EAGAIN)
        return;
    timer_stop(&s->timer);
    if (err) {
        slot_start_failed(s, err);
        return;
    }
    s->failures = 0;
    slot_idle(s);
}

/* A worker that dies before its first job might do so for ever. */
void slot_listen(slot *s)
{
    const int err = process_message_listen(s->process.fd);
    if (!err)
        return;
    s->failures = s->done == 0 ? s->failures + 1 : 0;
    slot_refresh(s, 0, process_judge(&s->process, err, ""));
}

static void slot_on_event(uv_poll_t *h, int status, int events)
{
    slot *s = (slot *)((char *)h - offsetof(slot, poll));
    (void)status;                            /* an error shows when the socket is used */
    (void)events;
    loop_enter();
    switch (s->state) {
    case SLOT_STARTING: slot_on_hello(s, process_message_step(&s->message, s->process.fd)); break;
    case SLOT_BUSY:     loop_pool_on_progress(s, process_message_step(&s->message, s->process.fd)); break;
    default:            slot_listen(s); break;
    }
    loop_leave();
}

void slot_watch(slot *s)
{
    const bool sends = process_message_events(&s->message) & POLLOUT;
    uv_poll_start(&s->poll, (sends ? UV_WRITABLE : UV_READABLE) | UV_DISCONNECT, slot_on_event);
}

void slot_idle(slot *s)
{
    s->state = SLOT_IDLE;
    slot_watch(s);                           /* for its end, or what it has no reason to say */
    uv_unref((uv_handle_t *)&s->poll);       /* a worker that has nothing to do keeps no loop running */
    loop_pool_serve();
}
