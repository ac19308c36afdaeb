/* test_query_each.c - a read that runs several times is one job of SQLite's, as long as it is quick. */
#include "db/sqlite/usual.h"
#include "server/base/observe/shard.h"
#include "server/base/overload/refusal.h"
#include "fixture.h"
#include "server/async/timing.h"
#include "tests/unit/suites.h"

enum { MOST = 200 };

static const statement TITLE = { "title_of", "select id, title from posts where id = $1", true, "it" };
static const statement SOME  = { "some", "select $2 || id from users where id <= $1", true, "t" };

static rows  each[MOST];
static value parameters[MOST];

static promise *ask_each(const statement *s, int64_t first, int count)
{
    for (int i = 0; i < count; i++)
        parameters[i] = integer(first + i);
    return db_query_each(here, &memory, NULL, each, s, count, 1, parameters);
}

static void expect_posts(int first, int count)
{
    for (int i = 0; i < count; i++) {
        ck_assert_int_eq(each[i].count, 1);
        ck_assert_int_eq(rows_int(&each[i], 0, 0), first + i);
        ck_assert_uint_gt(rows_text(&each[i], 0, 1).length, 0);
    }
}

static void close_blocking(void)
{
    int err = 1;
    ck_assert(promise_take_if_settled(db_close(here), &err));
    db_free(here);
    arena_done(&memory);
    database_close(whole);
}

START_TEST(each_run_has_its_own_rows_in_order_however_many_they_are)
{
    on_loop(2, 1000, 0, 0);
    ck_assert_int_eq(outcome_of(ask_each(&TITLE, 1, MOST)), 0);
    expect_posts(1, MOST);
    ck_assert_int_eq(outcome_of(ask_each(&TITLE, 491, 20)), 0);      /* there are 500 */
    expect_posts(491, 10);
    for (int i = 10; i < 20; i++)
        ck_assert_int_eq(each[i].count, 0);
    ck_assert_int_eq(outcome_of(ask_each(&TITLE, 5, 1)), 0);
    expect_posts(5, 1);
    ck_assert_int_eq(outcome_of(ask_each(&TITLE, 501, 3)), 0);       /* none at all */
    ck_assert_int_eq(each[2].count, 0);
    ck_assert_int_eq(outcome_of(ask_each(&TITLE, 5, 0)), 0);
    close_it();
}
END_TEST

START_TEST(without_parameters_it_runs_as_often)
{
    static const statement ANSWER = { "answer", "select 42", true, "i" };
    if (_i) {
        open_it(1, 10, 0, 0);
        here = db_new(whole);
    } else {
        on_loop(2, 1000, 0, 0);
    }
    promise *p = db_query_each(here, &memory, NULL, each, &ANSWER, 3, 0, NULL);
    ck_assert_int_eq(_i ? outcome_now(p) : outcome_of(p), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(rows_int(&each[i], 0, 0), 42);
    if (_i)
        close_blocking();
    else
        close_it();
}
END_TEST

START_TEST(a_blocking_thread_has_the_same_rows)
{
    open_it(1, 10, 0, 0);
    here = db_new(whole);
    ck_assert_int_eq(outcome_now(ask_each(&TITLE, 1, MOST)), 0);
    expect_posts(1, MOST);
    ck_assert_int_eq(outcome_now(ask_each(&TITLE, 501, 2)), 0);
    ck_assert_int_eq(each[0].count + each[1].count, 0);
    ck_assert_int_eq(outcome_now(ask_each(&TITLE, 1, 0)), 0);
    ck_assert_int_eq(outcome_now(ask_each(&WRONG, 1, 3)), DB_EQUERY);
    ck_assert_int_eq(outcome_now(ask_each(&TITLE, 7, 3)), 0);
    expect_posts(7, 3);
    close_blocking();
}
END_TEST

/* Parameters are copied, texts too; and there may be several rows of each. */
START_TEST(texts_and_many_rows_are_kept_until_the_arena_ends)
{
    char letter[2] = "";
    value some[20];
    on_loop(1, 100, 0, 0);
    for (int i = 0; i < 10; i++) {
        some[2 * i] = integer(i);
        some[2 * i + 1] = string(text_of("user "));
    }
    some[19] = string((text){ letter, 1 });
    letter[0] = 'x';
    promise *p = db_query_each(here, &memory, NULL, each, &SOME, 10, 2, some);
    letter[0] = 'y';
    memset(some, 0, sizeof some);
    ck_assert_int_eq(outcome_of(p), 0);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(each[i].count, i);
    ck_assert(text_equal(rows_text(&each[8], 7, 0), TEXT("user 8")));
    ck_assert(text_equal(rows_text(&each[9], 8, 0), TEXT("x9")));
    close_it();
}
END_TEST

START_TEST(an_error_of_one_run_is_that_of_all_and_nobody_elses)
{
    static const statement MISFIT = { "misfit", "select case $1 when 5 then 'x' else '1' end", true, "i" };
    int errs[3];
    rows before, after;
    log_capture();
    on_loop(1, 100, 0, 0);
    when_settled(run(&USER, &before, 1), store, &errs[0]);
    when_settled(ask_each(&MISFIT, 1, 10), store, &errs[1]);
    when_settled(run(&USER, &after, 2), store, &errs[2]);
    loop_run();
    ck_assert(errs[0] == 0 && errs[1] == DB_EVALUE && errs[2] == 0);
    ck_assert(before.count == 1 && after.count == 1);
    close_it();
}
END_TEST

START_TEST(cancelled_it_ends_between_two_runs_or_within_one)
{
    int err = 1;
    on_loop(1, 100, 0, 0);
    until_idle(true, 1);
    promise *p = ask_each(&COUNT, FOR_EVER, 20);
    when_settled(p, store, &err);
    until_idle(true, 0);
    promise_cancel(p);
    loop_run();
    ck_assert_int_eq(err, UV_ECANCELED);
    ck_assert_int_eq(outcome_of(with_timeout(ask_each(&COUNT, FOR_EVER, 20), 5)), UV_ETIMEDOUT);
    ck_assert_int_eq(outcome_of(ask_each(&TITLE, 1, 20)), 0);        /* the reader is free again */
    close_it();
}
END_TEST

/* Two jobs for the two readers: two runs of some milliseconds, and none waits for the other. */
START_TEST(what_is_known_to_be_slow_runs_side_by_side)
{
    enum { SLOWLY = 300000 };
    int err = 1;
    on_loop(2, 100, 0, 0);
    ck_assert_int_eq(outcome_of(ask_each(&COUNT, SLOWLY, 2)), 0);
    until_idle(true, 2);
    promise *p = ask_each(&COUNT, FOR_EVER, 2);
    when_settled(p, store, &err);
    until_idle(true, 0);                     /* both have one */
    promise_cancel(p);
    loop_run();
    ck_assert_int_eq(err, UV_ECANCELED);
    close_it();
}
END_TEST

START_TEST(a_full_line_refuses_what_does_not_fit)
{
    int err = 1, refused = 1;
    rows r;
    on_loop(1, 1, 0, 0);
    until_idle(true, 1);
    promise *running = run(&COUNT, &r, FOR_EVER);
    when_settled(running, store, &err);
    until_idle(true, 0);
    when_settled(ask_each(&TITLE, 1, MOST), store, &refused);
    promise_cancel(running);
    loop_run();
    ck_assert_int_eq(refused, REFUSED(REFUSED_DATABASE_LINE));
    ck_assert_int_eq(outcome_of(db_close(here)), 0);
    ck_assert_int_eq(outcome_now(ask_each(&TITLE, 1, 3)), UV_ECANCELED);
    db_free(here);
    arena_done(&memory);
    database_close(whole);
}
END_TEST

static uint64_t failed(void)                 /* of all statements */
{
    name_sums names[SHARD_NAMES + 1];
    uint64_t sum = 0;
    for (int i = shard_sum_names(SHARD_QUERY, names); i-- > 0;)
        sum += names[i].failed;
    return sum;
}

START_TEST(what_was_cancelled_has_not_failed_and_waits_no_more)
{
    int ran = 1, waited = 1;
    rows r[2];
    log_capture();
    on_loop(1, 10, 0, 0);
    until_idle(true, 1);
    promise *running = run(&COUNT, &r[0], FOR_EVER), *waiting;
    when_settled(running, store, &ran);
    until_idle(true, 0);
    when_settled(waiting = run(&USER, &r[1], 1), store, &waited);
    ck_assert_uint_eq(shard_sum(SHARD_DATABASE_QUERIES), 2);
    promise_cancel(waiting);
    promise_cancel(running);
    loop_run();
    ck_assert(ran == UV_ECANCELED && waited == UV_ECANCELED);
    ck_assert_uint_eq(shard_sum(SHARD_DATABASE_QUERIES), 0);
    ck_assert_uint_eq(shard_sum(SHARD_DATABASE_WAITING), 0);
    ck_assert_uint_eq(shard_sum(SHARD_DATABASE_ANSWERED), 0);
    ck_assert_uint_eq(failed(), 0);
    ck_assert_int_eq(outcome_of(run(&WRONG, &r[0], 1)), DB_EQUERY);
    ck_assert_uint_eq(failed(), 1);
    close_it();
}
END_TEST

START_TEST(what_is_usual_is_learned_and_forgotten_for_another)
{
    static const statement MANY[SQLITE_USUALS + 1];
    sqlite_usual u = { 0 };
    ck_assert_uint_eq(sqlite_usual_of(&u, &MANY[0]), 0);
    sqlite_usual_learn(&u, &MANY[0], 800);
    ck_assert_uint_eq(sqlite_usual_of(&u, &MANY[0]), 800);
    sqlite_usual_learn(&u, &MANY[0], 0);
    ck_assert_uint_eq(sqlite_usual_of(&u, &MANY[0]), 700);
    sqlite_usual_learn(&u, &MANY[SQLITE_USUALS], 5);
    ck_assert_uint_eq(sqlite_usual_of(&u, &MANY[0]), 0);
    ck_assert_uint_eq(sqlite_usual_of(&u, &MANY[SQLITE_USUALS]), 5);
}
END_TEST

Suite *sqlite_query_each_suite(void)
{
    Suite *s = suite_create("sqlite_query_each");
    TCase *t = tcase_create("all");
    tcase_add_test(t, each_run_has_its_own_rows_in_order_however_many_they_are);
    tcase_add_loop_test(t, without_parameters_it_runs_as_often, 0, 2);
    tcase_add_test(t, a_blocking_thread_has_the_same_rows);
    tcase_add_test(t, texts_and_many_rows_are_kept_until_the_arena_ends);
    tcase_add_test(t, an_error_of_one_run_is_that_of_all_and_nobody_elses);
    tcase_add_test(t, cancelled_it_ends_between_two_runs_or_within_one);
    tcase_add_test(t, what_is_known_to_be_slow_runs_side_by_side);
    tcase_add_test(t, a_full_line_refuses_what_does_not_fit);
    tcase_add_test(t, what_was_cancelled_has_not_failed_and_waits_no_more);
    tcase_add_test(t, what_is_usual_is_learned_and_forgotten_for_another);
    suite_add_tcase(s, t);
    return s;
}
