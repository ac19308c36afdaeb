/* test_loop_db.c - the PostgreSQL driver while all is well: rows, sharing, time limits, the queue. */
#include "fixture.h"
#include "server/async/combine.h"
#include "server/async/loop.h"
#include "server/base/overload/refusal.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>

START_TEST(rows_are_read_by_their_types)
{
    static const statement TYPES = {
        "types", "select 7::int2, -70000::int4, $1::int8, 'a'::text, 'b'::varchar(9), 'c'::name, null::text, ''", true
    };
    rows r = { 0 };
    open_with(cluster_url(server));
    ck_assert_int_eq(outcome_here(ask(&r, &TYPES, INT64_MIN)), 0);
    ck_assert_int_eq(r.count, 1);
    ck_assert_int_eq(r.columns, 8);
    ck_assert_int_eq(rows_int(&r, 0, 0), 7);
    ck_assert_int_eq(rows_int(&r, 0, 1), -70000);
    ck_assert(rows_int(&r, 0, 2) == INT64_MIN);
    ck_assert(text_equal(rows_text(&r, 0, 3), TEXT("a")));
    ck_assert(text_equal(rows_text(&r, 0, 4), TEXT("b")));
    ck_assert(text_equal(rows_text(&r, 0, 5), TEXT("c")));
    ck_assert(rows_null(&r, 0, 6) && !rows_null(&r, 0, 7));
    ck_assert_uint_eq(rows_text(&r, 0, 6).length, 0);
    finish();
}
END_TEST

START_TEST(parameters_are_copied_and_may_be_null_or_not)
{
    static const statement NAMED = { "named", "select count(*) from things where id = $1 or name = $2", true };
    char name[] = "thing 7";
    rows one, two, none;
    open_with(cluster_url(server));
    promise *a = db_query(here, &scratch, NULL, &one, &NAMED, 2, (value[]){ { .type = VALUE_NULL }, string(text_of(name)) });
    name[6] = 'x';
    promise *b = db_query(here, &scratch, NULL, &two, &NAMED, 2, (value[]){ integer(8), string(TEXT("thing 9")) });
    promise *c = db_query(here, &scratch, NULL, &none, &NAMED, 2, (value[]){ integer(0), { .type = VALUE_NULL } });
    ck_assert_int_eq(outcome_here(gather(a, b, c)), 0);
    ck_assert_int_eq(rows_int(&one, 0, 0), 1);
    ck_assert_int_eq(rows_int(&two, 0, 0), 2);
    ck_assert_int_eq(rows_int(&none, 0, 0), 0);
    finish();
}
END_TEST

START_TEST(rows_outlive_the_connection_and_the_watch_ran)
{
    rows r;
    stopwatch watch = { 0 };
    open_with(cluster_socket_url(server));
    ck_assert_int_eq(outcome_here(db_query(here, &scratch, &watch, &r, &THING, 1, (value[]){ integer(42) })), 0);
    ck_assert_int_eq(watch.running, 0);
    ck_assert_uint_gt(watch.total, 0);
    ck_assert_int_eq(outcome_here(db_close(here)), 0);
    ck_assert(text_equal(rows_text(&r, 0, 1), TEXT("thing 42")));
    arena_done(&scratch);
    db_free(here);
    database_close(base);
}
END_TEST

START_TEST(two_slow_queries_run_side_by_side)
{
    rows a, b;
    int err;
    open_with(cluster_url(server));
    wait_for_all();
    for (int round = 0; round < 2; round++) {
        gate_shut();
        start(gather(ask(&a, &GATED, 1), ask(&b, &GATED, 2)), &err);
        pause_for(1);
        wait_at_gate(2);
        gate_open();
        wait_until_settled(&err, 1);
        ck_assert_int_eq(err, 0);
        for (int i = 0; i < 40; i++)         /* and once the statement is known to be quick */
            ck_assert_int_eq(outcome_here(gather(ask(&a, &GATED, 1), ask(&b, &GATED, 2))), 0);
    }
    finish();
}
END_TEST

START_TEST(ten_thousand_queries_in_one_turn_are_each_answered_as_asked)
{
    enum { MANY = 10000 };
    static promise *parts[MANY];
    static rows r[MANY];
    options.line = MANY;
    options.timeout_ms = options.line_timeout_ms = 0;
    open_with(cluster_url(server));
    for (int i = 0; i < MANY; i++)
        parts[i] = ask(&r[i], &THING, i % 1000 + 1);
    ck_assert_int_eq(outcome_here(promise_gather(parts, MANY)), 0);
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(rows_int(&r[i], 0, 0), i % 1000 + 1);
    for (int i = 0; i < options.connections; i++)            /* and the connections are known to be free */
        ck_assert(connections()[i].pipeline.load == 0);
    finish();
}
END_TEST

static const statement DIVIDE = { "divide", "select 1 / $1", true };

START_TEST(a_read_behind_many_that_fail_is_answered)
{
    enum { FAIL = 12, ALL };
    rows r[ALL];
    int err[ALL];
    options.connections = 1;
    open_with(cluster_url(server));
    wait_for_all();
    for (int i = 0; i < ALL; i++)
        start(i < FAIL ? ask(&r[i], &DIVIDE, 0) : ask(&r[i], &THING, 7), &err[i]);
    wait_until_settled(err, ALL);
    for (int i = 0; i < FAIL; i++)
        ck_assert_int_eq(err[i], DB_EQUERY);
    ck_assert_int_eq(err[FAIL], 0);
    ck_assert_int_eq(rows_int(&r[FAIL], 0, 0), 7);
    finish();
}
END_TEST

START_TEST(an_error_concerns_only_its_own_query)
{
    enum { ALL = 9 };
    rows r[ALL];
    int err[ALL];
    options.connections = 1;
    options.prepare = _i == 0;               /* as a pooler wants it */
    open_with(cluster_url(server));
    wait_for_all();
    for (int round = 0; round < 2; round++) {                /* preparing, then prepared */
        for (int i = 0; i < ALL; i++)
            start(i == 2 || i == 6 ? ask(&r[i], &DIVIDE, 0) :
                  i == 4 ? ask(&r[i], &ADD, 2000 + round) :
                  i == 7 ? ask(&r[i], &ADD, 1) : ask(&r[i], &THING, i + 1), &err[i]);
        wait_until_settled(err, ALL);
        for (int i = 0; i < ALL; i++) {
            ck_assert_int_eq(err[i], i == 2 || i == 6 || i == 7 ? DB_EQUERY : 0);
            if (!err[i] && i != 4)
                ck_assert_int_eq(rows_int(&r[i], 0, 0), i + 1);
        }
    }
    ck_assert_str_eq(cluster_ask(server, "select count(*) from things where name = 'added'"), "2");
    finish();
}
END_TEST

START_TEST(a_statement_that_cannot_be_prepared_fails_alone)
{
    static const statement BAD = { "bad", "select nothing from nowhere where $1 = 1", true };
    rows r[3];
    int err[3];
    log_capture();
    options.connections = 1;
    open_with(cluster_url(server));
    wait_for_all();
    for (int i = 0; i < 3; i++)
        start(ask(&r[i], i == 1 ? &BAD : &THING, 1), &err[i]);
    wait_until_settled(err, 3);
    ck_assert_int_eq(err[2], 0);
    ck_assert_int_eq(err[0], 0);
    ck_assert_int_eq(err[1], DB_EQUERY);
    ck_assert_int_eq(log_times("postgres: bad: "), 1);       /* it was not sent again */
    ck_assert_int_eq(outcome_here(ask(&r[1], &BAD, 1)), DB_EQUERY);
    cluster_ask(server, "create table nowhere (nothing int); grant all on nowhere to tenk");
    ck_assert_int_eq(outcome_here(ask(&r[1], &BAD, 1)), 0);
    cluster_ask(server, "drop table nowhere");
    finish();
}
END_TEST

START_TEST(a_table_that_changes_under_a_prepared_statement_goes_unnoticed)
{
    static const statement ALL = { "all", "select * from things where id = $1", true };
    rows r;
    options.connections = 1;
    open_with(cluster_url(server));
    ck_assert_int_eq(outcome_here(ask(&r, &ALL, 1)), 0);
    cluster_ask(server, "alter table things add more text");
    ck_assert_int_eq(outcome_here(ask(&r, &ALL, 1)), 0);
    ck_assert_int_eq(r.columns, 3);
    finish();
}
END_TEST

START_TEST(a_write_that_fails_at_its_commit_fails)
{
    rows r;
    options.connections = 1;
    cluster_ask(server, "alter table things add constraint late unique (name) deferrable initially deferred");
    open_with(cluster_url(server));
    ck_assert_int_eq(outcome_here(ask(&r, &ADD, 5000)), 0);
    ck_assert_int_eq(outcome_here(ask(&r, &ADD, 5001)), DB_EQUERY);
    ck_assert_int_eq(outcome_here(ask(&r, &THING, 5001)), 0);
    ck_assert_int_eq(r.count, 0);
    finish();
}
END_TEST

START_TEST(what_does_not_fit_the_socket_leaves_as_the_server_reads)
{
    enum { SIZE = 2 << 20, ALL = 4 };
    static const statement BACK = { "back", "select $1 || 'end', length($1)", true };
    char *big = malloc(SIZE);
    rows r[ALL];
    int err[ALL];
    memset(big, 'x', SIZE);
    options.connections = 1;
    open_with(cluster_socket_url(server));
    for (int i = 0; i < ALL; i++)
        start(i % 2 ? ask(&r[i], &THING, i) :
              db_query(here, &scratch, NULL, &r[i], &BACK, 1, (value[]){ string((text){ big, SIZE }) }), &err[i]);
    wait_until_settled(err, ALL);
    for (int i = 0; i < ALL; i++)
        ck_assert_int_eq(err[i], 0);
    ck_assert_uint_eq(rows_text(&r[2], 0, 0).length, SIZE + 3);
    ck_assert_int_eq(rows_int(&r[3], 0, 0), 3);
    free(big);
    finish();
}
END_TEST

START_TEST(options_of_the_url_hold_beside_ours)
{
    static const statement LIMIT = { "limit", "select current_setting('statement_timeout') where $1 = 1", true },
                           KEEPALIVES = { "keepalives", "select current_setting('tcp_keepalives_idle') || ' ' ||"
                                          " current_setting('tcp_keepalives_interval') || ' ' ||"
                                          " current_setting('tcp_keepalives_count') where $1 = 1", true };
    char url[512];
    rows r;
    snprintf(url, sizeof url, "%s options='-c default_transaction_read_only=on'", cluster_socket_url(server));
    open_with(url);
    ck_assert_int_eq(outcome_here(ask(&r, &ADD, 6000)), UV_EROFS);
    ck_assert_int_eq(outcome_here(ask(&r, &LIMIT, 1)), 0);
    ck_assert(text_equal(rows_text(&r, 0, 0), TEXT("11s")));  /* a little more than the time limit */
    finish();
    snprintf(url, sizeof url, "%s?options=-c%%20tcp_keepalives_count%%3D2", cluster_url(server));
    open_with(url);
    ck_assert_int_eq(outcome_here(ask(&r, &KEEPALIVES, 1)), 0);
    ck_assert(text_equal(rows_text(&r, 0, 0), TEXT("1 1 2")));
    finish();
}
END_TEST

START_TEST(text_that_is_not_utf8_is_refused_and_disturbs_nobody)
{
    static const statement NAMED = { "named", "select count(*) from things where name = $1", true };
    rows a, b;
    int bad;
    open_with(cluster_url(server));
    start(db_query(here, &scratch, NULL, &a, &NAMED, 1, (value[]){ string(TEXT("\xff\xfe")) }), &bad);
    ck_assert_int_eq(outcome_here(ask(&b, &THING, 3)), 0);
    ck_assert_int_eq(outcome_here(db_query(here, &scratch, NULL, &a, &NAMED, 1, (value[]){ string(TEXT("a\0b")) })),
                     DB_EQUERY);
    wait_until_settled(&bad, 1);
    ck_assert_int_eq(bad, DB_EQUERY);
    finish();
}
END_TEST

START_TEST(a_full_line_refuses_at_once_and_a_long_one_in_time)
{
    enum { ALL = 6 };                        /* two run, three wait, one is too many */
    rows r[ALL];
    int err[ALL];
    options.pipeline_depth = 1;
    options.line = 0;                        /* which is blocking threads' */
    options.loop_line = 3;
    options.timeout_ms = options.line_timeout_ms = 0;
    open_with(cluster_url(server));
    wait_for_all();
    gate_shut();
    for (int i = 0; i < ALL - 1; i++) {
        options.line_timeout_ms = i < 3 ? 3600000 : 60000;
        start(ask(&r[i], i == 0 ? &GATED : &SLEEP, 60000), &err[i]);
        if (i >= 2)
            pause_for(1);
    }
    ck_assert_int_eq(outcome_now(ask(&r[5], &SLEEP, 60000)), REFUSED(REFUSED_DATABASE_LINE));
    ck_assert_int_eq(err[2], 1);
    clock_skip(60000);
    wait_until_settled(&err[3], 2);
    ck_assert_int_eq(err[3], REFUSED(REFUSED_DATABASE_TIMEOUT));
    ck_assert_int_eq(err[4], REFUSED(REFUSED_DATABASE_TIMEOUT));
    wait_at_gate(1);
    gate_open();
    wait_until_settled(&err[0], 1);
    ck_assert_int_eq(err[0], 0);
    pause_for(1);
    wait_for(SLEEPING, "2");                 /* the first in the queue took its place */
    ck_assert_int_eq(err[2], 1);
    finish();
    ck_assert_int_eq(err[1], UV_ECANCELED);
}
END_TEST

Suite *postgres_suite(void)
{
    Suite *s = suite_create("postgres");
    TCase *t = tcase_create("queries");
    tcase_add_unchecked_fixture(t, make_server, free_server);
    tcase_add_checked_fixture(t, begin, NULL);
    tcase_add_test(t, rows_are_read_by_their_types);
    tcase_add_test(t, parameters_are_copied_and_may_be_null_or_not);
    tcase_add_test(t, rows_outlive_the_connection_and_the_watch_ran);
    tcase_add_test(t, two_slow_queries_run_side_by_side);
    tcase_add_test(t, ten_thousand_queries_in_one_turn_are_each_answered_as_asked);
    tcase_add_test(t, a_read_behind_many_that_fail_is_answered);
    tcase_add_loop_test(t, an_error_concerns_only_its_own_query, 0, 2);
    tcase_add_test(t, a_statement_that_cannot_be_prepared_fails_alone);
    tcase_add_test(t, a_table_that_changes_under_a_prepared_statement_goes_unnoticed);
    tcase_add_test(t, a_write_that_fails_at_its_commit_fails);
    tcase_add_test(t, what_does_not_fit_the_socket_leaves_as_the_server_reads);
    tcase_add_test(t, options_of_the_url_hold_beside_ours);
    tcase_add_test(t, text_that_is_not_utf8_is_refused_and_disturbs_nobody);
    tcase_add_test(t, a_full_line_refuses_at_once_and_a_long_one_in_time);
    suite_add_tcase(s, t);
    return s;
}
