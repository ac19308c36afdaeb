/* test_loop_activity.c - the pulses of loops: when they beat, and which loops have one. */
#include "server/async/loop.h"
#include "server/async/loop_activity.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

static void setup(void) { ck_assert_int_eq(loop_start(), 0); }

static void count_beats(loop_activity *p, void *arg)
{
    ck_assert(pthread_equal(p->thread, pthread_self()));
    *(uint64_t *)arg += loop_activity_sequence(p);
}

static uint64_t beats(void)
{
    uint64_t n = 0;
    loop_activity_each(count_beats, &n);
    return n;
}

static ready    steps[2];
static uint64_t inside[2];

static void look_inside(ready *r) { inside[r - steps] = beats(); }

START_TEST(a_pulse_is_odd_in_a_callback_and_grows_with_each)
{
    const uint64_t before = beats();
    ck_assert_uint_eq(before % 2, 0);
    steps[0].run = steps[1].run = look_inside;
    loop_ready(&steps[0]);
    loop_ready(&steps[1]);
    loop_enter();
    loop_enter();
    ck_assert_uint_eq(beats(), before + 1);  /* a pair in a pair is the same callback */
    loop_leave();
    ck_assert_uint_eq(beats(), before + 1);
    loop_leave();
    ck_assert_uint_eq(inside[0], before + 3);
    ck_assert_uint_eq(inside[1], before + 5);
    ck_assert_uint_eq(beats(), before + 6);
}
END_TEST

static void count_loops(loop_activity *p, void *arg)
{
    (void)p;
    ++*(int *)arg;
}

static void start_and_end(void *arg)
{
    loop_start();
    loop_activity_each(count_loops, arg);
    loop_done();
}

START_TEST(each_loop_has_a_pulse_until_it_is_done)
{
    int two = 0, one = 0;
    run_in_thread(start_and_end, &two);
    loop_activity_each(count_loops, &one);
    ck_assert_int_eq(two, 2);
    ck_assert_int_eq(one, 1);
}
END_TEST

Suite *loop_activity_suite(void)
{
    Suite *s = suite_create("loop_activity");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, a_pulse_is_odd_in_a_callback_and_grows_with_each);
    tcase_add_test(t, each_loop_has_a_pulse_until_it_is_done);
    suite_add_tcase(s, t);
    return s;
}
