/* test_workload.c - what is short stays on the loop, and what is long goes to the pool, by what runs took before. */
#include "server/async/loop.h"
#include "server/async/task.h"
#include "server/base/overload/refusal.h"
#include "server/executor/thread_pool.h"
#include "server/executor/workload.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <string.h>
#include <uv.h>

enum { LIMIT = 1000 };                       /* ms, which pass only when they are skipped */

static workload     pages = { .name = "pages" };
static uv_thread_t  loops_thread;
static uv_sem_t     gate;

static void setup(void)
{
    clock_hold();
    loop_start();
    loops_thread = uv_thread_self();
    uv_sem_init(&gate, 0);
    workload_configure(WORKLOAD_AUTO, LIMIT * 1000);
}

typedef struct written { uint64_t ms; int answer; bool on_loop; } written;

static int write_page(void *arg)
{
    written *w = arg;
    const uv_thread_t self = uv_thread_self();
    w->on_loop = uv_thread_equal(&self, &loops_thread);
    clock_skip(w->ms);
    return w->answer;
}

/* Where a page of that size, which takes so long, is written: "loop" or "pool". */
static const char *place_of(size_t size, uint64_t ms, workload_choice choice)
{
    written w = { .ms = ms, .answer = UV_EIO };
    workload_run run = { &pages, size, write_page, &w, .choice = choice };
    promise *p = workload_start(&run);
    const bool at_once = strcmp(run.place, "loop") == 0 && run.ns > 0;        /* the pool may be about to write it */
    ck_assert_int_eq(outcome_of(p), UV_EIO);
    ck_assert_str_eq(run.place, w.on_loop ? "loop" : "pool");
    ck_assert(!w.on_loop || at_once);
    ck_assert_uint_ge(run.ns, ms * 1000000);
    return run.place;
}

static void expect_place(size_t size, uint64_t ms, const char *place)
{
    ck_assert_str_eq(place_of(size, ms, WORKLOAD_AUTO), place);
}

static void expect_counts(uint64_t on_loop, uint64_t off_loop)
{
    ck_assert_uint_eq(pages.on_loop, on_loop);
    ck_assert_uint_eq(pages.off_loop, off_loop);
}

START_TEST(the_first_run_is_in_the_pool_and_those_after_a_short_one_on_the_loop)
{
    expect_place(1, LIMIT / 2, "pool");
    expect_place(1, LIMIT / 2, "loop");
    expect_place(1, LIMIT / 2, "loop");
    expect_counts(2, 1);
}
END_TEST

START_TEST(what_is_long_stays_in_the_pool)
{
    for (int i = 0; i < 100; i++)
        expect_place(1, LIMIT * 2, "pool");
    expect_counts(0, 100);
}
END_TEST

START_TEST(a_run_far_larger_than_all_before_it_goes_to_the_pool_at_once)
{
    expect_place(1, LIMIT / 100, "pool");
    for (int i = 0; i < 2000; i++)
        expect_place(1 + i % 10, (1 + i % 10) * LIMIT / 100, "loop");
    expect_place(1000, LIMIT * 10, "pool");
    expect_place(1, LIMIT / 100, "loop");
}
END_TEST

START_TEST(size_alone_moves_no_estimate)
{
    expect_place(10, LIMIT / 10, "pool");
    const double before = pages.estimate;
    for (int i = 1; i < 50; i++)
        place_of((size_t)i, (uint64_t)i * LIMIT / 100, WORKLOAD_AUTO);
    ck_assert_double_eq_tol(pages.estimate, before, before / 4);
}
END_TEST

START_TEST(a_single_run_that_was_interrupted_moves_the_estimate_by_an_eighth)
{
    expect_place(1, LIMIT / 2, "pool");
    const double before = pages.estimate;
    expect_place(1, LIMIT * 1000, "loop");
    ck_assert_double_eq_tol(pages.estimate, before * 9 / 8, before / 100);
    expect_place(1, LIMIT / 2, "loop");
}
END_TEST

START_TEST(a_first_run_that_was_interrupted_is_forgotten)
{
    int runs = 0;
    expect_place(1, LIMIT * 100, "pool");
    while (strcmp(place_of(1, LIMIT / 2, WORKLOAD_AUTO), "pool") == 0)
        runs++;
    ck_assert_int_lt(runs, 60);
}
END_TEST

START_TEST(what_gets_slow_goes_to_the_pool_and_comes_back_when_it_is_quick)
{
    int runs = 0;
    expect_place(1, LIMIT / 10, "pool");
    for (int round = 0; round < 3; round++) {
        for (runs = 0; strcmp(place_of(1, LIMIT * 2, WORKLOAD_AUTO), "loop") == 0; runs++)
            ;
        ck_assert_int_lt(runs, 30);
        for (runs = 0; strcmp(place_of(1, LIMIT / 10, WORKLOAD_AUTO), "pool") == 0; runs++)
            ;
        ck_assert_int_lt(runs, 30);
    }
}
END_TEST

START_TEST(where_it_runs_can_be_fixed)
{
    workload_configure(WORKLOAD_ON_LOOP, 0);
    expect_place(1, LIMIT * 10, "loop");
    expect_place(1, LIMIT * 10, "loop");
    workload_configure(WORKLOAD_IN_POOL, LIMIT * 1000);
    expect_place(1, 1, "pool");
    expect_place(1, 1, "pool");
    workload_configure(WORKLOAD_AUTO, 0);
    expect_place(1, 1, "pool");
    expect_place(1, 1, "pool");
}
END_TEST

START_TEST(what_chooses_for_itself_runs_there_and_is_measured_too)
{
    ck_assert_str_eq(place_of(1, LIMIT * 2, WORKLOAD_ON_LOOP), "loop");
    expect_place(1, LIMIT * 2, "pool");
    for (int i = 0; i < 30; i++)
        ck_assert_str_eq(place_of(1, LIMIT / 10, WORKLOAD_IN_POOL), "pool");
    expect_place(1, LIMIT / 10, "loop");
    workload_configure(WORKLOAD_IN_POOL, LIMIT * 1000);
    ck_assert_str_eq(place_of(1, LIMIT / 10, WORKLOAD_ON_LOOP), "loop");
}
END_TEST

static int wait_at_gate(void *arg)
{
    (void)arg;
    uv_sem_wait(&gate);
    return 0;
}

START_TEST(a_full_pool_refuses_what_would_go_there_and_not_what_stays_on_the_loop)
{
    int held = 1;
    written w = { .ms = 1 };
    workload_run small = { &pages, 1, write_page, &w }, large = { &pages, LIMIT * 100, write_page, &w };
    expect_place(1, 1, "pool");
    thread_pool_configure(4, 1, 0);
    when_settled(in_thread(wait_at_gate, NULL), store, &held);
    ck_assert_int_eq(outcome_now(workload_start(&large)), REFUSED(REFUSED_CPU_LINE));
    ck_assert_uint_eq(large.ns, 0);
    ck_assert_int_eq(outcome_now(workload_start(&small)), 0);
    expect_counts(1, 1);
    uv_sem_post(&gate);
    loop_run();
    ck_assert_int_eq(held, 0);
}
END_TEST

static void plain(void *arg)
{
    workload_run *run = arg;
    loops_thread = uv_thread_self();
    for (int i = 0; i < 2; i++) {
        const int err = await(workload_start(run));
        ck_assert_int_eq(err, UV_EIO);
        ck_assert_str_eq(run->place, "thread");
        ck_assert_uint_gt(run->ns, 0);
    }
}

START_TEST(a_blocking_thread_runs_it_right_here)
{
    written w = { .ms = 1, .answer = UV_EIO };
    workload_run run = { &pages, 1, write_page, &w };
    run_in_thread(plain, &run);
    ck_assert(w.on_loop);                    /* which is that thread */
    expect_counts(0, 2);
}
END_TEST

Suite *workload_suite(void)
{
    Suite *s = suite_create("workload");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, the_first_run_is_in_the_pool_and_those_after_a_short_one_on_the_loop);
    tcase_add_test(t, what_is_long_stays_in_the_pool);
    tcase_add_test(t, a_run_far_larger_than_all_before_it_goes_to_the_pool_at_once);
    tcase_add_test(t, size_alone_moves_no_estimate);
    tcase_add_test(t, a_single_run_that_was_interrupted_moves_the_estimate_by_an_eighth);
    tcase_add_test(t, a_first_run_that_was_interrupted_is_forgotten);
    tcase_add_test(t, what_gets_slow_goes_to_the_pool_and_comes_back_when_it_is_quick);
    tcase_add_test(t, where_it_runs_can_be_fixed);
    tcase_add_test(t, what_chooses_for_itself_runs_there_and_is_measured_too);
    tcase_add_test(t, a_full_pool_refuses_what_would_go_there_and_not_what_stays_on_the_loop);
    tcase_add_test(t, a_blocking_thread_runs_it_right_here);
    suite_add_tcase(s, t);
    return s;
}
