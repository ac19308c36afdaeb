/* query.c - see query.h. */
#include "query.h"
#include "db/driver.h"
#include "error.h"
#include "rows.h"
#include "server/base/list.h"
#include "server/base/memory.h"

enum { STOPPED_MS = 200 };                   /* for the answer to come, once it is being stopped */

static _Thread_local pool queries = POOL(pg_query);

void pg_query_list_append(pg_query_list *l, pg_query *q)
{
    q->next = NULL;
    q->prev = l->last;
    *(l->last ? &l->last->next : &l->first) = q;
    l->last = q;
    l->count += q->count;
}

void pg_query_list_prepend(pg_query_list *l, pg_query *q)
{
    q->prev = NULL;
    q->next = l->first;
    *(l->first ? &l->first->prev : &l->last) = q;
    l->first = q;
    l->count += q->count;
}

void pg_query_list_remove(pg_query_list *l, pg_query *q)
{
    *(q->prev ? &q->prev->next : &l->first) = q->next;
    *(q->next ? &q->next->prev : &l->last) = q->prev;
    l->count -= q->count;
}

pg_query *pg_query_new(struct pg_pool *p, arena *a, stopwatch *w, rows out[], pg_prepared *prepared, int count,
                       const value parameters[])
{
    pg_query *q = pool_get(&queries);
    q->next = q->prev = NULL;
    q->pool = p;
    q->connection = NULL;
    q->promise = NULL;
    q->arena = a;
    q->watch = w;
    q->out = out;
    q->count = count;
    q->answers = q->successes = 0;
    q->prepared = prepared;
    q->result = NULL;
    q->timer = (timer){ 0 };
    q->outcome = q->verdict = 0;
    q->sends = 0;
    q->lost_at = q->not_before = 0;
    q->aborted = q->anew = q->unconfirmed = false;
    q->alone = !prepared->statement->reads;
    q->each = count == 1 ? &q->parameters : arena_room(a, (size_t)count * sizeof *q->each);
    for (int i = 0; i < count; i++)
        pg_parameters_copy(&q->each[i], prepared->n, &parameters[i * prepared->n], a);
    if (w)
        stopwatch_start(w);
    return q;
}

static void settle_promise(pg_query *q, int err)
{
    if (q->watch)
        stopwatch_stop(q->watch);
    promise_settle(q->promise, err);
    q->promise = NULL;
}

void pg_query_take(pg_query *q, PGresult *r)
{
    q->successes++;
    if (q->count == 1) {
        q->result = r;
        return;
    }
    const int err = q->promise ? pg_rows_give(&q->out[q->answers], q->arena, r, q->prepared->statement) : 0;
    if (!q->promise)
        PQclear(r);
    if (err && !q->outcome)
        q->outcome = err;
}

void pg_query_settle(pg_query *q, int err)
{
    const statement *s = q->prepared->statement;
    timer_stop(&q->timer);
    if (q->promise && ((!err && q->unconfirmed) || (err == UV_ECONNRESET && !s->reads)))
        err = driver_uncertain(s, err ? PG_DOUBT_LOST : PG_DOUBT_STANDBY);
    if (err || !q->promise)
        PQclear(q->result);
    else if (q->count == 1)
        err = pg_rows_give(q->out, q->arena, q->result, s);
    if (q->promise)
        settle_promise(q, err);
    pool_put(&queries, q);
}

static void on_stop_limit(timer *t)
{
    pg_query *q = container_of(t, pg_query, timer);
    const statement *s = q->prepared->statement;
    settle_promise(q, s->reads ? q->verdict : driver_uncertain(s, PG_DOUBT_SILENT));
}

void pg_query_settle_soon(pg_query *q, int verdict)
{
    q->verdict = verdict;
    timer_set(&q->timer, STOPPED_MS, on_stop_limit);
}
