/* test_query_each.c - a statement that runs several times: all of its rows, or the error that gather would have; and
 * what leaves together with it. */
#include "fixture.h"
#include "server/async/combine.h"
#include "server/base/log.h"
#include "tests/support/support.h"
#include "tests/unit/suites.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 100 };

static rows  each[MOST];
static value parameters[MOST];

/* The driver has learned that s is quick, else each run would be a query by itself. */
static void is_quick(const statement *s)
{
    pg_pool *p = (pg_pool *)here;
    pg_prepared_of(&p->prepared, s, 1, (value[]){ integer(1) })->usual = 1000;
}

static promise *ask_each(const statement *s, int64_t first, int count)
{
    for (int i = 0; i < count; i++)
        parameters[i] = integer(first + i);
    return db_query_each(here, &scratch, NULL, each, s, count, 1, parameters);
}

static void expect_things(int first, int count)
{
    char name[32];
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "thing %d", first + i);
        ck_assert_int_eq(each[i].count, 1);
        ck_assert_msg(text_equal(rows_text(&each[i], 0, 0), text_of(name)), "%s", name);
    }
}

START_TEST(each_run_has_its_own_rows_in_order_however_many_fit_a_pipeline)
{
    static const statement NAME = { "name_of", "select name from things where id = $1", true, "t" };
    static const int DEPTHS[] = { 1, 7, 16, 1000 };
    options.pipeline_depth = DEPTHS[_i % 4];
    options.prepare = _i < 4;
    open_with(cluster_url(server));
    wait_for_all();
    for (int quick = 0; quick < 2; quick++) {
        ck_assert_int_eq(outcome_here(ask_each(&NAME, 1, 60)), 0);
        expect_things(1, 60);
        is_quick(&NAME);
    }
    ck_assert_int_eq(outcome_here(ask_each(&NAME, 990, 12)), 0);
    expect_things(990, 11);
    ck_assert_int_eq(each[11].count, 0);
    ck_assert_int_eq(outcome_here(ask_each(&NAME, 5, 1)), 0);
    expect_things(5, 1);
    ck_assert_int_eq(outcome_here(ask_each(&NAME, 5, 0)), 0);
    finish();
}
END_TEST

START_TEST(without_parameters_it_runs_as_often)
{
    static const statement ANSWER = { "answer", "select 42", true, "i" };
    if (_i)
        open_blocking(cluster_url(server));
    else
        open_with(cluster_url(server));
    promise *p = db_query_each(here, &scratch, NULL, each, &ANSWER, 3, 0, NULL);
    ck_assert_int_eq(_i ? outcome_now(p) : outcome_here(p), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(rows_int(&each[i], 0, 0), 42);
    if (_i)
        finish_blocking();
    else
        finish();
}
END_TEST

START_TEST(a_blocking_thread_has_the_same_rows)
{
    static const statement NAME = { "name_of", "select name from things where id = $1", true, "t" };
    open_blocking(cluster_url(server));
    ck_assert_int_eq(outcome_now(ask_each(&NAME, 1, 20)), 0);
    expect_things(1, 20);
    finish_blocking();
}
END_TEST

START_TEST(what_is_null_in_one_run_and_not_in_another_has_its_own_types)
{
    static const statement SAME = { "same", "select coalesce($1, -1)::int8", true, "i" };
    open_with(cluster_url(server));
    is_quick(&SAME);
    const value some[] = { integer(1), { .type = VALUE_NULL }, integer(3) };
    ck_assert_int_eq(outcome_here(db_query_each(here, &scratch, NULL, each, &SAME, 3, 1, some)), 0);
    ck_assert(rows_int(&each[0], 0, 0) == 1 && rows_int(&each[1], 0, 0) == -1 && rows_int(&each[2], 0, 0) == 3);
    finish();
}
END_TEST

START_TEST(long_rows_and_many_are_kept_until_the_arena_ends)
{
    static const statement MANY = { "many", "select repeat('x', 2000) || i from generate_series(1, $1::int8) i", true, "t" };
    open_with(cluster_url(server));
    is_quick(&MANY);
    ck_assert_int_eq(outcome_here(ask_each(&MANY, 1, 10)), 0);
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(each[i].count, i + 1);
        ck_assert_uint_ge(rows_text(&each[i], i, 0).length, 2001);
    }
    finish();
}
END_TEST

START_TEST(an_error_of_one_run_is_that_of_all_and_nobody_elses)
{
    static const statement DIVIDE = { "divide", "select 100 / ($1 - 5)", true, "i" },
                           MISFIT = { "misfit", "select case $1 when 5::int8 then 'x' else '1' end", true, "i" };
    rows before, after;
    int errs[3];
    open_with(cluster_url(server));
    wait_for_all();
    is_quick(&THING);
    is_quick(&DIVIDE);
    is_quick(&MISFIT);
    start(ask(&before, &THING, 1), &errs[0]);
    start(ask_each(_i ? &MISFIT : &DIVIDE, 1, 10), &errs[1]);
    start(ask(&after, &THING, 2), &errs[2]);
    wait_until_settled(errs, 3);
    ck_assert(errs[0] == 0 && errs[2] == 0);
    ck_assert_int_eq(errs[1], _i ? DB_EVALUE : DB_EQUERY);
    ck_assert(before.count == 1 && after.count == 1);
    finish();
}
END_TEST

START_TEST(in_a_blocking_thread_the_first_error_ends_it)
{
    static const statement DIVIDE = { "divide", "select 100 / ($1 - 5)", true, "i" };
    log_capture();
    open_blocking(cluster_url(server));
    ck_assert_int_eq(outcome_now(ask_each(&DIVIDE, 1, 10)), DB_EQUERY);      /* those behind it would not fail */
    finish_blocking();
}
END_TEST

START_TEST(what_was_undone_for_what_passes_is_run_again_as_a_whole)
{
    static const statement READ_OR_FAIL = { "read_or_fail", "select $1::int8 where fail_once($1)", true, "i" };
    cluster_ask(server, "set client_min_messages = error; drop sequence if exists runs; create sequence runs;"
                        "grant all on sequence runs to tenk;"
                        "create or replace function fail_once(n bigint) returns boolean language plpgsql volatile as $$ begin "
                        "if n = 5 and nextval('runs') = 1 then raise exception 'not now' using errcode = '40001'; end if;"
                        "return true; end $$");
    open_with(cluster_url(server));
    wait_for_all();
    is_quick(&READ_OR_FAIL);
    ck_assert_int_eq(outcome_here(ask_each(&READ_OR_FAIL, 1, 10)), 0);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(rows_int(&each[i], 0, 0), 1 + i);
    ck_assert_str_eq(cluster_ask(server, "select last_value from runs"), "2");
    finish();
}
END_TEST

START_TEST(what_runs_several_times_takes_one_place_of_the_pipeline)
{
    enum { ASKED = 3, RUNS = 2 };
    int errs[ASKED];
    options.connections = 1;
    options.pipeline_depth = RUNS;
    open_with(cluster_url(server));
    wait_for_all();
    gate_shut();
    is_quick(&GATED);
    for (int i = 0; i < ASKED; i++) {
        const value some[RUNS] = { integer(i), integer(10 + i) };
        start(db_query_each(here, &scratch, NULL, &each[RUNS * i], &GATED, RUNS, 1, some), &errs[i]);
    }
    run_until_at_gate(1);
    ck_assert_int_eq(connections()->pipeline.queries.count, 2);
    ck_assert_int_eq(((pg_pool *)here)->queue.count, 1);
    gate_open();
    wait_until_settled(errs, ASKED);
    for (int i = 0; i < ASKED; i++)
        ck_assert(errs[i] == 0 && rows_int(&each[RUNS * i], 0, 0) == i && rows_int(&each[RUNS * i + 1], 0, 0) == 10 + i);
    finish();
}
END_TEST

START_TEST(a_connection_that_breaks_half_way_costs_no_row)
{
    int err;
    open_with(cluster_url(server));
    wait_for_all();
    gate_shut();
    is_quick(&GATED);
    start(ask_each(&GATED, 1, 10), &err);
    run_until_at_gate(1);                    /* one after the other, on one connection */
    terminate_all();
    gate_open();
    wait_until_settled(&err, 1);
    ck_assert_int_eq(err, 0);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(rows_int(&each[i], 0, 0), 1 + i);
    finish();
}
END_TEST

START_TEST(cancelling_stops_them_all_and_the_connection_goes_on)
{
    rows r;
    int err;
    open_with(cluster_url(server));
    wait_for_all();
    gate_shut();
    is_quick(&GATED);
    promise *p = ask_each(&GATED, 1, 10);
    start(p, &err);
    run_until_at_gate(1);
    promise_cancel(p);
    wait_until_settled(&err, 1);
    ck_assert_int_eq(err, UV_ECANCELED);
    gate_open();
    ck_assert_int_eq(outcome_here(ask(&r, &THING, 1)), 0);
    finish();
}
END_TEST

/* Behind another one, which is not stopped with them: the server answers, but later than they wait for. */
START_TEST(nobody_has_the_rows_that_come_after_they_were_given_up)
{
    rows r;
    int head, err;
    options.connections = 1;
    options.stop_timeout_ms = 1;
    open_with(cluster_url(server));
    wait_for_all();
    gate_shut();
    is_quick(&THING);
    start(ask(&r, &GATED, 7), &head);
    run_until_at_gate(1);
    promise *p = ask_each(&THING, 1, 10);
    start(p, &err);
    pause_for(1);                            /* they are sent */
    promise_cancel(p);
    wait_until_settled(&err, 1);
    ck_assert_int_eq(err, UV_ECANCELED);
    gate_open();
    wait_for("select count(*) from pg_stat_activity where application_name = 'tenk' and state = 'idle'", "1");
    wait_until_settled(&head, 1);            /* the other answers have come with this one */
    ck_assert_int_eq(head, 0);
    ck_assert_int_eq(outcome_here(ask(&r, &THING, 1)), 0);
    finish();
}
END_TEST

static int lines_with(FILE *trace, const char *part)
{
    char line[4096];
    int count = 0;
    ck_assert_int_eq(fseek(trace, 0, SEEK_SET), 0);
    while (fgets(line, sizeof line, trace))
        count += strstr(line, part) != NULL;
    return count;
}

START_TEST(all_reads_of_a_turn_share_a_sync_and_each_write_has_its_own)
{
    rows r[3];
    int errs[4];
    options.connections = 1;
    options.pipeline_depth = 100;
    open_with(cluster_url(server));
    wait_for_all();
    ck_assert_int_eq(outcome_here(gather(ask(&r[0], &THING, 1), ask(&r[1], &ADD, 2000))), 0);        /* both are prepared */
    is_quick(&THING);
    is_quick(&ADD);
    FILE *trace = tmpfile();
    PQtrace(connections()->pipeline.pg, trace);
    for (int writes = 0; writes < 3; writes++) {
        start(ask_each(&THING, 1, 20), &errs[0]);
        start(ask(&r[2], &THING, 50), &errs[1]);
        for (int i = 0; i < writes; i++)
            start(ask(&r[i], &ADD, 2001 + 10 * writes + i), &errs[2 + i]);
        wait_until_settled(errs, 2 + writes);
        for (int i = 0; i < 2 + writes; i++)
            ck_assert_int_eq(errs[i], 0);
        fflush(trace);
        ck_assert_int_eq(lines_with(trace, "Sync"), 1 + writes);
        ck_assert_int_eq(lines_with(trace, "Bind\t"), 21 + writes);
        ck_assert_int_eq(ftruncate(fileno(trace), 0), 0);
        ck_assert_int_eq(fseek(trace, 0, SEEK_SET), 0);
    }
    PQuntrace(connections()->pipeline.pg);
    fclose(trace);
    finish();
}
END_TEST

Suite *postgres_each_suite(void)
{
    Suite *s = suite_create("postgres_each");
    TCase *t = tcase_create("all");
    tcase_add_unchecked_fixture(t, make_server, free_server);
    tcase_add_checked_fixture(t, begin, NULL);
    tcase_add_loop_test(t, each_run_has_its_own_rows_in_order_however_many_fit_a_pipeline, 0, 8);
    tcase_add_loop_test(t, without_parameters_it_runs_as_often, 0, 2);
    tcase_add_test(t, a_blocking_thread_has_the_same_rows);
    tcase_add_test(t, what_is_null_in_one_run_and_not_in_another_has_its_own_types);
    tcase_add_test(t, long_rows_and_many_are_kept_until_the_arena_ends);
    tcase_add_loop_test(t, an_error_of_one_run_is_that_of_all_and_nobody_elses, 0, 2);
    tcase_add_test(t, in_a_blocking_thread_the_first_error_ends_it);
    tcase_add_test(t, what_was_undone_for_what_passes_is_run_again_as_a_whole);
    tcase_add_test(t, what_runs_several_times_takes_one_place_of_the_pipeline);
    tcase_add_test(t, a_connection_that_breaks_half_way_costs_no_row);
    tcase_add_test(t, cancelling_stops_them_all_and_the_connection_goes_on);
    tcase_add_test(t, nobody_has_the_rows_that_come_after_they_were_given_up);
    tcase_add_test(t, all_reads_of_a_turn_share_a_sync_and_each_write_has_its_own);
    suite_add_tcase(s, t);
    return s;
}
