/* test_process_pool.c - worker processes at work: what goes in and comes out, time limits, the queue, and their end. */
#include "processing.h"
#include "server/base/overload/codel.h"
#include "server/async/loop.h"
#include "server/base/memory.h"
#include "server/base/overload/refusal.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

START_TEST(a_job_runs_in_another_process_and_its_output_comes_back)
{
    ck_assert_int_eq(processing_run(&TEST_ECHO, TEXT("hello")), 0);
    ck_assert(text_equal(processing_out, TEXT("hello")));
    ck_assert_int_eq(processing_run(&TEST_ECHO, TEXT("")), 0);
    ck_assert_uint_eq(processing_out.length, 0);
    ck_assert_int_ne(processing_worker(), getpid());
    processing_stop();
}
END_TEST

START_TEST(what_a_job_returns_is_the_outcome_and_its_output_is_dropped)
{
    processing_out = TEXT("before");
    ck_assert_int_eq(processing_run(&TEST_FAIL, TEXT("")), UV_EIO);
    ck_assert(text_equal(processing_out, TEXT("before")));
    ck_assert_int_eq(processing_run(&TEST_ECHO, TEXT("on")), 0);
    processing_stop();
}
END_TEST

START_TEST(more_than_the_socket_holds_goes_through_both_ways)
{
    enum { MANY = 10000000 };
    char *in = arena_alloc(&processing_arena, MANY);
    for (int i = 0; i < MANY; i++)
        in[i] = (char)(i * 7 + (i >> 8));
    ck_assert_int_eq(processing_run(&TEST_ECHO, (text){ in, MANY }), 0);
    ck_assert(text_equal(processing_out, (text){ in, MANY }));
    processing_stop();
}
END_TEST

START_TEST(too_much_is_refused_both_ways)
{
    ck_assert_int_eq(processing_run(&TEST_ECHO, (text){ "", PROCESS_LARGEST + 1 }), UV_EMSGSIZE);
    if (!RESERVE_NOTHING) {
        processing_options.memory = 1 << 30;
        process_pool_configure(&processing_options);
        ck_assert_int_eq(processing_run(&TEST_TOO_MUCH, TEXT("")), UV_EMSGSIZE);
        ck_assert_int_eq(processing_run(&TEST_ECHO, TEXT("on")), 0);
    }
    processing_stop();
}
END_TEST

START_TEST(as_much_as_may_be_is_not_too_much)
{
    promise *p = in_process(&TEST_ECHO, (text){ "", PROCESS_LARGEST }, 0, &processing_arena, &processing_out);
    promise_cancel(p);                       /* before its bytes are looked at: there are none */
    ck_assert_int_eq(outcome_of(p), UV_ECANCELED);
    processing_stop();
}
END_TEST

START_TEST(one_that_spins_is_killed_at_its_limit_and_replaced)
{
    const pid_t before = processing_worker();
    ck_assert_int_eq(outcome_of(in_process(&TEST_SPIN, TEXT(""), 5, &processing_arena, &processing_out)), UV_ETIMEDOUT);
    ck_assert_int_ne(processing_worker(), before);
    ck_assert_int_eq(kill(before, 0), -1);
    ck_assert_uint_eq(process_pool_count().killed, 1);
    ck_assert_int_eq(process_pool_count().running, 0);
    processing_stop();
}
END_TEST

START_TEST(cancelled_while_it_runs_a_job_is_killed)
{
    int err = 1;
    const pid_t before = processing_worker();
    promise *p = in_process(&TEST_SPIN, TEXT(""), 0, &processing_arena, &processing_out);
    when_settled(p, store, &err);
    uv_run(loop_here(), UV_RUN_NOWAIT);
    ck_assert_int_eq(process_pool_count().running, 1);
    promise_cancel(p);
    loop_run();
    ck_assert_int_eq(err, UV_ECANCELED);
    ck_assert_int_ne(processing_worker(), before);
    processing_stop();
}
END_TEST

START_TEST(cancelled_in_line_a_job_never_runs)
{
    processing_worker();
    promise *spins = processing_start(0, &TEST_SPIN, 0), *waits = processing_start(1, &TEST_EXIT, 0);
    ck_assert_int_eq(process_pool_count().waiting, 1);
    promise_cancel(waits);
    promise_cancel(spins);
    loop_run();
    ck_assert_int_eq(processing_errs[0], UV_ECANCELED);
    ck_assert_int_eq(processing_errs[1], UV_ECANCELED);
    ck_assert_uint_eq(process_pool_count().died, 0);
    ck_assert_int_eq(process_pool_count().waiting, 0);
    processing_stop();
}
END_TEST

START_TEST(a_full_line_refuses_and_who_waits_there_too_long_leaves)
{
    processing_worker();
    promise *spins = processing_start(0, &TEST_SPIN, 0);
    for (int i = 1; i < 6; i++)
        processing_start(i, &TEST_ECHO, i == 1 ? 2 : 0);
    loop_run_ready();
    ck_assert_int_eq(processing_errs[5], REFUSED(REFUSED_PROCESSES_LINE));
    ck_assert_uint_eq(process_pool_count().refused, 1);
    processing_until_settled(1);
    ck_assert_int_eq(processing_errs[1], UV_ETIMEDOUT);
    ck_assert_int_eq(processing_errs[2], 1);
    promise_cancel(spins);
    loop_run();
    for (int i = 2; i < 5; i++)
        ck_assert_int_eq(processing_errs[i], 0);
    processing_stop();
}
END_TEST

START_TEST(what_workers_will_take_when_they_have_started_does_not_wait_in_line)
{
    processing_options.workers = 2;
    processing_options.waiting = 1;
    process_pool_configure(&processing_options);
    for (int i = 0; i < 4; i++)
        processing_start(i, &TEST_ECHO, 0);
    loop_run_ready();
    ck_assert_int_eq(processing_errs[3], REFUSED(REFUSED_PROCESSES_LINE));
    loop_run();
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(processing_errs[i], 0);
    processing_stop();
}
END_TEST

/* Better a late one is served than none: the first that waits is, those behind it are not. */
START_TEST(while_the_line_stands_whoever_has_waited_too_long_is_refused)
{
    processing_options.target_ms = 50;
    process_pool_configure(&processing_options);
    processing_worker();
    promise *spins = processing_start(0, &TEST_SPIN, 0), *late = processing_start(1, &TEST_SPIN, 0);
    processing_start(2, &TEST_ECHO, 0);
    clock_skip(CODEL_INTERVAL / 1000000 + 1);
    promise_cancel(spins);
    processing_until_settled(2);
    ck_assert_int_eq(processing_errs[1], 1); /* it runs */
    ck_assert_int_eq(processing_errs[2], REFUSED(REFUSED_PROCESSES_WAIT));
    promise_cancel(late);
    loop_run();
    processing_stop();
}
END_TEST

START_TEST(side_by_side_there_are_as_many_as_needed_and_no_more)
{
    processing_options.workers = 3;
    process_pool_configure(&processing_options);
    processing_worker();
    ck_assert_int_eq(process_pool_count().workers, 1);
    promise *one = processing_start(0, &TEST_SPIN, 0), *two = processing_start(1, &TEST_SPIN, 0);
    processing_start(2, &TEST_ECHO, 0);
    processing_until_settled(2);
    ck_assert_int_eq(processing_errs[2], 0);
    ck_assert_int_eq(process_pool_count().workers, 3);
    ck_assert_int_eq(processing_errs[0], 1);
    ck_assert_int_eq(processing_errs[1], 1);
    promise_cancel(one);
    promise_cancel(two);
    loop_run();
    processing_stop();
}
END_TEST

START_TEST(after_so_many_jobs_another_takes_its_place)
{
    processing_options.jobs = 3;
    process_pool_configure(&processing_options);
    const pid_t first = processing_worker();
    ck_assert_int_eq(processing_worker(), first);
    ck_assert_int_eq(processing_worker(), first);
    const pid_t second = processing_worker();
    ck_assert_int_ne(second, first);
    ck_assert_int_eq(processing_worker(), second);           /* which does as many */
    ck_assert_int_eq(processing_worker(), second);
    ck_assert_int_ne(processing_worker(), second);
    ck_assert_uint_eq(process_pool_count().died, 0);
    processing_stop();
}
END_TEST

START_TEST(closing_ends_all_whatever_they_do)
{
    processing_options.workers = 2;
    process_pool_configure(&processing_options);
    processing_worker();
    processing_start(0, &TEST_SPIN, 0);
    processing_start(1, &TEST_SPIN, 0);
    processing_start(2, &TEST_ECHO, 0);
    ck_assert_int_eq(outcome_of(process_pool_close()), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(processing_errs[i], UV_ECANCELED);
    ck_assert_int_eq(process_pool_count().workers, 0);
    processing_stop();
}
END_TEST

START_TEST(closing_ends_one_that_is_stopped)
{
    kill(processing_worker(), SIGSTOP);
    processing_stop();
}
END_TEST

START_TEST(a_worker_has_nothing_of_its_parents)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);         /* inherited by all who do not take care */
    setenv("SECRET", "password", 1);
    ck_assert_int_eq(processing_run(&TEST_POSSESSIONS, TEXT("")), 0);
    ck_assert_msg(text_equal(processing_out, TEXT("descriptors 0-3, SIGTERM default, SIGINT ignored, no secret")), "%.*s",
                  (int)processing_out.length, processing_out.at);
    close(ends[0]);
    close(ends[1]);
    processing_stop();
}
END_TEST

Suite *process_pool_suite(void)
{
    Suite *s = suite_create("process_pool");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, processing_begin, NULL);
    tcase_add_test(t, a_job_runs_in_another_process_and_its_output_comes_back);
    tcase_add_test(t, what_a_job_returns_is_the_outcome_and_its_output_is_dropped);
    tcase_add_test(t, more_than_the_socket_holds_goes_through_both_ways);
    tcase_add_test(t, too_much_is_refused_both_ways);
    tcase_add_test(t, as_much_as_may_be_is_not_too_much);
    tcase_add_test(t, one_that_spins_is_killed_at_its_limit_and_replaced);
    tcase_add_test(t, cancelled_while_it_runs_a_job_is_killed);
    tcase_add_test(t, cancelled_in_line_a_job_never_runs);
    tcase_add_test(t, a_full_line_refuses_and_who_waits_there_too_long_leaves);
    tcase_add_test(t, what_workers_will_take_when_they_have_started_does_not_wait_in_line);
    tcase_add_test(t, while_the_line_stands_whoever_has_waited_too_long_is_refused);
    tcase_add_test(t, side_by_side_there_are_as_many_as_needed_and_no_more);
    tcase_add_test(t, after_so_many_jobs_another_takes_its_place);
    tcase_add_test(t, closing_ends_all_whatever_they_do);
    tcase_add_test(t, closing_ends_one_that_is_stopped);
    tcase_add_test(t, a_worker_has_nothing_of_its_parents);
    suite_add_tcase(s, t);
    return s;
}
