/* test_stall_detector.c - from when on a loop is blocked, looked at by its own thread. */
#include "server/diagnose/stall_detector.h"
#include "server/async/loop.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <string.h>

enum { SLOW = 100 };                         /* ms, which pass only when they are skipped */

static stall_detector looked_at;
static stall_report *reports;

static void setup(void)
{
    log_capture();
    clock_hold();
    stack_sampler_install();
    ck_assert_int_eq(loop_start(), 0);
    stall_detector_begin(&looked_at, 7);
}

static bool look(uint64_t late) { return stall_detector_look(&looked_at, SLOW, late, &reports); }

static const char *said(void)
{
    stall_reports_log(reports);
    reports = NULL;
    return log_captured();
}

START_TEST(one_is_blocked_once_its_callback_has_run_for_as_long_as_it_may)
{
    loop_enter();
    ck_assert(!look(0));                     /* from here on it is known */
    clock_skip(SLOW * 9 / 10);
    ck_assert(!look(0));
    clock_skip(SLOW / 10);
    ck_assert(look(0));
    ck_assert(look(0));
    ck_assert_ptr_nonnull(strstr(said(), "loop 7 is blocked, for 100 ms by now"));
    clock_skip(SLOW);
    ck_assert(look(0));
    ck_assert_str_eq((log_capture(), said()), "");           /* it is told once */
    loop_leave();
    ck_assert(!look(0));
    ck_assert_ptr_nonnull(strstr(said(), "loop 7 was blocked for 200 ms"));
    stall_detector_end(&looked_at, &reports);
    ck_assert_ptr_null(reports);
}
END_TEST

static void stall(void)
{
    loop_enter();
    look(0);
    clock_skip(SLOW);
    ck_assert(look(0));
    look(0);                                 /* the sample has come */
    loop_leave();
    look(0);
}

START_TEST(five_a_minute_are_logged_with_their_ends_and_the_rest_counted)
{
    for (int i = 0; i < STALLS_A_MINUTE + 2; i++)
        stall();
    said();
    ck_assert_int_eq(log_times("loop 7 is blocked"), STALLS_A_MINUTE);
    ck_assert_int_eq(log_times("loop 7 was blocked"), STALLS_A_MINUTE);
    clock_skip(60000);
    stall();
    said();
    ck_assert_int_eq(log_times("(and 2 more since the last line)"), 1);
    ck_assert_int_eq(log_times("loop 7 was blocked"), STALLS_A_MINUTE + 1);
    stall_detector_end(&looked_at, &reports);
}
END_TEST

START_TEST(many_short_ones_are_not_a_long_one)
{
    for (int i = 0; i < 4; i++) {
        loop_enter();
        ck_assert(!look(0));
        clock_skip(SLOW * 9 / 10);
        ck_assert(!look(0));
        loop_leave();
    }
    ck_assert(!look(0));
    clock_skip(2 * SLOW);                    /* outside of any: it waits */
    ck_assert(!look(0));
    stall_detector_end(&looked_at, &reports);
    ck_assert_ptr_null(reports);
}
END_TEST

START_TEST(while_nobody_could_look_it_may_have_stood_still_as_well)
{
    loop_enter();
    ck_assert(!look(0));
    clock_skip(3 * SLOW);
    ck_assert(!look(3 * SLOW));
    clock_skip(SLOW + SLOW / 10);            /* a little late is no reason */
    ck_assert(look(SLOW / 10));
    loop_leave();
    stall_detector_end(&looked_at, &reports);
    ck_assert_ptr_nonnull(strstr(said(), "loop 7 was blocked for 110 ms"));
}
END_TEST

START_TEST(one_that_ends_before_it_has_answered_is_told_all_the_same)
{
    loop_enter();
    ck_assert(!look(0));
    clock_skip(SLOW);
    ck_assert(look(0));
    loop_leave();
    stall_detector_end(&looked_at, &reports);
    ck_assert_ptr_nonnull(strstr(said(), "loop 7 is blocked, for 100 ms by now"));
    ck_assert_ptr_nonnull(strstr(said(), "loop 7 was blocked for 100 ms"));
}
END_TEST

Suite *stall_detector_suite(void)
{
    Suite *s = suite_create("stall_detector");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, one_is_blocked_once_its_callback_has_run_for_as_long_as_it_may);
    tcase_add_test(t, five_a_minute_are_logged_with_their_ends_and_the_rest_counted);
    tcase_add_test(t, many_short_ones_are_not_a_long_one);
    tcase_add_test(t, while_nobody_could_look_it_may_have_stood_still_as_well);
    tcase_add_test(t, one_that_ends_before_it_has_answered_is_told_all_the_same);
    suite_add_tcase(s, t);
    return s;
}
