/* test_stall_table.c - stalls are counted by their stacks; of one label only some a minute are worth a line. */
#include "server/diagnose/stall_table.h"
#include "tests/unit/suites.h"

static stack_sample sample_at(uintptr_t pc, int count)
{
    stack_sample s = { .count = count };
    for (int i = 0; i < count; i++)
        s.frames[i] = pc + (uintptr_t)i;
    return s;
}

START_TEST(the_same_stack_for_the_same_label_is_counted_together)
{
    const stack_sample one = sample_at(100, 3), other = sample_at(200, 3), shorter = sample_at(100, 2);
    stall_entry *e = stall_table_count(1, &one);
    ck_assert_ptr_eq(stall_table_count(1, &one), e);
    ck_assert_uint_eq(e->times, 2);
    ck_assert_uint_eq(e->count, 3);
    ck_assert_uint_eq(e->frames[2], 102);
    ck_assert_ptr_ne(stall_table_count(2, &one), e);
    ck_assert_ptr_ne(stall_table_count(1, &other), e);
    ck_assert_ptr_ne(stall_table_count(1, &shorter), e);
    stall_entry *unknown = stall_table_count(1, NULL);
    ck_assert_uint_eq(unknown->count, 0);
    ck_assert_ptr_eq(stall_table_count(1, NULL), unknown);
    ck_assert_uint_eq(e->times, 2);
}
END_TEST

START_TEST(what_does_not_fit_is_counted_together)
{
    enum { MANY = 3000 };
    uint64_t together = 0;
    for (uintptr_t i = 0; i < MANY; i++) {
        const stack_sample s = sample_at(1000 * i, 1);
        const stall_entry *e = stall_table_count(1, &s);
        if (e->count == 0)
            together = e->times;
        else
            ck_assert_uint_eq(e->frames[0], 1000 * i);
    }
    ck_assert_uint_ge(together, MANY - 512);
}
END_TEST

START_TEST(five_of_a_label_are_logged_in_a_minute_and_then_how_many_were_not)
{
    uint64_t held = 99;
    for (int i = 0; i < STALLS_A_MINUTE; i++) {
        ck_assert(stall_table_may_log(3, 1000, &held));
        ck_assert_uint_eq(held, 0);
    }
    ck_assert(!stall_table_may_log(3, 60999, &held));
    ck_assert(!stall_table_may_log(3, 60999, &held));
    ck_assert(stall_table_may_log(4, 60999, &held));         /* another's are its own */
    ck_assert(stall_table_may_log(3, 61000, &held));
    ck_assert_uint_eq(held, 2);
    ck_assert(stall_table_may_log(3, 61000, &held));
    ck_assert_uint_eq(held, 0);
}
END_TEST

Suite *stall_table_suite(void)
{
    Suite *s = suite_create("stall_table");
    TCase *t = tcase_create("all");
    tcase_add_test(t, the_same_stack_for_the_same_label_is_counted_together);
    tcase_add_test(t, what_does_not_fit_is_counted_together);
    tcase_add_test(t, five_of_a_label_are_logged_in_a_minute_and_then_how_many_were_not);
    suite_add_tcase(s, t);
    return s;
}
