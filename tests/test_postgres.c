/* test_postgres.c - the PostgreSQL driver against a private server: outcomes, sharing, faults. */
#include "db/db.h"
#include "server/async/combine.h"
#include "server/async/loop.h"
#include "server/async/timing.h"
#include "server/log.h"
#include "tests/cluster.h"

#include "suites.h"

#include <stdlib.h>

static cluster *server;
static database *base;
static db       *here;
static arena     scratch;

static database_options options;

static void make_server(void)
{
    server = cluster_new();
    ck_assert_ptr_nonnull(server);
}

static void free_server(void) { cluster_free(server); }

static void open_with(const char *url)
{
    char why[256];
    log_set_level(getenv("LOUD") ? LOG_DEBUG : -1);
    options.url = url;
    ck_assert_int_eq(database_open(&base, &options, why, sizeof why), 0);
    loop_start();
    here = db_new(base);
    arena_init(&scratch, NULL, 0);
}

static void begin(void)
{
    options = (database_options){ .connections = 2, .pipeline_depth = 16, .line = 64, .timeout_ms = 2000,
                                  .line_timeout_ms = 2000, .connect_timeout_ms = 2000, .prepare = true };
    cluster_start(server);
    cluster_ask(server, "drop table if exists things; create table things(id int primary key, name text);"
                        "insert into things select i, 'thing ' || i from generate_series(1, 1000) i;"
                        "grant all on things to tenk");
}

static void store(int err, void *arg)
{
    *(int *)arg = err;
    loop_stop();
}

static int outcome_of(promise *p)            /* run the loop until p settles */
{
    int err = 1;
    when_settled(p, store, &err);
    while (err == 1)
        loop_run();
    return err;
}

static void finish(void)                     /* after which nothing may be left open */
{
    arena_done(&scratch);
    ck_assert_int_eq(outcome_of(db_close(here)), 0);
    db_free(here);
    database_close(base);
    extern void timer_end(void);
    timer_end();
    loop_run();
    ck_assert_int_eq(loop_done(), 0);
}

static const statement THING = { "thing", "select id, name from things where id = $1", true },
                       SLEEP = { "sleep", "select 1 from pg_sleep($1 / 1000.0)", true };

static promise *ask(rows *out, const statement *s, int64_t n)
{
    return db_query(here, &scratch, NULL, out, s, 1, (value[]){ integer(n) });
}

static const statement CONNECTED = {
    "connected", "select count(*) from pg_stat_activity where application_name = 'tenk' and $1 > 0", true
};

static void wait_for_all(void)               /* connections to be up */
{
    rows r;
    do
        ck_assert_int_eq(outcome_of(ask(&r, &CONNECTED, 1)), 0);
    while (rows_int(&r, 0, 0) < options.connections);
    ck_assert_int_eq(outcome_of(sleep_for(5)), 0);   /* for the server's word to reach us */
}

START_TEST(a_query_answers_with_rows_of_its_types)
{
    rows r = { 0 };
    open_with(cluster_url(server));
    ck_assert_int_eq(outcome_of(ask(&r, &THING, 42)), 0);
    ck_assert_int_eq(r.count, 1);
    ck_assert_int_eq(r.columns, 2);
    ck_assert_int_eq(rows_int(&r, 0, 0), 42);
    ck_assert(text_equal(rows_text(&r, 0, 1), TEXT("thing 42")));
    finish();
}
END_TEST

START_TEST(two_slow_queries_side_by_side_take_the_time_of_one)
{
    rows a, b;
    open_with(cluster_url(server));
    wait_for_all();
    const uint64_t began = uv_hrtime();
    ck_assert_int_eq(outcome_of(gather(ask(&a, &SLEEP, 50), ask(&b, &SLEEP, 50))), 0);
    ck_assert_uint_lt(uv_hrtime() - began, 90000000);
    finish();
}
END_TEST

Suite *postgres_suite(void)
{
    Suite *s = suite_create("postgres");
    TCase *t = tcase_create("queries");
    tcase_add_unchecked_fixture(t, make_server, free_server);
    tcase_add_checked_fixture(t, begin, NULL);
    tcase_add_test(t, a_query_answers_with_rows_of_its_types);
    tcase_add_test(t, two_slow_queries_side_by_side_take_the_time_of_one);
    suite_add_tcase(s, t);
    return s;
}
