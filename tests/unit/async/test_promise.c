/* test_promise.c - settled once, followed from the loop, in order; cancelled at most once. */
#include "server/async/loop.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <signal.h>
#include <string.h>
#include <uv.h>

static int seen[8], count;

static void note(int err, void *arg)
{
    (void)arg;
    seen[count++] = err;
}

static void setup(void) { loop_start(); }

START_TEST(followers_run_from_the_loop_in_the_order_of_settling)
{
    promise *p[3];
    for (int i = 0; i < 3; i++) {
        p[i] = promise_new(NULL, NULL);
        when_settled(p[i], note, NULL);
    }
    promise_settle(p[2], -3);
    promise_settle(p[0], -1);
    promise_settle(p[1], 0);
    ck_assert_int_eq(count, 0);
    loop_run();
    ck_assert_int_eq(count, 3);
    ck_assert_int_eq(seen[0], -3);
    ck_assert_int_eq(seen[1], -1);
    ck_assert_int_eq(seen[2], 0);
}
END_TEST

START_TEST(following_what_has_settled_also_waits_for_the_loop)
{
    when_settled(promise_settled(UV_EIO), note, NULL);
    ck_assert_int_eq(count, 0);
    loop_run();
    ck_assert_int_eq(count, 1);
    ck_assert_int_eq(seen[0], UV_EIO);
}
END_TEST

START_TEST(a_promise_is_cancelled_at_most_once)
{
    fake f;
    when_settled(fake_new(&f, 1), note, NULL);
    promise_cancel(f.promise);
    promise_cancel(f.promise);
    ck_assert_int_eq(f.cancels, 1);
    ck_assert_int_eq(count, 0);              /* asking is not settling */
    promise_settle(f.promise, UV_ECANCELED);
    loop_run();
    ck_assert_int_eq(seen[0], UV_ECANCELED);
}
END_TEST

START_TEST(a_settled_promise_is_not_cancelled)
{
    fake f;
    int err;
    when_settled(fake_new(&f, UV_ECANCELED), note, NULL);
    promise_settle(f.promise, 0);
    when_settled(promise_settled(0), note, NULL);            /* which stands behind it in the loop's list */
    promise_cancel(f.promise);
    ck_assert_int_eq(f.cancels, 0);
    loop_run();
    ck_assert_int_eq(seen[0], 0);
    promise *const p = fake_new(&f, UV_ECANCELED);
    promise_settle(p, 0);
    promise_cancel(p);                       /* nor is one that has not been given on */
    ck_assert_int_eq(f.cancels, 0);
    ck_assert(promise_take_if_settled(p, &err));
}
END_TEST

START_TEST(without_a_cancel_function_cancelling_does_nothing)
{
    promise *p = promise_new(NULL, NULL);
    when_settled(p, note, NULL);
    promise_cancel(p);
    loop_run();
    ck_assert_int_eq(count, 0);
    promise_settle(p, 0);
    loop_run();
    ck_assert_int_eq(count, 1);
}
END_TEST

START_TEST(only_a_settled_promise_can_be_taken)
{
    int err = 1;
    promise *p = promise_new(NULL, NULL);
    ck_assert(!promise_take_if_settled(p, &err));
    ck_assert_int_eq(err, 1);
    promise_settle(p, UV_EIO);
    ck_assert(promise_take_if_settled(p, &err));
    ck_assert_int_eq(err, UV_EIO);
}
END_TEST

START_TEST(settling_twice_is_a_bug)
{
    promise *p = promise_new(NULL, NULL);
    when_settled(p, note, NULL);
    promise_settle(p, 0);
    promise_settle(p, 0);
}
END_TEST

static void *seen_arg;

static void keep_its_arg(promise *p, void *arg)
{
    seen_arg = arg;
    promise_settle(p, UV_ECANCELED);
}

START_TEST(one_with_room_has_it_until_it_settles_and_cancel_gets_it)
{
    enum { MANY = 40 };
    promise *p[MANY];
    uint64_t *room[MANY];
    for (int i = 0; i < MANY; i++) {         /* among others, which have none */
        when_settled(promise_settled(0), note, NULL);
        p[i] = promise_new_with_room(keep_its_arg);
        room[i] = promise_room(p[i]);
        ck_assert_uint_eq((uintptr_t)room[i] % sizeof(uint64_t), 0);
        ck_assert_ptr_eq(promise_of_room(room[i]), p[i]);
        memset(room[i], i, PROMISE_ROOM);
        count = 0;
        loop_run();
    }
    for (int i = 0; i < MANY; i++) {
        for (size_t at = 0; at < PROMISE_ROOM; at++)
            ck_assert_int_eq(((char *)room[i])[at], i);
        when_settled(p[i], note, NULL);
        promise_cancel(p[i]);
        ck_assert_ptr_eq(seen_arg, room[i]);
        count = 0;
        loop_run();
        ck_assert_int_eq(seen[0], UV_ECANCELED);
    }
}
END_TEST

START_TEST(what_has_settled_has_no_room_any_more)
{
    promise *p = promise_new_with_room(NULL);
    promise_settle(p, 0);
    promise_room(p);
}
END_TEST

START_TEST(giving_on_twice_is_a_bug)
{
    promise *p = promise_new(NULL, NULL);
    when_settled(p, note, NULL);
    when_settled(p, note, NULL);
}
END_TEST

static promise *kept;

START_TEST(an_outcome_is_never_positive) { promise_settle(kept = promise_new(NULL, NULL), 1); }
END_TEST

Suite *promise_suite(void)
{
    Suite *s = suite_create("promise");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, followers_run_from_the_loop_in_the_order_of_settling);
    tcase_add_test(t, following_what_has_settled_also_waits_for_the_loop);
    tcase_add_test(t, a_promise_is_cancelled_at_most_once);
    tcase_add_test(t, a_settled_promise_is_not_cancelled);
    tcase_add_test(t, without_a_cancel_function_cancelling_does_nothing);
    tcase_add_test(t, only_a_settled_promise_can_be_taken);
    tcase_add_test(t, one_with_room_has_it_until_it_settles_and_cancel_gets_it);
    tcase_add_test_raise_signal(t, what_has_settled_has_no_room_any_more, SIGABRT);
    tcase_add_test_raise_signal(t, settling_twice_is_a_bug, SIGABRT);
    tcase_add_test_raise_signal(t, giving_on_twice_is_a_bug, SIGABRT);
    tcase_add_test_raise_signal(t, an_outcome_is_never_positive, SIGABRT);
    suite_add_tcase(s, t);
    return s;
}
