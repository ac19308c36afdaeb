/* blocking_query.c - the db of a blocking thread: it borrows a session for each query, and waits.
 *
 * The outcomes are those of the loop's db: a query out of time is cancelled at the server, one whose
 * session broke fails, but goes again, once and before all others, if it reads; and so does one that the
 * server has undone for a reason that passes. */
#include "blocking_pool.h"
#include "server/base/deadline.h"
#include "server/base/blocking_wait.h"
#include "server/base/memory.h"
#include "server/base/refusal.h"

typedef struct blocking {
    db        base;                          /* must be first */
    pg_shared *shared;
    uint64_t   silent_at;                    /* when its latest query met a server that said nothing; or 0 */
} blocking;

static const uint64_t FRESH = 10000000,      /* nanoseconds: one used less long ago is not looked at */
                      BESIDE = 5000000;      /* and what is asked so soon after the other was begun beside it */

enum { ANSWER_MS = 1000 };                   /* for a session to say that it is there */

/* One that broke while it was idle costs nobody an answer: a read could go again, but a write could not.
 * One that goes again needs a session that is surely alive, not one more of those that broke. */
static bool usable(pg_blocking_connection *s, const pg_blocking_query *q)
{
    const bool reads = q->statement->reads;
    if (q->lost_at > s->alive_at ? !pg_session_answers(s, deadline_sooner(q->deadline, deadline_in(ANSWER_MS)))
                                 : !(reads && uv_hrtime() - s->alive_at < FRESH) && !pg_session_stands(s))
        return false;
    return reads || pg_session_writes(s);
}

static uint64_t in(uint64_t ms) { return deadline_sooner(ms ? deadline_in(ms) : NO_DEADLINE, blocking_deadline()); }

static int no_session(const database_options *o, const pg_blocking_query *q, int err)
{
    if (err == UV_ETIMEDOUT)
        return blocking_late() || (q->sends && o->timeout_ms) ? UV_ETIMEDOUT
                                                          : refuse(REFUSED_DATABASE_TIMEOUT, o->line_timeout_ms * 1000000);
    if (err == UV_EAGAIN)
        return refuse(REFUSED_DATABASE_LINE, 0);
    return err == UV_ECONNREFUSED && q->sends && q->statement->reads ? UV_ECONNRESET : err;
}

/* Whether it goes again, after such an outcome. A write whose connections have broken before it could run is
 * known not to be stored. */
static bool goes_again(pg_blocking_query *q, const pg_blocking_connection *s, int *err)
{
    const bool unexecuted = q->again && !q->statement->reads;
    if (*err == UV_ECONNRESET)
        q->again = s->lost && (q->again || q->statement->reads) && !q->lost_at;
    if (*err == UV_ECONNRESET && unexecuted)
        *err = UV_EAGAIN;
    if (q->again && s->lost)
        q->lost_at = uv_hrtime();
    return q->again;
}

static int run(pg_shared *p, pg_blocking_query *q)
{
    const database_options *o = p->database->options;
    uint64_t until = in(o->line_timeout_ms);

    for (bool ahead = false;; ahead = true) {
        pg_blocking_connection *s;
        int err = pg_shared_borrow(p, &s, until, ahead);
        if (err)
            return no_session(o, q, err);
        if (usable(s, q)) {
            if (!q->sends++)
                q->deadline = in(o->timeout_ms);
            err = pg_session_ask(s, q);
            const bool again = goes_again(q, s, &err);
            q->silent = s->silent;
            pg_shared_return(p, s);
            if (!again)
                return err;
            until = o->timeout_ms ? q->deadline : in(o->line_timeout_ms);
            if (q->pause && blocking_wait(-1, 0, deadline_sooner(deadline_in(q->pause), q->deadline)) == UV_ECANCELED)
                return UV_ECANCELED;
        } else
            pg_shared_return(p, s);
    }
}

static promise *query(db *d, arena *a, stopwatch *w, rows *out, const statement *s, int n,
                      const value parameters[])
{
    pg_blocking_query q = { .statement = s, .parameters = parameters, .n = n };
    if (!pg_fits(s, n, parameters))
        return promise_settled(DB_EQUERY);
    for (int i = 0; i < n; i++)
        q.lengths[i] = pg_encode(&parameters[i], a, &q.integers[i], &q.values[i]);
    if (w)
        stopwatch_start(w);
    blocking *b = (blocking *)d;
    /* Side by side they would have waited for it together. */
    const bool silent = b->silent_at && uv_hrtime() - b->silent_at < BESIDE;
    int err = silent ? UV_ETIMEDOUT : run(b->shared, &q);
    if (q.silent)
        b->silent_at = uv_hrtime();
    if (err == UV_ECONNRESET && !s->reads)
        err = driver_uncertain(s, PG_LOST);
    if (!err)
        err = pg_rows_give(out, a, q.result, s);
    if (w)
        stopwatch_stop(w);
    return promise_settled(err);
}

static promise *disconnect(db *d)
{
    (void)d;                                 /* its query, if there was one, has ended */
    return promise_settled(0);
}

static void blocking_free(db *d) { mem_free(d); }

static const database_driver blocking_driver = {
    .run = query, .disconnect = disconnect, .free = blocking_free
};

db *pg_blocking_new(postgres *d)
{
    blocking *b = mem_alloc(sizeof *b);
    *b = (blocking){ .base.driver = &blocking_driver, .shared = d->shared };
    return &b->base;
}
