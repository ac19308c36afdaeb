/* test_loop_end.c - a loop is stopped, and it ends; where there is none. */
#include "server/async/loop.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

static int ran;

static void run(ready *r)
{
    (void)r;
    ran++;
}

static ready steps[] = { { .run = run }, { .run = run } };

static void setup(void) { ck_assert_int_eq(loop_start(), 0); }

static void too_late(uv_timer_t *t)
{
    (void)t;
    ck_abort_msg("the loop went on");
}

static void rang(uv_timer_t *t)
{
    (void)t;
    loop_ready(&steps[0]);
    loop_stop();
}

START_TEST(a_stop_holds_although_more_becomes_ready)
{
    uv_timer_t soon, late;
    uv_timer_init(loop_here(), &soon);
    uv_timer_init(loop_here(), &late);
    uv_timer_start(&soon, rang, 0, 0);
    uv_timer_start(&late, too_late, 3600000, 0);
    loop_run();
    ck_assert_int_eq(ran, 1);
    loop_ready(&steps[1]);
    loop_stop();
    loop_run();                              /* a stop from outside counts for the next run */
    ck_assert_int_eq(ran, 2);
}
END_TEST

static void closed(uv_handle_t *h)
{
    (void)h;
    loop_ready(&steps[0]);
}

static void stop(ready *r)
{
    (void)r;
    loop_stop();
}

START_TEST(a_stop_holds_when_a_close_callback_makes_ready)
{
    uv_timer_t gone, late;
    ready stopper = { .run = stop };
    uv_timer_init(loop_here(), &gone);
    uv_timer_init(loop_here(), &late);
    uv_timer_start(&late, too_late, 3600000, 0);
    uv_close((uv_handle_t *)&gone, closed);
    loop_ready(&stopper);
    loop_run();
    ck_assert_int_eq(ran, 1);
}
END_TEST

static struct { ready start; uv_timer_t timer; } next_;

static void rang_next(uv_timer_t *t)
{
    (void)t;
    loop_ready(&steps[0]);
}

static void start_next(ready *r)
{
    (void)r;
    uv_timer_start(&next_.timer, rang_next, 0, 0);
}

static void closed_and_more(uv_handle_t *h)
{
    (void)h;
    next_.start.run = start_next;
    loop_ready(&next_.start);
}

START_TEST(a_stop_counts_for_one_run)
{
    uv_timer_t gone;
    uv_timer_init(loop_here(), &gone);
    uv_timer_init(loop_here(), &next_.timer);
    loop_stop();
    loop_run();
    uv_close((uv_handle_t *)&gone, closed_and_more);
    loop_run();                              /* to the end: what closing makes ready starts a timer */
    ck_assert_int_eq(ran, 1);
}
END_TEST

START_TEST(a_loop_that_is_done_can_be_started_again)
{
    ck_assert_int_eq(loop_done(), 0);
    ck_assert_ptr_null(loop_here());
    ck_assert_int_eq(loop_start(), 0);
    ck_assert_ptr_nonnull(loop_here());
    loop_ready(&steps[0]);
    loop_run();
    ck_assert_int_eq(ran, 1);
    ck_assert_int_eq(loop_done(), 0);
}
END_TEST

START_TEST(a_loop_is_busy_until_its_handles_are_closed)
{
    uv_timer_t t;
    uv_timer_init(loop_here(), &t);
    ck_assert_int_eq(loop_done(), UV_EBUSY);
    uv_close((uv_handle_t *)&t, NULL);
    ck_assert_int_eq(loop_done(), 0);
}
END_TEST

static void look(void *arg) { *(bool *)arg = loop_here() == NULL; }

START_TEST(a_plain_thread_has_no_loop)
{
    bool none = false;
    run_in_thread(look, &none);
    ck_assert(none);
    ck_assert_ptr_nonnull(loop_here());
}
END_TEST

Suite *loop_end_suite(void)
{
    Suite *s = suite_create("loop_end");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, a_stop_holds_although_more_becomes_ready);
    tcase_add_test(t, a_stop_holds_when_a_close_callback_makes_ready);
    tcase_add_test(t, a_stop_counts_for_one_run);
    tcase_add_test(t, a_loop_that_is_done_can_be_started_again);
    tcase_add_test(t, a_loop_is_busy_until_its_handles_are_closed);
    tcase_add_test(t, a_plain_thread_has_no_loop);
    suite_add_tcase(s, t);
    return s;
}
