/* query.c - see query.h. */
#include "query.h"
#include "db/driver.h"
#include "error.h"
#include "rows.h"
#include "server/base/list.h"
#include "server/base/memory.h"
#include "server/base/observe/recorder.h"

#include <string.h>

static _Thread_local pool queries = POOL(pg_query);

void pg_query_list_append(pg_query_list *l, pg_query *q)
{
    q->next = NULL;
    q->prev = l->last;
    *(l->last ? &l->last->next : &l->first) = q;
    l->last = q;
    l->count++;
}

void pg_query_list_prepend(pg_query_list *l, pg_query *q)
{
    q->prev = NULL;
    q->next = l->first;
    *(l->first ? &l->first->prev : &l->last) = q;
    l->first = q;
    l->count++;
}

void pg_query_list_remove(pg_query_list *l, pg_query *q)
{
    *(q->prev ? &q->prev->next : &l->first) = q->next;
    *(q->next ? &q->next->prev : &l->last) = q->prev;
    l->count--;
}

static pg_query *query_blank(struct pg_pool *p, arena *a, stopwatch *w, pg_prepared *prepared, int count)
{
    pg_query *q = pool_get(&queries);
    q->next = q->prev = NULL;
    q->pool = p;
    q->connection = NULL;
    q->promise = NULL;
    q->arena = a;
    q->watch = w;
    q->out = NULL;
    q->count = count;
    q->answers = q->successes = 0;
    q->prepared = prepared;
    q->steps = NULL;
    q->heard = NULL;
    q->comment = NULL;
    q->result = NULL;
    q->timer = (timer){ 0 };
    q->since = recorder_clock();
    q->went = 0;
    q->outcome = q->verdict = 0;
    q->sends = 0;
    q->lost_at = q->not_before = 0;
    q->aborted = q->anew = q->unconfirmed = q->unprepared = false;
    q->each = count == 1 ? &q->parameters : arena_room(a, (size_t)count * sizeof *q->each);
    if (w)
        stopwatch_start(w);
    driver_query_begins();
    return q;
}

pg_query *pg_query_new(struct pg_pool *p, arena *a, stopwatch *w, rows out[], pg_prepared *prepared, int count,
                       const value parameters[])
{
    pg_query *q = query_blank(p, a, w, prepared, count);
    q->out = out;
    q->reads = prepared->statement->reads;
    q->alone = !q->reads;
    for (int i = 0; i < count; i++)
        pg_parameters_copy(&q->each[i], prepared->n, driver_parameters_of(i, prepared->n, parameters), a);
    return q;
}

pg_query *pg_query_new_transaction(struct pg_pool *p, arena *a, stopwatch *w, pg_prepared_table *all, int count,
                                   const db_step steps[])
{
    pg_step *own = arena_room(a, (size_t)count * sizeof *own);
    for (int i = 0; i < count; i++)
        own[i] = (pg_step){ pg_prepared_of(all, steps[i].statement, steps[i].n, steps[i].parameters), steps[i].out, NULL };
    pg_query *q = query_blank(p, a, w, own[0].prepared, count);
    q->steps = own;
    q->reads = false;
    q->alone = true;
    for (int i = 0; i < count; i++)
        pg_parameters_copy(&q->each[i], steps[i].n, steps[i].parameters, a);
    return q;
}

static FOR_WATCHERS void query_record_run(const pg_query *q, int err)
{
    recorder_add_detail(&(record){ q->went, recorder_clock(), q->prepared->statement->name, err,
                                   promise_origin_of(q->promise).label, RECORD_QUERY_RAN, (uint8_t)q->lane });
}

static void settle_promise(pg_query *q, int err)
{
    if (q->watch)
        stopwatch_stop(q->watch);
    driver_query_ends(q->prepared->statement, q->since, q->went, promise_is_for(q->promise), err);
    if (q->went && recorder_is_watched())
        query_record_run(q, err);
    promise_settle(q->promise, err);
    q->promise = NULL;
}

void pg_query_take(pg_query *q, PGresult *r)
{
    q->successes++;
    if (q->steps || q->count == 1) {
        *(q->steps ? &q->steps[q->answers].result : &q->result) = r;
        return;
    }
    const int err = q->promise ? pg_rows_give(&q->out[q->answers], q->arena, r, q->prepared->statement, !q->reads) : 0;
    if (!q->promise)
        PQclear(r);
    if (err && !q->outcome)
        q->outcome = err;
}

void pg_query_forget(pg_query *q)
{
    PQclear(q->result);
    q->result = NULL;
    for (int i = 0; q->steps && i < q->count; i++) {
        PQclear(q->steps[i].result);
        q->steps[i].result = NULL;
    }
}

static int give_steps(pg_query *q)
{
    int err = 0;
    for (int i = 0; i < q->count && !err; i++) {
        pg_step *step = &q->steps[i];
        if (step->out) {
            err = pg_rows_give(step->out, q->arena, step->result, step->prepared->statement, true);
            step->result = NULL;
        }
    }
    pg_query_forget(q);
    return err;
}

static void tell_channels(const pg_query *q)
{
    for (int i = 0; i < (q->steps ? q->count : 1); i++)
        channels_tell(q->heard, pg_query_prepared(q, i)->statement->tells);
}

void pg_query_settle(pg_query *q, int err)
{
    const statement *s = q->prepared->statement;
    timer_stop(&q->timer);
    if (!q->reads && (!err || err == UV_ECONNRESET))         /* it is committed, or may be */
        tell_channels(q);
    if (q->promise && ((!err && q->unconfirmed) || (err == UV_ECONNRESET && !q->reads)))
        err = driver_uncertain(s, err ? PG_DOUBT_LOST : PG_DOUBT_STANDBY);
    if (err || !q->promise)
        pg_query_forget(q);
    else if (q->steps)
        err = give_steps(q);
    else if (q->count == 1)
        err = pg_rows_give(q->out, q->arena, q->result, s, !q->reads);
    if (q->promise)
        settle_promise(q, err);
    else
        mem_free(q->steps);
    pool_put(&queries, q);
}

/* Whoever waits may end, and with it the arena, but the server has yet to answer. */
static void outlive_arena(pg_query *q)
{
    if (!q->steps)
        return;
    const size_t size = (size_t)q->count * sizeof *q->steps;
    q->steps = memcpy(mem_alloc(size), q->steps, size);
}

static void on_stop_limit(timer *t)
{
    pg_query *q = container_of(t, pg_query, timer);
    outlive_arena(q);
    settle_promise(q, q->reads ? q->verdict : driver_uncertain(q->prepared->statement, PG_DOUBT_SILENT));
}

void pg_query_settle_soon(pg_query *q, int verdict, uint64_t ms)
{
    q->verdict = verdict;
    timer_set(&q->timer, ms, on_stop_limit);
}
