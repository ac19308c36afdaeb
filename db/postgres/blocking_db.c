/* blocking_db.c - see blocking_db.h. */
#include "blocking_db.h"
#include "db/driver.h"
#include "error.h"
#include "rows.h"
#include "server/async/scope.h"
#include "server/base/deadline.h"
#include "server/base/blocking_wait.h"
#include "server/base/memory.h"
#include "server/base/observe/recorder.h"
#include "server/base/overload/refusal.h"

typedef struct pg_blocking_db {
    db                base;                  /* must be first */
    pg_blocking_pool *pool;
    uint64_t          silent_at;             /* when its latest query met a server that said nothing; or 0 */
} pg_blocking_db;

static const uint64_t FRESH = 10000000,      /* nanoseconds: one used less long ago is not checked */
                      BESIDE = 5000000;      /* a query that comes so soon after another was begun beside it */

enum { ANSWER_MS = 1000 };                   /* for a connection to say that it is there */

/* One that broke while it was idle is found before a query is sent on it: a read could go again, a write could not.
 * One that goes again needs a connection that is surely alive, not one more of those that broke. */
static bool usable(pg_blocking_connection *c, const pg_blocking_query *q)
{
    const bool reads = q->reads;
    const bool fresh = reads && uv_hrtime() - c->alive_at < FRESH;
    const bool alive = q->lost_at > c->alive_at
                           ? pg_blocking_connection_answers(c, deadline_sooner(q->deadline, deadline_in(ANSWER_MS)))
                           : fresh || pg_blocking_connection_stands(c);
    return alive && (reads || pg_blocking_connection_takes_writes(c));
}

static uint64_t limit_in(uint64_t ms) { return deadline_sooner(ms ? deadline_in(ms) : NO_DEADLINE, blocking_deadline()); }

static int no_connection(const database_options *o, const pg_blocking_query *q, int err)
{
    if (err == UV_ETIMEDOUT && !blocking_late() && !(q->sends && o->timeout_ms))
        return refuse(REFUSED_DATABASE_TIMEOUT, o->line_timeout_ms * 1000000);
    if (err == UV_EAGAIN)
        return refuse(REFUSED_DATABASE_LINE, 0);
    return err == UV_ECONNREFUSED && q->sends && q->reads ? UV_ECONNRESET : err;
}

/* Whether it goes again, after such an outcome. A write whose connections have broken before it could run is
 * known not to be stored. */
static bool goes_again(pg_blocking_query *q, const pg_blocking_connection *c, int *err)
{
    const bool unexecuted = q->again && !q->reads;
    if (*err == UV_ECONNRESET)
        q->again = c->lost && (q->again || q->reads) && !q->lost_at;
    if (*err == UV_ECONNRESET && unexecuted)
        *err = UV_EAGAIN;
    if (q->again && c->lost)
        q->lost_at = uv_hrtime();
    return q->again;
}

static int run_query(pg_blocking_pool *p, pg_blocking_query *q)
{
    const database_options *o = p->target->options;
    uint64_t until = limit_in(o->line_timeout_ms);

    for (bool ahead = false;; ahead = true) {
        pg_blocking_connection *c;
        int err = pg_blocking_pool_acquire(p, &c, until, ahead);
        if (err)
            return no_connection(o, q, err);
        if (usable(c, q)) {
            if (!q->sends) {
                q->began = recorder_clock();
                driver_query_is_begun();
            }
            if (!q->sends++)
                q->deadline = limit_in(o->timeout_ms);
            err = pg_blocking_connection_run(c, q);
            const bool again = goes_again(q, c, &err);
            q->silent = c->silent;
            pg_blocking_pool_release(p, c);
            if (!again)
                return err;
            until = o->timeout_ms ? q->deadline : limit_in(o->line_timeout_ms);
            if (q->pause && blocking_wait(-1, 0, deadline_sooner(deadline_in(q->pause), q->deadline)) == UV_ECANCELED)
                return UV_ECANCELED;
        } else
            pg_blocking_pool_release(p, c);
    }
}

static int give_rows(const pg_blocking_query *q, arena *a)
{
    int err = 0;
    for (int i = 0; i < q->count; i++) {
        const db_step *s = &q->steps[i].is;
        if (s->out && !err)
            err = pg_rows_give(s->out, a, q->steps[i].result, s->statement, !q->reads);
        else
            PQclear(q->steps[i].result);
    }
    return err;
}

static promise *run_steps(db *d, arena *a, stopwatch *w, bool reads, int count, const db_step steps[])
{
    pg_blocking_step own[MAX_STEPS];
    pg_blocking_query q = { .steps = own, .count = count, .reads = reads };
    for (int i = 0; i < count; i++) {
        if (!pg_parameters_fit(steps[i].statement, steps[i].n, steps[i].parameters))
            return promise_settled(DB_EQUERY);
        own[i].is = steps[i];
        own[i].result = NULL;
        pg_parameters_copy(&own[i].parameters, steps[i].n, steps[i].parameters, a);
    }
    if (w)
        stopwatch_start(w);
    pg_blocking_db *b = (pg_blocking_db *)d;
    q.comment = pg_target_comment(b->pool->target, a);
    /* Side by side they would have waited for it together. */
    const bool silent = b->silent_at && uv_hrtime() - b->silent_at < BESIDE;
    const uint64_t since = recorder_clock();
    driver_query_begins();
    int err = silent ? UV_ETIMEDOUT : run_query(b->pool, &q);
    driver_query_ends(steps[0].statement, since, q.began, scope_is_for(scope_here()), err);
    for (int i = 0; i < count && !reads && (!err || err == UV_ECONNRESET || err == ERR_UNCERTAIN); i++)
        channels_tell(b->pool->target->channels, steps[i].statement->tells);
    if (q.silent)
        b->silent_at = uv_hrtime();
    if (err == UV_ECONNRESET && !reads)
        err = driver_uncertain(steps[0].statement, PG_DOUBT_LOST);
    if (!err)
        err = give_rows(&q, a);
    if (w)
        stopwatch_stop(w);
    return promise_settled(err);
}

static promise *blocking_db_query(db *d, arena *a, stopwatch *w, rows *out, const statement *s, int n,
                                  const value parameters[])
{
    const db_step only = { s, n, parameters, out };
    return run_steps(d, a, w, s->reads, 1, &only);
}

static promise *blocking_db_transact(db *d, arena *a, stopwatch *w, int count, const db_step steps[])
{
    return run_steps(d, a, w, false, count, steps);
}

static const database_driver driver = {
    .run = blocking_db_query, .run_each = driver_run_each_blocking, .transact = blocking_db_transact,
    .disconnect = driver_close_blocking, .free = driver_free_blocking
};

db *pg_blocking_db_new(pg_blocking_pool *p)
{
    pg_blocking_db *b = mem_alloc(sizeof *b);
    *b = (pg_blocking_db){ .base.driver = &driver, .pool = p };
    return &b->base;
}
