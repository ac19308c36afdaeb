/* background.c - see background.h. */
#include "background.h"
#include "server/base/list.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/base/overload/wait_queue.h"
#include "task.h"

#include <assert.h>
#include <stdatomic.h>

struct running {                             /* a task of the group */
    list_node       node;                    /* in its group */
    background     *group;
    const char     *name;
    void           *arg;
    void          (*destroy)(void *);
    promise        *promise;
    uint64_t        number;
};

struct joiner {                              /* waits for all tasks up to that number */
    wait_queue_entry entry;
    background      *group;
    promise         *promise;
    uint64_t         number;
};

struct background {
    size_t          max, count;
    bool            stopped;
    uint64_t        started, failed;         /* ever; the number of the last */
    fifo            running;                 /* the oldest first, as their numbers say */
    wait_queue      joining;                 /* their numbers never fall */
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
    assert(b->count == 0 && !wait_queue_first(&b->joining));
    mem_free(b);
}

static void joiner_leave(struct joiner *j, int err)
{
    wait_queue_leave(&j->group->joining, &j->entry);
    promise_settle(j->promise, err);
    pool_put(&joiners, j);
}

static void joiner_on_cancel(promise *p, void *arg)
{
    (void)p;
    joiner_leave(arg, UV_ECANCELED);
}

static promise *joiner_new(background *b, promise_cancel_fn *cancel)
{
    if (b->count == 0)
        return promise_settled(0);
    struct joiner *j = pool_get(&joiners);
    *j = (struct joiner){ .group = b, .number = b->started };
    wait_queue_join(&b->joining, &j->entry);
    return j->promise = promise_new(cancel, j);
}

static void background_note_failure(background *b, const char *name, int err)
{
    if (!err || (err == UV_ECANCELED && b->stopped))
        return;
    b->failed++;
    atomic_fetch_add(&failures, 1);
    log_error("background task %s: %s", name, uv_strerror(err));
}

static void background_on_ended(int err, void *arg)
{
    struct running *r = arg;
    background *b = r->group;

    fifo_remove(&b->running, &r->node);
    b->count--;
    background_note_failure(b, r->name, err);
    if (r->destroy)
        r->destroy(r->arg);
    pool_put(&all_running, r);
    const uint64_t oldest = b->running.first ? container_of(b->running.first, struct running, node)->number : UINT64_MAX;
    for (wait_queue_entry *e; (e = wait_queue_first(&b->joining)) && oldest > container_of(e, struct joiner, entry)->number;)
        joiner_leave(container_of(e, struct joiner, entry), 0);
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
    *r = (struct running){ .group = b, .name = name, .arg = arg, .destroy = destroy,
                           .promise = p, .number = ++b->started };
    fifo_append(&b->running, &r->node);
    b->count++;
    when_settled(p, background_on_ended, r);
    return 0;
}

promise *background_join(background *b) { return promise_named(joiner_new(b, joiner_on_cancel)); }

promise *background_stop(background *b)
{
    b->stopped = true;
    for (list_node *n = b->running.first, *next; n; n = next) {
        next = n->next;
        promise_cancel(container_of(n, struct running, node)->promise);
    }
    return promise_named(joiner_new(b, NULL));
}

size_t   background_running(const background *b) { return b->count; }
uint64_t background_failed(const background *b)  { return b->failed; }
uint64_t background_failures(void)               { return atomic_load(&failures); }
