/* test_semaphore.c - permits, the line, its bound, leaving it. */
#include "server/async/loop.h"
#include "server/async/semaphore.h"
#include "server/async/task.h"
#include "server/async/timing.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <signal.h>

static semaphore *s;
static int inside, most, entered;

static int worker(void *arg)
{
    (void)arg;
    int err = await(semaphore_enter(s));
    if (err)
        return err;
    entered++;
    if (++inside > most)
        most = inside;
    await(sleep_for(1));
    inside--;
    semaphore_leave(s);
    return 0;
}

static void setup(void) { loop_start(); }

START_TEST(at_most_three_are_inside_and_everyone_gets_in)
{
    int err[20];
    s = semaphore_new(3, 17);
    for (int i = 0; i < 20; i++)
        when_settled(task_start("worker", worker, NULL), store, &err[i]);
    loop_run_skipping();
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(err[i], 0);
    ck_assert_int_eq(most, 3);
    ck_assert_int_eq(entered, 20);
    semaphore_free(s);
}
END_TEST

START_TEST(a_full_line_refuses_at_once_and_a_timeout_leaves_it)
{
    int ok = 1, late = 1, refused = 1;
    s = semaphore_new(1, 1);
    when_settled(semaphore_enter(s), store, &ok);
    when_settled(with_timeout(semaphore_enter(s), 2), store, &late);
    ck_assert(promise_take_if_settled(semaphore_enter(s), &refused));
    loop_run_skipping();
    ck_assert_int_eq(ok, 0);
    ck_assert_int_eq(late, UV_ETIMEDOUT);
    ck_assert_int_eq(refused, UV_EAGAIN);
    semaphore_leave(s);
    semaphore_free(s);
}
END_TEST

/* How many are let in or wait before one is refused. */
static int fill(int errs[], int most)
{
    for (int i = 0; i < most; i++) {
        int err = 0;
        promise *p = semaphore_enter(s);
        if (promise_take_if_settled(p, &err) && err)
            return i;
        errs[i] = err;
        if (i >= 2)
            when_settled(p, store, &errs[i]);
    }
    return most;
}

START_TEST(a_line_that_was_full_takes_as_many_when_it_has_emptied)
{
    int errs[10];
    s = semaphore_new(2, 3);
    for (int round = 0; round < 3; round++) {
        ck_assert_int_eq(fill(errs, 10), 2 + 3);
        for (int i = 0; i < 5; i++) {
            semaphore_leave(s);
            loop_run();
            ck_assert_int_eq(errs[i], 0);
        }
    }
    semaphore_free(s);
}
END_TEST

static void enter(promise *p[], int errs[], int n)
{
    for (int i = 0; i < n; i++) {
        errs[i] = 1;
        p[i] = semaphore_enter(s);
        when_settled(p[i], store, &errs[i]);
    }
}

START_TEST(first_come_first_served_whoever_leaves_the_line)
{
    promise *p[6];
    int      e[6];
    s = semaphore_new(1, 5);
    enter(p, e, 6);
    promise_cancel(p[1]);                    /* the first, one inside, and the last of the line */
    promise_cancel(p[3]);
    promise_cancel(p[5]);
    loop_run();
    ck_assert_int_eq(e[1], UV_ECANCELED);
    ck_assert_int_eq(e[3], UV_ECANCELED);
    ck_assert_int_eq(e[5], UV_ECANCELED);
    ck_assert_int_eq(e[2], 1);
    semaphore_leave(s);
    loop_run();
    ck_assert_int_eq(e[2], 0);
    ck_assert_int_eq(e[4], 1);
    semaphore_leave(s);
    loop_run();
    ck_assert_int_eq(e[4], 0);
    semaphore_leave(s);
    semaphore_free(s);
}
END_TEST

START_TEST(whoever_comes_when_the_last_has_left_is_the_last)
{
    promise *p[3];
    int      e[3], late = 1;
    s = semaphore_new(1, 3);
    enter(p, e, 3);
    promise_cancel(p[2]);
    loop_run();                              /* which ends its place */
    when_settled(semaphore_enter(s), store, &late);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(late, 1);
        semaphore_leave(s);
        loop_run();
    }
    ck_assert_int_eq(e[1], 0);
    ck_assert_int_eq(late, 0);
    semaphore_leave(s);
    semaphore_free(s);
}
END_TEST

START_TEST(a_permit_passes_to_the_line_and_nobody_overtakes)
{
    promise *p[2];
    int      e[2], late = 1;
    s = semaphore_new(1, 2);
    enter(p, e, 2);
    semaphore_leave(s);
    when_settled(semaphore_enter(s), store, &late);          /* the permit is spoken for */
    loop_run();
    ck_assert_int_eq(e[1], 0);
    ck_assert_int_eq(late, 1);
    semaphore_leave(s);
    loop_run();
    ck_assert_int_eq(late, 0);
    semaphore_leave(s);
    semaphore_free(s);
}
END_TEST

START_TEST(a_permit_that_was_granted_cannot_be_cancelled_away)
{
    promise *p[2];
    int      e[2];
    s = semaphore_new(1, 1);
    enter(p, e, 2);
    semaphore_leave(s);
    promise_cancel(p[1]);                    /* granted, though its follower has not run yet */
    loop_run();
    ck_assert_int_eq(e[1], 0);
    semaphore_leave(s);
    semaphore_free(s);
}
END_TEST

START_TEST(freeing_while_somebody_is_inside_is_a_bug)
{
    int err;
    s = semaphore_new(1, 1);
    ck_assert(promise_take_if_settled(semaphore_enter(s), &err));
    semaphore_free(s);
}
END_TEST

START_TEST(leaving_without_having_entered_is_a_bug)
{
    s = semaphore_new(1, 1);
    semaphore_leave(s);
}
END_TEST

START_TEST(whoever_has_waited_too_long_is_told_so_while_the_line_stands)
{
    int err[4] = { 1, 1, 1, 1 };
    s = semaphore_new(1, 8);
    semaphore_set_target(s, 5000);
    for (int i = 0; i < 3; i++)
        when_settled(semaphore_enter(s), store, &err[i]);
    clock_skip(6000);
    when_settled(semaphore_enter(s), store, &err[3]);
    semaphore_leave(s);
    loop_run();
    ck_assert_int_eq(err[1], 0);             /* late, but better than nobody */
    ck_assert_int_eq(err[2], UV_EBUSY);
    ck_assert_int_eq(err[3], 1);             /* it has just come */
    semaphore_leave(s);
    loop_run();
    ck_assert_int_eq(err[3], 0);
    semaphore_leave(s);
    semaphore_free(s);
}
END_TEST

START_TEST(whoever_has_waited_less_waits_on)
{
    promise *p[3];
    int      e[3];
    s = semaphore_new(1, 8);
    semaphore_set_target(s, 5000);
    enter(p, e, 3);
    clock_skip(4000);
    semaphore_leave(s);
    loop_run();
    ck_assert_int_eq(e[1], 0);
    ck_assert_int_eq(e[2], 1);
    semaphore_leave(s);
    semaphore_leave(s);
    loop_run();
    ck_assert_int_eq(e[2], 0);
    semaphore_free(s);
}
END_TEST

Suite *semaphore_suite(void)
{
    Suite *suite = suite_create("semaphore");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, at_most_three_are_inside_and_everyone_gets_in);
    tcase_add_test(t, a_full_line_refuses_at_once_and_a_timeout_leaves_it);
    tcase_add_test(t, a_line_that_was_full_takes_as_many_when_it_has_emptied);
    tcase_add_test(t, first_come_first_served_whoever_leaves_the_line);
    tcase_add_test(t, whoever_comes_when_the_last_has_left_is_the_last);
    tcase_add_test(t, a_permit_passes_to_the_line_and_nobody_overtakes);
    tcase_add_test(t, a_permit_that_was_granted_cannot_be_cancelled_away);
    tcase_add_test(t, whoever_has_waited_too_long_is_told_so_while_the_line_stands);
    tcase_add_test(t, whoever_has_waited_less_waits_on);
    tcase_add_test_raise_signal(t, freeing_while_somebody_is_inside_is_a_bug, SIGABRT);
    tcase_add_test_raise_signal(t, leaving_without_having_entered_is_a_bug, SIGABRT);
    suite_add_tcase(suite, t);
    return suite;
}
