/* test_stopwatch.c - overlapping spans count once. */
#include "server/base/observe/stopwatch.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

static const uint64_t MS = 1000000;

START_TEST(overlapping_spans_count_once)
{
    stopwatch w = { 0 };
    stopwatch_start(&w);
    clock_skip(1000);
    stopwatch_start(&w);
    clock_skip(1000);
    stopwatch_stop(&w);
    clock_skip(1000);
    stopwatch_stop(&w);
    ck_assert_uint_ge(w.total, 3000 * MS);
    ck_assert_uint_lt(w.total, 3900 * MS);
}
END_TEST

START_TEST(pauses_between_spans_do_not_count)
{
    stopwatch w = { 0 };
    for (int i = 0; i < 3; i++) {
        stopwatch_start(&w);
        clock_skip(1000);
        stopwatch_stop(&w);
        clock_skip(100000);
    }
    ck_assert_uint_ge(w.total, 3000 * MS);
    ck_assert_uint_lt(w.total, 3900 * MS);
}
END_TEST

Suite *stopwatch_suite(void)
{
    Suite *s = suite_create("stopwatch");
    TCase *t = tcase_create("all");
    tcase_add_test(t, overlapping_spans_count_once);
    tcase_add_test(t, pauses_between_spans_do_not_count);
    suite_add_tcase(s, t);
    return s;
}
