/* pipeline.c - what a link sends, and what comes back.
 *
 *     Parse? Bind Execute | Parse? Bind Execute | ... Sync        reads of one turn share a Sync
 *     Parse? Bind Execute Sync                                    a write has its own
 *
 * All up to a Sync is one implicit transaction, and an error skips the rest of it: reads that another's
 * error has skipped are sent again, each with a Sync of its own. So is whatever a cancel request meant
 * for another has hit, or an error that passes by itself: the server has said that it is undone, so a
 * write, too. A query leaves the pipeline with its result, or with the Sync behind it, which is when a
 * write is committed.
 *
 * Answers are told apart by their order alone. Where libpq could not send, something has left or
 * nothing has, and it does not say which: from then on any answer may be another query's. So that link
 * is lost at once, with all that is in its pipeline. */
#include "postgres.h"

#include <string.h>

bool pg_pipeline_sync(pg_connection *l)
{
    l->unsynced = false;
    l->pipeline.last->syncs = true;
#ifdef LIBPQ_HAS_SEND_PIPELINE_SYNC
    return PQsendPipelineSync(l->pg);
#else
    return PQpipelineSync(l->pg);            /* flushes */
#endif
}

static bool send_it(pg_connection *l, pg_query *q)
{
    const pg_statement *plan = q->plan;
    const char *sql = plan->statement->sql;
    Oid oids[MAX_PARAMETERS];
    q->named = atomic_load_explicit(&l->pool->database->prepare, memory_order_relaxed);
    const char *name = q->named ? pg_name_of(&l->names, plan) : NULL;
    if (!name)
        pg_oids(plan, oids);
    if (q->named && !name) {
        name = pg_name_new(&l->names, plan);
        q->prepares = true;
        if (!PQsendPrepare(l->pg, name, sql, plan->n, oids))
            return false;
    }
    q->aborted = false;                      /* from here on it may run */
    if (!q->named)
        return PQsendQueryParams(l->pg, sql, plan->n, oids, q->values, q->lengths, pg_binary, 0);
    return PQsendQueryPrepared(l->pg, name, plan->n, q->values, q->lengths, pg_binary, 0);
}

void pg_pipeline_send(pg_connection *l, pg_query *q)
{
    const bool synced = !q->alone || !l->unsynced || pg_pipeline_sync(l);
    q->link = l;
    q->aborted = true;
    q->prepares = q->syncs = false;
    q->sends++;
    if (!l->pipeline.first)
        l->head_since = q->sent;
    q->expected = q->plan->usual;
    l->load += q->expected;
    pg_list_append(&l->pipeline, q);
    l->unsynced = l->unflushed = true;
    if (!synced || !send_it(l, q) || (q->alone && !pg_pipeline_sync(l)))
        pg_link_lost(l, PQerrorMessage(l->pg));
}

static void settle_or_resend(pg_connection *l, pg_query *q)
{
    if (q->outcome == 0 && q->result)
        pg_query_settle(q, 0);
    else if (q->verdict)
        pg_query_settle(q, q->verdict);
    else if (q->aborted && q->sends < PG_MOST_SENDS) {
        q->alone = true;
        pg_pool_requeue(l->pool, q);
    } else
        pg_query_settle(q, q->outcome ? q->outcome : UV_EAGAIN);
}

static void pop_head(pg_connection *l, uint64_t now)
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
        pg_link_wait_for_cancel(l);
    if (l->pool->line.first)
        pg_pool_schedule(l->pool);
}

/* Those that have been sent to a standby are refused like this one: all of them before the link is left. */
static bool leave_standby(pg_connection *l, pg_query *q)
{
    if (!l->leaving && !pg_role_worth_leaving(&l->role))
        return false;
    if (!l->leaving)
        l->first_host++;
    l->leaving = "the server takes no writes any more";
    q->lost_at = uv_hrtime();
    q->anew = true;
    return true;
}

/* Whether q may be sent again after an error, and what must be done before. */
static bool remedied(pg_connection *l, pg_query *q, pg_remedy remedy)
{
    switch (remedy) {
    case PG_LATER:
        q->not_before = deadline_after(uv_hrtime(), pg_error_pause(q->sends));
        return true;
    case PG_ONCE:
        return q->sends == 1;
    case PG_ANEW:
        if (!q->named || q->prepares)
            return false;
        q->outcome = UV_EAGAIN;              /* the plan changed under the prepared statement */
        return true;
    case PG_UNNAMED:
        if (q->named)
            pg_forgets_prepared(l->pool->database);
        return q->named;
    case PG_ELSEWHERE:
        return !q->plan->statement->reads && leave_standby(l, q);
    default:
        return false;
    }
}

/* What an error means for the head of the pipeline. True if it ends the connection. */
static bool on_error(pg_connection *l, pg_query *q, const PGresult *r)
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
    const pg_error means = pg_error_of(state);
    q->outcome = means.err;
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
    if ((means.remedy == PG_ANEW || means.remedy == PG_UNNAMED) && !q->prepares)
        pg_name_forget(&l->names, q->plan);
    q->aborted = !q->verdict && remedied(l, q, means.remedy);
    if (q->aborted && q->sends < PG_MOST_SENDS)
        return false;
    pg_journal_refused(q->plan->statement->name, r);
    return false;
}

/* True if it ends the connection. Takes r. */
bool pg_pipeline_take(pg_connection *l, PGresult *r, uint64_t now)
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
        if (q->result) {                     /* whose is this one? */
            PQclear(r);
            pg_reason("more answers than queries", l->last_words, sizeof l->last_words);
            return true;
        }
        q->result = r;
        break;
    case PGRES_PIPELINE_ABORTED:
        if (!q->outcome)
            q->aborted = true;
        if (parse)
            pg_name_forget(&l->names, q->plan);
        PQclear(r);
        break;
    case PGRES_FATAL_ERROR:
        ends = on_error(l, q, r);
        if (parse && !ends)
            pg_name_forget(&l->names, q->plan);
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
