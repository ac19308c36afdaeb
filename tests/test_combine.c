/* test_combine.c - gather, race: outcomes, cancellation, and the drain rule. */
#include "server/async/loop.h"
#include "server/async/combine.h"
#include "server/async/task.h"
#include "server/async/timing.h"

#include "suites.h"

static int sleeper(void *arg)                /* records how its long sleep ended */
{
    return *(int *)arg = await(sleep_for(60000));
}

static int failer(void *arg)
{
    (void)arg;
    await(sleep_for(1));
    return UV_EIO;
}

static void store(int err, void *arg) { *(int *)arg = err; }

static int outcome_of(promise *p)            /* run the loop until p settles */
{
    int err = 1;
    when_settled(p, store, &err);
    loop_run();
    return err;
}

START_TEST(gather_returns_the_first_error_after_draining_the_rest)
{
    int slept = 1;
    loop_start();
    ck_assert_int_eq(outcome_of(gather(task_start("sleeper", sleeper, &slept),
                                       task_start("failer", failer, NULL))), UV_EIO);
    ck_assert_int_eq(slept, UV_ECANCELED);   /* settled before gather did */
    ck_assert_uint_eq(task_count(), 0);
}
END_TEST

START_TEST(race_settles_as_the_first_part_does)
{
    int slept = 1;
    loop_start();
    ck_assert_int_eq(outcome_of(race(task_start("sleeper", sleeper, &slept), sleep_for(1))), 0);
    ck_assert_int_eq(slept, UV_ECANCELED);
}
END_TEST

START_TEST(gather_of_nothing_succeeds)
{
    loop_start();
    ck_assert_int_eq(outcome_of(promise_gather(NULL, 0)), 0);
}
END_TEST

Suite *combine_suite(void)
{
    Suite *s = suite_create("combine");
    TCase *t = tcase_create("all");
    tcase_add_test(t, gather_returns_the_first_error_after_draining_the_rest);
    tcase_add_test(t, race_settles_as_the_first_part_does);
    tcase_add_test(t, gather_of_nothing_succeeds);
    suite_add_tcase(s, t);
    return s;
}
