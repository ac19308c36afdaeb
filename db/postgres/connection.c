/* connection.c - one connection while it is up: its socket, the cancelling of what it runs, its loss.
 *
 * A cancel request names a connection, not a query. So from when one is sent the link is held: it takes
 * nothing new until the request has been delivered and the pipeline is empty. What was in the pipeline
 * and is hit in another's place is sent again. */
#include "postgres.h"
#include "server/base/log.h"
#include "server/base/memory.h"

#include <string.h>

enum { TICK_MS = 100, PATIENT_TICKS = 10 };  /* between cancel requests; until the link is given up */

static const uint64_t BRIEF = 1000000000;    /* a link that lasts less than this waits before the next */

bool pg_link_usable(const pg_connection *l)
{
    return l->state == PG_UP && !l->held && !l->leaving && l->pipeline.count < l->pool->options->pipeline_depth;
}

pg_connection *pg_link_of(uv_poll_t *poll)
{
    pg_pool *p = poll->data;
    for (int i = 0; i < p->options->connections; i++)
        if (p->links[i].poll == poll)
            return &p->links[i];
    return NULL;
}

static void on_event(uv_poll_t *poll, int status, int events);

/* Reading stays armed; writing is asked for only while the socket is full. */
static void write_out(pg_connection *l)
{
    const int left = PQflush(l->pg);
    if (left < 0) {
        pg_link_lost(l, PQerrorMessage(l->pg));
        return;
    }
    if (left || l->unflushed)
        uv_poll_start(l->poll, UV_READABLE | (left ? UV_WRITABLE : 0), on_event);
    l->unflushed = left;
}

void pg_link_flush(pg_connection *l)
{
    const int left = l->unsynced && !pg_pipeline_sync(l) ? -1 : PQflush(l->pg);
    l->unflushed = left > 0;
    if (left > 0)
        uv_poll_start(l->poll, UV_READABLE | UV_WRITABLE, on_event);
    else if (left < 0)
        pg_link_lost(l, PQerrorMessage(l->pg));
}

static void tick(timer *t);

void pg_link_wait_for_cancel(pg_connection *l)
{
    const pg_query *head = l->pipeline.first;
    if (l->cancel || (head && head->verdict)) {
        timer_set(&l->timer, TICK_MS, tick);
        return;
    }
    timer_stop(&l->timer);
    l->ticks = 0;
    if (!head) {
        l->held = false;
        pg_pool_schedule(l->pool);
    }
}

/* A request may have come before its query had even started: then another one is sent. */
static void tick(timer *t)
{
    pg_connection *l = (pg_connection *)((char *)t - offsetof(pg_connection, timer));
    if (++l->ticks >= PATIENT_TICKS) {
        l->first_host++;
        pg_link_lost(l, "the server does not answer a cancel request");
        return;
    }
    if (!l->cancel)
        l->cancel = pg_cancel_send(l);
    pg_link_wait_for_cancel(l);
}

void pg_link_stop_head(pg_connection *l)
{
    l->held = true;
    l->ticks = 0;
    if (!l->cancel)
        l->cancel = pg_cancel_send(l);
    timer_set(&l->timer, TICK_MS, tick);
}

void pg_link_cancelled(pg_connection *l)
{
    l->cancel = NULL;
    pg_link_wait_for_cancel(l);
}

static void read_in(pg_connection *l)
{
    const bool alive = PQconsumeInput(l->pg);
    const uint64_t now = uv_hrtime();
    int nothing = 0;

    while (l->pipeline.first && !PQisBusy(l->pg) && nothing < 3) {
        PGresult *r = PQgetResult(l->pg);
        if (!r) {                            /* one ends each query's results; more are a broken connection */
            nothing++;
            continue;
        }
        nothing = 0;
        if (pg_pipeline_take(l, r, now)) {
            pg_link_lost(l, l->last_words);
            return;
        }
    }
    if (!l->pipeline.first && alive)
        PQisBusy(l->pg);                     /* parses what the server says unasked */
    if (!alive || *l->last_words || PQstatus(l->pg) == CONNECTION_BAD || nothing == 3)
        pg_link_lost(l, *l->last_words ? l->last_words : PQerrorMessage(l->pg));
    else if (l->leaving && !l->pipeline.first)
        pg_link_lost(l, l->leaving);
    else if (l->pool->closing && !l->pipeline.first)
        pg_link_shut(l);
}

static void up(pg_connection *l)
{
    timer_stop(&l->timer);
    l->state = PG_UP;
    l->failed = l->held = l->unsynced = l->unflushed = l->head_prepared = false;
    l->leaving = NULL;
    l->served = true;
    l->silences = 0;
    l->up_since = uv_hrtime();
    pg_pool_recovered(l->pool);
}

static void take_proof(pg_connection *l)
{
    const bool alive = PQconsumeInput(l->pg);
    PGresult *r = alive && !PQisBusy(l->pg) ? PQgetResult(l->pg) : NULL;
    const bool proven = PQresultStatus(r) == PGRES_PIPELINE_SYNC;
    if (proven)
        up(l);
    else if (r || !alive || *l->last_words || PQstatus(l->pg) == CONNECTION_BAD)
        pg_connect_failed(l, *l->last_words ? l->last_words : r ? PQresultErrorMessage(r) : PQerrorMessage(l->pg));
    PQclear(r);
}

static void take_event(uv_poll_t *poll, int status, int events)
{
    pg_connection *l = pg_link_of(poll);
    if (l->state == PG_PROVING) {
        take_proof(l);
        return;
    }
    if (status < 0) {                        /* libuv watches it no longer, and libpq knows why */
        PQconsumeInput(l->pg);
        pg_link_lost(l, *l->last_words ? l->last_words : PQerrorMessage(l->pg));
        return;
    }
    if (events & UV_WRITABLE || l->unflushed)
        write_out(l);
    if (l->poll == poll)                     /* still the same connection */
        read_in(l);
}

static void on_event(uv_poll_t *poll, int status, int events)
{
    loop_enter();
    take_event(poll, status, events);
    loop_leave();
}

static void on_notice(void *arg, const PGresult *r)
{
    pg_connection *l = arg;
    const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *primary = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    if (!primary)
        return;
    if (pg_unconfirms(r) && l->pipeline.first)
        l->pipeline.first->unconfirmed = true;
    if (severity && strcmp(severity, "FATAL") == 0)
        pg_reason(primary, l->last_words, sizeof l->last_words);
    log_debug("postgres: %s: %s", severity ? severity : "notice", primary);
}

void pg_link_prove(pg_connection *l)
{
    PQsetNoticeReceiver(l->pg, on_notice, l);
    l->last_words[0] = '\0';
    l->role = pg_role_now(l->pg);            /* now: it may change while we ask */
    l->poll = mem_alloc(sizeof *l->poll);
    if (PQsetnonblocking(l->pg, 1) || !PQenterPipelineMode(l->pg) || !PQpipelineSync(l->pg) || PQflush(l->pg) ||
        uv_poll_init(loop_here(), l->poll, PQsocket(l->pg))) {
        mem_free(l->poll);
        l->poll = NULL;
        pg_connect_failed(l, "cannot watch the connection");
        return;
    }
    pg_handle_opened(l->pool, l->poll);
    uv_poll_start(l->poll, UV_READABLE, on_event);
    l->state = PG_PROVING;
}

void pg_link_close_poll(pg_connection *l)
{
    if (l->poll)
        pg_handle_close(l->poll);            /* before PQfinish: libuv must not watch a closed socket */
    l->poll = NULL;
}

static void let_go(pg_connection *l)
{
    timer_stop(&l->timer);
    if (l->cancel)
        pg_cancel_forget(l->cancel);
    l->cancel = NULL;
    pg_connect_end(l);
    pg_link_close_poll(l);
    PQfinish(l->pg);
    l->pg = NULL;
    pg_names_forget(&l->names);
}

/* A write goes again only if the server has said that it did not happen, and else is nobody's to judge. */
static void settle_or_send_elsewhere(pg_connection *l, pg_query *q)
{
    const bool reads = q->plan->statement->reads, undone = q->aborted || q->outcome;
    const int verdict = q->verdict ? q->verdict : l->pool->closing ? UV_ECANCELED : 0;
    if (reads && q->result)
        pg_query_settle(q, 0);
    else if (!reads && !undone)
        pg_query_settle(q, UV_ECONNRESET);
    else if (verdict)
        pg_query_settle(q, verdict);
    else if (undone && !q->aborted)
        pg_query_settle(q, q->outcome);
    else if (q->lost_at || q->sends >= PG_MOST_SENDS)
        pg_query_settle(q, q->outcome ? q->outcome : undone ? UV_EAGAIN : UV_ECONNRESET);
    else {
        q->lost_at = uv_hrtime();
        pg_pool_requeue(l->pool, q);
    }
}

void pg_link_lost(pg_connection *l, const char *why)
{
    pg_pool *p = l->pool;
    char reason[256];
    pg_reason(why, reason, sizeof reason);
    l->first_host += pg_timed_out(reason);
    let_go(l);
    l->state = p->closing ? PG_SHUT : PG_WAITING;
    l->load = 0;
    l->unflushed = l->unsynced = l->held = false;

    for (pg_query *q; (q = l->pipeline.last);) {     /* from the last, for each goes before all others */
        pg_list_remove(&l->pipeline, q);
        settle_or_send_elsewhere(l, q);
    }
    if (p->closing) {
        pg_pool_check_closed(p);
        return;
    }
    pg_journal_trouble(&p->journal, "lost a connection", reason);
    pg_connect_again(l, uv_hrtime() - l->up_since < BRIEF);
}

void pg_link_leave(pg_connection *l, const char *why)
{
    l->leaving = why;
    if (!l->pipeline.first)
        pg_link_lost(l, why);
}

/* What still runs is cancelled; the answers close the link, or else its timer. */
void pg_link_shut(pg_connection *l)
{
    if (l->state == PG_UP && l->pipeline.first) {
        for (pg_query *q = l->pipeline.first; q; q = q->next)
            if (!q->verdict)
                q->verdict = UV_ECANCELED;
        pg_link_stop_head(l);
        return;
    }
    let_go(l);
    l->state = PG_SHUT;
    pg_pool_check_closed(l->pool);
}
