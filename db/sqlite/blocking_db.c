/* blocking_db.c - see blocking_db.h. */
#include "blocking_db.h"
#include "server/async/scope.h"
#include "server/base/deadline.h"
#include "server/base/blocking_wait.h"
#include "server/base/memory.h"
#include "server/base/observe/recorder.h"
#include "server/base/overload/refusal.h"

#include <assert.h>

typedef struct sqlite_blocking_db {
    struct db             db;                /* must be first */
    sqlite_blocking_pool *pool;
} sqlite_blocking_db;

/* A write, on the stack of the thread that waits for it. */
typedef struct blocking_write {
    sqlite_job job;                          /* must be first */
    uv_mutex_t lock;
    uv_cond_t  changed;
    bool       done;
} blocking_write;

static void record_query(const sqlite_job *j, int err)
{
    driver_query_ends(j->statement, j->since, j->began, scope_is_for(scope_here()), err);
}

static int read_on_pooled_connection(sqlite_blocking_pool *p, sqlite_job *j)
{
    sqlite_connection *c;
    driver_query_begins();
    j->since = recorder_clock();
    int err = sqlite_blocking_pool_acquire(p, &c);
    if (!err) {
        sqlite_job_note_begin(j, 0);
        err = sqlite_connection_run(c, j);
        sqlite_blocking_pool_release(p, c);
    }
    record_query(j, err);
    return err;
}

static void on_write_done(sqlite_job *j)     /* the last that the writer does with it */
{
    blocking_write *w = (blocking_write *)j;
    uv_mutex_lock(&w->lock);
    w->done = true;
    uv_cond_signal(&w->changed);
    uv_mutex_unlock(&w->lock);
}

static bool write_is_done_by(blocking_write *w, uint64_t until)
{
    uv_mutex_lock(&w->lock);
    for (uint64_t now; !w->done && (now = uv_hrtime()) < until;)
        if (until == NO_DEADLINE)            /* libuv adds the time to it, and it would overflow */
            uv_cond_wait(&w->changed, &w->lock);
        else
            uv_cond_timedwait(&w->changed, &w->lock, until - now);
    const bool done = w->done;
    uv_mutex_unlock(&w->lock);
    return done;
}

/* Once the writer has it, the writer ends it, soon if it is cancelled: the file is in use. */
static int await_write(sqlite_blocking_pool *p, blocking_write *w)
{
    const uint64_t since = uv_hrtime();
    uint64_t until = sqlite_blocking_pool_wait_limit(p), look = blocking_next_look(atomic_load(&p->waiting));
    int verdict = 0;
    while (!write_is_done_by(w, deadline_sooner(until, look))) {
        const bool late = uv_hrtime() >= until;
        if (!verdict)
            verdict = blocking_cancelled() ? UV_ECANCELED : blocking_late() ? UV_ETIMEDOUT : 0;
        if ((verdict || late) && sqlite_job_queue_remove(w->job.queue, &w->job)) {
            sqlite_job_left_queue(&w->job);
            return verdict ? verdict : refuse(REFUSED_DATABASE_TIMEOUT, p->options->line_timeout_ms * 1000000);
        }
        if (verdict)
            atomic_store(&w->job.cancelled, true);
        if (verdict || late)                 /* to wait in the queue; the deadline still counts */
            until = verdict ? NO_DEADLINE : blocking_deadline();
        look = verdict ? NO_DEADLINE : blocking_next_look(atomic_load(&p->waiting));
    }
    blocking_has_waited(since);
    return verdict && w->job.err == UV_ECANCELED ? verdict : w->job.err;
}

static int write_through_writer(sqlite_blocking_pool *p, blocking_write *w)
{
    sqlite_job_queue *q = sqlite_workers_queue(p->workers, false);
    sqlite_job_list alone = { 0 };
    /* What an idle writer is about to take does not wait. */
    const int most = p->options->line + atomic_load_explicit(&q->idle, memory_order_relaxed);
    if (atomic_fetch_add(&p->waiting, 1) >= most) {
        atomic_fetch_sub(&p->waiting, 1);
        return refuse(REFUSED_DATABASE_LINE, 0);
    }
    w->job.queue = q;
    w->job.waiting = &p->waiting;
    w->job.done = on_write_done;
    driver_query_begins();
    w->job.since = recorder_clock();
    uv_mutex_init(&w->lock);
    uv_cond_init(&w->changed);
    sqlite_job_list_add(&alone, &w->job);
    sqlite_job_queue_add(q, &alone);
    const int err = await_write(p, w);
    record_query(&w->job, err);
    uv_cond_destroy(&w->changed);
    uv_mutex_destroy(&w->lock);
    return err;
}

static void free_result(void *r) { sqlite_result_done(r); }

/* The result, which the arena frees from now on. */
static sqlite_result *give_result(arena *a, const sqlite_job *j)
{
    sqlite_result *r = arena_alloc(a, sizeof *r);
    *r = j->result;
    arena_defer(a, free_result, r);
    return r;
}

static promise *blocking_db_query(db *d, arena *a, stopwatch *watch, rows *out, const statement *s, int n,
                                  const value parameters[])
{
    sqlite_blocking_pool *p = ((sqlite_blocking_db *)d)->pool;
    blocking_write w = { .job = { .statement = s, .count = n } };

    assert(n <= MAX_PARAMETERS);
    for (int i = 0; i < n; i++)
        w.job.parameters[i] = parameters[i];
    if (watch)
        stopwatch_start(watch);
    const int err = s->reads ? read_on_pooled_connection(p, &w.job) : write_through_writer(p, &w);
    if (err)
        sqlite_result_done(&w.job.result);
    else {
        sqlite_result *r = give_result(a, &w.job);
        *out = (rows){ r->count, r->columns, r, &sqlite_rows_driver, s->columns };
    }
    if (watch)
        stopwatch_stop(watch);
    return promise_settled(err);
}

/* All on one connection: the thread waits for each of them anyway. */
static promise *blocking_db_query_each(db *d, arena *a, stopwatch *watch, rows out[], const statement *s, int count, int n,
                                       const value parameters[])
{
    sqlite_job j = { .statement = s, .count = n, .runs = count, .each = parameters };

    assert(n <= MAX_PARAMETERS);
    if (count == 0)
        return promise_settled(0);
    j.ends = arena_room(a, (size_t)count * sizeof *j.ends);
    if (watch)
        stopwatch_start(watch);
    const int err = read_on_pooled_connection(((sqlite_blocking_db *)d)->pool, &j);
    if (err)
        sqlite_result_done(&j.result);
    else
        sqlite_result_split(give_result(a, &j), count, j.ends, s, a, out);
    if (watch)
        stopwatch_stop(watch);
    return promise_settled(err);
}

static promise *blocking_db_transact(db *d, arena *a, stopwatch *watch, int count, const db_step steps[])
{
    blocking_write w = { .job.statement = sqlite_steps_statement(count, steps) };
    sqlite_job_transact(&w.job, a, count, steps);
    if (watch)
        stopwatch_start(watch);
    const int err = write_through_writer(((sqlite_blocking_db *)d)->pool, &w);
    if (!err)
        sqlite_job_give_steps(&w.job);
    if (watch)
        stopwatch_stop(watch);
    return promise_settled(err);
}

static const database_driver driver = {
    .run = blocking_db_query, .run_each = blocking_db_query_each, .transact = blocking_db_transact,
    .disconnect = driver_close_blocking, .free = driver_free_blocking
};

db *sqlite_blocking_db_new(sqlite_blocking_pool *p)
{
    sqlite_blocking_db *d = mem_alloc(sizeof *d);
    *d = (sqlite_blocking_db){ .db.driver = &driver, .pool = p };
    return &d->db;
}
