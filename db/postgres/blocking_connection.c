/* blocking_connection.c - one connection of blocking threads: a thread that has borrowed it sends, and waits.
 *
 * A query costs a send, a poll and a recv. One that is out of time, or whose client is gone, is stopped
 * at the server and its answer awaited, for a cancel request names a connection, not a query: until it
 * has been delivered and the server is ready for the next query, the session takes none. One that does
 * not get there in time is closed. */
#include "blocking_pool.h"
#include "server/base/deadline.h"
#include "server/base/blocking_wait.h"

#include <poll.h>
#include <string.h>

enum { TICK_MS = 100, PATIENCE_MS = 200 };   /* between cancel requests; until the session is given up */

typedef int wait_fn(int fd, short events, uint64_t until);

static int lose(pg_blocking_connection *s, const char *why)
{
    if (!s->lost && !*s->last_words) {
        pg_reason(why && *why ? why : PQerrorMessage(s->pg), s->last_words, sizeof s->last_words);
        s->elsewhere = s->elsewhere || pg_timed_out(s->last_words);
    }
    s->lost = true;
    return UV_ECONNRESET;
}

static void on_notice(void *arg, const PGresult *r)
{
    pg_blocking_connection *s = arg;
    const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *primary = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    if (pg_unconfirms(r))
        s->unconfirmed = true;
    if (primary && severity && strcmp(severity, "FATAL") == 0) {
        pg_reason(primary, s->last_words, sizeof s->last_words);
        s->lost = true;                      /* it hangs up next, perhaps some time from now */
    }
}

void pg_session_close(pg_blocking_connection *s)
{
    PQfinish(s->pg);
    s->pg = NULL;
    pg_names_forget(&s->names);
}

bool pg_session_stands(pg_blocking_connection *s)
{
    struct pollfd on = { PQsocket(s->pg), POLLIN, 0 };
    if (on.fd < 0)                           /* libpq has given it up; poll would pass over it */
        lose(s, NULL);
    while (!s->lost && poll(&on, 1, 0) > 0) {                /* what the server says unasked, or its end */
        if (!PQconsumeInput(s->pg))
            lose(s, NULL);
        PQisBusy(s->pg);                     /* parses it */
        if (PQstatus(s->pg) == CONNECTION_BAD)
            lose(s, NULL);
    }
    return !s->lost;
}

static bool good(const PGresult *r)
{
    const ExecStatusType status = PQresultStatus(r);
    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
}

/* An error when it commits comes second, and undoes a result. */
static int keep(PGresult **kept, PGresult *r)
{
    const bool error = PQresultStatus(r) == PGRES_FATAL_ERROR, fits = error || good(r);
    if (!*kept || error) {
        PQclear(*kept);
        *kept = r;
    } else
        PQclear(r);
    return fits ? 0 : UV_EPROTO;
}

/* Until the server is ready for the next query: 0 and its answer, if it has given one. Or the outcome of
 * waiting. Or UV_ECONNRESET, after it may have said why. */
static int receive(pg_blocking_connection *s, wait_fn *wait, uint64_t until, PGresult **answer)
{
    for (;;) {
        const int left = PQflush(s->pg), fd = PQsocket(s->pg);
        if (left < 0 || fd < 0)
            return lose(s, NULL);
        const int err = wait(fd, POLLIN | (left ? POLLOUT : 0), until);
        if (err)
            return err;
        if (!PQconsumeInput(s->pg))
            return lose(s, *answer && !good(*answer) ? PQresultErrorField(*answer, PG_DIAG_MESSAGE_PRIMARY) : NULL);
        while (!PQisBusy(s->pg)) {
            PGresult *r = PQgetResult(s->pg);
            if (!r && PQtransactionStatus(s->pg) == PQTRANS_IDLE) {
                s->alive_at = uv_hrtime();
                return 0;
            }
            if (!r)
                return lose(s, "it is not ready for a query");
            if (keep(answer, r))             /* COPY has no place here */
                return lose(s, "unexpected kind of answer");
        }
    }
}

/* A request may have come before its query had even started: then another one is sent. */
static int stop(pg_blocking_connection *s, PGresult **answer)
{
    const uint64_t end = deadline_in(PATIENCE_MS);
    while (uv_hrtime() < end && pg_stop(s->pg, end)) {
        const uint64_t tick = deadline_in(TICK_MS);
        const int err = receive(s, pg_wait_anyway, tick < end ? tick : end, answer);
        if (err != UV_ETIMEDOUT)
            return err;
    }
    s->elsewhere = s->silent = true;
    return lose(s, "the server does not answer a cancel request");
}

static bool demote(pg_blocking_connection *s)
{
    s->elsewhere = true;
    lose(s, "the server takes no writes any more");
    return true;
}

bool pg_session_writes(pg_blocking_connection *s) { return !pg_role_demoted(&s->role, s->pg) || !demote(s); }

/* Whether q may be asked again after an error, and what must be done before. */
static bool remedied(pg_blocking_connection *s, pg_blocking_query *q, const pg_statement *plan, pg_remedy remedy)
{
    q->pause = 0;
    switch (remedy) {
    case PG_LATER:
        q->pause = pg_error_pause(q->sends);
        return true;
    case PG_ONCE:
        return q->sends == 1;
    case PG_ANEW:                            /* the plan changed under it, perhaps since it was prepared for this */
        pg_name_forget(&s->names, plan);
        return q->named && (!q->prepares || q->sends < 3);
    case PG_UNNAMED:
        pg_name_forget(&s->names, plan);
        if (q->named)
            pg_forgets_prepared(s->shared->database);
        return q->named;
    case PG_ELSEWHERE:
        return !q->statement->reads && pg_role_worth_leaving(&s->role) && demote(s);
    default:
        return false;
    }
}

/* What an answer means: 0, or an error of db.h. verdict is why it was stopped, or 0. */
static int judge(pg_blocking_connection *s, pg_blocking_query *q, const pg_statement *plan, const PGresult *r, int verdict)
{
    const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);

    if (good(r))
        return 0;
    if (!severity || !state || strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0)
        return lose(s, PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY));
    if (strcmp(state, "57014") == 0) {       /* query_canceled */
        if (verdict)
            return verdict;
        if (uv_hrtime() >= q->deadline)
            return UV_ETIMEDOUT;             /* statement_timeout was first */
    }
    const pg_error means = pg_error_of(state);
    q->again = !verdict && remedied(s, q, plan, means.remedy) && q->sends < PG_MOST_SENDS;
    if (!q->again)
        pg_shared_refused(s->shared, q->statement, r);
    return verdict ? verdict : means.remedy == PG_ANEW && q->named && !q->prepares ? UV_EAGAIN : means.err;
}

/* Waits for the answer to what was sent, and stops it when it must not be awaited any longer: what comes
 * all the same counts. */
static int answer(pg_blocking_connection *s, pg_blocking_query *q, const pg_statement *plan, bool sent, PGresult **r, int *verdict)
{
    *verdict = 0;
    int err = sent ? receive(s, blocking_wait, q->deadline, r) : lose(s, NULL);
    if (err == UV_ETIMEDOUT || err == UV_ECANCELED) {
        *verdict = err;
        err = stop(s, r);
    } else if (err)
        lose(s, NULL);
    if (err && q->statement->reads && *r && good(*r))
        return 0;                            /* all that there is to know has come */
    if (err)
        return UV_ECONNRESET;
    return judge(s, q, plan, *r, *verdict);
}

static int prepare(pg_blocking_connection *s, pg_blocking_query *q, const pg_statement *plan)
{
    Oid oids[MAX_PARAMETERS];
    PGresult *r = NULL;
    int verdict;
    const char *name = pg_name_new(&s->names, plan);
    pg_oids(plan, oids);
    const bool sent = PQsendPrepare(s->pg, name, q->statement->sql, q->n, oids);
    int err = answer(s, q, plan, sent, &r, &verdict);
    if (err)
        pg_name_forget(&s->names, plan);
    if (err == UV_ECONNRESET)
        q->again = !verdict;                 /* nothing has run */
    PQclear(r);
    return verdict ? verdict : err;
}

static bool send_it(pg_blocking_connection *s, const pg_blocking_query *q, const pg_statement *plan)
{
    Oid oids[MAX_PARAMETERS];
    if (q->named)
        return PQsendQueryPrepared(s->pg, pg_name_of(&s->names, plan), q->n, q->values, q->lengths, pg_binary, 0);
    pg_oids(plan, oids);
    return PQsendQueryParams(s->pg, q->statement->sql, q->n, oids, q->values, q->lengths, pg_binary, 0);
}

int pg_session_ask(pg_blocking_connection *s, pg_blocking_query *q)
{
    const pg_statement *plan = pg_plan_of(&s->plans, q->statement, q->n, q->parameters);
    int verdict, err = 0;
    q->again = false;
    q->named = atomic_load_explicit(&s->shared->database->prepare, memory_order_relaxed);
    q->prepares = q->named && !pg_name_of(&s->names, plan);
    if (q->prepares)
        err = prepare(s, q, plan);
    if (!err && s->lost) {
        q->again = true;                     /* nothing has run */
        err = UV_ECONNRESET;
    }
    if (err)
        return err;
    s->unconfirmed = false;
    err = answer(s, q, plan, send_it(s, q, plan), &q->result, &verdict);
    if (!err && s->unconfirmed)
        err = driver_uncertain(q->statement, PG_UNCONFIRMED);
    if (err == UV_ECONNRESET && verdict && q->statement->reads)
        err = verdict;                       /* whether a write was stopped in time, nobody knows */
    if (err) {
        PQclear(q->result);
        q->result = NULL;
    }
    return err;
}

bool pg_session_answers(pg_blocking_connection *s, uint64_t until)
{
    PGresult *r = NULL;
    if (!PQsendQuery(s->pg, "") || receive(s, pg_wait_anyway, until, &r))
        lose(s, NULL);
    PQclear(r);
    return !s->lost;
}

/* A pooler signs in whom it has no server for: a query would wait there while other sessions are idle. */
static int prove(pg_blocking_connection *s, uint64_t until, const atomic_bool *stop)
{
    PGresult *r = NULL;
    int err = PQsendQuery(s->pg, "") ? UV_ETIMEDOUT : lose(s, NULL);
    while (err == UV_ETIMEDOUT && uv_hrtime() < until && !atomic_load(stop))
        err = receive(s, pg_wait_anyway, deadline_sooner(deadline_in(BLOCKING_LOOK_MS), until), &r);
    PQclear(r);
    return err;
}

int pg_session_connect(pg_blocking_connection *s, int first_host, uint64_t patience_ms, const atomic_bool *stop,
                       char *why, size_t size)
{
    const uint64_t begun = uv_hrtime();
    s->last_words[0] = '\0';
    s->pg = pg_target_connect_blocking(&s->shared->database->target, first_host, patience_ms, stop);
    bool silent = s->pg && PQstatus(s->pg) != CONNECTION_BAD;
    if (s->pg && PQstatus(s->pg) == CONNECTION_OK && PQsetnonblocking(s->pg, 1) == 0) {
        PQsetNoticeReceiver(s->pg, on_notice, s);
        s->lost = s->elsewhere = s->silent = false;
        s->first_host = first_host;
        s->role = pg_role_now(s->pg);        /* now: it may change while we ask */
        const int err = prove(s, deadline_after(begun, patience_ms), stop);
        s->alive_at = begun;                 /* it may have broken since, without our knowing */
        s->up_since = uv_hrtime();
        if (!err)
            return 0;
        silent = err == UV_ETIMEDOUT;
    }
    pg_reason_to_fail(silent ? "no answer within the connect timeout" : !s->pg ? "out of memory" :
                      *s->last_words ? s->last_words : PQerrorMessage(s->pg), why, size);
    pg_session_close(s);
    return silent ? UV_ETIMEDOUT : UV_ECONNREFUSED;
}
