/* test_task_cancel.c - a task that is cancelled, or whose deadline comes: which waits end, and what they return. */
#include "server/async/combine.h"
#include "server/async/task.h"
#include "server/async/timing.h"
#include "follow_fixture.h"
#include "tests/unit/suites.h"

#include <stdint.h>

static fake f;
static int  begun, ended;

static int inner(void *arg)
{
    (void)arg;
    ended = await(fake_new(&f, UV_ECANCELED));
    return ended;
}

static int outer(void *arg)
{
    (void)arg;
    const int e = await(task_start("inner", inner, NULL));
    fake later;                              /* cancelled as soon as it is awaited */
    const int again = await(fake_new(&later, UV_ECANCELED));
    ck_assert_int_eq(later.cancels, 1);
    ck_assert_int_eq(again, UV_ECANCELED);
    ck_assert_int_eq(task_yield(), UV_ECANCELED);
    return e;
}

START_TEST(cancelling_reaches_the_innermost_await_and_all_later_ones)
{
    promise *p = task_start("outer", outer, NULL);
    follow(p);
    loop_run();
    promise_cancel(p);
    loop_run();
    ck_assert_int_eq(f.cancels, 1);
    ck_assert_int_eq(ended, UV_ECANCELED);
    ck_assert_int_eq(err, UV_ECANCELED);
}
END_TEST

START_TEST(a_task_cancelled_before_it_began_runs_and_its_awaits_are_cancelled)
{
    promise *p = task_start("inner", inner, NULL);
    follow(p);
    promise_cancel(p);
    loop_run();
    ck_assert_int_eq(f.cancels, 1);
    ck_assert_int_eq(err, UV_ECANCELED);
}
END_TEST

static fake deep[3];

static int innermost(void *arg)
{
    (void)arg;
    return await(fake_new(&deep[0], UV_ECANCELED));
}

static int helper(void)                      /* pauses, as any function that a task calls may */
{
    return await(gather(with_timeout(task_start("innermost", innermost, NULL), 3600000), sleep_for(3600000),
                        fake_new(&deep[1], UV_ECANCELED)));
}

static int calls_helpers(void *arg)
{
    (void)arg;
    const int e = helper();
    ended++;
    return e;
}

START_TEST(a_cancel_reaches_the_innermost_wait_through_helpers_and_combinations)
{
    promise *p = task_start("outer", calls_helpers, NULL);
    follow(p);
    loop_run_ready();
    promise_cancel(p);
    loop_run_ready();
    ck_assert_int_eq(deep[0].cancels, 1);
    ck_assert_int_eq(deep[1].cancels, 1);
    ck_assert_int_eq(ended, 1);
    ck_assert_int_eq(err, UV_ECANCELED);
    ck_assert_uint_eq(task_count(), 0);
    loop_run();                              /* nothing of it keeps the loop */
}
END_TEST

static uint64_t in(uint64_t ms) { return deadline_after(uv_hrtime(), ms); }

static int helper_with_deadline(void *arg)
{
    ck_assert_uint_eq(task_deadline(), NO_DEADLINE);
    task_limit(NULL, *(uint64_t *)arg);
    ck_assert_uint_eq(task_deadline(), *(uint64_t *)arg);
    ck_assert_int_eq(await(sleep_for(1)), 0);
    ck_assert_int_eq(helper(), UV_ETIMEDOUT);
    ck_assert_uint_ge(uv_hrtime(), *(uint64_t *)arg);
    ck_assert_int_eq(await(sleep_for(3600000)), UV_ETIMEDOUT);       /* and so on */
    ck_assert_int_eq(await(promise_settled(UV_EIO)), UV_EIO);
    ck_assert_int_eq(await(promise_settled(0)), 0);
    return task_yield();
}

START_TEST(a_deadline_ends_the_innermost_wait_and_says_so)
{
    clock_hold();
    uint64_t deadline = in(1000);
    follow(task_start("late", helper_with_deadline, &deadline));
    loop_run_skipping();
    ck_assert_int_eq(deep[0].cancels, 1);
    ck_assert_int_eq(deep[1].cancels, 1);
    ck_assert_int_eq(err, UV_ETIMEDOUT);
    ck_assert_uint_le(uv_hrtime(), deadline + 1000000);
}
END_TEST

static int too_late_already(void *arg)
{
    (void)arg;
    task_limit(NULL, uv_hrtime());
    ck_assert_int_eq(await(sleep_for(3600000)), UV_ETIMEDOUT);
    return 0;
}

/* Its wait ended by itself, and nobody stopped it. */
static int called_off_by_another(void *arg)
{
    (void)arg;
    task_limit(NULL, uv_hrtime());
    return await(promise_settled(UV_ECANCELED));
}

static int a_success_all_the_same(void *arg)
{
    (void)arg;
    task_limit(NULL, in(5));
    return await(fake_new(&f, 0));
}

START_TEST(a_deadline_that_has_come_is_noticed_and_a_success_still_counts)
{
    clock_hold();
    const uint64_t start = uv_hrtime();
    follow(task_start("late", too_late_already, NULL));
    loop_run_skipping();
    ck_assert_int_eq(err, 0);
    ck_assert_uint_le(uv_hrtime() - start, 1000000);
    ck_assert_int_eq(outcome_of(task_start("others", called_off_by_another, NULL)), UV_ECANCELED);
    follow(task_start("lucky", a_success_all_the_same, NULL));
    loop_run_skipping();
    ck_assert_int_eq(f.cancels, 1);
    ck_assert_int_eq(err, 0);
}
END_TEST

static task *limited;

static int sleep_two_hours(void *arg)
{
    (void)arg;
    return await(sleep_for(7200000));
}

START_TEST(a_deadline_can_be_moved_and_lifted_while_the_task_waits)
{
    clock_hold();                            /* until it is moved */
    for (int moved = 0; moved < 2; moved++) {
        limited = task_new("limited", 0);
        task_limit(limited, in(1000));
        follow(task_run(limited, scope_here(), sleep_two_hours, NULL));
        task_limit(limited, moved ? in(3600000) : NO_DEADLINE);
        loop_run_skipping();
        ck_assert_int_eq(err, moved ? UV_ETIMEDOUT : 0);
        task_free(limited);
    }
}
END_TEST

static int cancelled_before_its_deadline(void *arg)
{
    (void)arg;
    task_limit(NULL, in(3600000));
    return await(fake_new(&f, UV_ECANCELED));
}

START_TEST(a_task_that_is_cancelled_in_time_is_told_that)
{
    promise *p = task_start("t", cancelled_before_its_deadline, NULL);
    follow(p);
    loop_run_ready();
    promise_cancel(p);
    loop_run_ready();
    ck_assert_int_eq(err, UV_ECANCELED);
    ck_assert(!uv_loop_alive(loop_here()));  /* its timer went with it */
}
END_TEST

static int yields_for_ever(void *arg)
{
    (void)arg;
    int e;
    task_limit(NULL, in(20));
    while (!(e = task_yield()))
        begun++;
    return e;
}

START_TEST(a_task_that_only_yields_ends_by_its_deadline_too)
{
    clock_hold();
    clock_tick(1);                           /* a millisecond passes with each look at it */
    ck_assert_int_eq(outcome_of(task_start("t", yields_for_ever, NULL)), UV_ETIMEDOUT);
    ck_assert_int_gt(begun, 0);
}
END_TEST

static promise *yielding;

static void cancel_it(ready *r)
{
    (void)r;
    promise_cancel(yielding);                /* what it waited for is long over */
}

static int waits_and_yields(void *arg)
{
    static ready canceller = { .run = cancel_it };
    (void)arg;
    ck_assert_int_eq(await(sleep_for(0)), 0);
    loop_ready(&canceller);
    return task_yield();
}

START_TEST(a_task_that_yields_after_a_wait_is_told_that_it_is_cancelled)
{
    follow(yielding = task_start("t", waits_and_yields, NULL));
    loop_run();
    ck_assert_int_eq(err, UV_ECANCELED);
}
END_TEST

static void limited_in_plain_thread(void *arg)
{
    int *outcome = arg;
    ck_assert_uint_eq(task_deadline(), NO_DEADLINE);
    task_limit(NULL, in(60000));
    ck_assert_int_eq(await(sleep_for(1)), 0);
    task_limit(NULL, in(3));
    *outcome = await(gather(sleep_for(3600000), sleep_for(3600000)));
    ck_assert_uint_ge(uv_hrtime(), task_deadline());
    task_limit(NULL, NO_DEADLINE);
    ck_assert_int_eq(await(sleep_for(1)), 0);
}

START_TEST(the_deadline_of_a_plain_thread_ends_what_it_waits_for)
{
    run_in_thread(limited_in_plain_thread, &err);
    ck_assert_int_eq(err, UV_ETIMEDOUT);
}
END_TEST

Suite *task_cancel_suite(void)
{
    Suite *s = suite_create("task_cancel");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, cancelling_reaches_the_innermost_await_and_all_later_ones);
    tcase_add_test(t, a_task_cancelled_before_it_began_runs_and_its_awaits_are_cancelled);
    tcase_add_test(t, a_cancel_reaches_the_innermost_wait_through_helpers_and_combinations);
    tcase_add_test(t, a_deadline_ends_the_innermost_wait_and_says_so);
    tcase_add_test(t, a_deadline_that_has_come_is_noticed_and_a_success_still_counts);
    tcase_add_test(t, a_deadline_can_be_moved_and_lifted_while_the_task_waits);
    tcase_add_test(t, a_task_that_is_cancelled_in_time_is_told_that);
    tcase_add_test(t, a_task_that_only_yields_ends_by_its_deadline_too);
    tcase_add_test(t, a_task_that_yields_after_a_wait_is_told_that_it_is_cancelled);
    tcase_add_test(t, the_deadline_of_a_plain_thread_ends_what_it_waits_for);
    suite_add_tcase(s, t);
    return s;
}
