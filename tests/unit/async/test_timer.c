/* test_timer.c - in order, never early, moved and stopped anywhere, over every level of the wheel. */
#include "server/async/loop.h"
#include "server/async/timer.h"
#include "server/base/memory.h"
#include "tests/unit/suites.h"
#include "tests/support/failing_watch.h"
#include "tests/support/support.h"

#include <errno.h>
#include <stdlib.h>

struct alarm { timer timer; uint64_t earliest; int number; };

enum { MANY = 20000 };
static struct alarm *alarms;
static int          *order, count, left;
static uint64_t      last_due;

static void rang(timer *t)
{
    struct alarm *a = (struct alarm *)t;
    ck_assert(!timer_is_set(t));
    ck_assert_uint_ge(timer_now(), a->earliest);
    ck_assert_uint_ge(t->due, last_due);
    last_due = t->due;
    order[count++] = a->number;
}

static void set(int i, uint64_t ms)
{
    alarms[i].number = i;
    alarms[i].earliest = timer_now() + ms;
    timer_set(&alarms[i].timer, ms, rang);
}

static void setup(void)
{
    alarms = zeros(MANY * sizeof *alarms);
    order = zeros(MANY * sizeof *order);
    loop_start();
}

START_TEST(timers_ring_in_the_order_of_their_times)
{
    clock_hold();                            /* until all are set */
    set(0, 500);
    set(1, 3);
    set(2, 70);
    set(3, 3);                               /* as set, within a millisecond */
    set(4, 0);
    loop_run_skipping();
    const int expected[] = { 4, 1, 3, 2, 0 };
    ck_assert_int_eq(count, 5);
    ck_assert_mem_eq(order, expected, sizeof expected);
}
END_TEST

START_TEST(none_rings_inside_timer_set_and_zero_is_from_the_loop)
{
    set(0, 0);
    ck_assert_int_eq(count, 0);
    loop_run();
    ck_assert_int_eq(count, 1);
}
END_TEST

static uint64_t rang_at;

static void note_time(timer *t)
{
    (void)t;
    rang_at = uv_hrtime();
}

/* The loop begins to sleep near the end of a millisecond. It may well be kept from waking in time: by others, and not always. */
START_TEST(a_timer_is_called_when_its_millisecond_begins)
{
    const uint64_t MS = 1000000;
    uint64_t late = UINT64_MAX;
    for (int i = 0; i < 100 && late >= MS / 2; i++) {
        while (uv_hrtime() % MS < MS * 9 / 10)
            ;
        timer_set(&alarms[0].timer, 2, note_time);
        const uint64_t due = alarms[0].timer.due * MS;
        loop_run();
        ck_assert_uint_ge(rang_at, due);
        late = rang_at - due < late ? rang_at - due : late;
    }
    ck_assert_msg(late < MS / 2, "%llu ns late at least", (unsigned long long)late);
}
END_TEST

static int turns;

static void count_turn(uv_prepare_t *p) { (void)p, turns++; }
static void on_other(uv_timer_t *t)     { uv_close((uv_handle_t *)t, NULL); }

/* What wakes the loop in time does not do so for a timer that is set no more. */
START_TEST(timers_ring_although_the_system_lets_no_more_be_watched)
{
    failing_watch = ENOSPC;
    set(0, 2);
    failing_watch = 0;
    set(1, 5);
    loop_run();
    ck_assert_int_eq(count, 2);
    ck_assert_int_eq(order[0], 0);
}
END_TEST

START_TEST(a_timer_that_was_stopped_does_not_keep_the_loop_awake)
{
    uv_prepare_t turn;
    uv_timer_t   other;
    uv_prepare_init(loop_here(), &turn);
    uv_prepare_start(&turn, count_turn);
    uv_unref((uv_handle_t *)&turn);
    uv_timer_init(loop_here(), &other);
    uv_timer_start(&other, on_other, 100, 0);
    set(0, 5);
    timer_stop(&alarms[0].timer);
    loop_run();
    uv_close((uv_handle_t *)&turn, NULL);
    ck_assert_int_eq(count, 0);
    ck_assert_int_lt(turns, 20);
}
END_TEST

START_TEST(twenty_thousand_ring_in_order_over_all_levels)
{
    const int many = RESERVE_NOTHING ? 5000 : MANY;         /* the tools are slow */
    srandom(1);
    for (int i = 0; i < many; i++)
        set(i, (uint64_t)random() >> (random() % 31));
    for (int i = 0; i < many; i += 10)
        timer_stop(&alarms[i].timer);
    loop_run_skipping();
    ck_assert_int_eq(count, many / 10 * 9);
}
END_TEST

START_TEST(the_same_millisecond_keeps_the_order_although_set_at_different_times)
{
    set(0, 100000);                          /* stands on a high level at first */
    while (timer_now() + 50 < alarms[0].earliest) {
        set(1, 5000);
        if (alarms[1].earliest > alarms[0].earliest - 10)
            break;
        loop_turn_skipping();
        timer_stop(&alarms[1].timer);
    }
    timer_stop(&alarms[1].timer);
    set(2, 1);
    set(3, 1);
    timer_set_at(&alarms[2].timer, alarms[0].timer.due * 1000000, rang);
    timer_set_at(&alarms[3].timer, alarms[0].timer.due * 1000000, rang);
    ck_assert_uint_eq(alarms[2].timer.due, alarms[0].timer.due);
    count = 0;
    last_due = 0;
    loop_run_skipping();
    const int expected[] = { 0, 2, 3 };
    ck_assert_int_eq(count, 3);
    ck_assert_mem_eq(order, expected, sizeof expected);
}
END_TEST

START_TEST(setting_again_moves)
{
    set(0, 10);
    set(1, 100000);
    set(0, 200000);
    set(1, 20);
    loop_run_skipping();
    ck_assert_int_eq(count, 2);
    ck_assert_int_eq(order[0], 1);
    ck_assert_int_eq(order[1], 0);
}
END_TEST

START_TEST(a_stopped_timer_does_not_ring)
{
    set(0, 10);
    set(1, 20);
    ck_assert(timer_is_set(&alarms[0].timer));
    timer_stop(&alarms[0].timer);
    timer_stop(&alarms[0].timer);            /* no-op while not set */
    ck_assert(!timer_is_set(&alarms[0].timer));
    loop_run_skipping();
    ck_assert_int_eq(count, 1);
    ck_assert_int_eq(order[0], 1);
}
END_TEST

START_TEST(without_timers_nothing_keeps_the_loop)
{
    set(0, 1000000000);
    timer_stop(&alarms[0].timer);
    loop_run();                              /* returns */
    ck_assert(!uv_loop_alive(loop_here()));
}
END_TEST

static void stop_the_next(timer *t)
{
    rang(t);
    timer_stop(&alarms[((struct alarm *)t)->number + 1].timer);
}

START_TEST(a_callback_may_stop_the_last_other_timer)
{
    set(1, 1000000000);
    set(0, 1);
    alarms[0].timer.on_due = stop_the_next;
    loop_turn_skipping();
    loop_turn_skipping();
    ck_assert_int_eq(count, 1);
    ck_assert(!uv_loop_alive(loop_here()));
}
END_TEST

START_TEST(a_callback_may_stop_one_of_the_same_millisecond)
{
    set(0, 5);
    set(1, 5);
    set(2, 5);
    alarms[0].timer.on_due = stop_the_next;
    loop_run_skipping();
    ck_assert_int_eq(count, 2);
    ck_assert_int_eq(order[1], 2);
}
END_TEST

static void ring_again(timer *t)
{
    rang(t);
    if (--left)
        timer_set(t, ((struct alarm *)t)->number ? 100 : 0, ring_again);
}

START_TEST(a_timer_set_from_its_callback_rings_later_not_now)
{
    left = 1000;
    set(0, 0);
    alarms[0].timer.on_due = ring_again;
    loop_turn_skipping();
    loop_turn_skipping();
    ck_assert_int_le(count, 2);              /* one a turn: I/O has its chance between */
    loop_run_skipping();
    ck_assert_int_eq(count, 1000);
}
END_TEST

START_TEST(the_longest_time_is_far_away)
{
    const uint64_t earliest = timer_now() + ((uint64_t)1 << 40);
    set(0, UINT64_MAX);
    alarms[0].earliest = earliest;
    set(1, (uint64_t)1 << 39);
    loop_run_skipping();
    ck_assert_int_eq(count, 2);
    ck_assert_int_eq(order[0], 1);
}
END_TEST

START_TEST(a_wheel_that_slept_long_still_rings_in_time)
{
    clock_hold();
    set(0, 1);
    loop_run_skipping();
    clock_skip(123456789);
    uv_update_time(loop_here());
    set(1, 70);
    set(2, 5);
    const uint64_t start = timer_now();
    loop_run_skipping();
    ck_assert_int_eq(count, 3);
    ck_assert_int_eq(order[1], 2);
    ck_assert_uint_le(timer_now() - start, 71);
}
END_TEST

static void compute_then_set(timer *t)
{
    (void)t;
    clock_skip(250);                         /* time that the loop has not been told of */
    const uint64_t start = uv_hrtime();
    set(1, 300);
    set(2, 300);
    timer_set_at(&alarms[2].timer, start + 300000000, rang);
    alarms[2].earliest = (start + 300000000) / 1000000;
    ck_assert_uint_ge(alarms[1].timer.due * 1000000, start + 300000000);
    ck_assert_uint_ge(alarms[2].timer.due * 1000000, start + 300000000);
}

START_TEST(time_counts_from_the_call_however_long_the_turn_was)
{
    set(0, 1);
    alarms[0].timer.on_due = compute_then_set;
    loop_run_skipping();
    ck_assert_int_eq(count, 2);
}
END_TEST

static void compute(timer *t)
{
    rang(t);
    clock_skip(99990);
}

START_TEST(what_a_turn_computes_does_not_make_the_next_timer_late)
{
    set(0, 1);
    set(1, 100000);
    alarms[0].timer.on_due = compute;
    loop_run();                              /* waits for the rest of it, not for all */
    ck_assert_int_eq(count, 2);
}
END_TEST

static uv_check_t poll_;
static int        polls, last_count, most_a_turn;

static void polled(uv_check_t *c)
{
    (void)c;
    if (count - last_count > most_a_turn)
        most_a_turn = count - last_count;
    polls += count > last_count;
    last_count = count;
}

static void ring_slowly(timer *t)
{
    rang(t);
    clock_skip(1);
}

START_TEST(many_that_are_due_at_once_leave_room_for_io)
{
    enum { MANY = 200 };
    uv_check_init(loop_here(), &poll_);
    uv_check_start(&poll_, polled);
    uv_unref((uv_handle_t *)&poll_);
    for (int i = 0; i < MANY; i++) {
        set(i, 5 + (uint64_t)i / 50);        /* of several milliseconds */
        alarms[i].timer.on_due = ring_slowly;
    }
    loop_run_skipping();
    ck_assert_int_eq(count, MANY);
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(order[i], i);
    ck_assert_int_le(most_a_turn, TIMER_BUDGET + 1);
    ck_assert_int_ge(polls, MANY / (TIMER_BUDGET + 1));
}
END_TEST

static void ring_for_long(timer *t)
{
    rang(t);
    clock_skip(100);
    if (--left)
        timer_set(t, 0, ring_for_long);
}

START_TEST(one_that_takes_all_of_the_time_delays_the_others_and_no_more)
{
    left = 10;
    set(0, 1);
    alarms[0].timer.on_due = ring_for_long;
    for (int i = 1; i < 100; i++)
        set(i, 1);
    set(100, 2000);
    loop_run_skipping();
    ck_assert_int_eq(count, 10 + 100);
}
END_TEST

START_TEST(one_that_is_due_already_rings_from_the_loop_and_after_those_that_are_due_before)
{
    set(0, 0);
    set(1, 0);
    timer_set_at(&alarms[1].timer, 0, rang);
    alarms[1].earliest = 0;
    ck_assert_int_eq(count, 0);
    loop_run_skipping();
    ck_assert_int_eq(count, 2);
}
END_TEST

START_TEST(a_loop_can_end_after_its_timers)
{
    set(0, 1);
    loop_run_skipping();
    timer_end();
    timer_end();                             /* nothing is left to close */
    ck_assert_int_eq(loop_done(), 0);
    loop_start();
    set(0, 1);
    loop_run_skipping();
    ck_assert_int_eq(count, 2);
}
END_TEST

START_TEST(a_timer_is_four_words) { ck_assert_uint_eq(sizeof(timer), 32); }
END_TEST

Suite *timer_suite(void)
{
    Suite *s = suite_create("timer");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, timers_ring_in_the_order_of_their_times);
    tcase_add_test(t, none_rings_inside_timer_set_and_zero_is_from_the_loop);
    tcase_add_test(t, a_timer_is_called_when_its_millisecond_begins);
    tcase_add_test(t, timers_ring_although_the_system_lets_no_more_be_watched);
    tcase_add_test(t, a_timer_that_was_stopped_does_not_keep_the_loop_awake);
    tcase_add_test(t, twenty_thousand_ring_in_order_over_all_levels);
    tcase_add_test(t, the_same_millisecond_keeps_the_order_although_set_at_different_times);
    tcase_add_test(t, setting_again_moves);
    tcase_add_test(t, a_stopped_timer_does_not_ring);
    tcase_add_test(t, without_timers_nothing_keeps_the_loop);
    tcase_add_test(t, a_callback_may_stop_the_last_other_timer);
    tcase_add_test(t, a_callback_may_stop_one_of_the_same_millisecond);
    tcase_add_test(t, a_timer_set_from_its_callback_rings_later_not_now);
    tcase_add_test(t, the_longest_time_is_far_away);
    tcase_add_test(t, a_wheel_that_slept_long_still_rings_in_time);
    tcase_add_test(t, time_counts_from_the_call_however_long_the_turn_was);
    tcase_add_test(t, what_a_turn_computes_does_not_make_the_next_timer_late);
    tcase_add_test(t, one_that_is_due_already_rings_from_the_loop_and_after_those_that_are_due_before);
    tcase_add_test(t, many_that_are_due_at_once_leave_room_for_io);
    tcase_add_test(t, one_that_takes_all_of_the_time_delays_the_others_and_no_more);
    tcase_add_test(t, a_loop_can_end_after_its_timers);
    tcase_add_test(t, a_timer_is_four_words);
    suite_add_tcase(s, t);
    return s;
}
