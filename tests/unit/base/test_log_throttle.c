/* test_log_throttle.c - so many of a kind in a second, the rest counted, by a clock of the test's. */
#include "server/base/log/log_throttle.h"
#include "tests/unit/suites.h"

#include <stdio.h>

static const uint64_t SECOND = 1000000000;

static throttle t;

static void setup(void) { t = (throttle){ 0 }; }

START_TEST(so_many_of_a_kind_pass_and_the_rest_is_counted)
{
    throttled due;
    for (int i = 0; i < 3; i++)
        ck_assert_ptr_null(throttle_hold(&t, 7, 3, 1000));
    ck_assert(!throttle_holds(&t));
    for (unsigned i = 1; i <= 5; i++)
        ck_assert_uint_eq(throttle_hold(&t, 7, 3, 1000 + i)->more, i);
    ck_assert_ptr_null(throttle_hold(&t, 8, 3, 1000));       /* another kind is no matter of this one's */
    ck_assert(throttle_holds(&t));
    ck_assert(!throttle_due(&t, 999 + SECOND, &due));
    ck_assert(throttle_due(&t, 1000 + SECOND, &due));
    ck_assert_uint_eq(due.more, 5);
    ck_assert_uint_eq(due.kind, 7);
    ck_assert(!throttle_due(&t, 1000 + SECOND, &due));
    ck_assert(!throttle_holds(&t));
}
END_TEST

START_TEST(after_its_second_a_kind_may_pass_again)
{
    ck_assert_ptr_null(throttle_hold(&t, 7, 1, 1000));
    ck_assert_ptr_nonnull(throttle_hold(&t, 7, 1, 999 + SECOND));
    ck_assert_ptr_null(throttle_hold(&t, 7, 1, 1000 + SECOND));
    ck_assert_ptr_nonnull(throttle_hold(&t, 7, 1, 1001 + SECOND));
}
END_TEST

START_TEST(what_was_written_there_comes_back_when_it_is_due)
{
    throttled due;
    throttle_hold(&t, 7, 1, 0);
    throttled *held = throttle_hold(&t, 7, 1, 0);
    held->tag = 3;
    snprintf(held->text, THROTTLE_TEXT, "words");
    ck_assert(throttle_due(&t, UINT64_MAX, &due));
    ck_assert_int_eq(due.tag, 3);
    ck_assert_str_eq(due.text, "words");
    ck_assert_ptr_null(throttle_hold(&t, 7, 1, 0));          /* whoever was told early begins anew */
}
END_TEST

/* Nothing that was counted is forgotten before it was told, whoever else comes. */
START_TEST(more_kinds_than_have_room_pass_uncounted)
{
    throttled due;
    int told = 0;
    for (uint64_t kind = 1; kind <= THROTTLE_KINDS; kind++) {
        ck_assert_ptr_null(throttle_hold(&t, kind, 1, 0));
        ck_assert_ptr_nonnull(throttle_hold(&t, kind, 1, 0));
    }
    for (int i = 0; i < 3; i++)
        ck_assert_ptr_null(throttle_hold(&t, 1000, 1, SECOND / 2));
    for (int i = 0; i < 3; i++)              /* their second is over, but they have not been told yet */
        ck_assert_ptr_null(throttle_hold(&t, 1000, 1, 2 * SECOND));
    while (throttle_due(&t, 2 * SECOND, &due))
        told += due.more == 1;
    ck_assert_int_eq(told, THROTTLE_KINDS);
    ck_assert_ptr_null(throttle_hold(&t, 1000, 1, 2 * SECOND));
    ck_assert_ptr_nonnull(throttle_hold(&t, 1000, 1, 2 * SECOND));
}
END_TEST

START_TEST(equal_texts_are_one_kind)
{
    char copy[] = "a line";
    ck_assert_uint_eq(throttle_kind("a line"), throttle_kind(copy));
    ck_assert_uint_ne(throttle_kind("a line"), throttle_kind("a line "));
    ck_assert_uint_ne(throttle_kind("a line"), throttle_kind("a lina"));
}
END_TEST

Suite *log_throttle_suite(void)
{
    Suite *s = suite_create("log_throttle");
    TCase *t_case = tcase_create("all");
    tcase_add_checked_fixture(t_case, setup, NULL);
    tcase_add_test(t_case, so_many_of_a_kind_pass_and_the_rest_is_counted);
    tcase_add_test(t_case, after_its_second_a_kind_may_pass_again);
    tcase_add_test(t_case, what_was_written_there_comes_back_when_it_is_due);
    tcase_add_test(t_case, more_kinds_than_have_room_pass_uncounted);
    tcase_add_test(t_case, equal_texts_are_one_kind);
    suite_add_tcase(s, t_case);
    return s;
}
