/* test_thread_pool.c - off the loop, bounded, in order; cancelled while it waits, is queued, runs. */
#include "server/async/loop.h"
#include "server/async/task.h"
#include "server/executor/thread_pool.h"
#include "server/base/overload/refusal.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <stdatomic.h>
#include <uv.h>

static uv_thread_t loops_thread;
static uv_sem_t    gate;                     /* jobs wait at it */
static atomic_int  running, most, order[16], done;

static void setup(void)
{
    loop_start();
    loops_thread = uv_thread_self();
    uv_sem_init(&gate, 0);
}

static int job(void *arg)
{
    const int now = atomic_fetch_add(&running, 1) + 1;
    uv_sem_wait(&gate);
    if (now > atomic_load(&most))
        atomic_store(&most, now);
    atomic_store(&order[atomic_fetch_add(&done, 1)], *(int *)arg);
    atomic_fetch_sub(&running, 1);
    return 0;
}

static int where(void *arg)
{
    const uv_thread_t self = uv_thread_self();
    *(bool *)arg = uv_thread_equal(&self, &loops_thread);
    return UV_EIO;
}

START_TEST(a_job_runs_off_the_loop_and_its_result_is_the_outcome)
{
    bool on_loop = true;
    ck_assert_int_eq(outcome_of(in_thread(where, &on_loop)), UV_EIO);
    ck_assert(!on_loop);
}
END_TEST

static void plain(void *arg)
{
    loops_thread = uv_thread_self();
    bool *here = arg;
    if (await(in_thread(where, here)) != UV_EIO)
        *here = false;
}

START_TEST(in_a_plain_thread_it_runs_right_here)
{
    bool here = false;
    run_in_thread(plain, &here);
    ck_assert(here);
}
END_TEST

static int      numbers[8], errs[8];
static promise *jobs[8];

static void start(int n)
{
    for (int i = 0; i < n; i++) {
        numbers[i] = i;
        errs[i] = 1;
        jobs[i] = in_thread(job, &numbers[i]);
        when_settled(jobs[i], store, &errs[i]);
    }
}

static void open_gate(int n)
{
    for (int i = 0; i < n; i++)
        uv_sem_post(&gate);
}

START_TEST(so_many_run_so_many_wait_and_the_rest_are_refused)
{
    thread_pool_configure(4, 2, 3);
    start(7);
    open_gate(7);
    loop_run();
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(errs[i], 0);
    ck_assert_int_eq(errs[5], REFUSED(REFUSED_CPU_LINE));
    ck_assert_int_eq(errs[6], REFUSED(REFUSED_CPU_LINE));
    ck_assert_int_le(atomic_load(&most), 2);
    int again = 1;                           /* and the executor is free again */
    numbers[7] = 7;
    open_gate(1);
    when_settled(in_thread(job, &numbers[7]), store, &again);
    loop_run();
    ck_assert_int_eq(again, 0);
}
END_TEST

START_TEST(those_who_wait_run_in_order)
{
    thread_pool_configure(4, 1, 8);
    start(6);
    open_gate(6);
    loop_run();
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(atomic_load(&order[i]), i);
}
END_TEST

START_TEST(cancelled_in_line_a_job_never_runs)
{
    thread_pool_configure(4, 1, 8);
    start(5);
    promise_cancel(jobs[1]);
    promise_cancel(jobs[4]);
    ck_assert_int_eq(atomic_load(&done), 0);
    open_gate(5);
    loop_run();
    ck_assert_int_eq(errs[1], UV_ECANCELED);
    ck_assert_int_eq(errs[4], UV_ECANCELED);
    ck_assert_int_eq(atomic_load(&done), 3);
    ck_assert_int_eq(atomic_load(&order[1]), 2);
}
END_TEST

static void wait_until_running(int n)
{
    while (atomic_load(&running) < n)
        uv_sleep(0);
}

START_TEST(cancelled_in_the_pools_own_queue_a_job_never_runs)
{
    thread_pool_configure(1, 2, 8);
    start(3);
    wait_until_running(1);
    promise_cancel(jobs[1]);
    open_gate(3);
    loop_run();
    ck_assert_int_eq(errs[0], 0);
    ck_assert_int_eq(errs[1], UV_ECANCELED);
    ck_assert_int_eq(errs[2], 0);
    ck_assert_int_eq(atomic_load(&done), 2);
}
END_TEST

START_TEST(once_running_a_job_runs_to_its_end)
{
    thread_pool_configure(1, 1, 8);
    start(1);
    wait_until_running(1);
    promise_cancel(jobs[0]);
    open_gate(1);
    loop_run();
    ck_assert_int_eq(errs[0], 0);
    ck_assert_int_eq(atomic_load(&done), 1);
}
END_TEST

Suite *thread_pool_suite(void)
{
    Suite *s = suite_create("thread_pool");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, a_job_runs_off_the_loop_and_its_result_is_the_outcome);
    tcase_add_test(t, in_a_plain_thread_it_runs_right_here);
    tcase_add_test(t, so_many_run_so_many_wait_and_the_rest_are_refused);
    tcase_add_test(t, those_who_wait_run_in_order);
    tcase_add_test(t, cancelled_in_line_a_job_never_runs);
    tcase_add_test(t, cancelled_in_the_pools_own_queue_a_job_never_runs);
    tcase_add_test(t, once_running_a_job_runs_to_its_end);
    suite_add_tcase(s, t);
    return s;
}
