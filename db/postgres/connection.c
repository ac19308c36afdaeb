/* connection.c - see connection.h.
 *
 * An attempt to connect ends with an answer to a first Sync: a pooler signs in whom it has no server for, and
 * a query on such a connection would wait for one of ours to be closed, while others are idle. */
#include "connection.h"
#include "error.h"
#include "server/base/list.h"
#include "server/base/observe/shard.h"

#include <string.h>

enum { TICK_MS = 100, MAX_TICKS = 10 };      /* between cancel requests; until the connection is given up */

static const uint64_t BRIEF = 1000000000;    /* after a connection that lasts less than this the next one waits */

/* Its state is about to be another. */
static void connection_close(pg_connection *c)
{
    if (c->state == PG_CONNECTION_UP)
        shard_add(SHARD_DATABASE_CONNECTIONS, -1);
    timer_stop(&c->timer);
    if (c->cancel)
        pg_cancel_forget(c->cancel);
    if (c->attempt)
        pg_attempt_abandon(c->attempt);
    c->cancel = NULL;
    c->attempt = NULL;
    pg_handle_close(&c->poll);               /* before PQfinish: libuv must not watch a closed socket */
    PQfinish(c->pipeline.pg);
    c->pipeline.pg = NULL;
    pg_prepared_names_forget(&c->pipeline.names);
}

static void on_backoff_over(timer *t) { pg_connection_open(container_of(t, pg_connection, timer)); }

static void connect_later(pg_connection *c, bool later)
{
    const pg_pool *p = c->pool;
    bool spare = false;
    c->state = PG_CONNECTION_WAITING;
    for (int i = 0; i < p->options->connections; i++)
        spare = spare || p->connections[i].state == PG_CONNECTION_UP;
    timer_set(&c->timer, pg_backoff(&c->backoff, later, spare), on_backoff_over);
}

static void connect_failed(pg_connection *c, const char *why)
{
    pg_pool *p = c->pool;
    char reason[256];
    pg_reason_copy_of_connect(why, reason, sizeof reason);
    connection_close(c);
    const bool again = c->served;
    c->served = false;
    c->failed = !again;
    connect_later(c, !again);
    pg_outage_log_begin(&p->outage, "cannot connect", reason);
    for (int i = 0; i < p->options->connections; i++)
        if (!p->connections[i].failed)
            return;
    pg_pool_is_down(p, reason);
}

static void connection_lost(pg_connection *c, const char *why)
{
    pg_pool *p = c->pool;
    char reason[256];
    pg_reason_copy(why, reason, sizeof reason);
    c->first_host += (c->pipeline.leaving != NULL) + pg_reason_is_timeout(reason);
    connection_close(c);
    shard_add(SHARD_DATABASE_LOST, 1);
    c->state = p->closing ? PG_CONNECTION_SHUT : PG_CONNECTION_WAITING;
    pg_pipeline_lost(&c->pipeline);
    if (p->closing) {
        pg_pool_connection_shut(p);
        return;
    }
    pg_outage_log_begin(&p->outage, "lost a connection", reason);
    connect_later(c, uv_hrtime() - c->up_since < BRIEF);
}

/* Either what the server said before it hung up, or what libpq says. */
static void connection_broken(pg_connection *c)
{
    const pg_pipeline *p = &c->pipeline;
    connection_lost(c, *p->last_words ? p->last_words : PQerrorMessage(p->pg));
}

static void on_cancel_end(pg_connection *c);
static void on_tick(timer *t);

static void send_cancel(pg_connection *c)
{
    if (!c->cancel)
        c->cancel = pg_cancel_send(c->pipeline.pg, c->pool, on_cancel_end, c);
}

static void stop_head(pg_connection *c)
{
    c->pipeline.held = true;
    c->ticks = 0;
    send_cancel(c);
    timer_set(&c->timer, TICK_MS, on_tick);
}

/* Until nothing new can be hit by a cancel request. */
static void wait_for_cancel(pg_connection *c)
{
    const pg_query *head = c->pipeline.queries.first;
    if (c->cancel || (head && head->verdict)) {
        timer_set(&c->timer, TICK_MS, on_tick);
        return;
    }
    timer_stop(&c->timer);
    c->ticks = 0;
    if (!head) {
        c->pipeline.held = false;
        pg_pool_schedule(c->pool);
    }
}

/* A request may have come before its query had even started: then another one is sent. */
static void on_tick(timer *t)
{
    pg_connection *c = container_of(t, pg_connection, timer);
    if (++c->ticks >= MAX_TICKS) {
        c->first_host++;
        connection_lost(c, "the server does not answer a cancel request");
        return;
    }
    send_cancel(c);
    wait_for_cancel(c);
}

static void on_cancel_end(pg_connection *c)
{
    c->cancel = NULL;
    wait_for_cancel(c);
}

void pg_connection_stop(pg_connection *c, pg_query *q, int verdict)
{
    if (q->verdict)
        return;
    pg_query_settle_soon(q, verdict, database_stop_timeout_ms(c->pool->options));
    if (c->pipeline.queries.first == q)
        stop_head(c);
}

static void on_event(uv_poll_t *poll, int status, int events);

/* Reading stays armed; writing is asked for only while the socket is full. */
static void write_out(pg_connection *c)
{
    pg_pipeline *p = &c->pipeline;
    const int left = PQflush(p->pg);
    if (left < 0) {
        connection_lost(c, PQerrorMessage(p->pg));
        return;
    }
    if (left || p->unflushed)
        uv_poll_start(&c->poll->uv.poll, UV_READABLE | (left ? UV_WRITABLE : 0), on_event);
    p->unflushed = left;
}

void pg_connection_flush(pg_connection *c)
{
    pg_pipeline *p = &c->pipeline;
    if (!p->unflushed)
        return;
    const int left = p->unsynced && !pg_pipeline_sync(p) ? -1 : PQflush(p->pg);
    p->unflushed = left > 0;
    if (left > 0)
        uv_poll_start(&c->poll->uv.poll, UV_READABLE | UV_WRITABLE, on_event);
    else if (left < 0)
        connection_lost(c, PQerrorMessage(p->pg));
}

void pg_connection_send(pg_connection *c, pg_query *q)
{
    if (!pg_pipeline_send(&c->pipeline, c, q))
        connection_lost(c, PQerrorMessage(c->pipeline.pg));
}

static void head_left(pg_connection *c)
{
    const pg_query *head = c->pipeline.queries.first;
    if (head && head->verdict)
        stop_head(c);
    else if (c->pipeline.held)
        wait_for_cancel(c);
    if (c->pool->queue.first)
        pg_pool_schedule(c->pool);
}

static void read_in(pg_connection *c)
{
    pg_pipeline *p = &c->pipeline;
    const bool alive = PQconsumeInput(p->pg);
    const uint64_t now = uv_hrtime();
    int nothing = 0;

    while (p->queries.first && !PQisBusy(p->pg) && nothing < 3) {
        PGresult *r = PQgetResult(p->pg);
        if (!r) {                            /* one ends each query's results; more are a broken connection */
            nothing++;
            continue;
        }
        nothing = 0;
        const pg_answer answer = pg_pipeline_take(p, r, now);
        if (answer == PG_ANSWER_BROKEN) {
            connection_broken(c);
            return;
        }
        if (answer == PG_ANSWER_LAST)
            head_left(c);
    }
    if (!p->queries.first && alive)
        PQisBusy(p->pg);                     /* parses what the server says unasked */
    if (!alive || *p->last_words || PQstatus(p->pg) == CONNECTION_BAD || nothing == 3)
        connection_broken(c);
    else if (p->leaving && !p->queries.first)
        connection_lost(c, p->leaving);
    else if (c->pool->closing && !p->queries.first)
        pg_connection_shut(c);
}

/* What one can do, the others can: they do not wait. */
static void connection_up(pg_connection *c)
{
    pg_pool *p = c->pool;
    bool whole = true;
    timer_stop(&c->timer);
    c->state = PG_CONNECTION_UP;
    shard_add(SHARD_DATABASE_CONNECTIONS, 1);
    shard_add(SHARD_DATABASE_CONNECTED, 1);
    c->failed = c->pipeline.held = c->pipeline.unsynced = c->pipeline.unflushed = c->pipeline.head_prepared = false;
    c->pipeline.leaving = NULL;
    c->served = true;
    c->silences = 0;
    c->up_since = uv_hrtime();
    for (int i = 0; i < p->options->connections; i++) {
        pg_connection *other = &p->connections[i];
        if (other->state == PG_CONNECTION_WAITING)
            timer_set(&other->timer, 0, on_backoff_over);
        whole = whole && other->state == PG_CONNECTION_UP;
    }
    pg_pool_is_up(p, whole);
}

static void take_proof(pg_connection *c)
{
    const pg_pipeline *p = &c->pipeline;
    const bool alive = PQconsumeInput(p->pg);
    PGresult *r = alive && !PQisBusy(p->pg) ? PQgetResult(p->pg) : NULL;
    if (PQresultStatus(r) == PGRES_PIPELINE_SYNC)
        connection_up(c);
    else if (r || !alive || *p->last_words || PQstatus(p->pg) == CONNECTION_BAD)
        connect_failed(c, *p->last_words ? p->last_words : r ? PQresultErrorMessage(r) : PQerrorMessage(p->pg));
    PQclear(r);
}

static void on_event(uv_poll_t *poll, int status, int events)
{
    pg_connection *c = poll->data;
    loop_enter();
    if (c->state == PG_CONNECTION_PROVING)
        take_proof(c);
    else if (status < 0) {                   /* libuv watches it no longer, and libpq knows why */
        PQconsumeInput(c->pipeline.pg);
        connection_broken(c);
    } else {
        if (events & UV_WRITABLE || c->pipeline.unflushed)
            write_out(c);
        if (c->poll && &c->poll->uv.poll == poll)            /* still the same connection */
            read_in(c);
    }
    loop_leave();
}

static void on_attempt_end(pg_connection *c, PGconn *pg, uint64_t since, const char *why)
{
    c->attempt = NULL;
    if (!pg) {
        connect_failed(c, why);
        return;
    }
    c->pipeline.alive_at = since;            /* it may have broken since, and be up for us later */
    c->state = PG_CONNECTION_PROVING;
    if (!pg_pipeline_begin(&c->pipeline, pg) ||
        pg_handle_poll(&c->poll, c->pool, PQsocket(pg), UV_READABLE, on_event, c))
        connect_failed(c, "cannot watch the connection");
}

static void on_connect_timeout(timer *t)
{
    pg_connection *c = container_of(t, pg_connection, timer);
    c->first_host++;
    c->silences++;
    c->served = false;
    connect_failed(c, "no answer within the connect timeout");
}

void pg_connection_open(pg_connection *c)
{
    const uint64_t timeout = pg_target_connect_timeout(c->pool->target, c->silences);
    c->state = PG_CONNECTION_CONNECTING;
    if (timeout)
        timer_set(&c->timer, timeout, on_connect_timeout);
    c->attempt = pg_attempt_new(c->pool, on_attempt_end, c);
    pg_attempt_start(c->attempt, c->first_host);
}

bool pg_connection_is_usable(const pg_connection *c)
{
    const pg_pipeline *p = &c->pipeline;
    return c->state == PG_CONNECTION_UP && !p->held && !p->leaving &&
           p->queries.count < c->pool->options->pipeline_depth;
}

void pg_connection_leave(pg_connection *c, const char *why)
{
    c->pipeline.leaving = why;
    if (!c->pipeline.queries.first)
        connection_lost(c, why);
}

/* The answers to what is cancelled shut it, or else its timer. */
void pg_connection_shut(pg_connection *c)
{
    if (c->state == PG_CONNECTION_UP && c->pipeline.queries.first) {
        for (pg_query *q = c->pipeline.queries.first; q; q = q->next)
            if (!q->verdict)
                q->verdict = UV_ECANCELED;
        stop_head(c);
        return;
    }
    connection_close(c);
    c->state = PG_CONNECTION_SHUT;
    pg_pool_connection_shut(c->pool);
}

void pg_connection_init(pg_connection *c, pg_pool *p)
{
    c->pool = c->pipeline.pool = p;
}

void pg_connection_done(pg_connection *c) { pg_prepared_names_done(&c->pipeline.names); }
