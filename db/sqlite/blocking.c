/* blocking.c - see blocking.h. */
#include "blocking.h"
#include "server/base/deadline.h"
#include "server/base/blocking_wait.h"
#include "server/base/memory.h"
#include "server/base/refusal.h"

#include <assert.h>

typedef struct sqlite_plain {
    struct db      db;                       /* must be first */
    sqlite_shared *shared;
} sqlite_plain;

/* A write on its way; on the stack of the thread that waits for it. */
typedef struct written {
    job        job;                          /* must be first */
    uv_mutex_t lock;
    uv_cond_t  back;
    bool       done;
} written;

static int read_here(sqlite_shared *s, job *j)
{
    sqlite_connection *c;
    int err = sqlite_shared_borrow(s, &c);
    if (err)
        return err;
    err = sqlite_connection_run(c, j);
    sqlite_shared_return(s, c);
    return err;
}

static void came_back(job *j)                /* the last that its worker does with it */
{
    written *w = (written *)j;
    uv_mutex_lock(&w->lock);
    w->done = true;
    uv_cond_signal(&w->back);
    uv_mutex_unlock(&w->lock);
}

static bool came_back_by(written *w, uint64_t until)
{
    uv_mutex_lock(&w->lock);
    for (uint64_t now; !w->done && (now = uv_hrtime()) < until;)
        if (until == NO_DEADLINE)          /* libuv adds the time to it, and it would overflow */
            uv_cond_wait(&w->back, &w->lock);
        else
            uv_cond_timedwait(&w->back, &w->lock, until - now);
    const bool done = w->done;
    uv_mutex_unlock(&w->lock);
    return done;
}

/* Once the writer has it, it is the writer's to end, soon if it is cancelled: the file is in use. */
static int wait_for(sqlite_shared *s, written *w)
{
    uint64_t until = sqlite_shared_patience(s), look = blocking_next_look(atomic_load(&s->waiting));
    int verdict = 0;
    while (!came_back_by(w, deadline_sooner(until, look))) {
        const bool late = uv_hrtime() >= until;
        if (!verdict)
            verdict = blocking_cancelled() ? UV_ECANCELED : blocking_late() ? UV_ETIMEDOUT : 0;
        if ((verdict || late) && job_queue_remove(w->job.line, &w->job)) {
            job_begun(&w->job);
            return verdict ? verdict : refuse(REFUSED_DATABASE_TIMEOUT, s->options->line_timeout_ms * 1000000);
        }
        if (verdict)
            atomic_store(&w->job.cancelled, true);
        if (verdict || late)                 /* of the line; the deadline still counts */
            until = verdict ? NO_DEADLINE : blocking_deadline();
        look = verdict ? NO_DEADLINE : blocking_next_look(atomic_load(&s->waiting));
    }
    return verdict && w->job.err == UV_ECANCELED ? verdict : w->job.err;
}

static int write_there(sqlite_shared *s, written *w)
{
    job_queue *l = workers_line(s->workers, false);
    job_list alone = { 0 };
    /* What an idle writer is about to take does not wait. */
    const int most = s->options->line + atomic_load_explicit(&l->idle, memory_order_relaxed);
    if (atomic_fetch_add(&s->waiting, 1) >= most) {
        atomic_fetch_sub(&s->waiting, 1);
        return refuse(REFUSED_DATABASE_LINE, 0);
    }
    w->job.line = l;
    w->job.waiting = &s->waiting;
    w->job.done = came_back;
    uv_mutex_init(&w->lock);
    uv_cond_init(&w->back);
    job_list_add(&alone, &w->job);
    job_queue_add(l, &alone);
    const int err = wait_for(s, w);
    uv_cond_destroy(&w->back);
    uv_mutex_destroy(&w->lock);
    return err;
}

static void end_result(void *r) { result_done(r); }

static void give_rows(rows *out, arena *a, const result *r, const statement *s)
{
    result *own = arena_alloc(a, sizeof *own);
    *own = *r;
    arena_defer(a, end_result, own);
    *out = (rows){ own->count, own->columns, own, &sqlite_rows, s->columns };
}

static promise *query(db *here, arena *a, stopwatch *watch, rows *out, const statement *s, int n,
                      const value parameters[])
{
    sqlite_shared *shared = ((sqlite_plain *)here)->shared;
    written w = { .job = { .statement = s, .count = n } };

    assert(n <= MAX_PARAMETERS);
    for (int i = 0; i < n; i++)
        w.job.parameters[i] = parameters[i];
    if (watch)
        stopwatch_start(watch);
    const int err = s->reads ? read_here(shared, &w.job) : write_there(shared, &w);
    if (err)
        result_done(&w.job.result);
    else
        give_rows(out, a, &w.job.result, s);
    if (watch)
        stopwatch_stop(watch);
    return promise_settled(err);
}

static promise *disconnect(db *here)
{
    (void)here;                              /* its query, if there was one, has ended */
    return promise_settled(0);
}

static void free_plain(db *here) { mem_free(here); }

static const database_driver driver = {
    .run = query, .disconnect = disconnect, .free = free_plain
};

db *sqlite_plain_new(sqlite_shared *s)
{
    sqlite_plain *d = mem_alloc(sizeof *d);
    d->db.driver = &driver;
    d->shared = s;
    return &d->db;
}
