/* postgres_blocking.c - the db of a plain thread: one connection, one query at a time, and it waits.
 *
 * The outcomes are those of the loop's db: a query out of time is cancelled and drained, one whose
 * connection broke fails, and goes again once if it reads and the connection was an old one. */
#include "postgres.h"
#include "server/log.h"
#include "server/memory.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

enum { GRACE_MS = 1000 };                    /* for the server to take a cancel request */

struct blocking {
    db        base;                          /* must be first */
    postgres *database;
    pg_plans  plans;
    PGconn   *pg;                            /* NULL until the first query, and after a loss */
};

static void ignore(void *arg, const PGresult *r) { (void)arg, (void)r; }

static int connect_now(struct blocking *b)
{
    const postgres *d = b->database;
    b->pg = pg_target_connect_blocking(&d->target, d->options->connect_timeout_ms);
    if (b->pg && PQstatus(b->pg) == CONNECTION_OK && PQsetnonblocking(b->pg, 1) == 0) {
        PQsetNoticeReceiver(b->pg, ignore, NULL);
        return 0;
    }
    char reason[256];
    pg_reason(b->pg ? PQerrorMessage(b->pg) : "out of memory", reason, sizeof reason);
    log_warning("postgres: cannot connect: %s", reason);
    PQfinish(b->pg);
    b->pg = NULL;
    return UV_ECONNREFUSED;
}

static uint64_t now_ms(void) { return uv_hrtime() / 1000000; }

/* Waits for the result, but not beyond the deadline, if there is one. */
static int wait_until(PGconn *pg, uint64_t deadline)
{
    for (;;) {
        const int left = PQflush(pg);
        if (left < 0 || !PQconsumeInput(pg))
            return UV_ECONNRESET;
        if (!left && !PQisBusy(pg))
            return 0;
        const int64_t ms = deadline ? (int64_t)(deadline - now_ms()) : -1;
        if (deadline && ms <= 0)
            return UV_ETIMEDOUT;
        poll(&(struct pollfd){ PQsocket(pg), POLLIN | (left ? POLLOUT : 0), 0 }, 1, (int)ms);
    }
}

static int outcome(const statement *s, PGresult *r)
{
    const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    const ExecStatusType status = PQresultStatus(r);

    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY)
        return 0;
    if (!severity || !state || strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0)
        return UV_ECONNRESET;
    if (strcmp(state, "57014") == 0)
        return UV_ETIMEDOUT;
    log_error("postgres: %s: %s (%s)", s->name, PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY), state);
    return pg_error(state);
}

static void cancel_now(PGconn *pg)
{
    char error[256];
    PGcancel *request = PQgetCancel(pg);
    PQcancel(request, error, sizeof error);
    PQfreeCancel(request);
}

/* Sends one query and reads its one result. */
static int run(struct blocking *b, const statement *s, int n, const Oid oids[], const char *const values[],
               const int lengths[], PGresult **result)
{
    const uint64_t timeout = b->database->options->timeout_ms;
    PGresult *r = NULL;

    if (!PQsendQueryParams(b->pg, s->sql, n, oids, values, lengths, pg_binary, 1))
        return UV_ECONNRESET;
    int err = wait_until(b->pg, timeout ? now_ms() + timeout : 0);
    if (err == UV_ETIMEDOUT) {
        cancel_now(b->pg);
        err = wait_until(b->pg, now_ms() + GRACE_MS);
    }
    if (err)
        return err;
    for (PGresult *next; (next = PQgetResult(b->pg));) {     /* an error at commit comes second */
        if (!r || PQresultStatus(next) == PGRES_FATAL_ERROR) {
            PQclear(r);
            r = next;
        } else
            PQclear(next);
        if (wait_until(b->pg, now_ms() + GRACE_MS))
            break;
    }
    err = outcome(s, r);
    if (err)
        PQclear(r);
    else
        *result = r;
    return err;
}

static promise *query(db *d, arena *a, stopwatch *w, rows *out, const statement *s, int n,
                      const value parameters[])
{
    struct blocking *b = (struct blocking *)d;
    const pg_plan *plan = pg_plan_of(&b->plans, s, n, parameters);
    const char *values[MAX_PARAMETERS];
    int lengths[MAX_PARAMETERS], err = 0;
    int64_t integers[MAX_PARAMETERS];
    Oid oids[MAX_PARAMETERS];
    PGresult *r = NULL;

    pg_oids(plan, oids);
    for (int i = 0; i < n; i++)
        lengths[i] = pg_encode(&parameters[i], a, &integers[i], &values[i]);
    if (w)
        stopwatch_start(w);
    for (int attempt = 0; attempt < 2; attempt++) {
        const bool fresh = !b->pg;
        err = fresh ? connect_now(b) : 0;
        if (!err)
            err = run(b, s, n, oids, values, lengths, &r);
        if (b->pg && (PQstatus(b->pg) != CONNECTION_OK || PQtransactionStatus(b->pg) != PQTRANS_IDLE)) {
            PQfinish(b->pg);
            b->pg = NULL;
        }
        if (err != UV_ECONNRESET || fresh || !s->reads)
            break;
    }
    if (!err)
        pg_rows_give(out, a, r);
    if (w)
        stopwatch_stop(w);
    return promise_settled(err);
}

static promise *disconnect(db *d)
{
    struct blocking *b = (struct blocking *)d;
    PQfinish(b->pg);
    b->pg = NULL;
    return promise_settled(0);
}

static void blocking_free(db *d)
{
    pg_plans_done(&((struct blocking *)d)->plans);
    mem_free(d);
}

static const database_driver blocking_driver = {
    .query = query, .disconnect = disconnect, .free = blocking_free
};

db *pg_blocking_new(postgres *d)
{
    struct blocking *b = mem_alloc(sizeof *b);
    *b = (struct blocking){ .base.driver = &blocking_driver, .database = d };
    return &b->base;
}
