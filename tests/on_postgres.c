/* on_postgres.c - see on_postgres.h. */
#include "on_postgres.h"
#include "db/postgres_shared.h"
#include "relay.h"
#include "server/async/loop.h"
#include "server/async/timer.h"
#include "server/async/timing.h"
#include "server/log.h"
#include "support.h"

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
                ADD = { "add", "insert into things (id, name) values ($1, 'added')", false };

static const statement CONNECTED = {
    "connected", "select count(*) from pg_stat_activity where application_name = 'tenk' and $1 > 0", true
};

void make_server(void)
{
    server = cluster_new();
    ck_assert_ptr_nonnull(server);
}

void free_server(void) { cluster_free(server); }

void begin(void)
{
    log_set_level(getenv("LOUD") ? LOG_DEBUG : LOG_ERROR);
    options = (database_options){ .connections = 2, .pipeline_depth = 16, .line = 64, .timeout_ms = 5000,
                                  .line_timeout_ms = 5000, .connect_timeout_ms = 5000, .prepare = true };
    cluster_start(server);
    cluster_ask(server, "set client_min_messages = error; drop table if exists things;"
                        "create table things(id int primary key, name text);"
                        "insert into things select i, 'thing ' || i from generate_series(1, 1000) i;"
                        "grant all on things to tenk");
}

void open_plain(const char *url)
{
    char why[256];
    options.url = url;
    ck_assert_int_eq(database_open(&base, &options, why, sizeof why), 0);
    here = db_new(base);
    arena_init(&scratch, NULL, 0);
}

void finish_plain(void)
{
    ck_assert_int_eq(outcome_now(db_close(here)), 0);
    arena_done(&scratch);
    db_free(here);
    database_close(base);
}

void wait_for_line(int n)
{
    while (lender_waiting(&((postgres *)base)->shared->lender) != n)
        sched_yield();
}

void wait_for(const char *sql, const char *answer)
{
    while (strcmp(cluster_ask(server, sql), answer))
        ;
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
    open_plain(url);
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
            ck_assert_int_eq(outcome_here(sleep_for(1)), 0);
}

void finish(void)
{
    ck_assert_int_eq(outcome_here(db_close(here)), 0);
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
    rows r;
    while (outcome_here(ask(&r, &CONNECTED, 1)) || rows_int(&r, 0, 0) < options.connections)
        ;
    ck_assert_int_eq(outcome_here(sleep_for(5)), 0);           /* for the server's word to reach us */
}

double seconds(void)
{
    static uint64_t last;
    const uint64_t now = uv_hrtime(), since = now - last;
    last = now;
    return (double)since / 1e9;
}
