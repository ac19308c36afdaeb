/* query.c - one db_query: parameters as the wire wants them, its clock, its outcome. */
#include "postgres.h"
#include "server/base/log.h"
#include "server/base/memory.h"

const int pg_binary[MAX_PARAMETERS] = { 1, 1, 1, 1, 1, 1, 1, 1 };

enum { STOPPED_MS = 200 };                   /* how long one waits for the answer, once it is being stopped */

static _Thread_local pool queries = POOL(pg_query);

void pg_list_append(pg_list *l, pg_query *q)
{
    q->next = NULL;
    q->prev = l->last;
    *(l->last ? &l->last->next : &l->first) = q;
    l->last = q;
    l->count++;
}

void pg_list_prepend(pg_list *l, pg_query *q)
{
    q->prev = NULL;
    q->next = l->first;
    *(l->first ? &l->first->prev : &l->last) = q;
    l->first = q;
    l->count++;
}

void pg_list_remove(pg_list *l, pg_query *q)
{
    *(q->prev ? &q->prev->next : &l->first) = q->next;
    *(q->next ? &q->next->prev : &l->last) = q->prev;
    l->count--;
}

/* The server reads no message longer than 1 GB, and takes a longer one for the end of the connection. */
bool pg_fits(const statement *s, int n, const value parameters[])
{
    enum { LARGEST = 1000000000 };
    size_t left = LARGEST;
    for (int i = 0; i < n; i++) {
        const size_t length = parameters[i].type == VALUE_TEXT ? parameters[i].text.length : 0;
        if (length > left) {
            log_error("postgres: %s: its parameters are longer than %d bytes", s->name, LARGEST);
            return false;
        }
        left -= length;
    }
    return true;
}

int pg_encode(const value *v, arena *a, int64_t *room, const char **at)
{
    switch (v->type) {
    case VALUE_INTEGER:
        *room = (int64_t)__builtin_bswap64((uint64_t)v->integer);
        *at = (const char *)room;
        return sizeof *room;
    case VALUE_TEXT:
        *at = arena_copy(a, v->text);
        return (int)v->text.length;
    default:
        *at = NULL;
        return 0;
    }
}

static void cancel(promise *p, void *arg)
{
    (void)p;
    pg_query_stop(arg, UV_ECANCELED);
}

pg_query *pg_query_new(pg_pool *p, arena *a, stopwatch *w, rows *out, pg_statement *plan, const value parameters[])
{
    pg_query *q = pool_get(&queries);
    q->next = q->prev = NULL;
    q->pool = p;
    q->link = NULL;
    q->promise = promise_new(cancel, q);
    q->arena = a;
    q->watch = w;
    q->out = out;
    q->plan = plan;
    q->result = NULL;
    q->timer = (timer){ 0 };
    q->outcome = q->verdict = 0;
    q->sends = 0;
    q->lost_at = q->not_before = 0;
    q->aborted = q->anew = q->unconfirmed = false;
    q->alone = !plan->statement->reads;
    for (int i = 0; i < plan->n; i++)
        q->lengths[i] = pg_encode(&parameters[i], a, &q->integers[i], &q->values[i]);
    if (w)
        stopwatch_start(w);
    return q;
}

/* By the function that says so: the words are in the server's language. */
bool pg_unconfirms(const PGresult *notice)
{
    const char *function = PQresultErrorField(notice, PG_DIAG_SOURCE_FUNCTION);
    return function && strcmp(function, "SyncRepWaitForLSN") == 0;
}

static void tell(pg_query *q, int err)
{
    if (q->watch)
        stopwatch_stop(q->watch);
    promise_settle(q->promise, err);
    q->promise = NULL;
}

void pg_query_settle(pg_query *q, int err)
{
    const statement *s = q->plan->statement;
    timer_stop(&q->timer);
    if (q->promise && ((!err && q->unconfirmed) || (err == UV_ECONNRESET && !s->reads)))
        err = driver_uncertain(s, err ? PG_LOST : PG_UNCONFIRMED);
    if (err || !q->promise)
        PQclear(q->result);
    else
        err = pg_rows_give(q->out, q->arena, q->result, s);
    if (q->promise)
        tell(q, err);
    pool_put(&queries, q);
}

/* It stays in the pipeline, whose answers are told apart by their order. */
static void rang(timer *t)
{
    pg_query *q = (pg_query *)((char *)t - offsetof(pg_query, timer));
    const statement *s = q->plan->statement;
    tell(q, s->reads ? q->verdict : driver_uncertain(s, PG_SILENT));
}

/* One that has been sent is drained before it settles: the server's answer decides, and a success
 * that comes all the same is one. But nobody waits long for a server that has fallen silent. */
void pg_query_stop(pg_query *q, int verdict)
{
    if (!q->link) {
        pg_list_remove(&q->pool->line, q);
        pg_query_settle(q, verdict);
        return;
    }
    if (q->verdict)
        return;
    q->verdict = verdict;
    timer_set(&q->timer, STOPPED_MS, rang);
    if (q->link->pipeline.first == q)
        pg_link_stop_head(q->link);
}
