/* executor.c - see executor.h and entry.h: which executors there are, who runs and who waits; and tickets. */
#include "executor.h"
#include "entry.h"
#include "server/async/loop.h"
#include "server/base/memory.h"
#include "server/base/observe/layout.h"
#include "server/base/overload/refusal.h"

#include <assert.h>
#include <string.h>

enum { READY = 64 };                         /* jobs of each that may run: so many keep it busy until the next turn */

static executor executors[MAX_EXECUTORS] = {
    { .name = "cpu", .most_running = 4, .most_waiting = 1024 },
    { .name = "files", .most_running = 2, .most_waiting = 1024 },
};
static const layout_entry EXECUTOR_LAYOUT[] LAYOUT_ENTRIES = {
    LAYOUT_ADDRESS("gauge.cpu jobs running", &executors[0].running),
    LAYOUT_ADDRESS("gauge.cpu jobs waiting", &executors[0].waiting),
    LAYOUT_ADDRESS("gauge.file jobs running", &executors[1].running),
    LAYOUT_ADDRESS("gauge.file jobs waiting", &executors[1].waiting),
};

static int count = 2;

executor *const EXECUTOR_CPU = &executors[0], *const EXECUTOR_FILES = &executors[1];

static _Thread_local local here[MAX_EXECUTORS] = {
    [0 ... MAX_EXECUTORS - 1] = { .lock = PTHREAD_MUTEX_INITIALIZER },
};

local *executor_local(executor *e) { return &here[e - executors]; }

executor *executor_add(const char *name, int running, int waiting)
{
    executor *e = executors;
    while (e < executors + count && strcmp(e->name, name) != 0)
        e++;
    if (e == executors + count) {
        assert(count < MAX_EXECUTORS);
        count++;
    }
    e->name = name;
    e->most_running = running;
    e->most_waiting = waiting;
    return e;
}

void executor_set_target(executor *e, uint64_t ms) { e->target = ms * 1000000; }

int executor_room(const executor *e)
{
    local *l = &here[e - executors];
    pthread_mutex_lock(&l->lock);
    const int taken = l->running + l->waiting;
    pthread_mutex_unlock(&l->lock);
    return READY * e->most_running - taken;
}

int executor_count_all(executor_counts counts[MAX_EXECUTORS])
{
    for (int i = 0; i < count; i++) {
        const executor *e = &executors[i];
        counts[i] = (executor_counts){ e->name, e->running, e->waiting, e->done, e->refused };
    }
    return count;
}

/* The line. */

entry *local_first(const local *l)
{
    wait_queue_entry *first = wait_queue_first(&l->queue);
    return first ? container_of(first, entry, waiting) : NULL;
}

void local_leave(local *l, entry *n)
{
    wait_queue_leave(&l->queue, &n->waiting);
    l->waiting--;
    n->executor->waiting--;
}

static void local_open(local *l, executor *e)                /* under its lock */
{
    if (l->open || l->closing)
        return;
    l->executor = e;
    uv_async_init(loop_here(), &l->wake, job_on_wake);
    uv_unref((uv_handle_t *)&l->wake);       /* what runs keeps the loop */
    l->open = true;
}

static void local_on_closed(uv_handle_t *h) { container_of((uv_async_t *)h, local, wake)->closing = false; }

static void local_close(local *l)            /* when nothing runs, and so nobody wakes it */
{
    pthread_mutex_lock(&l->lock);
    l->closing |= l->open;
    if (l->open)
        uv_close((uv_handle_t *)&l->wake, local_on_closed);
    l->open = false;
    pthread_mutex_unlock(&l->lock);
}

/* Entering, waiting, and leaving. */

static void entry_run(entry *n)
{
    executor_local(n->executor)->running++;
    n->executor->running++;
    n->admit(n);
}

void entry_begin(entry *n)
{
    executor *e = n->executor;
    local *l = executor_local(e);
    if (l->running < e->most_running) {
        entry_run(n);
        return;
    }
    pthread_mutex_lock(&l->lock);
    l->queue.codel.target = e->target;
    wait_queue_join(&l->queue, &n->waiting);
    l->waiting++;
    e->waiting++;
    local_open(l, e);
    pthread_mutex_unlock(&l->lock);
}

bool entry_stop_waiting(entry *n)
{
    local *l = executor_local(n->executor);
    pthread_mutex_lock(&l->lock);
    const bool waits = wait_queue_has(&n->waiting);
    if (waits)
        local_leave(l, n);
    pthread_mutex_unlock(&l->lock);
    return waits;
}

int executor_refuse(executor *e, bool full, uint64_t waited)
{
    e->refused++;
    if (e == EXECUTOR_CPU)
        return refuse(full ? REFUSED_CPU_LINE : REFUSED_CPU_WAIT, waited);
    if (e == EXECUTOR_FILES)
        return refuse(full ? REFUSED_FILES_LINE : REFUSED_FILES_WAIT, waited);
    return UV_EAGAIN;
}

bool executor_is_full(executor *e)
{
    local *l = executor_local(e);
    if (l->running < e->most_running)
        return false;
    pthread_mutex_lock(&l->lock);
    const bool full = l->waiting >= e->most_waiting;
    pthread_mutex_unlock(&l->lock);
    return full;
}

/* The first one in line, which leaves it; if late, only one that has waited too long. NULL: there is none. */
static entry *executor_take(executor *e, bool late, uint64_t *waited)
{
    local *l = executor_local(e);
    pthread_mutex_lock(&l->lock);
    entry *n = local_first(l);
    if (n && late) {
        const uint64_t now = uv_hrtime();
        *waited = now - n->waiting.since;
        n = wait_queue_is_late(&l->queue, now) ? n : NULL;
    }
    if (n)
        local_leave(l, n);
    pthread_mutex_unlock(&l->lock);
    return n;
}

void executor_refuse_late(executor *e)
{
    uint64_t waited = 0;
    for (entry *n; (n = executor_take(e, true, &waited));)
        n->refuse(n, executor_refuse(e, false, waited));
}

void executor_free_place(executor *e)
{
    local *l = executor_local(e);
    l->running--;
    e->running--;
    e->done++;
    entry *next = executor_take(e, false, NULL);
    if (next)
        entry_run(next);
    executor_refuse_late(e);
    if (l->running == 0)
        local_close(l);
}

/* Tickets, for what comes to the pool by another way. */

struct ticket { entry entry; promise *promise; };            /* entry must be first */

static _Thread_local pool tickets = POOL(struct ticket);

static void ticket_settle(struct ticket *t, int err)
{
    promise_settle(t->promise, err);
    pool_put(&tickets, t);
}

static void ticket_admit(entry *n) { ticket_settle((struct ticket *)n, 0); }

static void ticket_refuse(entry *n, int err) { ticket_settle((struct ticket *)n, err); }

static void ticket_on_cancel(promise *p, void *arg)
{
    struct ticket *t = arg;
    (void)p;
    entry_stop_waiting(&t->entry);
    ticket_settle(t, UV_ECANCELED);
}

promise *executor_enter(executor *e)
{
    if (!loop_here()) {
        e->running++;
        return promise_settled(0);
    }
    if (executor_is_full(e))
        return promise_settled(executor_refuse(e, true, 0));
    struct ticket *t = pool_get(&tickets);
    t->entry = (entry){ .executor = e, .admit = ticket_admit, .refuse = ticket_refuse };
    promise *p = t->promise = promise_new(ticket_on_cancel, t);
    entry_begin(&t->entry);
    return p;
}

void executor_leave(executor *e)
{
    if (loop_here()) {
        executor_free_place(e);
        return;
    }
    e->running--;
    e->done++;
}
