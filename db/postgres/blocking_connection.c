/* blocking_connection.c - see blocking_connection.h. */
#include "blocking_connection.h"
#include "cancel.h"
#include "db/driver.h"
#include "error.h"
#include "server/base/deadline.h"
#include "server/base/blocking_wait.h"

#include <poll.h>
#include <string.h>

enum { TICK_MS = 100 };                      /* between cancel requests, until the connection is given up */

typedef int wait_fn(int fd, short events, uint64_t until);

static int blocking_lose(pg_blocking_connection *c, const char *why)
{
    if (!c->lost && !*c->last_words) {
        pg_reason_copy(why && *why ? why : PQerrorMessage(c->pg), c->last_words, sizeof c->last_words);
        c->elsewhere = c->elsewhere || pg_reason_is_timeout(c->last_words);
    }
    c->lost = true;
    return UV_ECONNRESET;
}

static void on_blocking_notice(void *arg, const PGresult *r)
{
    pg_blocking_connection *c = arg;
    const pg_notice notice = pg_notice_of(r);
    c->unconfirmed = c->unconfirmed || notice.unconfirmed;
    if (notice.fatal) {
        pg_reason_copy(notice.fatal, c->last_words, sizeof c->last_words);
        c->lost = true;
    }
}

void pg_blocking_connection_close(pg_blocking_connection *c)
{
    PQfinish(c->pg);
    c->pg = NULL;
    pg_prepared_names_forget(&c->names);
}

bool pg_blocking_connection_stands(pg_blocking_connection *c)
{
    struct pollfd on = { PQsocket(c->pg), POLLIN, 0 };
    if (on.fd < 0)                           /* libpq has given it up; poll would pass over it */
        blocking_lose(c, NULL);
    while (!c->lost && poll(&on, 1, 0) > 0) {                /* what the server says unasked, or its end */
        if (!PQconsumeInput(c->pg))
            blocking_lose(c, NULL);
        PQisBusy(c->pg);                     /* parses it */
        if (PQstatus(c->pg) == CONNECTION_BAD)
            blocking_lose(c, NULL);
    }
    return !c->lost;
}

static bool is_success(const PGresult *r)
{
    const ExecStatusType status = PQresultStatus(r);
    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
}

/* What has come so far for what was sent. */
typedef struct pg_answers {
    int       count;                         /* of those that are wanted, that have come */
    int       wanted;
    bool      pipeline;                      /* it was sent as one */
    bool      failed;                        /* all[0] is an error, and nothing else is there */
    PGresult *all[MAX_STEPS];
} pg_answers;

static void answers_clear(pg_answers *got)
{
    for (int i = 0; i < MAX_STEPS; i++) {
        PQclear(got->all[i]);
        got->all[i] = NULL;
    }
}

/* An error when it commits comes last, and undoes all results. */
static int keep_answer(pg_answers *got, PGresult *r)
{
    const bool error = PQresultStatus(r) == PGRES_FATAL_ERROR, good = is_success(r);
    const bool skipped = got->failed && PQresultStatus(r) == PGRES_PIPELINE_ABORTED;
    if (error) {
        answers_clear(got);
        got->failed = true;
        got->all[0] = r;
        return 0;
    }
    if (good && !got->failed && got->count < got->wanted)
        got->all[got->count++] = r;
    else
        PQclear(r);
    return good || skipped ? 0 : UV_EPROTO;
}

/* True if this ends what was sent: then *err is 0 if the connection takes the next. */
static bool answers_end(pg_blocking_connection *c, const pg_answers *got, const PGresult *r, int *err)
{
    const char *why = NULL;
    if (got->pipeline ? PQresultStatus(r) != PGRES_PIPELINE_SYNC : r != NULL)
        return false;
    if (got->pipeline && !PQexitPipelineMode(c->pg))
        why = PQerrorMessage(c->pg);
    else if (PQtransactionStatus(c->pg) != PQTRANS_IDLE)
        why = "it is not ready for a query";
    c->alive_at = uv_hrtime();
    *err = why ? blocking_lose(c, why) : 0;
    return true;
}

/* Until the server is ready for the next query: 0 and its answers, if it has given any. Or the outcome of
 * waiting. Or UV_ECONNRESET, after it may have said why. */
static int receive_answer(pg_blocking_connection *c, wait_fn *wait, uint64_t until, pg_answers *got)
{
    for (;;) {
        const int left = PQflush(c->pg), fd = PQsocket(c->pg);
        if (left < 0 || fd < 0)
            return blocking_lose(c, NULL);
        int err = wait(fd, POLLIN | (left ? POLLOUT : 0), until);
        if (err)
            return err;
        if (!PQconsumeInput(c->pg))
            return blocking_lose(c, got->failed ? PQresultErrorField(got->all[0], PG_DIAG_MESSAGE_PRIMARY) : NULL);
        for (int nothing = 0; !PQisBusy(c->pg);) {
            PGresult *r = PQgetResult(c->pg);
            if (answers_end(c, got, r, &err)) {
                PQclear(r);
                return err;
            }
            nothing = r ? 0 : nothing + 1;   /* one ends each answer of a pipeline; more are a broken connection */
            if (nothing == 3)
                return blocking_lose(c, NULL);
            if (r && keep_answer(got, r))    /* COPY has no place here */
                return blocking_lose(c, "unexpected kind of answer");
        }
    }
}

/* A request may have come before its query had even started: then another one is sent. */
static int cancel_query(pg_blocking_connection *c, pg_answers *got)
{
    const uint64_t end = deadline_in(database_stop_timeout_ms(c->target->options));
    while (uv_hrtime() < end && pg_cancel_blocking(c->pg, end)) {
        const uint64_t tick = deadline_in(TICK_MS);
        const int err = receive_answer(c, pg_wait_without_client, tick < end ? tick : end, got);
        if (err != UV_ETIMEDOUT)
            return err;
    }
    c->elsewhere = c->silent = true;
    return blocking_lose(c, "the server does not answer a cancel request");
}

static bool lose_standby(pg_blocking_connection *c)
{
    c->elsewhere = true;
    blocking_lose(c, "the server takes no writes any more");
    return true;
}

bool pg_blocking_connection_takes_writes(pg_blocking_connection *c)
{
    return !pg_role_demoted(&c->role, c->pg) || !lose_standby(c);
}

/* Whether q may be asked again after an error, and what must be done before. */
static bool blocking_remedied(pg_blocking_connection *c, pg_blocking_query *q, const pg_prepared *prepared,
                              pg_remedy remedy)
{
    q->pause = 0;
    switch (remedy) {
    case PG_REMEDY_LATER:
        q->pause = pg_error_pause(q->sends);
        return true;
    case PG_REMEDY_ONCE:
        return q->sends == 1;
    case PG_REMEDY_PREPARE_ANEW:             /* prepared for this, its plan may go stale again before it runs */
        pg_prepared_name_forget(&c->names, prepared);
        q->unprepared = true;
        return q->named;
    case PG_REMEDY_UNPREPARED:
        pg_prepared_name_forget(&c->names, prepared);
        if (q->named)
            pg_target_forgets_prepared(c->target);
        return q->named;
    case PG_REMEDY_ELSEWHERE:
        return !q->reads && pg_role_worth_leaving(&c->role) && lose_standby(c);
    default:
        return false;
    }
}

static const pg_prepared *prepared_of_step(pg_blocking_connection *c, const pg_blocking_step *step)
{
    return pg_prepared_of(&c->prepared, step->is.statement, step->is.n, step->is.parameters);
}

/* What the answers mean: 0, or an error of db.h. steps are those that they are for; verdict is why they were stopped, or 0. */
static int outcome_of_answers(pg_blocking_connection *c, pg_blocking_query *q, const pg_blocking_step steps[],
                              const pg_answers *got, int verdict)
{
    if (!got->failed)
        return got->count == got->wanted ? 0 : blocking_lose(c, "an answer is missing");
    const PGresult *r = got->all[0];
    if (pg_error_ends_connection(r))
        return blocking_lose(c, PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY));
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    if (pg_error_is_cancel(state)) {
        if (verdict)
            return verdict;
        if (uv_hrtime() >= q->deadline)
            return UV_ETIMEDOUT;             /* statement_timeout was first */
    }
    const pg_blocking_step *failed = &steps[got->count < got->wanted ? got->count : got->wanted - 1];
    const pg_error means = pg_error_of(state);
    q->again = !verdict && blocking_remedied(c, q, prepared_of_step(c, failed), means.remedy) && q->sends < PG_MAX_SENDS;
    if (!q->again)
        pg_error_log(failed->is.statement->name, r);
    return verdict ? verdict : means.remedy == PG_REMEDY_PREPARE_ANEW && q->named ? UV_EAGAIN : means.err;
}

/* Waits for the answers to what was sent, and stops it when they must not be awaited any longer: what comes
 * all the same counts. */
static int await_answers(pg_blocking_connection *c, pg_blocking_query *q, const pg_blocking_step steps[], bool sent,
                         pg_answers *got, int *verdict)
{
    *verdict = 0;
    int err = sent ? receive_answer(c, blocking_wait, q->deadline, got) : blocking_lose(c, NULL);
    if (err == UV_ETIMEDOUT || err == UV_ECANCELED) {
        *verdict = err;
        err = cancel_query(c, got);
    } else if (err)
        blocking_lose(c, NULL);
    if (err && q->reads && !got->failed && got->count == got->wanted)
        return 0;                            /* all that there is to know has come */
    if (err)
        return UV_ECONNRESET;
    return outcome_of_answers(c, q, steps, got, *verdict);
}

static int prepare_step(pg_blocking_connection *c, pg_blocking_query *q, const pg_blocking_step *step,
                        const pg_prepared *prepared)
{
    pg_answers got = { .wanted = 1 };
    int verdict;
    const bool sent = pg_prepared_send_parse(prepared, c->pg, &c->names);
    int err = await_answers(c, q, step, sent, &got, &verdict);
    if (err)
        pg_prepared_name_forget(&c->names, prepared);
    if (err == UV_ECONNRESET)
        q->again = !verdict;                 /* nothing has run */
    answers_clear(&got);
    return verdict ? verdict : err;
}

static bool send_steps(pg_blocking_connection *c, const pg_blocking_query *q)
{
    const bool pipeline = q->count > 1;
    bool sent = !pipeline || PQenterPipelineMode(c->pg);
    for (int i = 0; i < q->count && sent; i++) {
        const pg_prepared *prepared = prepared_of_step(c, &q->steps[i]);
        const char *name = q->named ? pg_prepared_name(&c->names, prepared) : NULL;
        sent = pg_prepared_send(prepared, c->pg, name, &q->steps[i].parameters, q->comment);
    }
    return sent && (!pipeline || PQpipelineSync(c->pg));
}

int pg_blocking_connection_run(pg_blocking_connection *c, pg_blocking_query *q)
{
    int verdict, err = 0;
    q->again = false;
    q->named = !q->unprepared && atomic_load_explicit(&c->target->prepare, memory_order_relaxed);
    for (int i = 0; q->named && i < q->count && !err; i++) {
        const pg_prepared *prepared = prepared_of_step(c, &q->steps[i]);
        if (pg_prepared_name(&c->names, prepared))
            continue;
        err = prepare_step(c, q, &q->steps[i], prepared);
    }
    if (!err && c->lost) {
        q->again = true;                     /* nothing has run */
        err = UV_ECONNRESET;
    }
    if (err)
        return err;
    c->unconfirmed = false;
    pg_answers got = { .wanted = q->count, .pipeline = q->count > 1 };
    err = await_answers(c, q, q->steps, send_steps(c, q), &got, &verdict);
    if (!err && c->unconfirmed)
        err = driver_uncertain(q->steps[0].is.statement, PG_DOUBT_STANDBY);
    if (err == UV_ECONNRESET && verdict && q->reads)
        err = verdict;                       /* whether a write was stopped in time is not known */
    for (int i = 0; i < q->count && !err; i++) {
        q->steps[i].result = got.all[i];
        got.all[i] = NULL;
    }
    answers_clear(&got);
    return err;
}

bool pg_blocking_connection_answers(pg_blocking_connection *c, uint64_t until)
{
    return pg_blocking_connection_says(c, "", until);
}

bool pg_blocking_connection_says(pg_blocking_connection *c, const char *sql, uint64_t until)
{
    pg_answers got = { .wanted = 1 };
    if (!PQsendQuery(c->pg, sql) || receive_answer(c, pg_wait_without_client, until, &got))
        blocking_lose(c, NULL);
    else if (got.failed)
        blocking_lose(c, PQresultErrorField(got.all[0], PG_DIAG_MESSAGE_PRIMARY));
    answers_clear(&got);
    return !c->lost;
}

/* A pooler signs in whom it has no server for: a query would wait there while other connections are idle. */
static int prove_connection(pg_blocking_connection *c, uint64_t until, const atomic_bool *stop)
{
    pg_answers got = { .wanted = 1 };
    int err = PQsendQuery(c->pg, "") ? UV_ETIMEDOUT : blocking_lose(c, NULL);
    while (err == UV_ETIMEDOUT && uv_hrtime() < until && !atomic_load(stop))
        err = receive_answer(c, pg_wait_without_client, deadline_sooner(deadline_in(BLOCKING_LOOK_MS), until), &got);
    answers_clear(&got);
    return err;
}

int pg_blocking_connection_open(pg_blocking_connection *c, int first_host, uint64_t timeout_ms,
                                const atomic_bool *stop, char *why, size_t size)
{
    const uint64_t begun = uv_hrtime();
    c->last_words[0] = '\0';
    c->pg = pg_target_connect_blocking(c->target, first_host, timeout_ms, stop);
    bool silent = c->pg && PQstatus(c->pg) != CONNECTION_BAD;
    if (c->pg && PQstatus(c->pg) == CONNECTION_OK && PQsetnonblocking(c->pg, 1) == 0) {
        PQsetNoticeReceiver(c->pg, on_blocking_notice, c);
        c->lost = c->elsewhere = c->silent = false;
        c->first_host = first_host;
        c->role = pg_role_now(c->pg);        /* now: it may change while we ask */
        const int err = prove_connection(c, deadline_after(begun, timeout_ms), stop);
        c->alive_at = begun;                 /* it may have broken since, without our knowing */
        c->up_since = uv_hrtime();
        if (!err)
            return 0;
        silent = err == UV_ETIMEDOUT;
    }
    pg_reason_copy_of_connect(silent ? "no answer within the connect timeout" : !c->pg ? "out of memory" :
                              *c->last_words ? c->last_words : PQerrorMessage(c->pg), why, size);
    pg_blocking_connection_close(c);
    return silent ? UV_ETIMEDOUT : UV_ECONNREFUSED;
}
