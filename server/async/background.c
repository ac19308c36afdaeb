/* background.c - see background.h. */
#include "background.h"
#include "server/base/wait_queue.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "task.h"

#include <assert.h>
#include <stdatomic.h>

struct running {                             /* a task of the group */
    struct running *next, *prev;
    background     *group;
    const char     *name;
    void           *arg;
    void          (*destroy)(void *);
    promise        *promise;
    uint64_t        number;
};

struct joiner {                              /* waits for all tasks up to that number */
    wait_queue_entry  place;                       /* must be first */
    background *group;
    promise    *promise;
    uint64_t    number;
};

struct background {
    size_t          max, count;
    bool            stopped;
    uint64_t        started, failed;         /* ever; the number of the last */
    struct running *oldest, *newest;
    wait_queue            joining;                 /* their numbers never fall */
};

static _Thread_local pool all_running = POOL(struct running), joiners = POOL(struct joiner);
static atomic_uint_fast64_t failures;

background *background_new(size_t max_tasks)
{
    background *b = mem_alloc(sizeof *b);
    b->max = max_tasks;
    return b;
}

void background_free(background *b)
{
    assert(b->count == 0 && !b->joining.first);
    mem_free(b);
}

static void leave(struct joiner *j, int err)
{
    wait_queue_leave(&j->group->joining, &j->place);
    promise_settle(j->promise, err);
    pool_put(&joiners, j);
}

static void stop_waiting(promise *p, void *arg)
{
    (void)p;
    leave(arg, UV_ECANCELED);
}

static promise *wait_for_all(background *b, promise_cancel_fn *cancel)
{
    if (b->count == 0)
        return promise_settled(0);
    struct joiner *j = pool_get(&joiners);
    *j = (struct joiner){ .group = b, .number = b->started };
    wait_queue_join(&b->joining, &j->place);
    return j->promise = promise_new(cancel, j);
}

static void note_failure(background *b, const char *name, int err)
{
    if (!err || (err == UV_ECANCELED && b->stopped))
        return;
    b->failed++;
    atomic_fetch_add(&failures, 1);
    log_error("background task %s: %s", name, uv_strerror(err));
}

static void ended(int err, void *arg)
{
    struct running *r = arg;
    background *b = r->group;

    *(r->prev ? &r->prev->next : &b->oldest) = r->next;
    *(r->next ? &r->next->prev : &b->newest) = r->prev;
    b->count--;
    note_failure(b, r->name, err);
    if (r->destroy)
        r->destroy(r->arg);
    pool_put(&all_running, r);
    for (struct joiner *j; (j = (struct joiner *)b->joining.first) && (!b->oldest || b->oldest->number > j->number);)
        leave(j, 0);
}

int background_start(background *b, const char *name, int (*fn)(void *), void *arg, void (*destroy)(void *))
{
    int err;
    if (b->stopped)
        return UV_ECANCELED;
    if (b->count == b->max)
        return UV_EAGAIN;
    promise *p = task_start(name, fn, arg);
    if (promise_take_if_settled(p, &err))    /* it could not be started */
        return err;
    struct running *r = pool_get(&all_running);
    *r = (struct running){ .prev = b->newest, .group = b, .name = name, .arg = arg, .destroy = destroy,
                           .promise = p, .number = ++b->started };
    *(b->newest ? &b->newest->next : &b->oldest) = r;
    b->newest = r;
    b->count++;
    when_settled(p, ended, r);
    return 0;
}

promise *background_join(background *b) { return promise_named(wait_for_all(b, stop_waiting)); }

promise *background_stop(background *b)
{
    b->stopped = true;
    for (struct running *r = b->oldest, *next; r; r = next) {
        next = r->next;
        promise_cancel(r->promise);
    }
    return promise_named(wait_for_all(b, NULL));
}

size_t   background_running(const background *b) { return b->count; }
uint64_t background_failed(const background *b)  { return b->failed; }
uint64_t background_failures(void)               { return atomic_load(&failures); }
