/* test_loop_activity.c - the activity of a loop: when its number grows, and whose it is. */
#include "server/async/loop.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

static void setup(void) { ck_assert_int_eq(loop_start(), 0); }

static uint64_t sequence(void) { return loop_activity_sequence(loop_activity_here()); }

static ready    steps[2];
static uint64_t inside[2];

static void look_inside(ready *r) { inside[r - steps] = sequence(); }

START_TEST(it_is_odd_in_a_callback_and_grows_with_each)
{
    const uint64_t before = sequence();
    ck_assert_uint_eq(before % 2, 0);
    steps[0].run = steps[1].run = look_inside;
    loop_ready(&steps[0]);
    loop_ready(&steps[1]);
    loop_enter();
    loop_enter();
    ck_assert_uint_eq(sequence(), before + 1);  /* a pair in a pair is the same callback */
    loop_leave();
    ck_assert_uint_eq(sequence(), before + 1);
    loop_leave();
    ck_assert_uint_eq(inside[0], before + 3);
    ck_assert_uint_eq(inside[1], before + 5);
    ck_assert_uint_eq(sequence(), before + 6);
}
END_TEST

static void start_and_end(void *other)
{
    loop_start();
    loop_enter();
    *(loop_activity **)other = loop_activity_here();
    ck_assert_uint_eq(sequence(), 1);
    loop_leave();
    loop_done();
}

START_TEST(each_loop_has_its_own)
{
    loop_activity *other = NULL;
    run_in_thread(start_and_end, &other);
    ck_assert_ptr_ne(other, loop_activity_here());
    ck_assert_uint_eq(sequence(), 0);
}
END_TEST

Suite *loop_activity_suite(void)
{
    Suite *s = suite_create("loop_activity");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, it_is_odd_in_a_callback_and_grows_with_each);
    tcase_add_test(t, each_loop_has_its_own);
    suite_add_tcase(s, t);
    return s;
}
