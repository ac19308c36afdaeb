/* job.c - see executor.h: what runs on threads of the pool. */
#include "executor.h"
#include "entry.h"
#include "server/async/loop.h"
#include "server/async/scope.h"
#include "server/base/memory.h"
#include "server/base/observe/at_work.h"
#include "server/base/observe/recorder.h"
#include "server/base/observe/shard.h"
#include "server/base/signal_stack.h"

/* Nanoseconds for which a thread goes on with the jobs of one loop. Then what others have queued in the pool has its turn; and
 * behind a longer job there is little to be saved. */
enum { SPELL = 1000000 };

struct job {
    entry          entry;                    /* must be first */
    list_node      over;                     /* in its local's list of those that have ended */
    struct runner *runner;                   /* that was started for it */
    promise       *promise;
    int          (*fn)(void *);
    void          *arg;
    int            result;
    uint64_t       since, began, ended;      /* recorder_clock when it was asked for, began to run, and had ended */
    uint8_t        thread;                   /* of the pool */
    bool           watched;
};

struct runner {
    uv_work_t   work;
    executor   *executor;
    local      *local;
    struct job *job;                         /* in the end, its last */
};

static _Thread_local pool jobs = POOL(struct job), runners = POOL(struct runner);

/* This thread of the pool, which libuv keeps until the process ends. */
static at_work *pool_thread(void)
{
    static atomic_int numbers;
    static _Thread_local at_work *here;
    if (!here) {
        here = mem_alloc(sizeof *here);
        at_work_begin(here, "pool thread", atomic_fetch_add(&numbers, 1) + 1);
        signal_stack_begin();
    }
    return here;
}

static FOR_WATCHERS void job_record_queued(const struct job *j)
{
    const uint64_t now = recorder_clock();
    recorder_add_detail(&(record){ now, now, j->entry.executor->name, 0, promise_origin_of(j->promise).label,
                                   RECORD_JOB_QUEUED, 0 });
}

static FOR_WATCHERS void job_record_run(const struct job *j)
{
    recorder_add_detail(&(record){ j->began, j->ended, j->entry.executor->name, j->result, promise_origin_of(j->promise).label,
                                   RECORD_JOB_RAN, j->thread });
}

static void job_settle(struct job *j, int err)
{
    promise_settle(j->promise, err);
    pool_put(&jobs, j);
}

static void job_work(struct job *j)
{
    at_work *const w = pool_thread();
    j->thread = (uint8_t)((w->number - 1) % UINT8_MAX + 1);
    j->began = recorder_clock();
    at_work_on(w, j->entry.executor->name, promise_is_for(j->promise).label, j->began);
    j->result = j->fn(j->arg);
    j->ended = recorder_clock();
    at_work_idle(w);
}

static void job_count(const executor *e, uint64_t since, uint64_t began, uint64_t ended, int err)
{
    const uint64_t waited = began > since ? began - since : 0;
    shard_count_timed(SHARD_JOB, e->name, recorder_ns_of(waited), recorder_ns_of(ended - began), err < 0);
}

static void job_on_worked(struct job *j)
{
    job_count(j->entry.executor, j->since, j->began, j->ended, j->result);
    recorder_add_begun(RECORD_JOB, j->since, j->began, j->ended, j->entry.executor->name, promise_is_for(j->promise),
                       j->result);
    if (j->watched)
        job_record_run(j);
    job_settle(j, j->result);
}

static void job_admit(entry *n);

/* In the pool: the next one, in the place of that which has ended. NULL: the loop has to look. */
static struct job *runner_go_on(struct runner *r)
{
    local *l = r->local;
    struct job *next = NULL;
    pthread_mutex_lock(&l->lock);
    entry *n = l->open ? local_first(l) : NULL;
    const bool first = !l->ended.first;
    if (n && n->admit == job_admit) {        /* what has a ticket runs elsewhere */
        local_leave(l, n);
        fifo_append(&l->ended, &r->job->over);
        next = container_of(n, struct job, entry);
    }
    pthread_mutex_unlock(&l->lock);
    if (next && first)                       /* else it has been woken */
        uv_async_send(&l->wake);
    return next;
}

static void runner_work(uv_work_t *w)
{
    struct runner *r = container_of(w, struct runner, work);
    const uint64_t until = uv_hrtime() + SPELL;
    job_work(r->job);
    for (struct job *next; uv_hrtime() < until && (next = runner_go_on(r));)
        job_work(r->job = next);
}

static void local_settle_ended(local *l)
{
    pthread_mutex_lock(&l->lock);
    list_node *n = l->ended.first;
    l->ended.first = NULL;
    pthread_mutex_unlock(&l->lock);
    for (list_node *next; n; n = next) {
        struct job *j = container_of(n, struct job, over);
        next = n->next;
        j->entry.executor->done++;
        job_on_worked(j);
    }
}

void job_on_wake(uv_async_t *wake)
{
    local *l = container_of(wake, local, wake);
    loop_enter();
    local_settle_ended(l);
    executor_refuse_late(l->executor);
    loop_leave();
}

static void runner_on_worked(uv_work_t *w, int status)
{
    struct runner *r = container_of(w, struct runner, work);
    struct job *j = r->job;
    executor *e = r->executor;
    loop_enter();
    local_settle_ended(r->local);
    pool_put(&runners, r);
    if (status)
        job_settle(j, status);
    else
        job_on_worked(j);
    executor_free_place(e);
    loop_leave();
}

static void job_admit(entry *n)
{
    struct job *j = (struct job *)n;
    struct runner *r = j->runner = pool_get(&runners);
    *r = (struct runner){ .executor = n->executor, .local = executor_local(n->executor), .job = j };
    uv_queue_work(loop_here(), &r->work, runner_work, runner_on_worked);     /* fails only without a work function */
}

static void job_refuse(entry *n, int err) { job_settle((struct job *)n, err); }

static void job_on_cancel(promise *p, void *arg)
{
    struct job *j = arg;
    (void)p;
    if (entry_stop_waiting(&j->entry))
        job_settle(j, UV_ECANCELED);
    else if (j->runner)
        uv_cancel((uv_req_t *)&j->runner->work);             /* only works while the pool has not begun it */
}

promise *run_in_executor(executor *e, int (*fn)(void *), void *arg)
{
    if (!loop_here()) {
        const uint64_t since = recorder_clock();
        e->running++;
        const int err = fn(arg);
        e->running--;
        e->done++;
        job_count(e, since, since, recorder_clock(), err);
        recorder_add(RECORD_JOB, since, e->name, scope_is_for(scope_here()), err);
        return promise_settled(err);
    }
    if (executor_is_full(e))
        return promise_settled(executor_refuse(e, true, 0));

    struct job *j = pool_get(&jobs);
    j->entry = (entry){ .executor = e, .admit = job_admit, .refuse = job_refuse };
    j->runner = NULL;
    j->fn = fn;
    j->arg = arg;
    j->since = recorder_clock();
    promise *p = j->promise = promise_new(job_on_cancel, j);
    j->watched = recorder_is_watched();
    if (j->watched)
        job_record_queued(j);
    entry_begin(&j->entry);
    return p;
}
