/* fixture.c - see fixture.h. */
#include "fixture.h"
#include "tests/support/relay.h"
#include "server/base/deadline.h"
#include "server/async/loop.h"
#include "server/base/blocking_wait.h"
#include "server/async/timer.h"
#include "server/async/timing.h"
#include "server/base/log.h"
#include "tests/support/support.h"

#include <check.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

cluster         *server;
database        *base;
db              *here;
arena            scratch;
database_options options;

const statement THING = { "thing", "select id, name from things where id = $1", true },
                SLEEP = { "sleep", "select 1 from pg_sleep($1 / 1000.0)", true },
                ADD = { "add", "insert into things (id, name) values ($1, 'added')", false },
                SLEEP_AND_ADD = { "sleep_and_add", "insert into things select $1, 'added' from pg_sleep(60)", false },
                BACKEND = { "backend", "select pg_backend_pid() where $1 > 0", true },
                GATED = { "gated", "select $1::int8 from pg_advisory_xact_lock_shared(1)", true },
                GATED_ADD = { "gated_add", "insert into things select $1, 'added' from pg_advisory_xact_lock_shared(1)", false };

const char CONNECTED[] = "select count(*) from pg_stat_activity where application_name = 'tenk'",
           SLEEPING[] = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'";

static PGconn *gate;                         /* holds the lock */
static PGconn *locker;                       /* of things */

void make_server(void)
{
    server = cluster_new();
    ck_assert_ptr_nonnull(server);
}

void free_server(void) { cluster_free(server); }

void wait_for(const char *sql, const char *answer) { cluster_wait(server, sql, answer); }

static void terminate_those(const char *where)
{
    char sql[256], gone[640];
    snprintf(sql, sizeof sql, "with theirs as materialized (select pid from pg_stat_activity where %s)"
             " select coalesce(string_agg(pid::text, ','), '0') from theirs where pg_terminate_backend(pid)", where);
    snprintf(gone, sizeof gone, "select count(*) from pg_stat_activity where pid in (%.512s)", cluster_ask(server, sql));
    wait_for(gone, "0");
}

void terminate_all(void) { terminate_those("application_name = 'tenk'"); }

void terminate(int pid)
{
    char where[32];
    snprintf(where, sizeof where, "pid = %d", pid);
    terminate_those(where);
}

void begin(void)
{
    log_set_level(getenv("LOUD") ? LOG_DEBUG : LOG_ERROR);
    options = (database_options){ .connections = 2, .pipeline_depth = 16, .line = 64, .timeout_ms = 10000,
                                  .line_timeout_ms = 10000, .connect_timeout_ms = 10000, .prepare = true };
    cluster_start(server);
    cluster_resume(server);
    cluster_ask(server, "set client_min_messages = error; drop table if exists things;"
                        "create table things(id int primary key, name text);"
                        "insert into things select i, 'thing ' || i from generate_series(1, 1000) i;"
                        "grant all on things to tenk");
    terminate_all();                         /* whom an earlier test has left behind */
}

void open_blocking(const char *url)
{
    char why[256];
    options.url = url;
    ck_assert_int_eq(database_open(&base, &options, why, sizeof why), 0);
    here = db_new(base);
    arena_init(&scratch, NULL, 0);
}

void finish_blocking(void)
{
    ck_assert_int_eq(outcome_now(db_close(here)), 0);
    arena_done(&scratch);
    db_free(here);
    database_close(base);
}

pg_connection *connections(void) { return ((pg_pool *)here)->connections; }

pg_blocking_pool *blocking_pool(void) { return ((pg_database *)base)->pool; }

void wait_for_waiting(int n)
{
    while (resource_pool_waiting(&blocking_pool()->idle) != n)
        sched_yield();
}

int now(const statement *s, rows *r, int64_t n) { return outcome_now(ask(r, s, n)); }

int now_or_never(const statement *s, rows *r, int64_t n)
{
    blocking_limit(uv_hrtime());
    const int err = now(s, r, n);
    blocking_limit(NO_DEADLINE);
    return err;
}

void wait_for_a_standby(void)
{
    static const char *const ON[] = { "wal_level = replica", "max_wal_senders = 1", "synchronous_standby_names = 'nobody'" };
    for (int i = 0; i < 3; i++) {
        char set[80];
        snprintf(set, sizeof set, "alter system set %s", ON[i]);
        cluster_ask(server, set);
    }
    cluster_stop(server);
    cluster_start(server);
}

void gate_shut(void)
{
    gate = PQconnectdb(cluster_socket_url(server));
    PGresult *r = PQexec(gate, "select pg_advisory_lock(1)");
    ck_assert_int_eq(PQresultStatus(r), PGRES_TUPLES_OK);
    PQclear(r);
}

void gate_open(void)
{
    PGresult *r = PQexec(gate, "select pg_advisory_unlock(1)");
    PQclear(r);
    PQfinish(gate);
}

static const char AT_GATE[] = "select count(*) from pg_locks where locktype = 'advisory' and not granted";

void wait_at_gate(int n)
{
    char answer[16];
    snprintf(answer, sizeof answer, "%d", n);
    wait_for(AT_GATE, answer);
}

void run_until_at_gate(int n)
{
    while (atoi(cluster_ask(server, AT_GATE)) != n)
        pause_for(1);
}

static void locker_says(const char *sql)
{
    PGresult *r = PQexec(locker, sql);
    ck_assert_int_eq(PQresultStatus(r), PGRES_COMMAND_OK);
    PQclear(r);
}

void things_lock(void)
{
    locker = PQconnectdb(cluster_socket_url(server));
    locker_says("begin");
    locker_says("lock table things");
}

void things_unlock(void) { PQfinish(locker); }

void wait_for_things(int n)
{
    char answer[16];
    snprintf(answer, sizeof answer, "%d", n);
    wait_for("select count(*) from pg_locks where relation = 'things'::regclass and not granted", answer);
}

const char *relayed_url(void)
{
    static char url[128];
    snprintf(url, sizeof url, "postgresql://tenk@127.0.0.1:%d/tenk?sslmode=disable&gssencmode=disable",
             relay_to(cluster_port(server)));
    return url;
}

void open_with(const char *url)
{
    loop_start();
    open_blocking(url);
}

static void store_and_stop(int err, void *arg)
{
    store(err, arg);
    loop_stop();
}

int outcome_here(promise *p)
{
    int err = 1;
    when_settled(p, store_and_stop, &err);
    while (err == 1)
        loop_run();
    return err;
}

void start(promise *p, int *err)
{
    *err = 1;
    when_settled(p, store, err);
}

void wait_until_settled(const int err[], int n)
{
    for (int i = 0; i < n; i++)
        while (err[i] == 1)
            pause_for(1);
}

void finish(void) { finish_after(db_close(here)); }

void finish_after(promise *closed)
{
    ck_assert_int_eq(outcome_here(closed), 0);
    arena_done(&scratch);
    db_free(here);
    database_close(base);
    timer_end();
    loop_run();
    ck_assert_int_eq(loop_done(), 0);
}

promise *ask(rows *out, const statement *s, int64_t n)
{
    return db_query(here, &scratch, NULL, out, s, 1, (value[]){ integer(n) });
}

void wait_for_all(void)
{
    for (int i = 0; i < options.connections; i++)
        while (!pg_connection_is_usable(&connections()[i]))
            pause_for(1);
}

void pause_for(uint64_t ms) { ck_assert_int_eq(outcome_here(sleep_for(ms)), 0); }
