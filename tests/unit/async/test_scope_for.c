/* test_scope_for.c - whose number is it? */
#include "server/async/scope_for.h"
#include "server/async/loop.h"
#include "server/async/task.h"
#include "tests/support/support.h"
#include "tests/unit/suites.h"

static scope older, newer, works;

static void setup(void)
{
    older = (scope){ .name = "older", .request = 7, .since = 1000 };
    newer = (scope){ .name = "newer", .request = 7, .since = 2000 };
    works = (scope){ .name = "works", .request = 7, .since = 1500 };
}

static void teardown(void)
{
    scope_for_all(NULL);
    scope_for_done();
    scope_enter(NULL);
}

START_TEST(what_runs_with_a_number_is_for_whom_has_it)
{
    scope_enter(&works);
    ck_assert_ptr_null(scope_for());
    scope_for_begin(&older);
    ck_assert_ptr_eq(scope_for(), &older);
    scope_for_end(&older);
    ck_assert_ptr_null(scope_for());
}
END_TEST

START_TEST(a_newer_one_with_the_same_number_has_not_caused_what_began_before_it)
{
    scope_for_begin(&older);
    scope_for_begin(&newer);
    scope_enter(&works);
    ck_assert_ptr_null(scope_for());         /* rather nobody than the wrong one */
    works.since = 2000;
    ck_assert_ptr_eq(scope_for(), &newer);
    scope_for_end(&older);                   /* which has it no more */
    ck_assert_ptr_eq(scope_for(), &newer);
}
END_TEST

START_TEST(times_go_round)
{
    older.since = UINT32_MAX - 5;
    works.since = 3;
    scope_for_begin(&older);
    scope_enter(&works);
    ck_assert_ptr_eq(scope_for(), &older);
}
END_TEST

START_TEST(who_may_not_await_is_the_request_s_own_scope)
{
    older.at_once = true;
    older.request = 0;
    scope_enter(&older);
    ck_assert_ptr_eq(scope_for(), &older);
}
END_TEST

START_TEST(what_has_no_number_and_the_thread_itself_are_for_nobody)
{
    scope_for_begin(&older);
    ck_assert_ptr_null(scope_for());
    works.request = 0;
    scope_enter(&works);
    ck_assert_ptr_null(scope_for());
    ck_assert_ptr_null(scope_for_number(0, 5000));
    ck_assert_ptr_eq(scope_for_number(7, 1000), &older);
}
END_TEST

static int for_whom(void *arg)
{
    *(scope **)arg = scope_for();
    return 0;
}

START_TEST(a_task_is_for_what_began_it_however_late_in_its_turn_that_was)
{
    scope *whom[2] = { NULL };
    int err[2];
    ck_assert_int_eq(loop_start(), 0);
    clock_skip(5);                           /* since the turn began */
    older.since = (uint32_t)(uv_hrtime() / 1000000);
    scope_for_begin(&older);
    task *const handler = task_new("handler", 0);
    when_settled(task_run(handler, &older, for_whom, &whom[0]), store, &err[0]);
    ck_assert_int_eq(scope_here()->request, 0);
    scope_enter(&older);
    when_settled(task_start("works", for_whom, &whom[1]), store, &err[1]);
    scope_enter(NULL);
    loop_run();
    task_free(handler);
    ck_assert(whom[0] == &older && whom[1] == &older);
}
END_TEST

START_TEST(where_one_is_served_at_a_time_all_is_for_that_one)
{
    scope_for_all(&older);
    ck_assert_ptr_eq(scope_for(), &older);
    scope_enter(&works);
    ck_assert_ptr_eq(scope_for(), &older);
    ck_assert_ptr_eq(scope_for_number(9, 0), &older);
}
END_TEST

Suite *scope_for_suite(void)
{
    Suite *s = suite_create("scope_for");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, what_runs_with_a_number_is_for_whom_has_it);
    tcase_add_test(t, a_newer_one_with_the_same_number_has_not_caused_what_began_before_it);
    tcase_add_test(t, times_go_round);
    tcase_add_test(t, who_may_not_await_is_the_request_s_own_scope);
    tcase_add_test(t, what_has_no_number_and_the_thread_itself_are_for_nobody);
    tcase_add_test(t, a_task_is_for_what_began_it_however_late_in_its_turn_that_was);
    tcase_add_test(t, where_one_is_served_at_a_time_all_is_for_that_one);
    suite_add_tcase(s, t);
    return s;
}
