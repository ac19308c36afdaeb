/* test_codel.c - how long one may wait: a burst, and a line that stands. */
#include "server/base/overload/wait_queue.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

enum { MS = 1000000 };

START_TEST(a_line_that_was_empty_within_the_interval_is_a_burst)
{
    codel c = codel_of_ms(5, 2000);
    codel_is_empty(&c, 1000 * (uint64_t)MS);
    ck_assert(!codel_stands(&c, 1000 * (uint64_t)MS + CODEL_INTERVAL - 1));
    ck_assert_uint_eq(codel_longest_wait(&c, 1000 * (uint64_t)MS + CODEL_INTERVAL - 1), 2000 * (uint64_t)MS);
}
END_TEST

START_TEST(one_that_was_not_stands_until_it_is_empty_again)
{
    codel c = codel_of_ms(5, 2000);
    const uint64_t now = 5000 * (uint64_t)MS;
    codel_is_empty(&c, now - CODEL_INTERVAL);
    ck_assert(codel_stands(&c, now));
    ck_assert_uint_eq(codel_longest_wait(&c, now), 5 * MS);
    codel_is_empty(&c, now);
    ck_assert(!codel_stands(&c, now));
    ck_assert_uint_eq(codel_longest_wait(&c, now), 2000 * (uint64_t)MS);
}
END_TEST

START_TEST(without_a_target_or_a_ceiling_there_is_none)
{
    const uint64_t now = 5000 * (uint64_t)MS;
    codel none = { 0 }, no_target = codel_of_ms(0, 20), no_ceiling = codel_of_ms(7, 0), above = codel_of_ms(90, 20);
    ck_assert_uint_eq(codel_longest_wait(&none, now), UINT64_MAX);
    ck_assert_uint_eq(codel_longest_wait(&no_target, now), 20 * MS);
    ck_assert_uint_eq(codel_longest_wait(&no_ceiling, now), 7 * MS);
    ck_assert_uint_eq(codel_longest_wait(&above, now), 20 * MS);
    ck_assert(codel_at_ceiling(&no_target, 20 * MS));
    ck_assert(!codel_at_ceiling(&no_target, 20 * MS - 1));
    ck_assert(!codel_at_ceiling(&no_ceiling, UINT64_MAX));
    ck_assert(!codel_stands(&no_target, now));
    ck_assert(codel_stands(&no_ceiling, now));
}
END_TEST

START_TEST(while_it_stands_few_of_those_sent_at_once_are_worth_the_wait)
{
    const uint64_t now = 5000 * (uint64_t)MS;
    codel c = codel_of_ms(200, 2000), no_target = codel_of_ms(0, 2000);
    ck_assert_uint_eq(codel_worth(&c, now, 0), 50);
    ck_assert_uint_eq(codel_worth(&c, now, 9 * MS), 5);
    ck_assert_uint_eq(codel_worth(&c, now, 100 * MS), 1);
    ck_assert_uint_eq(codel_worth(&no_target, now, 100 * MS), UINT64_MAX);
    codel_is_empty(&c, now);
    ck_assert_uint_eq(codel_worth(&c, now, 100 * MS), UINT64_MAX);
}
END_TEST

START_TEST(a_line_knows_when_its_first_one_is_late)
{
    wait_queue l = { .codel = codel_of_ms(50, 0) };
    wait_queue_entry a = { 0 }, b = { 0 };
    ck_assert(!wait_queue_is_late(&l, uv_hrtime()));
    wait_queue_join(&l, &a);
    const uint64_t began = a.since;
    wait_queue_join(&l, &b);
    b.since = began + 60 * MS;
    ck_assert(!wait_queue_is_late(&l, began + 60 * MS));           /* it does not stand yet */
    ck_assert(wait_queue_is_late(&l, began + 101 * MS));
    wait_queue_leave(&l, &a);
    ck_assert(!wait_queue_is_late(&l, began + 101 * MS));          /* the second has waited 41 ms */
    ck_assert(wait_queue_is_late(&l, began + 111 * MS));
    wait_queue_leave(&l, &b);
    clock_skip(1000);
    wait_queue_join(&l, &a);                                       /* it was empty in between */
    ck_assert(!wait_queue_is_late(&l, a.since + 60 * MS));
    wait_queue_leave(&l, &a);
}
END_TEST

Suite *codel_suite(void)
{
    Suite *s = suite_create("codel");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_line_that_was_empty_within_the_interval_is_a_burst);
    tcase_add_test(t, one_that_was_not_stands_until_it_is_empty_again);
    tcase_add_test(t, without_a_target_or_a_ceiling_there_is_none);
    tcase_add_test(t, while_it_stands_few_of_those_sent_at_once_are_worth_the_wait);
    tcase_add_test(t, a_line_knows_when_its_first_one_is_late);
    suite_add_tcase(s, t);
    return s;
}
