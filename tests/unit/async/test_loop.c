/* test_loop.c - the order of a turn, and of what follows each callback. */
#include "server/async/loop.h"
#include "server/async/timer.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <string.h>
#include <unistd.h>

struct step { ready node; char name; struct step *then; void (*how)(ready *); };

static char order[64];

static void note(char c)
{
    const size_t n = strlen(order);
    order[n] = c;
    order[n + 1] = '\0';
}

static void run(ready *r)
{
    struct step *s = (struct step *)r;
    note(s->name);
    if (s->then)
        s->how(&s->then->node);
}

static struct step steps[] = {
    { { .run = run }, 'a' }, { { .run = run }, 'b' }, { { .run = run }, 'c' }, { { .run = run }, 'd' },
};

static ready *step(int i) { return &steps[i].node; }

static void chain(int from, void (*how)(ready *), int to)
{
    steps[from].how = how;
    steps[from].then = &steps[to];
}

static void setup(void) { ck_assert_int_eq(loop_start(), 0); }

START_TEST(ready_things_run_in_order_and_not_inside_the_call)
{
    loop_ready(step(0));
    loop_ready(step(1));
    ck_assert_str_eq(order, "");
    chain(0, loop_ready, 2);
    loop_run();
    ck_assert_str_eq(order, "abc");
}
END_TEST

START_TEST(the_turn_ends_when_nothing_is_ready)
{
    loop_at_turn_end(step(3));
    loop_ready(step(0));
    chain(0, loop_ready, 1);
    chain(3, loop_ready, 2);                 /* what the end makes ready runs in the same turn */
    ck_assert(loop_run_ready());
    ck_assert_str_eq(order, "abdc");
    ck_assert(!loop_run_ready());
}
END_TEST

START_TEST(immediate_things_come_after_what_is_ready)
{
    loop_immediate(step(2));
    loop_immediate(step(3));
    loop_ready(step(0));
    chain(2, loop_ready, 1);
    loop_run();
    ck_assert_str_eq(order, "acbd");
}
END_TEST

START_TEST(ticks_run_before_anything_that_is_ready)
{
    loop_ready(step(0));
    loop_next_tick(step(1));
    chain(1, loop_next_tick, 2);             /* all ticks first, those of ticks too */
    loop_run();
    ck_assert_str_eq(order, "bca");
}
END_TEST

START_TEST(a_tick_asked_for_by_what_is_ready_waits_until_nothing_is)
{
    loop_ready(step(0));
    loop_ready(step(1));
    chain(0, loop_next_tick, 3);
    chain(1, loop_ready, 2);
    loop_run();
    ck_assert_str_eq(order, "abcd");
}
END_TEST

START_TEST(what_a_callback_makes_ready_runs_when_the_outermost_leaves)
{
    loop_enter();
    loop_ready(step(0));
    loop_enter();
    loop_ready(step(1));
    loop_next_tick(step(2));
    loop_leave();
    ck_assert_str_eq(order, "");
    loop_leave();
    ck_assert_str_eq(order, "cab");
}
END_TEST

static void nested(ready *r)
{
    loop_enter();
    run(r);
    loop_leave();
    note('.');
}

START_TEST(what_runs_already_is_not_interrupted_by_what_it_makes_ready)
{
    steps[0].node.run = nested;
    chain(0, loop_ready, 1);
    loop_ready(step(0));
    loop_run();
    ck_assert_str_eq(order, "a.b");
}
END_TEST

START_TEST(what_an_immediate_makes_ready_runs_before_the_next_immediate)
{
    loop_immediate(step(0));
    loop_immediate(step(1));
    chain(0, loop_ready, 2);
    loop_run();
    ck_assert_str_eq(order, "acb");
}
END_TEST

START_TEST(an_immediate_made_by_an_immediate_waits_for_the_next_turn)
{
    loop_immediate(step(0));
    loop_immediate(step(1));
    chain(0, loop_immediate, 2);
    chain(1, loop_at_turn_end, 3);
    loop_run();
    ck_assert_str_eq(order, "abdc");
}
END_TEST

static timer clocks[2];

static void struck(timer *t)
{
    note(t == clocks ? '1' : '2');
    loop_ready(step(t == clocks ? 0 : 1));
}

START_TEST(what_a_timer_makes_ready_runs_before_the_next_timer)
{
    timer_set(&clocks[0], 1, struck);
    timer_set(&clocks[1], 1, struck);
    loop_run();
    ck_assert_str_eq(order, "1a2b");
}
END_TEST

static void end_timers(ready *r)
{
    run(r);
    timer_end();
}

START_TEST(what_a_timer_makes_ready_may_end_the_timers)
{
    steps[0].node.run = end_timers;
    timer_set(&clocks[0], 1, struck);
    loop_run();
    ck_assert_str_eq(order, "1a");
    ck_assert_int_eq(loop_done(), 0);
}
END_TEST

enum { SLEEPERS = 1000 };

static struct { timer timer; ready end; } sleepers[SLEEPERS];
static int gathered, most, ended;

static void count_end(ready *r)
{
    (void)r;
    gathered--;
    ended++;
}

static void gather(timer *t)
{
    ready *const end = &sleepers[(size_t)((char *)t - (char *)sleepers) / sizeof *sleepers].end;
    end->run = count_end;
    loop_at_turn_end(end);
    if (++gathered > most)
        most = gathered;
}

START_TEST(much_that_gathers_in_a_turn_does_not_wait_for_its_end)
{
    for (int i = 0; i < SLEEPERS; i++)
        timer_set(&sleepers[i].timer, 1, gather);
    loop_run_skipping();
    ck_assert_int_eq(ended, SLEEPERS);
    ck_assert_int_le(most, LOOP_GATHERS);
}
END_TEST

START_TEST(little_waits_for_the_end_of_its_turn_although_much_has_gathered_before)
{
    loop_enter();
    for (int i = 0; i < LOOP_GATHERS; i++)
        gather(&sleepers[i].timer);
    loop_leave();
    ck_assert_int_eq(ended, LOOP_GATHERS);
    loop_enter();
    gather(&sleepers[0].timer);
    loop_leave();
    ck_assert_int_eq(ended, LOOP_GATHERS);
    loop_run();
    ck_assert_int_eq(ended, LOOP_GATHERS + 1);
}
END_TEST

START_TEST(what_gathers_is_not_run_inside_a_callback)
{
    loop_enter();
    for (int i = 0; i < LOOP_GATHERS; i++)
        gather(&sleepers[i].timer);
    loop_ready(step(0));
    chain(0, loop_next_tick, 1);
    loop_enter();
    loop_leave();
    ck_assert_int_eq(ended, 0);
    loop_leave();
    ck_assert_str_eq(order, "ab");
    ck_assert_int_eq(ended, LOOP_GATHERS);
}
END_TEST

static int turns;
static uv_pipe_t pipe_;
static char      pipe_room[8];

static void for_ever(ready *r)
{
    turns++;
    loop_immediate(r);
}

static void room(uv_handle_t *h, size_t n, uv_buf_t *b)
{
    (void)h, (void)n;
    *b = uv_buf_init(pipe_room, sizeof pipe_room);
}

static void arrived(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
    (void)b;
    ck_assert_int_eq(n, 1);
    uv_close((uv_handle_t *)s, NULL);
    loop_stop();
}

START_TEST(what_is_immediate_for_ever_starves_no_input)
{
    int ends[2];
    ready busy = { .run = for_ever };
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    uv_pipe_init(loop_here(), &pipe_, 0);
    uv_pipe_open(&pipe_, ends[0]);
    uv_read_start((uv_stream_t *)&pipe_, room, arrived);
    loop_immediate(&busy);
    loop_run();
    ck_assert_int_lt(turns, 10);
}
END_TEST

Suite *loop_suite(void)
{
    Suite *s = suite_create("loop");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, ready_things_run_in_order_and_not_inside_the_call);
    tcase_add_test(t, the_turn_ends_when_nothing_is_ready);
    tcase_add_test(t, immediate_things_come_after_what_is_ready);
    tcase_add_test(t, ticks_run_before_anything_that_is_ready);
    tcase_add_test(t, a_tick_asked_for_by_what_is_ready_waits_until_nothing_is);
    tcase_add_test(t, what_a_callback_makes_ready_runs_when_the_outermost_leaves);
    tcase_add_test(t, what_runs_already_is_not_interrupted_by_what_it_makes_ready);
    tcase_add_test(t, what_an_immediate_makes_ready_runs_before_the_next_immediate);
    tcase_add_test(t, an_immediate_made_by_an_immediate_waits_for_the_next_turn);
    tcase_add_test(t, what_a_timer_makes_ready_runs_before_the_next_timer);
    tcase_add_test(t, what_a_timer_makes_ready_may_end_the_timers);
    tcase_add_test(t, much_that_gathers_in_a_turn_does_not_wait_for_its_end);
    tcase_add_test(t, little_waits_for_the_end_of_its_turn_although_much_has_gathered_before);
    tcase_add_test(t, what_gathers_is_not_run_inside_a_callback);
    tcase_add_test(t, what_is_immediate_for_ever_starves_no_input);
    suite_add_tcase(s, t);
    return s;
}
