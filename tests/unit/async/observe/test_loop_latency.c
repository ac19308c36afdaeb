/* test_loop_latency.c - the counts of how long turns take. */
#include "server/async/loop.h"
#include "server/async/timer.h"
#include "server/async/observe/loop_latency.h"
#include "tests/unit/suites.h"

#include <string.h>

static uint64_t seen[LOOP_LATENCY_BUCKETS], busy, turns;
static int      loops;

static void note(const loop_latency_view *v, void *arg)
{
    (void)arg;
    memcpy(seen, v->counts, sizeof seen);
    busy = v->busy;
    turns = v->turns;
    loops++;
}

static void look(void)
{
    loops = 0;
    loop_latency_each(note, NULL);
}

START_TEST(bounds_rise_and_the_last_kind_has_none)
{
    static const uint64_t FIRST[] = { 1, 2, 3, 4, 6, 8, 12, 16, 24, 32 };
    for (int i = 0; i < 10; i++)
        ck_assert_uint_eq(loop_latency_bound(i), FIRST[i]);
    for (int i = 1; i < LOOP_LATENCY_BUCKETS; i++)
        ck_assert_uint_gt(loop_latency_bound(i), loop_latency_bound(i - 1));
    ck_assert_uint_eq(loop_latency_bound(LOOP_LATENCY_BUCKETS - 1), UINT64_MAX);
}
END_TEST

START_TEST(a_turn_counts_below_its_bound_and_not_below_the_one_before)
{
    loop_latency t = { 0 };
    loop_latency_begin(&t);
    static const struct { uint64_t ms; int kind; } EACH[] = {
        { 0, 0 }, { 1, 1 }, { 2, 2 }, { 3, 3 }, { 4, 4 }, { 5, 4 }, { 6, 5 }, { 8, 6 }, { 3071, 22 },
        { 3072, LOOP_LATENCY_BUCKETS - 1 }, { 100000000, LOOP_LATENCY_BUCKETS - 1 },
    };
    for (size_t i = 0; i < sizeof EACH / sizeof EACH[0]; i++) {
        look();
        const uint64_t before = seen[EACH[i].kind], ns = EACH[i].ms * 1000000 + 999999, spent = busy;
        loop_latency_count(&t, ns);
        look();
        ck_assert_msg(seen[EACH[i].kind] == before + 1, "%llu ms", (unsigned long long)EACH[i].ms);
        ck_assert_uint_eq(busy, spent + ns);
        ck_assert_uint_eq(turns, i + 1);
    }
    loop_latency_end(&t);
}
END_TEST

START_TEST(all_that_have_begun_and_not_ended_are_seen)
{
    loop_latency a = { 0 }, b = { 0 }, c = { 0 };
    loop_latency_begin(&a);
    loop_latency_begin(&b);
    loop_latency_begin(&c);
    look();
    ck_assert_int_eq(loops, 3);
    loop_latency_end(&b);
    look();
    ck_assert_int_eq(loops, 2);
    loop_latency_end(&c);
    loop_latency_end(&a);
    look();
    ck_assert_int_eq(loops, 0);
}
END_TEST

static void block(ready *r)
{
    (void)r;
    const uint64_t end = uv_hrtime() + 4000000;
    while (uv_hrtime() < end)
        ;
}

static void block_and_look(ready *r)
{
    block(r);
    uv_update_time(loop_here());             /* who asks for the time hides nothing */
}

static void rang(timer *t)
{
    (void)t;
    block(NULL);
    uv_update_time(loop_here());
}

static void closed(uv_handle_t *h)
{
    loop_enter();
    block((ready *)h);
    loop_leave();
}

static ready     slow;
static uv_idle_t handle;
static timer     clock_;

static void in_an_immediate(void)         { slow.run = block, loop_immediate(&slow); }
static void when_ready(void)              { slow.run = block_and_look, loop_ready(&slow); }
static void at_turn_end(void)             { slow.run = block_and_look, loop_at_turn_end(&slow); }
static void in_a_timer(void)              { timer_set(&clock_, 1, rang); }

static void in_a_closing_handle(void)
{
    uv_idle_init(loop_here(), &handle);
    uv_close((uv_handle_t *)&handle, closed);
}

static void (*const BLOCKS[])(void) = { in_an_immediate, when_ready, at_turn_end, in_a_timer, in_a_closing_handle };

START_TEST(a_callback_that_blocks_is_seen_in_its_loops_counts)
{
    ck_assert_int_eq(loop_start(), 0);
    BLOCKS[_i]();
    loop_run();
    look();
    ck_assert_int_eq(loops, 1);
    uint64_t slow_ones = 0;
    for (int i = 3; i < LOOP_LATENCY_BUCKETS; i++)     /* three milliseconds or more */
        slow_ones += seen[i];
    ck_assert_uint_ge(slow_ones, 1);
    timer_end();
    ck_assert_int_eq(loop_done(), 0);
    look();
    ck_assert_int_eq(loops, 0);
}
END_TEST

static void go_on(ready *r)
{
    static int left = 100;
    if (left-- > 0)
        loop_immediate(r);
}

static void block_and_go_on(ready *r)
{
    static ready next = { .run = go_on };
    block(r);
    loop_immediate(&next);
}

START_TEST(a_turn_counts_from_its_own_beginning)
{
    ck_assert_int_eq(loop_start(), 0);
    slow.run = block_and_go_on;
    loop_immediate(&slow);
    loop_run();
    look();
    ck_assert_uint_gt(seen[0], 0);           /* of those behind the slow one, where nothing is done */
    ck_assert_int_eq(loop_done(), 0);
}
END_TEST

Suite *loop_latency_suite(void)
{
    Suite *s = suite_create("loop_latency");
    TCase *t = tcase_create("all");
    tcase_add_test(t, bounds_rise_and_the_last_kind_has_none);
    tcase_add_test(t, a_turn_counts_below_its_bound_and_not_below_the_one_before);
    tcase_add_test(t, all_that_have_begun_and_not_ended_are_seen);
    tcase_add_loop_test(t, a_callback_that_blocks_is_seen_in_its_loops_counts, 0, sizeof BLOCKS / sizeof *BLOCKS);
    tcase_add_test(t, a_turn_counts_from_its_own_beginning);
    suite_add_tcase(s, t);
    return s;
}
