/* listener.c - db/listener.h for PostgreSQL: one connection, which says LISTEN as soon as it is up, and NOTIFY for what
 * this process has committed.
 *
 * A commit that notifies takes a lock of the whole cluster until it is on disk; this one need not wait for the disk, since what
 * it is about is there already. It is sent at once if it has been quiet, and else as soon as the last is LISTENER_NOTIFY_MS
 * old. One that could not be sent is owed until there is a connection again.
 *
 * Where the server has no room for all connections, those that serve requests go first: while a pool has none, this one is
 * given up. */
#include "error.h"
#include "outage_log.h"
#include "postgres.h"
#include "rows.h"
#include "server/base/deadline.h"
#include "server/base/memory.h"

#include <poll.h>
#include <stdio.h>

static const statement NOTIFY = {
    .name = "notify",
    .sql = "select set_config('synchronous_commit', 'off', true), pg_notify($1, '')",
    .reads = true,                           /* it does no harm twice */
};

enum { YIELD_MS = 50, LOOK_MS = 1000 };      /* until it looks whether the pools have theirs; how often, while it has its own */

static const uint64_t BRIEF = 1000000000;    /* after a connection that lasts less than this the next one waits */

typedef struct pg_listener {
    db_listener      base;                      /* must be first */
    pg_target    *target;
    pg_blocking_connection connection;       /* its pg is NULL while there is none */
    bool          subscribed;
    bool          heard;                     /* and not said yet */
    bool          owes;                      /* a NOTIFY, not before next_notify */
    uint64_t      next_notify, next_attempt; /* of deadline_in */
    uint64_t      backoff;                   /* milliseconds */
    int           first_host, silences;      /* as those of a pool */
    unsigned      connections;
    pg_outage_log outage;
} pg_listener;

static bool is_up(const pg_listener *l) { return l->connection.pg != NULL; }

static bool sends_prepared(const pg_listener *l) { return atomic_load_explicit(&l->target->prepare, memory_order_relaxed); }

static uint64_t query_deadline(const pg_listener *l)
{
    const uint64_t ms = l->target->options->timeout_ms;
    return ms ? deadline_in(ms) : NO_DEADLINE;
}

static void go_down(pg_listener *l)
{
    pg_blocking_connection *c = &l->connection;
    const bool brief = uv_hrtime() - c->up_since < BRIEF;
    pg_outage_log_begin(&l->outage, "lost the connection that listens", c->last_words);
    l->first_host += c->elsewhere;
    pg_blocking_connection_close(c);
    l->subscribed = false;
    l->next_attempt = deadline_in(pg_backoff(&l->backoff, brief, false));
}

static bool subscribe(pg_listener *l)
{
    pg_blocking_connection *c = &l->connection;
    if (!sends_prepared(l))
        return true;                         /* behind a pooler another would get it */
    char *name = PQescapeIdentifier(c->pg, l->base.ears.name, strlen(l->base.ears.name));
    char sql[160];
    snprintf(sql, sizeof sql, "listen %s", name ? name : "");
    PQfreemem(name);
    l->subscribed = pg_blocking_connection_says(c, sql, query_deadline(l));
    return l->subscribed;
}

/* To one that takes writes: a standby knows nothing of who writes at its primary, nor does it let anyone listen. */
static void go_up(pg_listener *l)
{
    pg_blocking_connection *c = &l->connection;
    char why[256] = "";
    const uint64_t timeout = pg_target_connect_timeout(l->target, l->silences);
    const int err = pg_blocking_connection_open(c, l->first_host, timeout, &l->base.ended, why, sizeof why);
    if (!err && !c->role.read_only && subscribe(l)) {
        l->silences = 0;
        l->backoff = 0;
        l->connections++;
        l->heard = true;                     /* what was told meanwhile */
        pg_outage_log_end(&l->outage);
        return;
    }
    l->first_host += err == UV_ETIMEDOUT || !err;
    l->silences += err == UV_ETIMEDOUT;
    pg_outage_log_begin(&l->outage, "cannot connect to listen",
                        err ? why : c->lost ? c->last_words : "the server takes no writes");
    if (!err)
        pg_blocking_connection_close(c);
    l->next_attempt = deadline_in(pg_backoff(&l->backoff, true, false));
}

/* Of those that have come; what we have sent ourselves we know already. */
static void take_notifications(pg_listener *l)
{
    const int own = PQbackendPID(l->connection.pg);
    for (PGnotify *n; (n = PQnotifies(l->connection.pg)); PQfreemem(n))
        l->heard = l->heard || n->be_pid != own;
}

static int run_once(pg_listener *l, arena *a, rows *out, const db_step *is)
{
    pg_blocking_connection *c = &l->connection;
    pg_blocking_step step = { .is = *is };
    pg_blocking_query q = { .steps = &step, .count = 1, .reads = is->statement->reads, .sends = 1,
                            .deadline = query_deadline(l) };
    pg_parameters_copy(&step.parameters, is->n, is->parameters, a);
    int err = pg_blocking_connection_run(c, &q);
    if (err == UV_ECONNRESET && !q.reads && !q.again)
        err = driver_uncertain(is->statement, PG_DOUBT_LOST);
    if (!err && out)
        err = pg_rows_give(out, a, step.result, is->statement, !q.reads);
    else
        PQclear(step.result);
    if (c->lost)
        go_down(l);
    else
        take_notifications(l);
    return err;
}

static void notify(pg_listener *l)
{
    arena a = { 0 };
    const value channel = string(text_of(l->base.ears.name));
    l->owes = run_once(l, &a, NULL, &(db_step){ &NOTIFY, 1, &channel, NULL }) != 0;
    l->next_notify = deadline_in(LISTENER_NOTIFY_MS);
    arena_done(&a);
}

static void yield_to_pools(pg_listener *l)
{
    if (atomic_load_explicit(&l->target->pools_down, memory_order_relaxed) == 0)
        return;
    if (is_up(l)) {
        pg_reason_copy("others need a connection first", l->connection.last_words, sizeof l->connection.last_words);
        go_down(l);
    }
    l->next_attempt = deadline_in(YIELD_MS);
}

static void look(pg_listener *l)
{
    if (channel_listener_take(&l->base.ears))
        l->owes = l->heard = true;
    yield_to_pools(l);
    if (!is_up(l) && uv_hrtime() >= l->next_attempt)
        go_up(l);
    if (is_up(l) && !pg_blocking_connection_stands(&l->connection))
        go_down(l);
    if (is_up(l))
        take_notifications(l);
    if (is_up(l) && l->owes && uv_hrtime() >= l->next_notify)
        notify(l);
}

static int pg_listener_wait(db_listener *whole, uint64_t until)
{
    pg_listener *l = (pg_listener *)whole;
    for (;;) {
        look(l);
        if (atomic_load(&l->base.ended))
            return UV_ECANCELED;
        if (l->heard && is_up(l)) {
            l->heard = false;
            return 0;
        }
        if (uv_hrtime() >= until)
            return UV_ETIMEDOUT;
        uint64_t next = deadline_sooner(until, deadline_in(LOOK_MS));
        if (!is_up(l))
            next = deadline_sooner(next, l->next_attempt);
        else if (l->owes)
            next = deadline_sooner(next, l->next_notify);
        struct pollfd on[] = { { l->base.ears.fd, POLLIN, 0 }, { is_up(l) ? PQsocket(l->connection.pg) : -1, POLLIN, 0 } };
        poll(on, 2, deadline_poll_ms(next));
    }
}

static int pg_listener_query(db_listener *whole, arena *a, rows *out, const statement *s, int n, const value parameters[])
{
    pg_listener *l = (pg_listener *)whole;
    if (!is_up(l))
        return UV_ECONNREFUSED;
    if (!pg_parameters_fit(s, n, parameters))
        return DB_EQUERY;
    return run_once(l, a, out, &(db_step){ s, n, parameters, out });
}

static bool pg_listener_hears(const db_listener *whole)
{
    const pg_listener *l = (const pg_listener *)whole;
    return is_up(l) && l->subscribed && sends_prepared(l);
}

static unsigned pg_listener_connections(const db_listener *l) { return ((const pg_listener *)l)->connections; }

static void pg_listener_close(db_listener *whole)
{
    pg_listener *l = (pg_listener *)whole;
    channel_listener_close(&l->base.ears);
    pg_blocking_connection_close(&l->connection);
    pg_prepared_table_done(&l->connection.prepared);
    pg_prepared_names_done(&l->connection.names);
    mem_free(l);
}

static const db_listener_driver driver = {
    .wait = pg_listener_wait, .query = pg_listener_query, .hears = pg_listener_hears, .connections = pg_listener_connections,
    .close = pg_listener_close
};

int pg_listen(db_listener **made, database *whole, const char *channel)
{
    pg_listener *l = mem_alloc(sizeof *l);
    const int err = channel_listener_open(&l->base.ears, &whole->channels, channel);
    if (err) {
        mem_free(l);
        return err;
    }
    l->base.driver = &driver;
    l->target = l->connection.target = &((pg_database *)whole)->target;
    *made = &l->base;
    return 0;
}
