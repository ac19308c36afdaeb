/* loop_pool.c - see loop_pool_internal.h: the calls of one loop, in the queue and with their workers. */
#include "loop_pool_internal.h"
#include "server/async/loop.h"
#include "server/base/observe/layout.h"
#include "server/base/memory.h"
#include "server/base/overload/refusal.h"

#include <assert.h>
#include <stddef.h>

_Thread_local loop_pool *loop_pool_here;

static _Thread_local pool loop_calls = POOL(loop_call);

static loop_call *call_first(void) { return (loop_call *)wait_queue_first(&loop_pool_here->queue); }

static void call_stop_waiting(loop_call *c)
{
    wait_queue_leave(&loop_pool_here->queue, &c->waiting);
    loop_pool_here->waiting--;
    process_tally.waiting--;
}

static void call_settle(loop_call *c, int err)
{
    timer_stop(&c->limit);
    promise_settle(c->promise, err);
    pool_put(&loop_calls, c);
}

/* Its answer is no longer wanted: the worker that is at it is killed, for that is how to stop it. */
static void call_give_up(loop_call *c, int err)
{
    slot *s = c->slot;
    if (s) {
        process_tally.killed++;
        if (err == UV_ETIMEDOUT)
            process_log_late(&s->process, c->call.name);
        slot_refresh(s, 0, NULL);
    } else {
        call_stop_waiting(c);
    }
    call_settle(c, err);
}

static void call_on_cancel(promise *p, void *arg)
{
    (void)p;
    call_give_up(arg, UV_ECANCELED);
}

static const layout_entry CALL_LAYOUT[] LAYOUT_ENTRIES = {
    LAYOUT_ADDRESS("follow.process_job.cancel", call_on_cancel),
    LAYOUT_FIELD("follow.process_job.name", loop_call, call.name),
    LAYOUT_FIELD("follow.process_job.sent", loop_call, slot),
};

static void call_on_limit(timer *t) { call_give_up((loop_call *)((char *)t - offsetof(loop_call, limit)), UV_ETIMEDOUT); }

int loop_pool_count(enum slot_state state)
{
    int n = 0;
    for (int i = 0; i < loop_pool_here->count; i++)
        n += loop_pool_here->slots[i].state == state;
    return n;
}

slot *loop_pool_find(enum slot_state state)
{
    for (int i = 0; i < loop_pool_here->count; i++)
        if (loop_pool_here->slots[i].state == state)
            return &loop_pool_here->slots[i];
    return NULL;
}

/* When only those that rest are left, it would be long until a call has a worker, if ever. */
void loop_pool_on_rest(void)
{
    if (loop_pool_count(SLOT_RESTING) < loop_pool_here->count)
        return;
    for (loop_call *c; (c = call_first());) {
        process_tally.refused++;
        call_stop_waiting(c);
        call_settle(c, UV_EAGAIN);
    }
}

/* Working. */

void loop_pool_on_progress(slot *s, int err)
{
    loop_call *c = s->call;
    if (err == UV_EAGAIN) {
        slot_watch(s);
        return;
    }
    if (err) {
        slot_refresh(s, 0, process_judge(&s->process, err, c->call.name));
        call_settle(c, PROCESS_EDIED);
        return;
    }
    if (!s->message.err)
        *c->call.out = s->message.out;
    call_settle(c, s->message.err);
    process_tally.done++;
    if (++s->done >= process_pool_here.jobs) {
        slot_refresh(s, PROCESS_GRACE, NULL);
        return;
    }
    s->call = NULL;
    process_tally.running--;
    slot_idle(s);
}

static void slot_work(slot *s, loop_call *c)
{
    call_stop_waiting(c);
    c->slot = s;
    s->call = c;
    s->state = SLOT_BUSY;
    process_tally.running++;
    uv_ref((uv_handle_t *)&s->poll);
    process_message_begin(&s->message, c->call.number, c->call.in, c->call.arena);
    loop_pool_on_progress(s, process_message_step(&s->message, s->process.fd));
}

/* Gives what waits to idle workers; refuses what has waited too long, while more come than can be done; and starts
 * as many more workers as it needs. A worker that has just died, of which the loop does not know yet, gets nothing. */
void loop_pool_serve(void)
{
    for (slot *s; call_first() && (s = loop_pool_find(SLOT_IDLE));) {
        slot_listen(s);
        if (s->state == SLOT_IDLE)
            slot_work(s, call_first());
    }
    const uint64_t now = uv_hrtime();
    while (wait_queue_is_late(&loop_pool_here->queue, now)) {
        loop_call *late = call_first();
        const uint64_t since = late->waiting.since;
        process_tally.refused++;
        call_stop_waiting(late);
        call_settle(late, refuse(REFUSED_PROCESSES_WAIT, now - since));
    }
    int coming = loop_pool_count(SLOT_STARTING) + loop_pool_count(SLOT_CHANGING);
    for (slot *s; coming < loop_pool_here->waiting && (s = loop_pool_find(SLOT_EMPTY)); coming++)
        slot_fill(s);
}

/* The whole. */

void loop_pool_on_change(void)
{
    if (!loop_pool_here->closing || loop_pool_count(SLOT_EMPTY) < loop_pool_here->count)
        return;
    promise_settle(loop_pool_here->closing, 0);
    mem_free(loop_pool_here->slots);
    mem_free(loop_pool_here);
    loop_pool_here = NULL;
}

static loop_pool *loop_pool_new(void)
{
    loop_pool *l = mem_alloc(sizeof *l);
    l->count = process_pool_here.workers;
    l->queue.codel = codel_of_ms(process_pool_here.target_ms, 0);
    l->slots = mem_alloc((size_t)l->count * sizeof *l->slots);
    return l;
}

promise *loop_pool_call(const process_call *call)
{
    if (!loop_pool_here)
        loop_pool_here = loop_pool_new();
    loop_pool *l = loop_pool_here;
    if (l->closing)
        return promise_settled(UV_ECANCELED);

    const int working = loop_pool_count(SLOT_BUSY), resting = loop_pool_count(SLOT_RESTING);
    const int soon = l->count - working - resting;           /* so many a worker will soon take: they hardly wait */
    if (resting == l->count || l->waiting >= process_pool_here.waiting + soon) {
        process_tally.refused++;
        return promise_settled(resting == l->count ? UV_EAGAIN : refuse(REFUSED_PROCESSES_LINE, 0));
    }
    loop_call *c = pool_get(&loop_calls);
    *c = (loop_call){ .call = *call };
    promise *p = c->promise = promise_new(call_on_cancel, c);
    timer_set(&c->limit, call->ms, call_on_limit);
    wait_queue_join(&l->queue, &c->waiting);
    l->waiting++;
    process_tally.waiting++;
    loop_pool_serve();
    return p;
}

promise *loop_pool_close(void)
{
    if (!loop_pool_here)
        return promise_settled(0);
    assert(!loop_pool_here->closing);
    promise *closed = loop_pool_here->closing = promise_new(NULL, NULL);
    for (loop_call *c; (c = call_first());)
        call_give_up(c, UV_ECANCELED);
    for (int i = 0; i < loop_pool_here->count; i++) {
        slot *s = &loop_pool_here->slots[i];
        if (s->state == SLOT_BUSY)
            call_give_up(s->call, UV_ECANCELED);
        else
            slot_vacate(s);
    }
    loop_pool_on_change();
    return closed;
}
