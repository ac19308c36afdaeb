/* test_loop_events.c - the phases are in libuv's order, as a loop of its own shows; what a loop records while it is watched. */
#include "server/async/loop.h"
#include "server/async/task.h"
#include "server/async/timer.h"
#include "server/async/timing.h"
#include "server/base/observe/recorder_watch.h"
#include "tests/support/support.h"
#include "tests/unit/suites.h"

#include <stdlib.h>

/* The order of libuv's phases, by one handle for each, and no code of ours. */

static struct { int phases[64], count; } ran;

static void ran_in(int phase)
{
    if (ran.count < 64)
        ran.phases[ran.count++] = phase;
}

static uv_timer_t   raw_timer;
static uv_idle_t    raw_idle;
static uv_prepare_t raw_prepare;
static uv_check_t   raw_check;
static uv_async_t   raw_async;
static uv_pipe_t    raw_pipe, raw_closed;
static uv_connect_t raw_connect;

static void on_raw_closed(uv_handle_t *h) { ran_in(h == (uv_handle_t *)&raw_closed ? LOOP_CLOSING : -1); }

static void on_raw_connect(uv_connect_t *c, int status)      /* libuv tells a failure that it knows at once in pending */
{
    (void)c;
    ck_assert_int_eq(status, UV_ENOENT);
    ran_in(LOOP_PENDING);
}

static void on_raw_timer(uv_timer_t *t)
{
    ran_in(LOOP_TIMERS);
    if (ran.count > 1)
        uv_stop(t->loop);
}

static void on_raw_idle(uv_idle_t *h)       { (void)h, ran_in(LOOP_IDLE); }
static void on_raw_prepare(uv_prepare_t *h) { (void)h, ran_in(LOOP_PREPARE); }
static void on_raw_async(uv_async_t *h)     { (void)h, ran_in(LOOP_POLL); }

static void on_raw_check(uv_check_t *h)
{
    (void)h;
    ran_in(LOOP_CHECK);
    if (!uv_is_closing((uv_handle_t *)&raw_closed))
        uv_close((uv_handle_t *)&raw_closed, on_raw_closed);
}

START_TEST(the_phases_are_in_libuvs_order)
{
    uv_loop_t loop;
    uv_loop_init(&loop);
    uv_timer_init(&loop, &raw_timer);
    uv_timer_start(&raw_timer, on_raw_timer, 0, 1);
    uv_idle_init(&loop, &raw_idle);
    uv_idle_start(&raw_idle, on_raw_idle);
    uv_prepare_init(&loop, &raw_prepare);
    uv_prepare_start(&raw_prepare, on_raw_prepare);
    uv_check_init(&loop, &raw_check);
    uv_check_start(&raw_check, on_raw_check);
    uv_async_init(&loop, &raw_async, on_raw_async);
    uv_async_send(&raw_async);
    uv_pipe_init(&loop, &raw_closed, 0);
    uv_pipe_init(&loop, &raw_pipe, 0);
    uv_pipe_connect(&raw_connect, &raw_pipe, "/nothing/there", on_raw_connect);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_ge(ran.count, LOOP_PHASES);
    for (int i = 0; i < LOOP_PHASES; i++)    /* the circle, from the timers on */
        ck_assert_msg(ran.phases[i] == i, "the %d-th was phase %s", i, LOOP_PHASE_NAMES[ran.phases[i]]);
    ran.count = 64;
    uv_handle_t *const all[] = { (uv_handle_t *)&raw_timer, (uv_handle_t *)&raw_idle, (uv_handle_t *)&raw_prepare,
                                 (uv_handle_t *)&raw_check, (uv_handle_t *)&raw_async, (uv_handle_t *)&raw_pipe };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        uv_close(all[i], on_raw_closed);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}
END_TEST

/* Our loop. */

enum { MOST = 1000 };

static record        *seen;                  /* MOST */
static size_t         count;
static recorder_watch w;

static void setup(bool watched)
{
    seen = zeros(MOST * sizeof *seen);
    recorder_begin("loop", MOST * 2 * sizeof(record));
    ck_assert_int_eq(loop_start(), 0);
    if (watched)
        ck_assert_int_eq(recorder_watch_begin(&w, 1, 0), 0);
}

static void teardown(void)
{
    recorder_watch_end(&w);
    timer_end();
    loop_run();
    ck_assert_int_eq(loop_done(), 0);
    recorder_end();
}

static void read_all(void)
{
    uint64_t missed;
    count = recorder_watch_read(&w, seen, MOST, &missed);
    ck_assert_uint_eq(missed, 0);
}

static int count_of(record_kind kind)
{
    int n = 0;
    for (size_t i = 0; i < count; i++)
        n += seen[i].kind == kind;
    return n;
}

static const record *first_of(record_kind kind)
{
    for (size_t i = 0; i < count; i++)
        if (seen[i].kind == kind)
            return &seen[i];
    ck_abort_msg("nothing of that kind was recorded");
}

/* In two turns at least: timers run after poll, but from libuv 1.45 on also before the first, and one may be due by then. */
static async int sleeps_three_times(void *arg)
{
    (void)arg;
    int err = 0;
    for (int i = 0; i < 3 && !err; i++)
        err = await(sleep_for(2));
    return err;
}

static void on_done(int err, void *arg)
{
    (void)arg;
    ck_assert_int_eq(err, 0);
}

static void run_sleeper(void)
{
    when_settled(task_start("sleeper", sleeps_three_times, NULL), on_done, NULL);
    loop_run();
}

START_TEST(nothing_is_recorded_in_detail_while_nobody_watches)
{
    setup(false);
    run_sleeper();
    for (uint64_t i = 0; i < recorder_here->next; i++)
        ck_assert_int_lt(recorder_here->records[i].kind, RECORD_DETAILS);
    teardown();
}
END_TEST

START_TEST(what_is_watched_ends_with_the_turn_in_which_nobody_does_any_more)
{
    setup(true);
    run_sleeper();
    recorder_watch_end(&w);
    run_sleeper();                           /* the first turn was begun when somebody did */
    const uint64_t before = recorder_here->next;
    run_sleeper();
    for (uint64_t i = before; i < recorder_here->next; i++)
        ck_assert_int_lt(recorder_here->records[i].kind, RECORD_DETAILS);
    teardown();
}
END_TEST

START_TEST(recorded_phases_follow_each_other_in_that_order)
{
    setup(true);
    run_sleeper();
    read_all();
    int phase = -1, went_round = 0, turns = 0;
    for (size_t i = 0; i < count; i++) {
        if (seen[i].kind == RECORD_SLEEP)
            ck_assert_int_eq(seen[i].value, ++turns);
        if (seen[i].kind != RECORD_PHASE)
            continue;
        went_round += seen[i].value <= phase;
        phase = seen[i].value;
    }
    ck_assert_int_ge(turns, 2);
    ck_assert_int_le(went_round, turns);     /* not more often than poll returned: none stepped back in between */
    ck_assert_int_ge(count_of(RECORD_PHASE), 3 * (turns - 1));       /* poll, check and prepare of each */
    teardown();
}
END_TEST

START_TEST(a_task_that_waits_is_known_by_what_and_where_and_its_timer_by_when)
{
    setup(true);
    run_sleeper();
    run_sleeper();
    read_all();
    const record *const wait = first_of(RECORD_AWAIT), *const set = first_of(RECORD_TIMER_SET);
    ck_assert_str_eq(wait->what, "sleep_for");
    ck_assert_uint_ne(wait->since, 0);
    ck_assert_int_eq(first_of(RECORD_RUN)->value, wait->value);
    ck_assert_int_eq(first_of(RECORD_TASK_ENDED)->value, wait->value);
    ck_assert_int_eq(first_of(RECORD_TIMER_RAN)->value, set->value);
    ck_assert_uint_le((uint64_t)(uintptr_t)set->what, uv_hrtime() / 1000000);
    teardown();
}
END_TEST

static void nothing(ready *r) { (void)r; }
static ready list_steps[4] = { { .run = nothing }, { .run = nothing }, { .run = nothing }, { .run = nothing } };
static uv_async_t wakes;

static void on_woken(uv_async_t *a)
{
    loop_enter();
    loop_next_tick(&list_steps[LOOP_TICKS]);
    loop_ready(&list_steps[LOOP_READY]);
    loop_at_turn_end(&list_steps[LOOP_TURN_END]);
    loop_immediate(&list_steps[LOOP_IMMEDIATES]);
    loop_leave();
    uv_close((uv_handle_t *)a, NULL);
}

START_TEST(each_list_is_filled_and_emptied)
{
    setup(true);
    uv_async_init(loop_here(), &wakes, on_woken);
    uv_async_send(&wakes);
    run_sleeper();
    read_all();
    int added[LOOP_LISTS] = { 0 }, ran_of[LOOP_LISTS] = { 0 };
    for (size_t i = 0; i < count; i++) {
        if (seen[i].kind == RECORD_READY_ADDED)
            added[seen[i].value]++;
        if (seen[i].kind == RECORD_READY_RAN)
            ran_of[seen[i].value]++;
    }
    for (int l = 0; l < LOOP_LISTS; l++) {
        ck_assert_int_ge(added[l], 1);
        ck_assert_int_le(abs(added[l] - ran_of[l]), 1);      /* one was added before the first turn that was watched */
    }
    ck_assert_int_eq(first_of(RECORD_CALLBACK)->value, LOOP_POLL);
    teardown();
}
END_TEST

Suite *loop_events_suite(void)
{
    Suite *s = suite_create("loop_events");
    TCase *t = tcase_create("all");
    tcase_add_test(t, the_phases_are_in_libuvs_order);
    tcase_add_test(t, nothing_is_recorded_in_detail_while_nobody_watches);
    tcase_add_test(t, what_is_watched_ends_with_the_turn_in_which_nobody_does_any_more);
    tcase_add_test(t, recorded_phases_follow_each_other_in_that_order);
    tcase_add_test(t, a_task_that_waits_is_known_by_what_and_where_and_its_timer_by_when);
    tcase_add_test(t, each_list_is_filled_and_emptied);
    suite_add_tcase(s, t);
    return s;
}
