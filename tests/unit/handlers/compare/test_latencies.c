/* test_latencies.c - what is counted by size is known to within two per cent. */
#include "handlers/compare/latencies.h"
#include "tests/unit/suites.h"

#include <check.h>

static latencies all, others;

START_TEST(percentiles_of_nothing_are_nothing)
{
    ck_assert_uint_eq(latencies_percentile(&all, 50), 0);
    ck_assert_uint_eq(latencies_percentile(&all, 99), 0);
}
END_TEST

START_TEST(small_ones_are_exact)
{
    for (uint64_t us = 1; us <= 100; us++)
        latencies_add(&all, us < 64 ? us : 63);
    ck_assert_uint_eq(latencies_percentile(&all, 1), 1);
    ck_assert_uint_eq(latencies_percentile(&all, 50), 50);
    ck_assert_uint_eq(latencies_percentile(&all, 100), 63);
}
END_TEST

START_TEST(a_percentile_is_not_below_and_two_per_cent_above_at_most)
{
    for (uint64_t us = 1; us < 3000000000; us += us / 3 + 1) {
        latencies one = { 0 };
        latencies_add(&one, us);
        const unsigned long long is = latencies_percentile(&one, 50), was = us;
        ck_assert_msg(is >= was && (double)is <= (double)was * 1.02, "%llu for %llu", is, was);
    }
}
END_TEST

START_TEST(one_in_a_hundred_is_beyond_p99)
{
    for (int i = 0; i < 990; i++)
        latencies_add(&all, 1000);
    for (int i = 0; i < 10; i++)
        latencies_add(&all, 50000);
    ck_assert_uint_lt(latencies_percentile(&all, 99), 1020);
    latencies_add(&all, 50000);
    ck_assert_uint_ge(latencies_percentile(&all, 99), 50000);
}
END_TEST

START_TEST(what_is_beyond_all_counts_as_the_most)
{
    latencies_add(&all, UINT64_MAX);
    ck_assert_uint_ge(latencies_percentile(&all, 99), 3600000000);
}
END_TEST

START_TEST(merged_they_are_those_of_both)
{
    for (int i = 0; i < 10; i++) {
        latencies_add(&all, 10);
        latencies_add(&others, 40);
    }
    latencies_merge(&all, &others);
    ck_assert_uint_eq(all.count, 20);
    ck_assert_uint_eq(latencies_percentile(&all, 50), 10);
    ck_assert_uint_eq(latencies_percentile(&all, 51), 40);
}
END_TEST

Suite *latencies_suite(void)
{
    Suite *s = suite_create("latencies");
    TCase *t = tcase_create("all");
    tcase_add_test(t, percentiles_of_nothing_are_nothing);
    tcase_add_test(t, small_ones_are_exact);
    tcase_add_test(t, a_percentile_is_not_below_and_two_per_cent_above_at_most);
    tcase_add_test(t, one_in_a_hundred_is_beyond_p99);
    tcase_add_test(t, what_is_beyond_all_counts_as_the_most);
    tcase_add_test(t, merged_they_are_those_of_both);
    suite_add_tcase(s, t);
    return s;
}
