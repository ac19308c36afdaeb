/* postgres_queries.c - slow queries: side by side, too slow, no longer wanted, locked, too many. */
#include "scenarios.h"

#include "tests/scenarios/support/postgres.h"

#include <libpq-fe.h>
#include <stdio.h>

/* Views with the names of the tables, in a schema of their own, over queries that call this first. */
static const char *views_url(const char *call)
{
    static char url[400];
    char sql[1024];
    snprintf(
        sql, sizeof sql,
        "set client_min_messages = warning; drop schema if exists slow cascade; create schema slow;"
        "create view slow.users as select * from public.users where (select %s) is not null;"
        "create view slow.posts as select * from public.posts where (select %s) is not null;"
        "grant usage on schema slow to tenk; grant select on all tables in schema slow to tenk;",
        call, call);
    cluster_ask(postgres(), sql);
    snprintf(url, sizeof url, "DATABASE_URL=%s?options=-csearch_path%%3Dslow%%2Cpublic",
             postgres_url());
    return url;
}

static const char *slow_url(double seconds)
{
    char call[40];
    snprintf(call, sizeof call, "pg_sleep(%g)", seconds);
    return views_url(call);
}

#define ACTIVE "select count(*) from pg_stat_activity where usename = 'tenk' and state = 'active'"

/* The gate is a lock of the database's: while it is shut, each query over these views waits there, and is seen. */
#define AT_THE_GATE "select count(*) from pg_locks where locktype = 'advisory' and not granted"

static const char *gated_url(void)
{
    return views_url("pg_advisory_xact_lock_shared(1)");
}

static PGconn *gate_shut(void)
{
    PGconn *gate = PQconnectdb(postgres_url());
    PQclear(PQexec(gate, "select pg_advisory_lock(1)"));
    return gate;
}

START_TEST(queries_side_by_side_are_under_way_at_once)
{
    static const char *const together[] = {
        "/users/42", "/users/42/promises", "/users/42/callbacks",
    };
    const int at_once = in_threads_mode() ? 1 : 2;           /* blocking code has no two at once */
    server_start("postgres-queries", gated_url(), NULL);
    until_200("/users/42");
    for (int i = 0; i < 3; i++) {
        PGconn *gate = gate_shut();
        client *c = client_asking(together[i]);
        ck_assert_msg(eventually(10, sql_int(AT_THE_GATE) == at_once), "%s: %d at once", together[i], sql_int(AT_THE_GATE));
        PQfinish(gate);
        expect(client_answer(c), 200, "text/html");
        client_free(c);
    }
    server_stop();
}
END_TEST

START_TEST(queries_one_after_the_other_take_as_long_as_all_of_them)
{
    server_start("postgres-queries", slow_url(0.05), NULL);
    until_200("/users/42");
    for (int i = 0; i < 3; i++) {
        double before = now_s();
        expect(get("/users/42/sequential"), 200, "text/html");
        ck_assert_double_ge(now_s() - before, 0.100);
        before = now_s();
        expect(get("/users/42"), 200, "text/html");
        ck_assert_double_ge(now_s() - before, in_threads_mode() ? 0.100 : 0.050);
    }
    server_stop();
}
END_TEST

START_TEST(a_query_slower_than_its_timeout_is_504_and_gone_at_the_server)
{
    server_start("postgres-queries", slow_url(20), "TENK_DATABASE_TIMEOUT=300ms", NULL);
    for (int i = 0; i < 2; i++) {
        const double before = now_s(), granted = granted_s();
        const answer a = get(i ? "/users" : "/users/42");
        const double took = now_s() - before;
        expect_problem(a, 504);
        ck_assert_msg(took > 0.25 && granted_s() - granted < 2, "after %.1f s", took);
        ck_assert_msg(eventually(1, sql_int(ACTIVE) == 0), "%s", cluster_ask(postgres(),
                      "select string_agg(query, '; ') from pg_stat_activity where usename = 'tenk' and state = 'active'"));
    }
    expect(get_as("/users/42", "text/html"), 504, "text/html");
    expect(get("/healthz"), 200, NULL);
    server_stop();
}
END_TEST

/* Of all stages: a callback cannot be cancelled, but its queries know the deadline. */
START_TEST(a_query_that_its_request_has_no_time_for_is_504_and_gone_at_the_server)
{
    static const char *const paths[] = {
        "/users/42", "/users/42/promises", "/users/42/callbacks", "/users/42/sequential",
    };
    server_start("postgres-queries", slow_url(20), "TENK_DATABASE_TIMEOUT=30s", "TENK_TIMEOUTS_REQUEST=300ms", NULL);
    ck_assert(eventually(5, get("/healthz").status == 200));
    for (int i = 0; i < 4; i++) {
        const double before = now_s(), granted = granted_s();
        const answer a = get(paths[i]);
        const double took = now_s() - before;
        expect_problem(a, 504);
        ck_assert_msg(took > 0.25 && granted_s() - granted < 3, "%s: after %.1f s", paths[i], took);
        ck_assert_msg(eventually(1, sql_int(ACTIVE) == 0), "%s goes on", paths[i]);
    }
    server_stop();
}
END_TEST

/* Callbacks cannot be cancelled: that is one of the reasons for the stages after them. */
START_TEST(a_query_whose_client_has_left_is_gone_at_the_server)
{
    static const char *const paths[] = {
        "/users/42", "/users/42/promises", "/users/42/sequential", "/users",
    };
    server_start("postgres-queries", slow_url(20), "TENK_DATABASE_TIMEOUT=30s", NULL);
    for (int i = 0; i < 8; i++) {
        client *c = client_asking(paths[i % 4]);
        ck_assert_msg(eventually(3, sql_int(ACTIVE) > 0), "%s does not run", paths[i % 4]);
        i < 4 ? client_reset(c) : client_free(c);
        ck_assert_msg(eventually(2, sql_int(ACTIVE) == 0), "%s goes on", paths[i % 4]);
    }
    server_stop();
}
END_TEST

START_TEST(a_locked_table_delays_nobody_else)
{
    server_start_on_postgres("postgres-queries", "TENK_DATABASE_TIMEOUT=500ms", NULL);
    until_200("/users/42");
    PGconn *other = PQconnectdb(postgres_url());
    PQclear(PQexec(other, "begin; lock table posts in access exclusive mode"));
    const double before = granted_s();
    expect_problem(get("/users/42"), 504);
    const answer a = post("/users/1/posts", "application/json", "{\"title\":\"locked\",\"body\":\"b\"}");
    expect_problem(a, a.status == 502 ? 502 : 504);          /* PostgreSQL may be slow to say that it has stopped it */
    ck_assert_double_lt(granted_s() - before, 4);
    expect(get("/users"), 200, "text/html");
    expect(get("/healthz"), 200, NULL);
    PQclear(PQexec(other, "rollback"));
    PQfinish(other);
    ck_assert(until_200("/users/42") < 2);
    ck_assert_int_eq(sql_int("select count(*) from posts where title = 'locked'"), 0);
    server_stop();
}
END_TEST

START_TEST(more_requests_than_pool_and_line_hold_are_503_and_none_hangs)
{
    enum { MANY = 60 };
    client *c[MANY];
    int good = 0, unavailable = 0;
    server_start("postgres-queries", slow_url(0.1), "TENK_DATABASE_CONNECTIONS=2",
                 "TENK_DATABASE_PIPELINE_DEPTH=1", "TENK_DATABASE_LINE=4",
                 "TENK_DATABASE_LINE_TIMEOUT=2s", NULL);
    until_200("/users");
    const double before = granted_s();
    for (int i = 0; i < MANY; i++)
        c[i] = client_asking(i % 2 ? "/users" : "/users/42");
    for (int i = 0; i < MANY; i++) {
        const answer a = client_answer(c[i]);
        good += a.status == 200;
        if (a.status == 503) {
            unavailable++;
            expect_unavailable(a);
        }
        client_free(c[i]);
    }
    ck_assert_msg(good + unavailable == MANY, "%d good, %d unavailable", good, unavailable);
    ck_assert_int_ge(good, 2);
    ck_assert_int_ge(unavailable, 20);
    ck_assert_double_lt(granted_s() - before, 5);
    until_200("/users/42");
    server_stop();
}
END_TEST

START_TEST(waiting_in_line_has_an_end)
{
    server_start("postgres-queries", gated_url(), "TENK_DATABASE_CONNECTIONS=1", "TENK_DATABASE_TIMEOUT=30s",
                 "TENK_DATABASE_PIPELINE_DEPTH=1", "TENK_DATABASE_LINE_TIMEOUT=200ms", NULL);
    until_200("/users");
    PGconn *gate = gate_shut();
    client *first = client_asking("/users");
    ck_assert(eventually(5, sql_int(AT_THE_GATE) == 1));
    const double before = now_s();
    expect_problem(get("/users"), 503);
    ck_assert_double_gt(now_s() - before, 0.15);
    ck_assert_int_eq(sql_int(AT_THE_GATE), 1);       /* and whom it waited for waits as before */
    PQfinish(gate);
    expect(client_answer(first), 200, "text/html");
    client_free(first);
    server_stop();
}
END_TEST

#define COMMENTED "select count(*) from pg_stat_activity where usename = 'tenk' and strpos(query, " \
                  "' /*application=''tenk'',route=''%2Fusers%2F%3Aid'',traceparent=''00-0af7651916cd43dd8448eb211c80319c-') > 0"

static int comments_when_asked(void)
{
    expect(ask("GET /users/42 HTTP/1.1\r\nHost: t\r\nConnection: close\r\n"
               "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n"), 200, NULL);
    return sql_int(COMMENTED);
}

/* The outbox is asked by the same connections, of which only the last statement is known. */
START_TEST(a_statement_that_is_not_prepared_says_for_whom_it_is_when_that_is_set)
{
    server_start_on_postgres("postgres-queries", "TENK_DATABASE_PREPARE=off", "TENK_DATABASE_COMMENT=on", NULL);
    ck_assert(eventually(10, comments_when_asked() > 0));
    server_stop();
    server_start_on_postgres("postgres-queries", "TENK_DATABASE_COMMENT=on", NULL);
    ck_assert_int_eq(comments_when_asked(), 0);      /* what is prepared has none */
    server_stop();
}
END_TEST

Suite *postgres_queries_suite(void)
{
    Suite *s = suite_create("postgres-queries");
    TCase *t = postgres_theme(s, "postgres-queries");
    tcase_add_test(t, queries_side_by_side_are_under_way_at_once);
    tcase_add_test(t, queries_one_after_the_other_take_as_long_as_all_of_them);
    tcase_add_test(t, a_query_slower_than_its_timeout_is_504_and_gone_at_the_server);
    tcase_add_test(t, a_query_that_its_request_has_no_time_for_is_504_and_gone_at_the_server);
    tcase_add_test(t, a_query_whose_client_has_left_is_gone_at_the_server);
    tcase_add_test(t, a_locked_table_delays_nobody_else);
    tcase_add_test(t, more_requests_than_pool_and_line_hold_are_503_and_none_hangs);
    tcase_add_test(t, waiting_in_line_has_an_end);
    tcase_add_test(t, a_statement_that_is_not_prepared_says_for_whom_it_is_when_that_is_set);
    return s;
}
