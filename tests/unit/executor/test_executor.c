/* test_executor.c - executors beside each other: what one refuses the other takes, and all is counted. */
#include "server/base/overload/codel.h"
#include "server/executor/executor.h"
#include "server/executor/thread_pool.h"
#include "server/async/loop.h"
#include "server/async/task.h"
#include "server/base/overload/refusal.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <sched.h>
#include <string.h>
#include <uv.h>

static uv_sem_t gate;
static executor    *one, *other;

static void setup(void)
{
    loop_start();
    uv_sem_init(&gate, 0);
    one = executor_add("one", 1, 2);
    other = executor_add("other", 1, 2);
}

static int wait_at_gate(void *arg)
{
    (void)arg;
    uv_sem_wait(&gate);
    return 0;
}

static int go_wrong(void *arg)
{
    (void)arg;
    return UV_EIO;
}

static executor_counts counts_of(const char *name)
{
    executor_counts all[MAX_EXECUTORS];
    const int n = executor_count_all(all);
    for (int i = 0; i < n; i++)
        if (strcmp(all[i].name, name) == 0)
            return all[i];
    ck_abort_msg("there is no executor %s", name);
}

static void expect_counts(const char *name, int running, int waiting, uint64_t done, uint64_t refused)
{
    const executor_counts c = counts_of(name);
    ck_assert_int_eq(c.running, running);
    ck_assert_int_eq(c.waiting, waiting);
    ck_assert_uint_eq(c.done, done);
    ck_assert_uint_eq(c.refused, refused);
}

static int errs[8];

static promise *start(int i, executor *l)
{
    promise *p = run_in_executor(l, wait_at_gate, NULL);
    errs[i] = 1;
    when_settled(p, store, &errs[i]);
    return p;
}

static void on_other(int err, void *arg)     /* while the first executor is full */
{
    *(int *)arg = err;
    ck_assert_int_eq(counts_of("one").running, 1);
    for (int i = 0; i < 3; i++)
        uv_sem_post(&gate);
}

START_TEST(a_full_executor_starves_no_other)
{
    int err = 1;
    for (int i = 0; i < 4; i++)
        start(i, one);
    expect_counts("one", 1, 2, 0, 1);
    when_settled(run_in_executor(other, go_wrong, NULL), on_other, &err);
    loop_run();
    ck_assert_int_eq(err, UV_EIO);
    ck_assert_int_eq(errs[0], 0);
    ck_assert_int_eq(errs[2], 0);
    ck_assert_int_eq(errs[3], UV_EAGAIN);
    expect_counts("one", 0, 0, 3, 1);
    expect_counts("other", 0, 0, 1, 0);
}
END_TEST

START_TEST(a_line_that_was_full_takes_as_many_when_it_has_emptied)
{
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 4; i++)
            start(i, one);
        expect_counts("one", 1, 2, 3 * (uint64_t)round, (uint64_t)round + 1);
        for (int i = 0; i < 3; i++)
            uv_sem_post(&gate);
        loop_run();
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(errs[i], 0);
        ck_assert_int_eq(errs[3], UV_EAGAIN);
    }
}
END_TEST

START_TEST(who_leaves_the_line_is_not_counted_as_done)
{
    start(0, one);
    promise *p = start(1, one);
    promise_cancel(p);
    uv_sem_post(&gate);
    loop_run();
    ck_assert_int_eq(errs[1], UV_ECANCELED);
    expect_counts("one", 0, 0, 1, 0);
}
END_TEST

START_TEST(a_guest_takes_a_place_until_it_leaves)
{
    int guest = 1, second = 1;
    when_settled(executor_enter(one), store, &guest);
    when_settled(executor_enter(one), store, &second);
    start(0, one);
    loop_run();
    ck_assert_int_eq(guest, 0);
    ck_assert_int_eq(second, 1);
    expect_counts("one", 1, 2, 0, 0);
    ck_assert_int_eq(outcome_of(executor_enter(one)), UV_EAGAIN);
    executor_leave(one);                         /* to the second, then to the job behind it */
    loop_run();
    ck_assert_int_eq(second, 0);
    ck_assert_int_eq(errs[0], 1);
    uv_sem_post(&gate);
    executor_leave(one);
    loop_run();
    ck_assert_int_eq(errs[0], 0);
    expect_counts("one", 0, 0, 3, 1);
}
END_TEST

START_TEST(a_guest_cancelled_in_line_has_not_entered)
{
    int guest = 1, second = 1;
    when_settled(executor_enter(one), store, &guest);
    promise *p = executor_enter(one);
    when_settled(p, store, &second);
    promise_cancel(p);
    loop_run();
    ck_assert_int_eq(second, UV_ECANCELED);
    expect_counts("one", 1, 0, 0, 0);
    executor_leave(one);
    expect_counts("one", 0, 0, 1, 0);
}
END_TEST

static void plain(void *arg)
{
    int *errors = arg;
    for (int i = 0; i < 4; i++)
        *errors += await(executor_enter(one)) != 0;
    expect_counts("one", 4, 0, 0, 0);
    for (int i = 0; i < 4; i++)
        executor_leave(one);
    *errors += await(run_in_executor(one, go_wrong, NULL)) != UV_EIO;
}

START_TEST(a_plain_thread_waits_for_nobody_and_is_counted)
{
    int errors = 0;
    run_in_thread(plain, &errors);
    ck_assert_int_eq(errors, 0);
    expect_counts("one", 0, 0, 5, 0);
}
END_TEST

START_TEST(an_executor_added_again_is_the_same_with_new_bounds)
{
    executor_counts all[MAX_EXECUTORS];
    const int before = executor_count_all(all);
    ck_assert_ptr_eq(executor_add("one", 2, 0), one);
    ck_assert_int_eq(executor_count_all(all), before);
    for (int i = 0; i < 3; i++)
        start(i, one);
    expect_counts("one", 2, 0, 0, 1);
    uv_sem_post(&gate);
    uv_sem_post(&gate);
    loop_run();
}
END_TEST

static uv_sem_t ended;
static int      order[3], worked;

static int say_that_it_ran(void *arg)
{
    order[worked++] = *(int *)arg;
    uv_sem_post(&ended);
    return -*(int *)arg;
}

/* When others are in line; however long this machine has let it stand, for a second is taken back. */
static int wait_at_gate_for_no_time(void *arg)
{
    (void)arg;
    uv_sem_wait(&gate);
    clock_skip((uint64_t)-1000);
    return 0;
}

static int run_in_no_time(void *arg)
{
    wait_at_gate_for_no_time(NULL);
    return say_that_it_ran(arg);
}

static int work_for_long(void *arg)
{
    uv_sem_wait(&gate);
    clock_skip(1000);
    return say_that_it_ran(arg);
}

/* The loop is here, and does not turn. */
START_TEST(the_next_in_line_need_not_wait_for_the_loop)
{
    int numbers[] = { 1, 2, 3 };
    uv_sem_init(&ended, 0);
    for (int i = 0; i < 3; i++) {
        errs[i] = 0;
        when_settled(run_in_executor(one, run_in_no_time, &numbers[i]), store, &errs[i]);
    }
    for (int i = 0; i < 3; i++)
        uv_sem_post(&gate);
    for (int i = 0; i < 3; i++)
        uv_sem_wait(&ended);
    loop_run();
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(order[i], i + 1);
        ck_assert_int_eq(errs[i], -(i + 1));
    }
    expect_counts("one", 0, 0, 3, 0);
}
END_TEST

START_TEST(a_thread_that_has_worked_for_long_lets_others_of_the_pool_go_before)
{
    int numbers[] = { 1, 2, 3 };
    thread_pool_configure(1, 4, 4);
    uv_sem_init(&ended, 0);
    when_settled(run_in_executor(one, work_for_long, &numbers[0]), store, &errs[0]);
    when_settled(run_in_executor(one, say_that_it_ran, &numbers[2]), store, &errs[1]);
    when_settled(run_in_executor(other, say_that_it_ran, &numbers[1]), store, &errs[2]);
    uv_sem_post(&gate);
    loop_run();
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(order[i], i + 1);
}
END_TEST

static void on_first(int err, void *arg)     /* with those that ended meanwhile it has been taken off the line */
{
    errs[0] = err;
    promise_cancel(arg);
}

START_TEST(what_has_run_meanwhile_can_be_cancelled_no_more)
{
    int numbers[] = { 1, 2 };
    uv_sem_init(&ended, 0);
    promise *first = run_in_executor(one, run_in_no_time, &numbers[0]);
    promise *second = run_in_executor(one, say_that_it_ran, &numbers[1]);
    when_settled(first, on_first, second);
    when_settled(second, store, &errs[1]);
    uv_sem_post(&gate);
    for (int i = 0; i < 2; i++)
        uv_sem_wait(&ended);
    loop_run();
    ck_assert_int_eq(errs[0], -1);
    ck_assert_int_eq(errs[1], -2);
}
END_TEST

START_TEST(a_guest_behind_a_job_is_let_in_by_the_loop)
{
    int number = 1, guest = 1;
    uv_sem_init(&ended, 0);
    when_settled(run_in_executor(one, run_in_no_time, &number), store, &errs[0]);
    when_settled(executor_enter(one), store, &guest);
    uv_sem_post(&gate);
    loop_run();
    ck_assert_int_eq(errs[0], -1);
    ck_assert_int_eq(guest, 0);
    expect_counts("one", 1, 0, 1, 0);
    executor_leave(one);
}
END_TEST

START_TEST(counts_are_right_while_a_thread_goes_on_by_itself)
{
    for (int i = 0; i < 3; i++)
        when_settled(run_in_executor(one, wait_at_gate_for_no_time, NULL), store, &errs[i]);
    uv_sem_post(&gate);
    while (counts_of("one").waiting == 2)
        sched_yield();
    expect_counts("one", 1, 1, 0, 0);        /* done is what the loop knows of */
    uv_sem_post(&gate);
    uv_sem_post(&gate);
    loop_run();
    expect_counts("one", 0, 0, 3, 0);
}
END_TEST

/* Better a late one is served than none: the first that waits is, those behind it are not. */
START_TEST(whoever_has_waited_too_long_is_refused_while_the_line_stands)
{
    executor_set_target(one, 50);
    for (int i = 0; i < 3; i++)
        start(i, one);
    clock_skip(CODEL_INTERVAL / 1000000 + 1);
    uv_sem_post(&gate);
    while (errs[0] == 1)
        uv_run(loop_here(), UV_RUN_ONCE);
    loop_run_ready();
    ck_assert_int_eq(errs[1], 1);            /* it runs */
    ck_assert_int_eq(errs[2], UV_EAGAIN);
    expect_counts("one", 1, 0, 1, 1);
    uv_sem_post(&gate);
    loop_run();
    ck_assert_int_eq(errs[1], 0);
}
END_TEST

START_TEST(the_executors_that_are_there_from_the_start_say_why)
{
    executor_add("cpu", 1, 1);
    executor_set_target(EXECUTOR_CPU, 50);
    for (int i = 0; i < 3; i++)
        start(i, EXECUTOR_CPU);
    loop_run_ready();
    ck_assert_int_eq(errs[2], REFUSED(REFUSED_CPU_LINE));
    ck_assert_int_eq(executor_room(EXECUTOR_CPU), 64 - 2);
    executor_add("files", 1, 1);
    for (int i = 3; i < 6; i++)
        start(i, EXECUTOR_FILES);
    loop_run_ready();
    ck_assert_int_eq(errs[5], REFUSED(REFUSED_FILES_LINE));
    for (int i = 0; i < 2; i++)
        uv_sem_post(&gate);
    for (int i = 0; i < 2; i++)
        uv_sem_post(&gate);
    loop_run();
}
END_TEST

Suite *executor_suite(void)
{
    Suite *s = suite_create("executor");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, a_full_executor_starves_no_other);
    tcase_add_test(t, a_line_that_was_full_takes_as_many_when_it_has_emptied);
    tcase_add_test(t, who_leaves_the_line_is_not_counted_as_done);
    tcase_add_test(t, a_guest_takes_a_place_until_it_leaves);
    tcase_add_test(t, a_guest_cancelled_in_line_has_not_entered);
    tcase_add_test(t, a_plain_thread_waits_for_nobody_and_is_counted);
    tcase_add_test(t, an_executor_added_again_is_the_same_with_new_bounds);
    tcase_add_test(t, the_next_in_line_need_not_wait_for_the_loop);
    tcase_add_test(t, a_thread_that_has_worked_for_long_lets_others_of_the_pool_go_before);
    tcase_add_test(t, what_has_run_meanwhile_can_be_cancelled_no_more);
    tcase_add_test(t, a_guest_behind_a_job_is_let_in_by_the_loop);
    tcase_add_test(t, counts_are_right_while_a_thread_goes_on_by_itself);
    tcase_add_test(t, whoever_has_waited_too_long_is_refused_while_the_line_stands);
    tcase_add_test(t, the_executors_that_are_there_from_the_start_say_why);
    suite_add_tcase(s, t);
    return s;
}
