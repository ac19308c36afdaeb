/* off_loop.c - threads and processes: what their pages say of the same work, and of work that goes wrong. */
#include "tests/scenarios/scenarios.h"

#include "tests/scenarios/support/recorded.h"

enum { TRIES = 8, SIDE_BY_SIDE = 2, HARDLY = 100 };          /* of a run on a machine that may be busy; jobs; ms */

static void start(void)
{
    server_start("off-loop", "--workers", "1", "TENK_THREADS_RUNNING=2", "TENK_PROCESSES_POOL=2", NULL);
}

static const char *const OF_THREADS = "threads: at once, at most", *const OF_PROCESSES = "processes: at once, at most";

/* As many as the settings say, and never more: threads are as parallel as processes. A blocking thread does one after the
 * other. */
START_TEST(threads_and_processes_compute_side_by_side_and_count_the_same)
{
    const int64_t wanted = in_threads_mode() ? 1 : SIDE_BY_SIDE;
    int64_t threads = 0, processes = 0;
    for (int tries = 0; tries < TRIES && (threads < wanted || processes < wanted); tries++) {
        json_t *run = run_of("threads");
        ck_assert_int_eq(number_of(run, "outcome"), 0);
        ck_assert_int_eq(figure(run, "same answers"), 6);
        ck_assert_int_eq(tracks_called(run, "computes, in a thread").succeeded, 6);
        ck_assert_int_eq(tracks_called(run, "asked of a process").succeeded, 6);
        ck_assert_int_le(figure(run, OF_THREADS), wanted);
        ck_assert_int_le(figure(run, OF_PROCESSES), wanted);
        ck_assert_int_ge(figure(run, "a process, there and back"), 1);
        threads = figure(run, OF_THREADS) > threads ? figure(run, OF_THREADS) : threads;
        processes = figure(run, OF_PROCESSES) > processes ? figure(run, OF_PROCESSES) : processes;
        json_decref(run);
    }
    ck_assert_int_eq(threads, wanted);
    ck_assert_int_eq(processes, wanted);
}
END_TEST

START_TEST(the_loop_goes_on_while_others_compute)
{
    int64_t others = INT64_MAX;
    if (in_threads_mode() || run_slowed())
        return;
    for (int tries = 0; tries < TRIES && others > HARDLY; tries++) {
        json_t *run = run_of("threads");
        others = figure(run, "others waited, at most") / 1000;
        json_decref(run);
    }
    ck_assert_int_le(others, HARDLY);
}
END_TEST

static void expect_one_after_the_other(const json_t *run)
{
    static const char *const JOBS[] = { "works", "crashes", "leaks", "never ends", "works, as before" };
    for (int i = 1; i < 5; i++)
        ck_assert_int_ge(tracks_called(run, JOBS[i]).first_begin, tracks_called(run, JOBS[i - 1]).last_end);
}

/* The sanitizers bound no leak of what is not written to. */
START_TEST(a_job_that_crashes_leaks_or_never_ends_leaves_the_others_alone)
{
    json_t *run = run_of("processes");
    const int leaks = tracks_called(run, "leaks").succeeded;
    ck_assert_int_eq(number_of(run, "outcome"), 0);
    ck_assert(leaks == 0 || run_slowed());
    ck_assert_int_eq(tracks_called(run, "works").succeeded, 1);
    ck_assert_int_eq(tracks_called(run, "crashes").succeeded, 0);
    const tracks endless = tracks_called(run, "never ends");
    ck_assert_int_eq(endless.succeeded, 0);
    ck_assert_int_ge(endless.last_end - endless.first_begin, 150 * 1000);
    ck_assert_int_eq(tracks_called(run, "works, as before").succeeded, 1);
    ck_assert_int_eq(figure(run, "that died"), 2 - leaks);
    ck_assert_int_eq(figure(run, "that were out of time"), 1);
    if (in_threads_mode())
        expect_one_after_the_other(run);
    json_decref(run);
}
END_TEST

Suite *off_loop_suite(void)
{
    Suite *s = suite_create("off_loop");
    TCase *t = theme(s, "off-loop", start);
    tcase_add_test(t, threads_and_processes_compute_side_by_side_and_count_the_same);
    tcase_add_test(t, the_loop_goes_on_while_others_compute);
    tcase_add_test(t, a_job_that_crashes_leaks_or_never_ends_leaves_the_others_alone);
    return s;
}
