/* pipeline.c - see pipeline.h.
 *
 * Answers are told apart by their order alone. Where libpq could not send, something has left or
 * nothing has, and it does not say which: from then on any answer may be another query's. So that connection
 * is given up at once, with all that is in its pipeline. */
#include "pipeline.h"
#include "error.h"
#include "server/base/deadline.h"

#include <string.h>

static void on_pipeline_notice(void *arg, const PGresult *r)
{
    pg_pipeline *p = arg;
    const pg_notice notice = pg_notice_of(r);
    if (notice.unconfirmed && p->queries.first)
        p->queries.first->unconfirmed = true;
    if (notice.fatal)
        pg_reason_copy(notice.fatal, p->last_words, sizeof p->last_words);
}

bool pg_pipeline_begin(pg_pipeline *p, PGconn *pg)
{
    p->pg = pg;
    p->last_words[0] = '\0';
    p->role = pg_role_now(pg);               /* now: it may change until the Sync is answered */
    PQsetNoticeReceiver(pg, on_pipeline_notice, p);
    return PQsetnonblocking(pg, 1) == 0 && PQenterPipelineMode(pg) && PQpipelineSync(pg) && PQflush(pg) == 0;
}

bool pg_pipeline_sync(pg_pipeline *p)
{
    p->unsynced = false;
    p->queries.last->syncs = true;
#ifdef LIBPQ_HAS_SEND_PIPELINE_SYNC
    return PQsendPipelineSync(p->pg);
#else
    return PQpipelineSync(p->pg);            /* flushes */
#endif
}

static bool send_query(pg_pipeline *p, pg_query *q)
{
    q->named = !q->unprepared && atomic_load_explicit(&p->pool->target->prepare, memory_order_relaxed);
    for (int i = 0; i < q->count; i++) {
        const pg_prepared *prepared = pg_query_prepared(q, i);
        const bool prepares = q->named && !pg_prepared_name(&p->names, prepared);
        if (prepares && !pg_prepared_send_parse(prepared, p->pg, &p->names))
            return false;
        if (prepares)
            q->prepares |= 1u << i;
        q->aborted = false;                  /* from here on it may run */
        if (!pg_prepared_send(prepared, p->pg, q->named ? pg_prepared_name(&p->names, prepared) : NULL, &q->each[i], q->comment))
            return false;
    }
    return true;
}

bool pg_pipeline_send(pg_pipeline *p, struct pg_connection *c, pg_query *q)
{
    const bool synced = !q->alone || !p->unsynced || pg_pipeline_sync(p);
    q->connection = c;
    q->aborted = true;
    q->prepares = 0;
    q->syncs = false;
    q->answers = q->successes = 0;
    q->sends++;
    if (!p->queries.first)
        p->head_since = q->sent;
    q->expected = 0;
    for (int i = 0; i < q->count; i++)
        q->expected += pg_query_prepared(q, i)->usual;
    p->load += q->expected;
    pg_query_list_append(&p->queries, q);
    p->unsynced = p->unflushed = true;
    return synced && send_query(p, q) && (!q->alone || pg_pipeline_sync(p));
}

static void settle_or_resend(pg_pipeline *p, pg_query *q)
{
    if (q->outcome == 0 && q->successes == q->count)
        pg_query_settle(q, 0);
    else if (q->verdict)
        pg_query_settle(q, q->verdict);
    else if (q->aborted && q->sends < PG_MAX_SENDS) {
        q->alone = true;
        pg_pool_requeue(p->pool, q);
    } else
        pg_query_settle(q, q->outcome ? q->outcome : UV_EAGAIN);
}

static void pop_head(pg_pipeline *p, uint64_t now)
{
    pg_query *q = p->queries.first;
    const int64_t took = (int64_t)(now - (q->sent > p->head_since ? q->sent : p->head_since)) / q->count;

    pg_query_list_remove(&p->queries, q);
    p->load -= q->expected;
    p->head_since = p->alive_at = now;
    for (int i = 0; !q->aborted && i < (q->steps ? q->count : 1); i++) {
        uint64_t *usual = &pg_query_prepared(q, i)->usual;
        *usual = (uint64_t)((int64_t)*usual + (took - (int64_t)*usual) / 8);
    }
    settle_or_resend(p, q);
}

/* Those that have been sent to a standby are refused like this one: all of them before the connection is left. */
static bool leave_standby(pg_pipeline *p, pg_query *q)
{
    if (!p->leaving && !pg_role_worth_leaving(&p->role))
        return false;
    p->leaving = "the server takes no writes any more";
    q->lost_at = uv_hrtime();
    q->anew = true;
    return true;
}

/* Whether q may be sent again after an error, and what must be done before. */
static bool pipeline_remedied(pg_pipeline *p, pg_query *q, bool prepares, pg_remedy remedy)
{
    switch (remedy) {
    case PG_REMEDY_LATER:
        q->not_before = deadline_after(uv_hrtime(), pg_error_pause(q->sends));
        return true;
    case PG_REMEDY_ONCE:
        return q->sends == 1;
    case PG_REMEDY_PREPARE_ANEW:
        if (!q->named || prepares)
            return false;
        q->outcome = UV_EAGAIN;              /* its plan changed under the prepared statement, and may again */
        q->unprepared = true;
        return true;
    case PG_REMEDY_UNPREPARED:
        if (q->named)
            pg_target_forgets_prepared(p->pool->target);
        return q->named;
    case PG_REMEDY_ELSEWHERE:
        return !q->reads && leave_standby(p, q);
    default:
        return false;
    }
}

/* Whether there is a Parse before that run of q. */
static bool run_prepares(const pg_query *q, int run) { return run < q->count && run < MAX_STEPS && q->prepares >> run & 1; }

/* What an error means for the first query. True if it ends the connection. */
static bool take_error(pg_pipeline *p, pg_query *q, const PGresult *r)
{
    const pg_prepared *prepared = pg_query_prepared(q, q->answers);
    const bool prepares = run_prepares(q, q->answers);
    const char *primary = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);

    if (pg_error_ends_connection(r)) {
        pg_reason_copy(primary ? primary : PQresultErrorMessage(r), p->last_words, sizeof p->last_words);
        return true;
    }
    pg_query_forget(q);                      /* an error at the Sync undoes a result */
    const pg_error means = pg_error_of(state);
    q->outcome = means.err;
    if (pg_error_is_cancel(state)) {
        const uint64_t timeout = p->pool->options->timeout_ms;
        if (q->verdict)
            return false;
        if (p->held) {                       /* meant for another */
            q->aborted = true;
            return false;
        }
        if (timeout && uv_hrtime() - q->sent >= timeout * 1000000) {
            q->outcome = UV_ETIMEDOUT;       /* statement_timeout was first */
            return false;
        }
    }
    if ((means.remedy == PG_REMEDY_PREPARE_ANEW || means.remedy == PG_REMEDY_UNPREPARED) && !prepares)
        pg_prepared_name_forget(&p->names, prepared);
    q->aborted = !q->verdict && pipeline_remedied(p, q, prepares, means.remedy);
    if (!q->aborted || q->sends >= PG_MAX_SENDS)
        pg_error_log(prepared->statement->name, r);
    return false;
}

static pg_answer pipeline_broken(pg_pipeline *p, const char *why)
{
    pg_reason_copy(why, p->last_words, sizeof p->last_words);
    return PG_ANSWER_BROKEN;
}

pg_answer pg_pipeline_take(pg_pipeline *p, PGresult *r, uint64_t now)
{
    pg_query *q = p->queries.first;
    const bool parse = run_prepares(q, q->answers) && !p->head_prepared;
    const pg_prepared *prepared = pg_query_prepared(q, q->answers);
    bool ends = false;

    switch (PQresultStatus(r)) {
    case PGRES_PIPELINE_SYNC:
        PQclear(r);
        pop_head(p, now);
        return PG_ANSWER_LAST;
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        if (parse) {
            PQclear(r);
            p->head_prepared = true;
            return PG_ANSWER_PART;
        }
        if (q->answers >= q->count) {        /* whose is this one? */
            PQclear(r);
            return pipeline_broken(p, "more answers than queries");
        }
        pg_query_take(q, r);
        break;
    case PGRES_PIPELINE_ABORTED:
        if (!q->outcome)
            q->aborted = true;
        if (parse)
            pg_prepared_name_forget(&p->names, prepared);
        PQclear(r);
        break;
    case PGRES_FATAL_ERROR:
        ends = take_error(p, q, r);
        if (parse && !ends)
            pg_prepared_name_forget(&p->names, prepared);
        PQclear(r);
        break;
    default:                                 /* COPY has no place here */
        PQclear(r);
        return pipeline_broken(p, "unexpected kind of answer");
    }
    if (ends)
        return PG_ANSWER_BROKEN;
    p->head_prepared = parse;                /* then what it prepared for will be skipped */
    q->answers += !parse;
    if (parse || q->syncs || q->answers < q->count)
        return PG_ANSWER_PART;
    pop_head(p, now);
    return PG_ANSWER_LAST;
}

/* A write goes again only if the server has said that it did not happen; else it is uncertain. */
static void settle_or_send_elsewhere(pg_pipeline *p, pg_query *q)
{
    const bool reads = q->reads, undone = q->aborted || q->outcome;
    const int verdict = q->verdict ? q->verdict : p->pool->closing ? UV_ECANCELED : 0;
    if (reads && !q->outcome && q->successes == q->count)
        pg_query_settle(q, 0);
    else if (!reads && !undone)
        pg_query_settle(q, UV_ECONNRESET);
    else if (verdict)
        pg_query_settle(q, verdict);
    else if (undone && !q->aborted)
        pg_query_settle(q, q->outcome);
    else if (q->lost_at || q->sends >= PG_MAX_SENDS)
        pg_query_settle(q, q->outcome ? q->outcome : undone ? UV_EAGAIN : UV_ECONNRESET);
    else {
        q->lost_at = uv_hrtime();
        pg_pool_requeue(p->pool, q);
    }
}

void pg_pipeline_lost(pg_pipeline *p)
{
    p->load = 0;
    p->unflushed = p->unsynced = p->held = false;
    for (pg_query *q; (q = p->queries.last);) {      /* from the last, for each goes before all others */
        pg_query_list_remove(&p->queries, q);
        settle_or_send_elsewhere(p, q);
    }
}
