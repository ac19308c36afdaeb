/* test_background.c - who answers for tasks that nobody awaits: failures, join, stop; with a loop and without. */
#include "server/async/background.h"
#include "server/async/loop.h"
#include "server/async/context/stack.h"
#include "server/async/task.h"
#include "server/async/timing.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <string.h>

static background *b;
static int         ran, destroyed, err = 1;

static void setup(void)
{
    loop_start();
    b = background_new(3);
}

static void destroy(void *arg)
{
    (void)arg;
    destroyed++;
}

static int quick(void *arg)
{
    ran++;
    return arg ? *(int *)arg : 0;
}

static int await_fake(void *arg) { return await(((fake *)arg)->promise); }

static void start(fake *f, int answer)
{
    promise *p = fake_new(f, answer);
    (void)p;                                 /* the task's to give on */
    ck_assert_int_eq(background_start(b, "waiting", await_fake, f, destroy), 0);
}

static void finish(fake *f, int with)
{
    promise_settle(f->promise, with);
    loop_run();
}

START_TEST(a_task_runs_and_its_argument_is_destroyed_when_it_has_ended)
{
    ck_assert_int_eq(background_start(b, "quick", quick, NULL, destroy), 0);
    ck_assert_uint_eq(background_running(b), 1);
    ck_assert_int_eq(ran + destroyed, 0);
    loop_run();
    ck_assert_int_eq(ran, 1);
    ck_assert_int_eq(destroyed, 1);
    ck_assert_uint_eq(background_running(b), 0);
    background_free(b);
}
END_TEST

START_TEST(a_full_group_refuses_and_the_argument_stays_with_the_caller)
{
    fake f[3];
    for (int i = 0; i < 3; i++)
        start(&f[i], 1);
    ck_assert_int_eq(background_start(b, "quick", quick, NULL, destroy), UV_EAGAIN);
    loop_run();
    ck_assert_int_eq(ran + destroyed, 0);
    finish(&f[1], 0);
    ck_assert_int_eq(background_start(b, "quick", quick, NULL, destroy), 0);
    finish(&f[0], 0);
    finish(&f[2], 0);
    ck_assert_int_eq(ran, 1);
    ck_assert_int_eq(destroyed, 4);
    background_free(b);
}
END_TEST

START_TEST(a_failure_is_logged_with_the_name_of_its_task_and_counted)
{
    int wrong = UV_EIO;
    const uint64_t before = background_failures();
    log_capture();
    ck_assert_int_eq(background_start(b, "reminder", quick, &wrong, NULL), 0);
    ck_assert_int_eq(background_start(b, "fine", quick, NULL, NULL), 0);
    loop_run();
    const char *said = log_captured();
    ck_assert_ptr_nonnull(strstr(said, "reminder"));
    ck_assert_ptr_nonnull(strstr(said, uv_strerror(UV_EIO)));
    ck_assert_ptr_null(strstr(said, "fine"));
    ck_assert_uint_eq(background_failed(b), 1);
    ck_assert_uint_eq(background_failures(), before + 1);
    wrong = UV_ECANCELED;                    /* which nobody has asked of it */
    ck_assert_int_eq(background_start(b, "letter", quick, &wrong, NULL), 0);
    loop_run();
    ck_assert_uint_eq(background_failed(b), 2);
    background_free(b);
}
END_TEST

START_TEST(join_waits_for_those_that_run_now_and_no_others)
{
    fake f[3];
    ck_assert_int_eq(outcome_of(background_join(b)), 0);
    start(&f[0], 1);
    start(&f[1], 1);
    when_settled(background_join(b), store, &err);
    start(&f[2], 1);
    finish(&f[1], 0);
    ck_assert_int_eq(err, 1);
    finish(&f[0], 0);
    ck_assert_int_eq(err, 0);
    ck_assert_uint_eq(background_running(b), 1);
    finish(&f[2], 0);
    background_free(b);
}
END_TEST

START_TEST(whoever_joins_may_leave)
{
    fake f;
    int  other = 1;
    start(&f, 1);
    promise *p = background_join(b);
    when_settled(p, store, &err);
    when_settled(background_join(b), store, &other);
    promise_cancel(p);
    loop_run();
    ck_assert_int_eq(err, UV_ECANCELED);
    ck_assert_int_eq(f.cancels, 0);
    finish(&f, 0);
    ck_assert_int_eq(other, 0);
    background_free(b);
}
END_TEST

START_TEST(stopping_cancels_all_and_waits_for_the_last)
{
    fake f[3];
    start(&f[0], UV_ECANCELED);
    start(&f[1], 1);
    start(&f[2], UV_ECANCELED);
    loop_run();
    when_settled(background_stop(b), store, &err);
    ck_assert_int_eq(background_start(b, "quick", quick, NULL, destroy), UV_ECANCELED);
    loop_run();
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(f[i].cancels, 1);
    ck_assert_int_eq(err, 1);
    finish(&f[1], UV_ECANCELED);
    ck_assert_int_eq(err, 0);
    ck_assert_int_eq(destroyed, 3);
    ck_assert_uint_eq(background_failed(b), 0);              /* they were told to */
    background_free(b);
}
END_TEST

START_TEST(stopping_an_empty_group_settles_at_once)
{
    ck_assert_int_eq(outcome_of(background_stop(b)), 0);
    ck_assert_int_eq(outcome_of(background_stop(b)), 0);
    background_free(b);
}
END_TEST

static int sleep_long(void *arg)
{
    (void)arg;
    return await(sleep_for(60000));
}

START_TEST(a_sleeper_is_woken_by_a_stop_and_ends)
{
    ck_assert_int_eq(background_start(b, "sleeper", sleep_long, NULL, NULL), 0);
    loop_run_ready();
    ck_assert_int_eq(outcome_of(background_stop(b)), 0);
    ck_assert_uint_eq(background_failed(b), 0);
    background_free(b);
}
END_TEST

static int yield_twice(void *arg)
{
    int failed = task_yield();
    if (!failed)
        failed = task_yield();
    if (!failed)
        ++*(int *)arg;
    return failed;
}

static int last_failed;

static void in_plain_thread(void *arg)
{
    background *own = background_new(2);
    int wrong = UV_EIO;
    last_failed = background_start(own, "yields", yield_twice, arg, NULL);
    last_failed |= background_start(own, "yields", yield_twice, arg, destroy);
    last_failed |= background_start(own, "too many", quick, NULL, NULL) == UV_EAGAIN ? 0 : 1;
    last_failed |= await(background_join(own));
    last_failed |= background_start(own, "wrong", quick, &wrong, NULL);
    last_failed |= background_start(own, "stopped before it began", yield_twice, arg, destroy);
    last_failed |= await(background_stop(own));
    last_failed |= background_failed(own) == 1 ? 0 : 1;
    background_free(own);
    stack_trim();
    pool_done_all();
}

START_TEST(without_a_loop_tasks_run_while_the_thread_waits_for_them)
{
    int done = 0;
    log_set_level(LOG_ERROR);
    run_in_thread(in_plain_thread, &done);
    ck_assert_int_eq(last_failed, 0);
    ck_assert_int_eq(done, 2);
    ck_assert_int_eq(destroyed, 2);
    background_free(b);
}
END_TEST

Suite *background_suite(void)
{
    Suite *s = suite_create("background");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, a_task_runs_and_its_argument_is_destroyed_when_it_has_ended);
    tcase_add_test(t, a_full_group_refuses_and_the_argument_stays_with_the_caller);
    tcase_add_test(t, a_failure_is_logged_with_the_name_of_its_task_and_counted);
    tcase_add_test(t, join_waits_for_those_that_run_now_and_no_others);
    tcase_add_test(t, whoever_joins_may_leave);
    tcase_add_test(t, stopping_cancels_all_and_waits_for_the_last);
    tcase_add_test(t, stopping_an_empty_group_settles_at_once);
    tcase_add_test(t, a_sleeper_is_woken_by_a_stop_and_ends);
    tcase_add_test(t, without_a_loop_tasks_run_while_the_thread_waits_for_them);
    suite_add_tcase(s, t);
    return s;
}
