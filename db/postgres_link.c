/* postgres_link.c - one connection in pipeline mode: what is sent, what comes back, and its loss.
 *
 *     Parse? Bind Execute | Parse? Bind Execute | ... Sync        reads of one turn share a Sync
 *     Parse? Bind Execute Sync                                    a write has its own
 *
 * All up to a Sync is one implicit transaction, and an error skips the rest of it: reads that another's
 * error has skipped are sent again, each with a Sync of its own. A query leaves the pipeline with its
 * result, or with the Sync behind it, which is when a write is committed.
 *
 * A cancel request names a connection, not a query. So from when one is sent the link is held: it takes
 * nothing new until the request has been delivered and the pipeline is empty. What was in the pipeline
 * and is hit in another's place is sent again if it reads. */
#include "postgres.h"
#include "server/log.h"
#include "server/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TICK_MS = 100, PATIENT_TICKS = 10 };  /* between cancel requests; until the link is given up */

static const uint64_t BRIEF = 1000000000;    /* a link that lasts less than this waits before the next */

bool pg_link_usable(const pg_link *l)
{
    return l->state == PG_UP && !l->held && l->pipeline.count < l->pool->options->pipeline_depth;
}

static void sync_pipeline(pg_link *l)
{
    l->unsynced = false;
    l->pipeline.last->syncs = true;
#ifdef LIBPQ_HAS_SEND_PIPELINE_SYNC
    PQsendPipelineSync(l->pg);
#else
    PQpipelineSync(l->pg);                   /* flushes, and a failure shows in the next PQflush */
#endif
}

static void forget_statement(pg_link *l, const pg_plan *plan)
{
    mem_free(l->known[plan->index]);
    l->known[plan->index] = NULL;
}

/* Each Parse gets a new name: one that the server may or may not have accepted is never reused. */
static const char *prepared(pg_link *l, pg_query *q)
{
    const pg_plan *plan = q->plan;
    if (plan->index >= l->known_size) {
        l->known = mem_resize(l->known, (size_t)(plan->index + 16) * sizeof *l->known);
        memset(l->known + l->known_size, 0, (size_t)(plan->index + 16 - l->known_size) * sizeof *l->known);
        l->known_size = plan->index + 16;
    }
    if (!l->known[plan->index]) {
        char name[64];
        Oid oids[MAX_PARAMETERS];
        snprintf(name, sizeof name, "%u_%s", ++l->names, plan->statement->name);
        l->known[plan->index] = mem_copy(name);
        pg_oids(plan, oids);
        q->prepares = true;
        PQsendPrepare(l->pg, name, plan->statement->sql, plan->n, oids);
    }
    return l->known[plan->index];
}

/* That sending fails for want of a connection shows in pg_link_flush. */
void pg_link_send(pg_link *l, pg_query *q)
{
    const pg_plan *plan = q->plan;
    if (q->alone && l->unsynced)
        sync_pipeline(l);
    q->link = l;
    q->prepares = q->syncs = false;
    q->sends++;
    if (l->pool->options->prepare) {
        const char *name = prepared(l, q);
        PQsendQueryPrepared(l->pg, name, plan->n, q->values, q->lengths, pg_binary, 1);
    } else {
        Oid oids[MAX_PARAMETERS];
        pg_oids(plan, oids);
        PQsendQueryParams(l->pg, plan->statement->sql, plan->n, oids, q->values, q->lengths, pg_binary, 1);
    }
    if (!l->pipeline.first)
        l->head_since = q->sent;
    q->expected = plan->usual;
    l->load += q->expected;
    pg_list_append(&l->pipeline, q);
    l->unsynced = l->unflushed = true;
    if (q->alone)
        sync_pipeline(l);
}

static void on_event(uv_poll_t *poll, int status, int events);

static pg_link *link_of(uv_poll_t *poll)
{
    pg_pool *p = poll->data;
    for (int i = 0; i < p->options->connections; i++)
        if (p->links[i].poll == poll)
            return &p->links[i];
    return NULL;
}

/* Reading stays armed; writing is asked for only while the socket is full. */
static void write_out(pg_link *l)
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

void pg_link_flush(pg_link *l)
{
    if (l->unsynced)
        sync_pipeline(l);
    const int left = PQflush(l->pg);
    l->unflushed = left > 0;
    if (left > 0)
        uv_poll_start(l->poll, UV_READABLE | UV_WRITABLE, on_event);
    else if (left < 0)
        pg_link_lost(l, PQerrorMessage(l->pg));
}

static void tick(timer *t);

static void wait_for_cancel(pg_link *l)
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
    pg_link *l = (pg_link *)((char *)t - offsetof(pg_link, timer));
    if (++l->ticks >= PATIENT_TICKS) {
        pg_link_lost(l, "the server does not answer a cancel request");
        return;
    }
    if (!l->cancel)
        l->cancel = pg_cancel_send(l);
    wait_for_cancel(l);
}

void pg_link_stop_head(pg_link *l)
{
    l->held = true;
    l->ticks = 0;
    if (!l->cancel)
        l->cancel = pg_cancel_send(l);
    timer_set(&l->timer, TICK_MS, tick);
}

void pg_link_cancelled(pg_link *l)
{
    l->cancel = NULL;
    wait_for_cancel(l);
}

static void settle_or_resend(pg_link *l, pg_query *q)
{
    const bool reads = q->plan->statement->reads;
    if (q->outcome == 0 && q->result)
        pg_query_settle(q, 0);
    else if (q->verdict)
        pg_query_settle(q, q->verdict);
    else if (q->aborted && reads && q->sends < 3) {
        q->alone = true;
        pg_pool_requeue(l->pool, q);
    } else
        pg_query_settle(q, q->aborted ? UV_EAGAIN : q->outcome);
}

static void pop_head(pg_link *l, uint64_t now)
{
    pg_query *q = l->pipeline.first;
    const int64_t took = (int64_t)(now - (q->sent > l->head_since ? q->sent : l->head_since));

    pg_list_remove(&l->pipeline, q);
    l->load -= q->expected;
    l->head_since = l->alive_at = now;
    l->head_prepared = false;
    if (!q->aborted)
        q->plan->usual = (uint64_t)((int64_t)q->plan->usual + (took - (int64_t)q->plan->usual) / 8);
    settle_or_resend(l, q);
    if (l->pipeline.first && l->pipeline.first->verdict)
        pg_link_stop_head(l);
    else if (l->held)
        wait_for_cancel(l);
    if (l->pool->line.first)
        pg_pool_schedule(l->pool);
}

/* What an error means for the head of the pipeline. True if it ends the connection. */
static bool on_error(pg_link *l, pg_query *q, const PGresult *r)
{
    const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);

    if (!severity || !state || strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0) {
        pg_reason(primary ? primary : PQresultErrorMessage(r), l->last_words, sizeof l->last_words);
        return true;
    }
    PQclear(q->result);                      /* an error at the Sync undoes a result */
    q->result = NULL;
    q->outcome = DB_EQUERY;
    if (strcmp(state, "57014") == 0) {       /* query_canceled */
        const uint64_t timeout = l->pool->options->timeout_ms;
        if (q->verdict)
            return false;
        if (l->held) {                       /* meant for another */
            q->aborted = true;
            return false;
        }
        if (timeout && uv_hrtime() - q->sent >= timeout * 1000000) {
            q->outcome = UV_ETIMEDOUT;       /* statement_timeout was first */
            return false;
        }
    }
    /* The plan changed under the prepared statement, or a pooler does not know it: not yet executed. */
    if (strcmp(state, "0A000") == 0 || strcmp(state, "26000") == 0) {
        forget_statement(l, q->plan);
        q->aborted = q->plan->statement->reads && q->sends == 1;
        if (q->aborted)
            return false;
    }
    if (strcmp(state, "53100") == 0)         /* disk_full */
        q->outcome = UV_ENOSPC;
    char line[256];
    snprintf(line, sizeof line, "postgres: %s: %s (%s)", q->plan->statement->name, primary ? primary : "", state);
    pg_pool_log(l->pool, line);
    return false;
}

/* True if it ends the connection. Takes r. */
static bool on_result(pg_link *l, PGresult *r, uint64_t now)
{
    pg_query *q = l->pipeline.first;
    const ExecStatusType status = PQresultStatus(r);
    const bool parse = q->prepares && !l->head_prepared;
    bool ends = false;

    switch (status) {
    case PGRES_PIPELINE_SYNC:
        PQclear(r);
        pop_head(l, now);
        return false;
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        if (parse) {
            PQclear(r);
            l->head_prepared = true;
            return false;
        }
        q->result = r;
        break;
    case PGRES_PIPELINE_ABORTED:
        if (!q->outcome)
            q->aborted = true;
        if (parse)
            forget_statement(l, q->plan);
        PQclear(r);
        break;
    case PGRES_FATAL_ERROR:
        ends = on_error(l, q, r);
        if (parse && !ends && l->known[q->plan->index])
            forget_statement(l, q->plan);
        PQclear(r);
        break;
    default:                                 /* COPY has no place here */
        PQclear(r);
        pg_reason("unexpected kind of answer", l->last_words, sizeof l->last_words);
        return true;
    }
    if (ends)
        return true;
    if (parse) {
        l->head_prepared = true;             /* and what it prepared for will be skipped */
        return false;
    }
    if (!q->syncs)
        pop_head(l, now);
    return false;
}

static void read_in(pg_link *l)
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
        if (on_result(l, r, now)) {
            pg_link_lost(l, l->last_words);
            return;
        }
    }
    if (!l->pipeline.first && alive)
        PQisBusy(l->pg);                     /* parses what the server says unasked */
    if (!alive || PQstatus(l->pg) == CONNECTION_BAD || nothing == 3)
        pg_link_lost(l, *l->last_words ? l->last_words : PQerrorMessage(l->pg));
    else if (l->pool->closing && !l->pipeline.first)
        pg_link_shut(l);
}

static void on_event(uv_poll_t *poll, int status, int events)
{
    pg_link *l = link_of(poll);
    if (status < 0) {
        pg_link_lost(l, uv_strerror(status));
        return;
    }
    if (events & UV_WRITABLE || l->unflushed)
        write_out(l);
    if (l->poll == poll)                     /* still the same connection */
        read_in(l);
}

static void on_notice(void *arg, const PGresult *r)
{
    pg_link *l = arg;
    const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *primary = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    if (!primary)
        return;
    if (severity && strcmp(severity, "FATAL") == 0)
        pg_reason(primary, l->last_words, sizeof l->last_words);
    log_debug("postgres: %s: %s", severity ? severity : "notice", primary);
}

void pg_link_up(pg_link *l)
{
    PQsetNoticeReceiver(l->pg, on_notice, l);
    l->poll = mem_alloc(sizeof *l->poll);
    if (PQsetnonblocking(l->pg, 1) || !PQenterPipelineMode(l->pg) ||
        uv_poll_init(loop_here(), l->poll, PQsocket(l->pg))) {
        mem_free(l->poll);
        l->poll = NULL;
        pg_link_lost(l, "cannot watch the connection");
        return;
    }
    pg_handle_opened(l->pool, l->poll);
    uv_poll_start(l->poll, UV_READABLE, on_event);
    l->state = PG_UP;
    l->failed = l->held = l->unsynced = l->unflushed = l->head_prepared = false;
    l->up_since = l->alive_at = uv_hrtime();
    l->last_words[0] = '\0';
    pg_pool_recovered(l->pool);
}

void pg_link_close_poll(pg_link *l)
{
    if (l->poll)
        pg_handle_close(l->poll);            /* before PQfinish: libuv must not watch a closed socket */
    l->poll = NULL;
}

static void let_go(pg_link *l)
{
    timer_stop(&l->timer);
    if (l->cancel)
        pg_cancel_forget(l->cancel);
    l->cancel = NULL;
    pg_connect_end(l);
    pg_link_close_poll(l);
    PQfinish(l->pg);
    l->pg = NULL;
    for (int i = 0; i < l->known_size; i++) {
        mem_free(l->known[i]);
        l->known[i] = NULL;
    }
}

void pg_link_lost(pg_link *l, const char *why)
{
    pg_pool *p = l->pool;
    char reason[256];
    pg_reason(why, reason, sizeof reason);
    let_go(l);
    l->state = p->closing ? PG_SHUT : PG_WAITING;
    l->load = 0;
    l->unflushed = l->unsynced = l->held = false;

    for (pg_query *q; (q = l->pipeline.last);) {     /* from the last, for each goes before all others */
        pg_list_remove(&l->pipeline, q);
        const bool reads = q->plan->statement->reads;
        if (reads && q->result)
            pg_query_settle(q, 0);
        else if (q->verdict || p->closing)
            pg_query_settle(q, q->verdict ? q->verdict : UV_ECANCELED);
        else if (!reads || q->lost_at)
            pg_query_settle(q, UV_ECONNRESET);
        else {
            q->lost_at = uv_hrtime();
            pg_pool_requeue(p, q);
        }
    }
    if (p->closing) {
        pg_pool_check_closed(p);
        return;
    }
    pg_pool_lost(p, reason);
    pg_connect_again(l, uv_hrtime() - l->up_since < BRIEF);
}

/* What still runs is cancelled; the answers close the link, or else its timer. */
void pg_link_shut(pg_link *l)
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
