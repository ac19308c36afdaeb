/* test_timing.c - a timeout cancels and drains; a success in the same instant wins. */
#include "server/base/deadline.h"
#include "server/base/errors.h"
#include "server/async/task.h"
#include "server/async/timing.h"
#include "follow_fixture.h"
#include "tests/unit/suites.h"

#include <uv.h>

static fake f;

static uint64_t held_now(void)               /* until it is skipped: a loop's milliseconds */
{
    clock_hold();
    uv_update_time(loop_here());
    return uv_now(loop_here());
}

START_TEST(a_sleep_ends_in_time_and_not_before)
{
    const uint64_t start = held_now();
    follow(sleep_for(3600000));
    loop_run_skipping();
    ck_assert_int_eq(err, 0);
    ck_assert_uint_ge(uv_now(loop_here()) - start, 3600000);
    ck_assert_uint_le(uv_now(loop_here()) - start, 3600001);
}
END_TEST

static promise *sleeps(void)   { return sleep_for(300); }
static promise *limits(void)   { return with_timeout(fake_new(&f, 0), 300); }
static promise *deadline(void) { return with_deadline(fake_new(&f, 0), deadline_after(uv_hrtime(), 300)); }

static promise *(*const WAITS[])(void) = { sleeps, limits, deadline };

static int compute_then_wait(void *arg)
{
    await(sleep_for(1));
    clock_skip(250);                         /* within a turn of the loop */
    const uint64_t start = uv_hrtime();
    await(WAITS[*(int *)arg]());
    ck_assert_uint_ge(uv_hrtime() - start, 300000000);
    return 0;
}

START_TEST(time_counts_from_the_call_whatever_has_been_computed_before)
{
    follow(task_start("t", compute_then_wait, &_i));
    loop_run_skipping();
    ck_assert_int_eq(err, 0);
}
END_TEST

START_TEST(a_cancelled_sleep_ends_at_once)
{
    promise *p = sleep_for(3600000);
    follow(p);
    promise_cancel(p);
    loop_run();
    ck_assert_int_eq(err, UV_ECANCELED);
    ck_assert(!uv_loop_alive(loop_here()));
}
END_TEST

START_TEST(in_time_the_outcome_passes_through)
{
    follow(with_timeout(fake_new(&f, 1), 3600000));
    promise_settle(f.promise, UV_EIO);
    loop_run();
    ck_assert_int_eq(err, UV_EIO);
    ck_assert_int_eq(f.cancels, 0);
    follow(with_timeout(promise_settled(UV_ENOENT), 0));
    loop_run();
    ck_assert_int_eq(err, UV_ENOENT);
}
END_TEST

START_TEST(a_timeout_cancels_drains_and_says_so)
{
    follow(with_timeout(fake_new(&f, 1), 10));
    loop_run_skipping();
    ck_assert_int_eq(f.cancels, 1);
    ck_assert_int_eq(err, 1);                /* not before the work has settled */
    promise_settle(f.promise, UV_ECANCELED);
    loop_run();
    ck_assert_int_eq(err, UV_ETIMEDOUT);
}
END_TEST

START_TEST(a_success_is_never_thrown_away)
{
    follow(with_timeout(fake_new(&f, 0), 1));
    loop_run_skipping();
    ck_assert_int_eq(err, 0);
}
END_TEST

START_TEST(an_outcome_that_nobody_knows_is_not_called_a_timeout)
{
    follow(with_timeout(fake_new(&f, ERR_UNCERTAIN), 1));
    loop_run_skipping();
    ck_assert_int_eq(err, ERR_UNCERTAIN);
}
END_TEST

START_TEST(a_failure_after_the_deadline_is_a_timeout)
{
    follow(with_timeout(fake_new(&f, UV_EIO), 1));
    loop_run_skipping();
    ck_assert_int_eq(err, UV_ETIMEDOUT);
}
END_TEST

START_TEST(cancelling_reaches_the_work)
{
    promise *p = with_timeout(fake_new(&f, UV_ECANCELED), 3600000);
    follow(p);
    promise_cancel(p);
    loop_run();
    ck_assert_int_eq(f.cancels, 1);
    ck_assert_int_eq(err, UV_ECANCELED);
}
END_TEST

START_TEST(timeouts_nest_and_the_shorter_one_decides)
{
    const uint64_t start = held_now();
    follow(with_timeout(with_timeout(sleep_for(60000), 30000), 20000));
    loop_run_skipping();
    ck_assert_int_eq(err, UV_ETIMEDOUT);
    ck_assert_uint_le(uv_now(loop_here()) - start, 20001);
}
END_TEST

START_TEST(a_deadline_is_a_timeout_at_a_time)
{
    clock_hold();
    const uint64_t deadline = deadline_after(uv_hrtime(), 1000);
    follow(with_deadline(fake_new(&f, UV_ECANCELED), deadline));
    loop_run_skipping();
    ck_assert_int_eq(err, UV_ETIMEDOUT);
    ck_assert_uint_ge(uv_hrtime(), deadline);
    ck_assert_uint_le(uv_hrtime(), deadline + 1000000);
    follow(with_deadline(fake_new(&f, UV_ECANCELED), NO_DEADLINE));
    loop_run_skipping();
    ck_assert_int_eq(f.cancels, 0);
    promise_settle(f.promise, 0);
    loop_run();
    ck_assert_int_eq(err, 0);
}
END_TEST

static void sleep_in_thread(void *arg)
{
    int *outcome = arg, e;
    const uint64_t start = uv_hrtime();
    if (promise_take_if_settled(with_timeout(sleep_for(2), 1), &e) && uv_hrtime() - start >= 2000000)
        *outcome = e;
}

START_TEST(in_a_plain_thread_it_sleeps_and_returns_settled)
{
    run_in_thread(sleep_in_thread, &err);
    ck_assert_int_eq(err, 0);
}
END_TEST

Suite *timing_suite(void)
{
    Suite *s = suite_create("timing");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, a_sleep_ends_in_time_and_not_before);
    tcase_add_loop_test(t, time_counts_from_the_call_whatever_has_been_computed_before, 0, 3);
    tcase_add_test(t, a_cancelled_sleep_ends_at_once);
    tcase_add_test(t, in_time_the_outcome_passes_through);
    tcase_add_test(t, a_timeout_cancels_drains_and_says_so);
    tcase_add_test(t, a_success_is_never_thrown_away);
    tcase_add_test(t, an_outcome_that_nobody_knows_is_not_called_a_timeout);
    tcase_add_test(t, a_failure_after_the_deadline_is_a_timeout);
    tcase_add_test(t, cancelling_reaches_the_work);
    tcase_add_test(t, timeouts_nest_and_the_shorter_one_decides);
    tcase_add_test(t, a_deadline_is_a_timeout_at_a_time);
    tcase_add_test(t, in_a_plain_thread_it_sleeps_and_returns_settled);
    suite_add_tcase(s, t);
    return s;
}
