/* test_schedule.c - put off, and cleared, at any time. The order among them is compared with Node's: tests/node_order. */
#include "server/async/loop.h"
#include "server/async/schedule.h"
#include "server/async/task.h"
#include "server/base/memory.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <string.h>

static char      order[64];
static scheduled other;

static void note(void *arg) { strcat(order, arg); }

static void setup(void) { loop_start(); }

START_TEST(ticks_come_before_microtasks_and_both_before_what_waits_for_the_loop)
{
    set_timeout(note, "t", 0);
    set_immediate(note, "i");
    queue_microtask(note, "m");
    next_tick(note, "n");
    ck_assert_str_eq(order, "");
    loop_run_ready();
    ck_assert_str_eq(order, "nm");
    loop_run_skipping();
    ck_assert_uint_eq(strlen(order), 4);
}
END_TEST

START_TEST(timeouts_come_in_the_order_of_their_times)
{
    clock_hold();                            /* until all are set */
    set_timeout(note, "c", 70);
    set_timeout(note, "a", 1);
    set_timeout(note, "b", 0);               /* counts as 1 */
    set_timeout(note, "d", 70);
    loop_run_skipping();
    ck_assert_str_eq(order, "abcd");
}
END_TEST

static uint64_t earliest;

static void note_in_time(void *arg)
{
    ck_assert_uint_ge(uv_hrtime(), earliest);
    note(arg);
}

static void compute(void *arg)
{
    note(arg);
    clock_skip(250);                         /* time that the loop has not been told of */
    earliest = uv_hrtime() + 300000000;
    set_timeout(note_in_time, "b", 300);
}

START_TEST(a_timeout_counts_from_the_call)
{
    next_tick(compute, "a");
    loop_run_skipping();
    ck_assert_str_eq(order, "ab");
}
END_TEST

START_TEST(what_is_cleared_is_not_called)
{
    scheduled never = set_timeout(note, "t", 5);
    set_timeout(note, "a", 6);
    scheduled skipped = set_immediate(note, "i");
    set_immediate(note, "b");
    clear_timeout(never);
    clear_immediate(skipped);
    clear_timeout(never);
    clear_immediate(skipped);
    loop_run_skipping();
    ck_assert_uint_eq(strlen(order), 2);
    ck_assert(strchr(order, 'a') && strchr(order, 'b'));
}
END_TEST

static void clear_other_timeout(void *arg)
{
    note(arg);
    clear_timeout(other);
}

static void clear_other_immediate(void *arg)
{
    note(arg);
    clear_immediate(other);
}

START_TEST(one_may_clear_the_next_of_the_same_moment)
{
    set_timeout(clear_other_timeout, "a", 1);
    other = set_timeout(note, "x", 1);
    set_timeout(note, "b", 1);
    loop_run_skipping();
    set_immediate(clear_other_immediate, "c");
    other = set_immediate(note, "x");
    set_immediate(note, "d");
    loop_run_skipping();
    ck_assert_str_eq(order, "abcd");
}
END_TEST

static void set_other(void *arg)
{
    note("a");
    clear_timeout(*(scheduled *)arg);        /* its own: it is being called */
    other = set_timeout(note, "b", 0);       /* has perhaps its memory, and its place */
    clear_timeout(*(scheduled *)arg);
    clear_immediate(*(scheduled *)arg);
}

START_TEST(an_old_name_clears_nothing_new)
{
    static scheduled own;
    own = set_timeout(set_other, &own, 1);
    loop_run_skipping();
    ck_assert_str_eq(order, "ab");
    clear_timeout(other);
    clear_timeout(0);
    clear_immediate(UINT64_MAX);
    ck_assert_uint_ne(own, other);
}
END_TEST

static int count;

static void count_one(void *arg)
{
    (void)arg;
    count++;
}

START_TEST(thousands_can_be_set_and_cleared)
{
    enum { MANY = 5000 };
    static scheduled all[MANY];
    for (int i = 0; i < MANY; i++)
        all[i] = i % 2 ? set_timeout(count_one, NULL, (uint64_t)i % 7) : set_immediate(count_one, NULL);
    for (int i = 0; i < MANY; i += 3)
        (i % 2 ? clear_timeout : clear_immediate)(all[i]);
    loop_run_skipping();
    ck_assert_int_eq(count, MANY - (MANY + 2) / 3);
}
END_TEST

START_TEST(a_cleared_timeout_keeps_no_loop)
{
    clear_timeout(set_timeout(note, "x", 1000000));
    loop_run();
    ck_assert_str_eq(order, "");
}
END_TEST

static void wake(void *arg) { promise_settle(arg, 0); }

static void in_plain_thread(void *arg)
{
    promise *p = promise_new(NULL, NULL);
    set_immediate(wake, p);
    queue_microtask(note, "m");
    next_tick(note, "n");
    *(int *)arg = await(p);
    pool_done_all();
}

START_TEST(without_a_loop_they_run_while_the_thread_awaits_something)
{
    int err = 1;
    run_in_thread(in_plain_thread, &err);
    ck_assert_int_eq(err, 0);
    ck_assert_str_eq(order, "nm");
}
END_TEST

Suite *schedule_suite(void)
{
    Suite *s = suite_create("schedule");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, ticks_come_before_microtasks_and_both_before_what_waits_for_the_loop);
    tcase_add_test(t, timeouts_come_in_the_order_of_their_times);
    tcase_add_test(t, a_timeout_counts_from_the_call);
    tcase_add_test(t, what_is_cleared_is_not_called);
    tcase_add_test(t, one_may_clear_the_next_of_the_same_moment);
    tcase_add_test(t, an_old_name_clears_nothing_new);
    tcase_add_test(t, thousands_can_be_set_and_cleared);
    tcase_add_test(t, a_cleared_timeout_keeps_no_loop);
    tcase_add_test(t, without_a_loop_they_run_while_the_thread_awaits_something);
    suite_add_tcase(s, t);
    return s;
}
