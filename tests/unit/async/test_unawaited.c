/* test_unawaited.c - what nobody awaits is found out, cancelled, and waited for before its scope ends. */
#include "server/async/chain.h"
#include "server/async/combine.h"
#include "server/async/loop.h"
#include "server/async/scope.h"
#include "server/async/task.h"
#include "server/async/timing.h"
#include "server/async/unawaited.h"
#include "server/base/memory.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <uv.h>

static int finished;

static void setup(void)
{
    log_capture();
    loop_start();
}

static void done(int err, void *arg)
{
    (void)arg;
    finished++;
    ck_assert_int_le(err, 0);
}

static fake late[2];
static int  outcome;

static int forget_fakes(void *arg)
{
    promise *kept[] = { fake_new(&late[0], 1), fake_new(&late[1], 1) };
    (void)kept, (void)arg;
    return UV_EIO;
}

START_TEST(a_task_ends_with_its_own_outcome_when_what_it_forgot_has_settled)
{
    outcome = 1;
    when_settled(task_start("t", forget_fakes, NULL), store, &outcome);
    loop_run();
    ck_assert_uint_eq(unawaited_count(), 2);
    ck_assert_int_eq(late[0].cancels, 1);    /* at once, not one after the other has settled */
    ck_assert_int_eq(late[1].cancels, 1);
    ck_assert_uint_eq(task_count(), 1);
    promise_settle(late[1].promise, UV_ECANCELED);
    loop_run();
    ck_assert_int_eq(outcome, 1);
    promise_settle(late[0].promise, 0);
    loop_run();
    ck_assert_int_eq(outcome, UV_EIO);
    ck_assert_uint_eq(task_count(), 0);
}
END_TEST

/* By a task that makes so many that nobody awaits, one of them late[0]. */
static void expect_the_late_one_is_waited_for(int (*fn)(void *), unsigned unawaited)
{
    outcome = 1;
    when_settled(task_start("t", fn, &late[0]), store, &outcome);
    loop_run();
    ck_assert_uint_eq(unawaited_count(), unawaited);
    ck_assert_int_eq(late[0].cancels, 1);
    ck_assert_int_eq(outcome, 1);
    promise_settle(late[0].promise, 0);
    loop_run();
    ck_assert_int_eq(outcome, 0);
}

static promise *forget_one(void *arg)
{
    promise *kept = fake_new(arg, 1);
    (void)kept;
    return promise_settled(0);
}

static int wait_for_a_forgetful_step(void *arg) { return await(then(promise_settled(0), forget_one, arg)); }

START_TEST(what_a_follower_makes_belongs_to_those_who_made_what_it_follows)
{
    expect_the_late_one_is_waited_for(wait_for_a_forgetful_step, 1);
}
END_TEST

static void cancel_and_make_another(promise *p, void *arg)
{
    promise *kept = fake_new(arg, 1);
    (void)kept;
    promise_settle(p, UV_ECANCELED);
}

static int forget_one_that_makes_another(void *arg)
{
    promise *kept = promise_new(cancel_and_make_another, arg);
    (void)kept;
    return 0;
}

START_TEST(what_cancelling_makes_is_cancelled_and_waited_for_as_well)
{
    expect_the_late_one_is_waited_for(forget_one_that_makes_another, 2);
}
END_TEST

static void make_another(int err, void *arg)
{
    (void)err;
    promise *kept = fake_new(arg, 1);
    (void)kept;
}

/* One is followed, whose follower makes another while the forgotten one is waited for. */
static int follow_one_and_forget_one(void *arg)
{
    promise *kept = fake_new(&late[0], 1);
    when_settled(fake_new(&late[1], 1), make_another, arg);
    (void)kept;
    return 0;
}

START_TEST(what_a_follower_makes_meanwhile_is_cancelled_and_waited_for_as_well)
{
    static fake another;
    outcome = 1;
    when_settled(task_start("t", follow_one_and_forget_one, &another), store, &outcome);
    loop_run();
    promise_settle(late[1].promise, 0);
    loop_run();
    promise_settle(late[0].promise, 0);
    loop_run();
    ck_assert_int_eq(another.cancels, 1);
    ck_assert_int_eq(outcome, 1);
    promise_settle(another.promise, UV_ECANCELED);
    loop_run();
    ck_assert_int_eq(outcome, 0);
    ck_assert_ptr_eq(scope_here(), &scope_thread);           /* whose all that follows is */
}
END_TEST

static int forget_a_gather(void *arg)
{
    promise *kept = gather(sleep_for(3600000), then(fake_new(&late[0], 1), forget_one, &late[1]));
    (void)kept, (void)arg;
    return 0;
}

START_TEST(one_that_holds_others_drains_them)
{
    expect_the_late_one_is_waited_for(forget_a_gather, 1);
    ck_assert_ptr_null(late[1].promise);     /* the next step has not begun */
}
END_TEST

static int forget_late_in_time(void *arg)
{
    (void)arg;
    task_limit(NULL, deadline_after(uv_hrtime(), 1000));
    promise *kept = fake_new(&late[0], 1);
    (void)kept;
    return UV_ECANCELED;
}

START_TEST(a_deadline_that_comes_while_it_drains_changes_nothing)
{
    outcome = 1;
    when_settled(task_start("t", forget_late_in_time, NULL), store, &outcome);
    loop_run_skipping();
    clock_skip(2000);
    loop_run_skipping();
    promise_settle(late[0].promise, 0);
    loop_run();
    ck_assert_int_eq(outcome, UV_ECANCELED);
}
END_TEST

static int ended;

static int yield_for_ever(void *arg)
{
    (void)arg;
    while (!task_yield())
        ;
    return ended = UV_ECANCELED;
}

static void forget_a_task(void *arg)
{
    scope o = { .name = "request" };
    scope *const thread = scope_enter(&o);
    promise *kept = task_start("for ever", yield_for_ever, NULL);
    (void)kept;
    scope_enter(thread);
    *(int *)arg = await(unawaited_drain(&o));
    scope_end(&o);
    pool_done_all();
}

START_TEST(in_a_plain_thread_it_is_drained_as_well)
{
    outcome = 1;
    run_in_thread(forget_a_task, &outcome);
    ck_assert_int_eq(outcome, 0);
    ck_assert_int_eq(ended, UV_ECANCELED);
    ck_assert_uint_eq(unawaited_count(), 1);
}
END_TEST

static int careful(void *arg)
{
    promise *a = sleep_for(1), *b = sleep_for(2);
    (void)arg;
    const int err = await(b);
    return err ? err : await(a);
}

START_TEST(one_that_is_kept_and_awaited_later_is_not_forgotten)
{
    when_settled(task_start("careful", careful, NULL), done, NULL);
    loop_run_skipping();
    unawaited_thread_end();
    ck_assert_int_eq(finished, 1);
    ck_assert_uint_eq(unawaited_count(), 0);
}
END_TEST

START_TEST(what_is_left_on_a_thread_is_found_when_it_ends)
{
    fake f;
    promise *kept = sleep_for(1), *more = fake_new(&f, 1);
    (void)kept, (void)more;
    loop_run_skipping();
    ck_assert_uint_eq(unawaited_count(), 0);
    unawaited_thread_end();
    ck_assert_uint_eq(unawaited_count(), 2);
    ck_assert_int_eq(f.cancels, 0);          /* nobody is left to wait for what that would start */
    promise_settle(f.promise, 0);
}
END_TEST

static int forget_a_sleep(void *arg)
{
    promise *kept = sleep_for(5);
    (void)kept, (void)arg;
    return 0;
}

START_TEST(it_is_logged_with_the_function_that_made_it_and_the_label)
{
    scope_relabel(label_of("GET /forgetful"));
    when_settled(task_start("forgetful task", forget_a_sleep, NULL), done, NULL);
    scope_relabel(0);
    loop_run();
    ck_assert_int_eq(log_times("sleep_for() was called by forgetful task and never awaited (GET /forgetful)"), 1);
}
END_TEST

static const char *reported_in;

static void note_report(const promise_origin *from, const char *scope)
{
    ck_assert_str_eq(from->maker, "sleep_for");
    reported_in = scope;
}

START_TEST(it_is_reported_to_who_asks_for_that)
{
    unawaited_report_to(note_report);
    when_settled(task_start("forgetful task", forget_a_sleep, NULL), done, NULL);
    loop_run();
    ck_assert_str_eq(reported_in, "forgetful task");
    ck_assert_uint_eq(unawaited_count(), 1);
    ck_assert_int_eq(log_times("never awaited"), 0);
}
END_TEST

Suite *unawaited_suite(void)
{
    Suite *s = suite_create("unawaited");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, a_task_ends_with_its_own_outcome_when_what_it_forgot_has_settled);
    tcase_add_test(t, what_a_follower_makes_belongs_to_those_who_made_what_it_follows);
    tcase_add_test(t, what_cancelling_makes_is_cancelled_and_waited_for_as_well);
    tcase_add_test(t, what_a_follower_makes_meanwhile_is_cancelled_and_waited_for_as_well);
    tcase_add_test(t, one_that_holds_others_drains_them);
    tcase_add_test(t, a_deadline_that_comes_while_it_drains_changes_nothing);
    tcase_add_test(t, in_a_plain_thread_it_is_drained_as_well);
    tcase_add_test(t, one_that_is_kept_and_awaited_later_is_not_forgotten);
    tcase_add_test(t, what_is_left_on_a_thread_is_found_when_it_ends);
    tcase_add_test(t, it_is_logged_with_the_function_that_made_it_and_the_label);
    tcase_add_test(t, it_is_reported_to_who_asks_for_that);
    suite_add_tcase(s, t);
    return s;
}
