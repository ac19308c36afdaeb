/* test_combine.c - gather, all_settled, race, any: outcomes, cancellation, and the drain rule. */
#include "server/async/combine.h"
#include "server/async/task.h"
#include "server/async/timing.h"
#include "server/base/memory.h"
#include "server/base/reserve.h"

#include "follow_fixture.h"
#include "tests/unit/suites.h"

static fake f[4];

static void count(int e, void *arg)
{
    ck_assert_int_eq(e, 0);
    ++*(int *)arg;
}

static void settle(int i, int with)
{
    promise_settle(f[i].promise, with);
    loop_run();
}

START_TEST(gather_succeeds_when_every_part_has)
{
    follow(gather(fake_new(&f[0], 1), fake_new(&f[1], 1), promise_settled(0)));
    settle(1, 0);
    ck_assert_int_eq(err, 1);
    settle(0, 0);
    ck_assert_int_eq(err, 0);
    ck_assert_int_eq(f[0].cancels + f[1].cancels, 0);
}
END_TEST

START_TEST(gather_returns_the_first_error_after_draining_the_rest)
{
    follow(gather(fake_new(&f[0], 1), fake_new(&f[1], 1), fake_new(&f[2], 1)));
    settle(1, UV_EIO);
    ck_assert_int_eq(f[0].cancels, 1);
    ck_assert_int_eq(f[2].cancels, 1);
    settle(2, UV_ENOENT);
    ck_assert_int_eq(err, 1);                /* a part may still write to its caller's stack */
    settle(0, UV_ECANCELED);
    ck_assert_int_eq(err, UV_EIO);
}
END_TEST

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

START_TEST(tasks_drain_before_gather_settles)
{
    int slept = 1;
    ck_assert_int_eq(outcome_of(gather(task_start("sleeper", sleeper, &slept),
                                       task_start("failer", failer, NULL))), UV_EIO);
    ck_assert_int_eq(slept, UV_ECANCELED);
    ck_assert_uint_eq(task_count(), 0);
}
END_TEST

START_TEST(race_settles_as_the_first_part_does_after_draining_the_rest)
{
    follow(race(fake_new(&f[0], 1), fake_new(&f[1], 1)));
    settle(1, 0);
    ck_assert_int_eq(f[0].cancels, 1);
    ck_assert_int_eq(err, 1);
    settle(0, UV_EIO);
    ck_assert_int_eq(err, 0);
}
END_TEST

START_TEST(the_first_to_fail_also_wins_a_race)
{
    follow(race(fake_new(&f[0], 0), fake_new(&f[1], 1)));
    settle(1, UV_EIO);
    ck_assert_int_eq(err, UV_EIO);
}
END_TEST

START_TEST(no_parts_at_all_succeed_but_not_for_any)
{
    ck_assert_int_eq(outcome_of(promise_gather(NULL, 0)), 0);
    ck_assert_int_eq(outcome_of(promise_race(NULL, 0)), 0);
    ck_assert_int_eq(outcome_of(promise_all_settled(NULL, NULL, 0)), 0);
    ck_assert_int_eq(outcome_of(promise_any(NULL, 0)), UV_EINVAL);
}
END_TEST

START_TEST(cancelling_a_gather_cancels_its_parts_and_drains)
{
    promise *p = gather(fake_new(&f[0], UV_ECANCELED), fake_new(&f[1], 1));
    follow(p);
    promise_cancel(p);
    promise_cancel(p);
    loop_run();
    ck_assert_int_eq(f[0].cancels, 1);
    ck_assert_int_eq(f[1].cancels, 1);
    ck_assert_int_eq(err, 1);
    settle(1, 0);
    ck_assert_int_eq(err, UV_ECANCELED);
}
END_TEST

START_TEST(a_cancelled_gather_whose_parts_all_succeed_succeeds)
{
    promise *p = gather(fake_new(&f[0], 0), fake_new(&f[1], 0));
    follow(p);
    promise_cancel(p);
    loop_run();
    ck_assert_int_eq(err, 0);
}
END_TEST

START_TEST(cancelling_a_race_cancels_its_parts_and_drains)
{
    promise *p = race(fake_new(&f[0], 1), fake_new(&f[1], UV_ECANCELED));
    follow(p);
    promise_cancel(p);
    loop_run();
    ck_assert_int_eq(err, 1);
    settle(0, 0);
    ck_assert_int_eq(err, UV_ECANCELED);
}
END_TEST

START_TEST(groups_nest)
{
    follow(gather(race(fake_new(&f[0], 1), fake_new(&f[1], UV_ECANCELED)),
                  gather(fake_new(&f[2], UV_ECANCELED), fake_new(&f[3], UV_ECANCELED))));
    settle(0, UV_EIO);                       /* fails the race, and so everything */
    ck_assert_int_eq(f[1].cancels, 1);
    ck_assert_int_eq(f[2].cancels, 1);
    ck_assert_int_eq(f[3].cancels, 1);
    ck_assert_int_eq(err, UV_EIO);
}
END_TEST

START_TEST(any_number_of_parts_has_room)
{
    for (int count = 1; count < 10; count++) {
        promise *parts[10], *kept[10];
        for (int i = 0; i < count; i++)
            kept[i] = parts[i] = promise_new(NULL, NULL);
        follow(promise_gather(parts, count));
        for (int i = 0; i < count; i++)
            promise_settle(kept[i], i == count - 1 ? UV_EIO : 0);
        loop_run();
        ck_assert_int_eq(err, UV_EIO);
    }
}
END_TEST

START_TEST(many_parts_are_gathered)
{
    enum { MANY = 1000 };
    static promise *parts[MANY], *kept[MANY];
    for (int i = 0; i < MANY; i++)
        kept[i] = parts[i] = promise_new(NULL, NULL);
    follow(promise_gather(parts, MANY));
    for (int i = 0; i < MANY; i++)
        parts[i] = NULL;                     /* the array is the caller's */
    for (int i = MANY - 1; i >= 0; i--)
        promise_settle(kept[i], 0);
    loop_run();
    ck_assert_int_eq(err, 0);
}
END_TEST

START_TEST(the_memory_of_a_crowd_of_groups_goes_back)
{
    enum { MANY = 5000 };
    static promise *parts[MANY];
    static int ended;
    const uint64_t begun = uv_hrtime() / 1000000;
    uint64_t ms = begun;
    for (int i = 0; i < MANY; i++)
        when_settled(gather(parts[i] = promise_new(NULL, NULL), promise_settled(0)), count, &ended);
    loop_run();
    ck_assert_int_eq(ended, 0);
    for (int i = 0; i < MANY; i++)
        promise_settle(parts[i], 0);
    loop_run();
    ck_assert_int_eq(ended, MANY);
    for (uint64_t next = 1; next > 0; ms += next)
        next = reserve_tick(ms);
    ck_assert(!reserve_is_watched());
    ck_assert_uint_ge(ms - begun, RESERVE_NOTHING ? 0 : RESERVE_PERIOD);
}
END_TEST

START_TEST(all_settled_never_fails_and_tells_what_became_of_each)
{
    static int outcomes[3] = { 1, 1, 1 };
    follow(all_settled(outcomes, fake_new(&f[0], 1), fake_new(&f[1], 1), promise_settled(UV_ENOENT)));
    settle(1, UV_EIO);
    ck_assert_int_eq(f[0].cancels, 0);
    ck_assert_int_eq(err, 1);
    settle(0, 0);
    ck_assert_int_eq(err, 0);
    ck_assert_int_eq(outcomes[0], 0);
    ck_assert_int_eq(outcomes[1], UV_EIO);
    ck_assert_int_eq(outcomes[2], UV_ENOENT);
}
END_TEST

START_TEST(cancelling_all_settled_cancels_its_parts_and_drains)
{
    static int outcomes[2] = { 1, 1 };
    promise *p = all_settled(outcomes, fake_new(&f[0], UV_ECANCELED), fake_new(&f[1], 1));
    follow(p);
    promise_cancel(p);
    loop_run();
    ck_assert_int_eq(f[1].cancels, 1);
    ck_assert_int_eq(err, 1);
    settle(1, 0);
    ck_assert_int_eq(err, 0);
    ck_assert_int_eq(outcomes[0], UV_ECANCELED);
    ck_assert_int_eq(outcomes[1], 0);
}
END_TEST

START_TEST(any_waits_for_a_success_and_drains_the_rest)
{
    follow(any(fake_new(&f[0], 1), fake_new(&f[1], 1), fake_new(&f[2], 1)));
    settle(0, UV_EIO);
    ck_assert_int_eq(f[1].cancels, 0);
    settle(1, 0);
    ck_assert_int_eq(f[1].cancels, 0);
    ck_assert_int_eq(f[2].cancels, 1);
    ck_assert_int_eq(err, 1);
    settle(2, UV_ECANCELED);
    ck_assert_int_eq(err, 0);
}
END_TEST

START_TEST(when_all_fail_any_fails_with_the_first_error)
{
    follow(any(fake_new(&f[0], 1), fake_new(&f[1], 1)));
    settle(1, UV_ENOENT);
    settle(0, UV_EIO);
    ck_assert_int_eq(err, UV_ENOENT);
}
END_TEST

START_TEST(cancelling_any_cancels_its_parts)
{
    promise *p = any(fake_new(&f[0], UV_ECANCELED), fake_new(&f[1], UV_ECANCELED));
    follow(p);
    promise_cancel(p);
    loop_run();
    ck_assert_int_eq(f[0].cancels, 1);
    ck_assert_int_eq(f[1].cancels, 1);
    ck_assert_int_eq(err, UV_ECANCELED);
}
END_TEST

Suite *combine_suite(void)
{
    Suite *s = suite_create("combine");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, gather_succeeds_when_every_part_has);
    tcase_add_test(t, gather_returns_the_first_error_after_draining_the_rest);
    tcase_add_test(t, tasks_drain_before_gather_settles);
    tcase_add_test(t, race_settles_as_the_first_part_does_after_draining_the_rest);
    tcase_add_test(t, the_first_to_fail_also_wins_a_race);
    tcase_add_test(t, no_parts_at_all_succeed_but_not_for_any);
    tcase_add_test(t, cancelling_a_gather_cancels_its_parts_and_drains);
    tcase_add_test(t, a_cancelled_gather_whose_parts_all_succeed_succeeds);
    tcase_add_test(t, cancelling_a_race_cancels_its_parts_and_drains);
    tcase_add_test(t, all_settled_never_fails_and_tells_what_became_of_each);
    tcase_add_test(t, cancelling_all_settled_cancels_its_parts_and_drains);
    tcase_add_test(t, any_waits_for_a_success_and_drains_the_rest);
    tcase_add_test(t, when_all_fail_any_fails_with_the_first_error);
    tcase_add_test(t, cancelling_any_cancels_its_parts);
    tcase_add_test(t, groups_nest);
    tcase_add_test(t, any_number_of_parts_has_room);
    tcase_add_test(t, many_parts_are_gathered);
    tcase_add_test(t, the_memory_of_a_crowd_of_groups_goes_back);
    suite_add_tcase(s, t);
    return s;
}
