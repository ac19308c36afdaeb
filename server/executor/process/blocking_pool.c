/* blocking_pool.c - see process_pool.h: the workers that all blocking threads lend to each other.
 *
 * Who borrows a place starts its worker, if it has none, and replaces the one that died under its job, or
 * that it had to kill, before it lends the place on. */
#include "server/base/deadline.h"
#include "server/executor/resource_pool.h"
#include "server/base/blocking_wait.h"
#include "pool_internal.h"
#include "server/base/memory.h"
#include "server/base/refusal.h"

#include <uv.h>

typedef struct place {
    resource         base;                       /* must be first */
    process      process;
    process_call call;
    bool         greeted;                    /* the process has said hello */
    int          done;                       /* jobs of this process */
    unsigned     failures;                   /* starts that failed, one after the other */
    uint64_t     until;                      /* of deadline_in: when its process must have started; or the next may */
} place;

static struct { resource_pool resource_pool; place *places; int count; } shared;

static int start(place *p)
{
    int err = worker_start(&p->process);
    if (!err) {
        process_call_greet(&p->call);
        p->greeted = false;
        p->done = 0;
        p->until = deadline_in(WORKER_START);
        return 0;
    }
    worker_failed(err);
    p->until = deadline_in(worker_rest(++p->failures));
    return UV_EAGAIN;
}

static void start_failed(place *p, int err)
{
    worker_failed(err);
    worker_end(&p->process, 0, err == UV_ETIMEDOUT ? NULL : worker_judge(&p->process, err, ""));
    p->until = deadline_in(worker_rest(++p->failures));
}

/* The next one, at once, without waiting for it. */
static void replace(place *p, const char *died_of)
{
    worker_end(&p->process, 0, died_of);
    if (start(p)) {                          /* whoever borrows it next tries again */
    }
}

/* As process_call_step, but waits; so UV_ETIMEDOUT and UV_ECANCELED, too. */
static int talk(place *p, uint64_t until)
{
    int err;
    while ((err = process_call_step(&p->call, p->process.fd)) == UV_EAGAIN) {
        err = blocking_wait(p->process.fd, process_call_events(&p->call), until);
        if (err)
            break;
    }
    return err;
}

/* A process that is there, and has said hello. One that has not by the time until has not failed yet. */
static int make_ready(place *p, uint64_t until)
{
    const int heard = p->process.pid && p->greeted ? process_call_listen(p->process.fd) : 0;
    if (heard) {
        worker_end(&p->process, 0, worker_judge(&p->process, heard, ""));
        p->until = p->done == 0 ? deadline_in(worker_rest(++p->failures)) : 0;
    }
    if (!p->process.pid) {
        if (deadline_in(0) < p->until)
            return UV_EAGAIN;
        const int err = start(p);
        if (err)
            return err;
    }
    if (p->greeted)
        return 0;
    const int err = talk(p, deadline_sooner(until, p->until));
    if (err == UV_EOF || err == UV_EPROTO || (err == UV_ETIMEDOUT && deadline_in(0) >= p->until)) {
        start_failed(p, err);
        return UV_EAGAIN;
    }
    if (err)
        return err;
    p->greeted = true;
    p->failures = 0;
    return 0;
}

static int killed(place *p, const process_task *t, int err)
{
    processes_tally.killed++;
    if (err == UV_ETIMEDOUT)
        worker_late(&p->process, t->name);
    replace(p, NULL);
    return err;
}

static int work(place *p, const process_task *t, uint64_t until)
{
    process_call_begin(&p->call, t->number, t->in, t->arena);
    const int err = talk(p, until);
    if (err == UV_EOF || err == UV_EPROTO) {
        replace(p, worker_judge(&p->process, err, t->name));
        return PROCESS_EDIED;
    }
    if (err)
        return killed(p, t, err);
    if (!p->call.err)
        *t->out = p->call.out;
    const int outcome = p->call.err;
    processes_tally.done++;
    if (++p->done >= processes_here.jobs)
        replace(p, NULL);
    return outcome;
}

int processes_in_plain(const process_task *t)
{
    const uint64_t until = deadline_sooner(deadline_in(t->ms), blocking_deadline());
    const uint64_t began = deadline_in(0);
    resource *l;
    processes_tally.waiting++;
    int err = resource_pool_acquire(&shared.resource_pool, &l, until, RESOURCE_POOL_USUAL);
    if (err) {
        const bool full = err == UV_EAGAIN, late = err == UV_EBUSY;
        processes_tally.waiting--;
        processes_tally.refused += full || late;
        return full ? refuse(REFUSED_PROCESSES_LINE, 0) : late ? refuse(REFUSED_PROCESSES_WAIT, deadline_in(0) - began) : err;
    }
    place *p = (place *)l;
    err = make_ready(p, until);
    processes_tally.waiting--;
    processes_tally.refused += err == UV_EAGAIN;
    if (!err) {
        processes_tally.running++;
        err = work(p, t, until);
        processes_tally.running--;
    }
    resource_pool_release(&shared.resource_pool, l);
    return err;
}

void processes_in_plain_open(void)
{
    shared.count = processes_here.workers;
    shared.places = mem_alloc((size_t)shared.count * sizeof *shared.places);
    resource_pool_init(&shared.resource_pool, processes_here.line, codel_of_ms(processes_here.target_ms, 0));
    for (int i = shared.count; i-- > 0;)
        resource_pool_release(&shared.resource_pool, &shared.places[i].base);
}

void processes_in_plain_close(void)
{
    if (!shared.places)
        return;
    for (int i = 0; i < shared.count; i++)
        worker_end(&shared.places[i].process, shared.places[i].greeted ? PROCESS_GRACE : 0, NULL);
    resource_pool_done(&shared.resource_pool);
    mem_free(shared.places);
    shared.places = NULL;
}
