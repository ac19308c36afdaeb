/* test_timing.c - a timeout cancels and drains; a success in the same instant wins. */
#include "server/async/loop.h"
#include "server/async/task.h"
#include "server/async/timing.h"
#include "suites.h"

static void store(int err, void *arg) { *(int *)arg = err; }

static void succeed_anyway(promise *p, void *arg) { (void)arg; promise_settle(p, 0); }

START_TEST(a_success_is_never_thrown_away)
{
    int err = 1;
    loop_start();
    when_settled(with_timeout(promise_new(succeed_anyway, NULL), 1), store, &err);
    loop_run();
    ck_assert_int_eq(err, 0);
}
END_TEST

START_TEST(a_timeout_cancels_what_it_waited_for)
{
    int err = 1, soon = 1;
    loop_start();
    when_settled(with_timeout(sleep_for(60000), 1), store, &err);
    when_settled(with_timeout(sleep_for(1), 60000), store, &soon);
    loop_run();
    ck_assert_int_eq(err, UV_ETIMEDOUT);
    ck_assert_int_eq(soon, 0);
}
END_TEST

Suite *timing_suite(void)
{
    Suite *s = suite_create("timing");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_success_is_never_thrown_away);
    tcase_add_test(t, a_timeout_cancels_what_it_waited_for);
    suite_add_tcase(s, t);
    return s;
}
