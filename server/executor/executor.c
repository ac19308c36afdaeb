/* executor.c - see executor.h. What a loop has in an executor is its own, so that it needs no lock; only what is
 * counted is common to all. */
#include "executor.h"
#include "server/async/loop.h"
#include "server/base/observe/layout.h"
#include "server/base/observe/recorder.h"
#include "server/base/memory.h"
#include "server/base/overload/refusal.h"
#include "server/base/overload/wait_queue.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

enum { READY = 64 };                         /* jobs of each that may run: so many keep it busy until the next turn */

struct executor {
    const char      *name;
    int              most_running, most_waiting;             /* of each loop */
    uint64_t         target;                 /* codel.h's, in nanoseconds */
    atomic_int       running, waiting;       /* of all */
    _Atomic uint64_t done, refused;
};

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

/* What wants to run in an executor: a job, or a ticket. */
typedef struct entry entry;
struct entry {
    wait_queue_entry waiting;                /* in no queue once it runs */
    executor        *executor;
    void           (*admit)(entry *n);       /* its turn has come */
    void           (*refuse)(entry *n, int err);             /* or will not */
};

/* What this loop has in each executor. */
static _Thread_local struct local { int running, waiting; wait_queue queue; } here[MAX_EXECUTORS];

static struct local *local_of(const executor *e) { return &here[e - executors]; }

static entry *executor_first(const struct local *l)
{
    wait_queue_entry *first = wait_queue_first(&l->queue);
    return first ? container_of(first, entry, waiting) : NULL;
}

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
    const struct local *l = local_of(e);
    return READY * e->most_running - l->running - l->waiting;
}

int executor_count_all(executor_counts counts[MAX_EXECUTORS])
{
    for (int i = 0; i < count; i++) {
        const executor *e = &executors[i];
        counts[i] = (executor_counts){ e->name, e->running, e->waiting, e->done, e->refused };
    }
    return count;
}

/* Entering, waiting, and leaving. */

static void entry_run(entry *n)
{
    local_of(n->executor)->running++;
    n->executor->running++;
    n->admit(n);
}

static void entry_stop_waiting(entry *n)
{
    struct local *l = local_of(n->executor);
    wait_queue_leave(&l->queue, &n->waiting);
    l->waiting--;
    n->executor->waiting--;
}

/* Runs it, or has it wait. */
static void entry_begin(entry *n)
{
    struct local *l = local_of(n->executor);
    if (l->running < n->executor->most_running) {
        entry_run(n);
        return;
    }
    l->queue.codel.target = n->executor->target;
    wait_queue_join(&l->queue, &n->waiting);
    l->waiting++;
    n->executor->waiting++;
}

/* Counts one, and says why. */
static int executor_refuse(executor *e, bool full, uint64_t waited)
{
    e->refused++;
    if (e == EXECUTOR_CPU)
        return refuse(full ? REFUSED_CPU_LINE : REFUSED_CPU_WAIT, waited);
    if (e == EXECUTOR_FILES)
        return refuse(full ? REFUSED_FILES_LINE : REFUSED_FILES_WAIT, waited);
    return UV_EAGAIN;
}

static bool executor_is_full(const executor *e)
{
    const struct local *l = local_of(e);
    return l->running >= e->most_running && l->waiting >= e->most_waiting;
}

/* One has ended: the next may run, and those that have waited too long are refused. */
static void executor_free_place(executor *e)
{
    struct local *l = local_of(e);
    l->running--;
    e->running--;
    e->done++;
    entry *next = executor_first(l);
    if (next) {
        entry_stop_waiting(next);
        entry_run(next);
    }
    for (const uint64_t now = wait_queue_first(&l->queue) ? uv_hrtime() : 0; wait_queue_is_late(&l->queue, now);) {
        next = executor_first(l);
        entry_stop_waiting(next);
        next->refuse(next, executor_refuse(e, false, now - next->waiting.since));
    }
}

/* Jobs. */

struct job {
    entry       entry;                       /* must be first */
    uv_work_t   work;
    promise    *promise;
    int       (*fn)(void *);
    void       *arg;
    int         result;
    uint64_t    since;                       /* recorder_clock when it began to run */
};

static _Thread_local pool jobs = POOL(struct job);

static void job_settle(struct job *j, int err)
{
    promise_settle(j->promise, err);
    pool_put(&jobs, j);
}

static void job_work(uv_work_t *w)
{
    struct job *j = w->data;
    j->since = recorder_clock();
    j->result = j->fn(j->arg);
}

static void job_on_worked(uv_work_t *w, int status)
{
    struct job *j = w->data;
    executor *e = j->entry.executor;
    loop_enter();
    if (!status)
        recorder_add(RECORD_JOB, j->since, e->name, promise_origin_of(j->promise).label, j->result);
    job_settle(j, status ? status : j->result);
    executor_free_place(e);
    loop_leave();
}

static void job_admit(entry *n)
{
    struct job *j = (struct job *)n;
    uv_queue_work(loop_here(), &j->work, job_work, job_on_worked);           /* fails only without a work function */
}

static void job_refuse(entry *n, int err) { job_settle((struct job *)n, err); }

static void job_on_cancel(promise *p, void *arg)
{
    struct job *j = arg;
    (void)p;
    if (!wait_queue_has(&j->entry.waiting)) {
        uv_cancel((uv_req_t *)&j->work);     /* only works while the pool has not begun it */
        return;
    }
    entry_stop_waiting(&j->entry);
    job_settle(j, UV_ECANCELED);
}

promise *run_in_executor(executor *e, int (*fn)(void *), void *arg)
{
    if (!loop_here()) {
        e->running++;
        const int err = fn(arg);
        e->running--;
        e->done++;
        return promise_settled(err);
    }
    if (executor_is_full(e))
        return promise_settled(executor_refuse(e, true, 0));

    struct job *j = pool_get(&jobs);
    j->entry = (entry){ .executor = e, .admit = job_admit, .refuse = job_refuse };
    j->work.data = j;
    j->fn = fn;
    j->arg = arg;
    promise *p = j->promise = promise_new(job_on_cancel, j);
    entry_begin(&j->entry);
    return p;
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
