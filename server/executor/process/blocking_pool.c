/* blocking_pool.c - see pool_internal.h: the workers that all blocking threads share.
 *
 * The thread that acquires a slot starts its worker, if it has none, and replaces the one that died under its job, or
 * that it had to kill, before it releases the slot. */
#include "message.h"
#include "pool_internal.h"
#include "process.h"
#include "server/base/blocking_wait.h"
#include "server/base/deadline.h"
#include "server/base/memory.h"
#include "server/base/overload/refusal.h"
#include "server/executor/resource_pool.h"

#include <uv.h>

typedef struct blocking_slot {
    resource        base;                    /* must be first */
    process         process;
    process_message message;
    bool            greeted;                 /* the process has said hello */
    int             done;                    /* jobs of this process */
    unsigned        failures;                /* starts that failed, one after the other */
    uint64_t        until;                   /* of deadline_in: when its process must have started; or the next may */
} blocking_slot;

static struct { resource_pool pool; blocking_slot *slots; int count; } shared;

static int slot_start(blocking_slot *s)
{
    const int err = process_start(&s->process, process_pool_here.memory);
    if (!err) {
        process_message_expect_hello(&s->message);
        s->greeted = false;
        s->done = 0;
        s->until = deadline_in(WORKER_START);
        return 0;
    }
    process_log_no_start(err);
    s->until = deadline_in(process_rest_ms(++s->failures));
    return UV_EAGAIN;
}

/* The next one, at once, without waiting for it. */
static void slot_replace(blocking_slot *s, const char *died_of)
{
    process_end(&s->process, 0, died_of);
    if (slot_start(s)) {                     /* the next that acquires the slot tries again */
    }
}

/* As process_message_step, but waits; so UV_ETIMEDOUT and UV_ECANCELED, too. */
static int slot_exchange(blocking_slot *s, uint64_t until)
{
    int err;
    while ((err = process_message_step(&s->message, s->process.fd)) == UV_EAGAIN) {
        err = blocking_wait(s->process.fd, process_message_events(&s->message), until);
        if (err)
            break;
    }
    return err;
}

/* A process that is there, and has said hello. One that has not by the time until has not failed yet. */
static int slot_make_ready(blocking_slot *s, uint64_t until)
{
    const int heard = s->process.pid && s->greeted ? process_message_listen(s->process.fd) : 0;
    if (heard) {
        process_end(&s->process, 0, process_judge(&s->process, heard, ""));
        s->until = s->done == 0 ? deadline_in(process_rest_ms(++s->failures)) : 0;
    }
    if (!s->process.pid) {
        if (deadline_in(0) < s->until)
            return UV_EAGAIN;
        const int err = slot_start(s);
        if (err)
            return err;
    }
    if (s->greeted)
        return 0;
    const int err = slot_exchange(s, deadline_sooner(until, s->until));
    if (err == UV_EOF || err == UV_EPROTO || (err == UV_ETIMEDOUT && deadline_in(0) >= s->until)) {
        process_log_no_start(err);
        process_end(&s->process, 0, err == UV_ETIMEDOUT ? NULL : process_judge(&s->process, err, ""));
        s->until = deadline_in(process_rest_ms(++s->failures));
        return UV_EAGAIN;
    }
    if (err)
        return err;
    s->greeted = true;
    s->failures = 0;
    return 0;
}

static int slot_work(blocking_slot *s, const process_call *c, uint64_t until)
{
    process_message_begin(&s->message, c->number, c->in, c->arena);
    const int err = slot_exchange(s, until);
    if (err == UV_EOF || err == UV_EPROTO) {
        slot_replace(s, process_judge(&s->process, err, c->name));
        return PROCESS_EDIED;
    }
    if (err) {                               /* the thread waits no longer: the worker is killed */
        process_tally.killed++;
        if (err == UV_ETIMEDOUT)
            process_log_late(&s->process, c->name);
        slot_replace(s, NULL);
        return err;
    }
    if (!s->message.err)
        *c->out = s->message.out;
    const int outcome = s->message.err;
    process_tally.done++;
    if (++s->done >= process_pool_here.jobs)
        slot_replace(s, NULL);
    return outcome;
}

int blocking_pool_call(const process_call *c)
{
    const uint64_t until = deadline_sooner(deadline_in(c->ms), blocking_deadline());
    const uint64_t began = deadline_in(0);
    resource *acquired;
    process_tally.waiting++;
    int err = resource_pool_acquire(&shared.pool, &acquired, until, RESOURCE_POOL_USUAL);
    if (err) {
        const bool full = err == UV_EAGAIN, late = err == UV_EBUSY;
        process_tally.waiting--;
        process_tally.refused += full || late;
        return full ? refuse(REFUSED_PROCESSES_LINE, 0) : late ? refuse(REFUSED_PROCESSES_WAIT, deadline_in(0) - began) : err;
    }
    blocking_slot *s = (blocking_slot *)acquired;
    err = slot_make_ready(s, until);
    process_tally.waiting--;
    process_tally.refused += err == UV_EAGAIN;
    if (!err) {
        process_tally.running++;
        err = slot_work(s, c, until);
        process_tally.running--;
    }
    resource_pool_release(&shared.pool, acquired);
    return err;
}

void blocking_pool_open(void)
{
    const int loops = process_pool_here.loops > 0 ? process_pool_here.loops : 1;
    shared.count = process_pool_here.workers * loops;
    shared.slots = mem_alloc((size_t)shared.count * sizeof *shared.slots);
    resource_pool_init(&shared.pool, process_pool_here.waiting * loops, codel_of_ms(process_pool_here.target_ms, 0));
    for (int i = shared.count; i-- > 0;)
        resource_pool_release(&shared.pool, &shared.slots[i].base);
}

void blocking_pool_close(void)
{
    if (!shared.slots)
        return;
    for (int i = 0; i < shared.count; i++)
        process_end(&shared.slots[i].process, shared.slots[i].greeted ? PROCESS_GRACE : 0, NULL);
    resource_pool_done(&shared.pool);
    mem_free(shared.slots);
    shared.slots = NULL;
}
