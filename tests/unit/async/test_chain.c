/* test_chain.c - then, catch, finally: which of them run, and what cancelling does to them. */
#include "server/async/chain.h"
#include "follow_fixture.h"
#include "tests/unit/suites.h"

#include <uv.h>

static fake f[4];

static void settle(int i, int with)
{
    promise_settle(f[i].promise, with);
    loop_run();
}

static int      begun;
static promise *chain;

static promise *second(void *arg)
{
    begun++;
    return fake_new(arg, UV_ECANCELED);
}

START_TEST(the_next_step_starts_when_the_first_has_succeeded)
{
    follow(then(fake_new(&f[0], 1), second, &f[1]));
    loop_run();
    ck_assert_int_eq(begun, 0);
    settle(0, 0);
    ck_assert_int_eq(begun, 1);
    ck_assert_int_eq(err, 1);
    settle(1, UV_ENOENT);
    ck_assert_int_eq(err, UV_ENOENT);
    ck_assert_int_eq(begun, 1);
}
END_TEST

START_TEST(an_error_skips_every_later_step)
{
    follow(then(then(fake_new(&f[0], 1), second, &f[1]), second, &f[1]));
    settle(0, UV_EIO);
    ck_assert_int_eq(err, UV_EIO);
    ck_assert_int_eq(begun, 0);
}
END_TEST

START_TEST(cancelling_a_chain_cancels_the_step_under_way)
{
    chain = then(then(fake_new(&f[0], UV_ECANCELED), second, &f[1]), second, &f[2]);
    follow(chain);
    settle(0, 0);
    promise_cancel(chain);
    loop_run();
    ck_assert_int_eq(f[0].cancels, 0);
    ck_assert_int_eq(f[1].cancels, 1);
    ck_assert_int_eq(begun, 1);
    ck_assert_int_eq(err, UV_ECANCELED);
}
END_TEST

START_TEST(a_cancelled_chain_begins_nothing_new)
{
    chain = then(fake_new(&f[0], 0), second, &f[1]);
    follow(chain);
    promise_cancel(chain);                   /* the step succeeds all the same */
    loop_run();
    ck_assert_int_eq(begun, 0);
    ck_assert_int_eq(err, UV_ECANCELED);
}
END_TEST

static promise *second_cancels_the_chain(void *arg)
{
    promise *p = second(arg);
    promise_cancel(chain);
    return p;
}

START_TEST(a_step_that_cancels_its_chain_is_cancelled)
{
    fake bystander;
    chain = then(fake_new(&f[0], 1), second_cancels_the_chain, &f[1]);
    follow(chain);
    settle(0, 0);
    ck_assert_int_eq(f[1].cancels, 1);
    ck_assert_int_eq(err, UV_ECANCELED);
    when_settled(fake_new(&bystander, 1), store, &err);
    loop_run();
    ck_assert_int_eq(bystander.cancels, 0);
    promise_settle(bystander.promise, 0);
    loop_run();
}
END_TEST

static promise *another_before_second(void *arg)
{
    when_settled(fake_new(&f[2], 1), store, &err);           /* may get the memory of the first step */
    return second_cancels_the_chain(arg);
}

START_TEST(a_step_that_cancels_its_chain_cancels_nothing_else)
{
    chain = then(fake_new(&f[0], 1), another_before_second, &f[1]);
    int whole = 1;
    when_settled(chain, store, &whole);
    settle(0, 0);
    ck_assert_int_eq(f[2].cancels, 0);
    ck_assert_int_eq(whole, UV_ECANCELED);
    settle(2, 0);
}
END_TEST

static int caught;

static promise *handles(int with, void *arg)
{
    caught = with;
    return arg ? fake_new(arg, UV_ECANCELED) : promise_settled(0);
}

START_TEST(a_catch_handles_an_error_and_the_chain_goes_on)
{
    follow(then(catch(then(fake_new(&f[0], 1), second, &f[1]), handles, NULL), second, &f[2]));
    settle(0, UV_EIO);
    ck_assert_int_eq(caught, UV_EIO);
    ck_assert_int_eq(begun, 1);              /* the step behind it, not the one before */
    settle(2, 0);
    ck_assert_int_eq(err, 0);
}
END_TEST

START_TEST(a_catch_is_skipped_on_success)
{
    follow(catch(fake_new(&f[0], 1), handles, NULL));
    settle(0, 0);
    ck_assert_int_eq(caught, 0);
    ck_assert_int_eq(err, 0);
}
END_TEST

START_TEST(what_a_catch_starts_decides_and_can_be_cancelled)
{
    chain = catch(promise_settled(UV_EIO), handles, &f[1]);
    follow(chain);
    loop_run();
    ck_assert_int_eq(err, 1);
    promise_cancel(chain);
    loop_run();
    ck_assert_int_eq(f[1].cancels, 1);
    ck_assert_int_eq(err, UV_ECANCELED);
}
END_TEST

START_TEST(a_cancelled_chain_has_nothing_to_catch)
{
    chain = catch(fake_new(&f[0], UV_ECANCELED), handles, NULL);
    follow(chain);
    promise_cancel(chain);
    loop_run();
    ck_assert_int_eq(caught, 0);
    ck_assert_int_eq(err, UV_ECANCELED);
}
END_TEST

START_TEST(a_cancel_that_comes_too_late_for_a_catch_leaves_its_success)
{
    chain = catch(fake_new(&f[0], 0), handles, NULL);
    follow(chain);
    promise_cancel(chain);                   /* it succeeds all the same */
    loop_run();
    ck_assert_int_eq(err, 0);
}
END_TEST

START_TEST(one_handler_at_the_end_answers_for_every_step)
{
    for (int failing = 0; failing < 3; failing++) {
        caught = 0;
        follow(catch(then(then(fake_new(&f[0], 1), second, &f[1]), second, &f[2]), handles, NULL));
        for (int i = 0; i <= failing; i++)
            settle(i, i == failing ? UV_EIO - i : 0);
        ck_assert_int_eq(caught, UV_EIO - failing);
        ck_assert_int_eq(err, 0);
    }
}
END_TEST

START_TEST(finally_runs_after_success_and_after_failure_and_passes_either_on)
{
    follow(finally(fake_new(&f[0], 1), second, &f[1]));
    settle(0, 0);
    ck_assert_int_eq(begun, 1);
    ck_assert_int_eq(err, 1);                /* not before it is tidy */
    settle(1, 0);
    ck_assert_int_eq(err, 0);
    follow(finally(fake_new(&f[0], 1), second, &f[1]));
    settle(0, UV_EIO);
    settle(1, 0);
    ck_assert_int_eq(err, UV_EIO);
    ck_assert_int_eq(begun, 2);
}
END_TEST

START_TEST(an_error_in_finally_counts_only_if_there_was_none_before)
{
    follow(finally(promise_settled(0), second, &f[1]));
    loop_run();
    settle(1, UV_ENOENT);
    ck_assert_int_eq(err, UV_ENOENT);
    follow(finally(promise_settled(UV_EIO), second, &f[1]));
    loop_run();
    settle(1, UV_ENOENT);
    ck_assert_int_eq(err, UV_EIO);
}
END_TEST

START_TEST(a_cancelled_chain_is_tidied_all_the_same_and_to_the_end)
{
    chain = finally(fake_new(&f[0], UV_ECANCELED), second, &f[1]);
    follow(chain);
    promise_cancel(chain);
    loop_run();
    ck_assert_int_eq(begun, 1);
    promise_cancel(chain);
    loop_run();
    ck_assert_int_eq(f[1].cancels, 0);
    ck_assert_int_eq(err, 1);
    settle(1, 0);
    ck_assert_int_eq(err, UV_ECANCELED);
}
END_TEST

START_TEST(cancelling_while_it_is_being_tidied_does_nothing)
{
    chain = finally(promise_settled(0), second, &f[1]);
    follow(chain);
    loop_run();
    promise_cancel(chain);
    ck_assert_int_eq(f[1].cancels, 0);
    settle(1, 0);
    ck_assert_int_eq(err, 0);
}
END_TEST

Suite *chain_suite(void)
{
    Suite *s = suite_create("chain");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, the_next_step_starts_when_the_first_has_succeeded);
    tcase_add_test(t, an_error_skips_every_later_step);
    tcase_add_test(t, cancelling_a_chain_cancels_the_step_under_way);
    tcase_add_test(t, a_cancelled_chain_begins_nothing_new);
    tcase_add_test(t, a_step_that_cancels_its_chain_is_cancelled);
    tcase_add_test(t, a_step_that_cancels_its_chain_cancels_nothing_else);
    tcase_add_test(t, a_catch_handles_an_error_and_the_chain_goes_on);
    tcase_add_test(t, a_catch_is_skipped_on_success);
    tcase_add_test(t, what_a_catch_starts_decides_and_can_be_cancelled);
    tcase_add_test(t, a_cancelled_chain_has_nothing_to_catch);
    tcase_add_test(t, a_cancel_that_comes_too_late_for_a_catch_leaves_its_success);
    tcase_add_test(t, one_handler_at_the_end_answers_for_every_step);
    tcase_add_test(t, finally_runs_after_success_and_after_failure_and_passes_either_on);
    tcase_add_test(t, an_error_in_finally_counts_only_if_there_was_none_before);
    tcase_add_test(t, a_cancelled_chain_is_tidied_all_the_same_and_to_the_end);
    tcase_add_test(t, cancelling_while_it_is_being_tidied_does_nothing);
    suite_add_tcase(s, t);
    return s;
}
