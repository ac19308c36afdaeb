/* test_audience.c - who is woken, when and how often, on a loop and in a blocking thread. */
#include "server/topic/audience.h"
#include "server/async/loop.h"
#include "tests/support/support.h"
#include "tests/unit/suites.h"

#include <check.h>
#include <poll.h>
#include <uv.h>

typedef struct listener {
    audience_member member;
    int             times;
    bool            leaves;                  /* when it is woken */
} listener;

static list here, there;                     /* the audiences of two things */

static void on_wake(audience_member *m)
{
    listener *l = container_of(m, listener, member);
    l->times++;
    if (l->leaves)
        audience_leave(m);
}

static void join(list *audiences, listener *l)
{
    l->member.wake = on_wake;
    audience_join(audiences, &l->member);
}

static void setup(void) { loop_start(); }

static void teardown(void)
{
    audience_loop_end();
    ck_assert_int_eq(loop_done(), 0);
}

/* As often as it takes for all that was rung. */
static void turns(void)
{
    for (int i = 0; i < 10; i++)
        uv_run(loop_here(), UV_RUN_NOWAIT);
}

START_TEST(each_member_is_woken_once_however_often_it_was_rung_and_not_within_that)
{
    listener l[3] = { 0 };
    for (int i = 0; i < 3; i++)
        join(i < 2 ? &here : &there, &l[i]);
    for (int round = 1; round <= 3; round++) {
        for (int i = 0; i < 3; i++)
            audience_ring_all(&here);
        ck_assert_int_eq(l[0].times, round - 1);
        turns();
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(l[i].times, i < 2 ? round : 0);
    }
    for (int i = 0; i < 3; i++)
        audience_leave(&l[i].member);
    ck_assert(!here.first && !there.first);
}
END_TEST

START_TEST(the_last_member_may_leave_when_it_is_woken_and_the_next_audience_has_its_turn)
{
    listener leaves = { .leaves = true }, stays = { 0 };
    join(&here, &leaves);
    join(&there, &stays);
    audience_ring_all(&here);
    audience_ring_all(&there);
    turns();
    ck_assert(leaves.times == 1 && !here.first);
    ck_assert_int_eq(stays.times, 1);
    audience_leave(&stays.member);
}
END_TEST

START_TEST(the_last_member_may_leave_after_it_was_rung_and_the_next_audience_has_its_turn)
{
    listener leaves = { 0 }, stays = { 0 };
    join(&here, &leaves);
    join(&there, &stays);
    audience_ring_all(&here);
    audience_ring_all(&there);
    audience_leave(&leaves.member);
    turns();
    ck_assert(leaves.times == 0 && stays.times == 1);
    audience_leave(&stays.member);
}
END_TEST

static void ring_here(void *arg)
{
    (void)arg;
    audience_ring_all(&here);
}

static void on_immediate(ready *r) { ring_here(r); }

/* As many as are woken in one go are followed by what rings them again; the others come at the end of that turn. */
START_TEST(who_is_rung_while_others_are_still_to_be_woken_is_woken_again)
{
    enum { MANY = 2 * LOOP_GATHERS };
    static listener crowd[MANY];
    ready between = { .run = on_immediate };
    for (int i = 0; i < MANY; i++)
        join(&here, &crowd[i]);
    audience_ring_all(&here);
    loop_immediate(&between);
    turns();
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(crowd[i].times, 2);
        audience_leave(&crowd[i].member);
    }
}
END_TEST

START_TEST(another_thread_wakes_a_loop_that_runs_on_only_while_it_expects_something)
{
    listener l[2] = { 0 };
    for (int i = 0; i < 2; i++) {
        join(&here, &l[i]);
        ck_assert(!uv_loop_alive(loop_here()));
    }
    for (int i = 0; i < 2; i++) {
        audience_expect(&l[i].member, 1);
        ck_assert(uv_loop_alive(loop_here()));
    }
    run_in_thread(ring_here, NULL);
    ck_assert_int_eq(l[0].times, 0);
    while (l[1].times == 0)
        uv_run(loop_here(), UV_RUN_ONCE);
    ck_assert_int_eq(l[0].times, 1);
    for (int i = 0; i < 2; i++) {
        ck_assert(uv_loop_alive(loop_here()));
        audience_expect(&l[i].member, -1);
    }
    ck_assert(!uv_loop_alive(loop_here()));
    for (int i = 0; i < 2; i++)
        audience_leave(&l[i].member);
}
END_TEST

static bool is_rung(void) { return poll(&(struct pollfd){ audience_descriptor(), POLLIN, 0 }, 1, 0) == 1; }

static void look_in_thread(void *arg)
{
    listener l = { 0 };
    (void)arg;
    ck_assert_int_lt(audience_descriptor(), 0);
    join(&here, &l);
    ck_assert(!is_rung());
    for (int i = 0; i < 3; i++) {
        audience_ring_all(&here);
        audience_ring_all(&here);
        ck_assert(is_rung());
        audience_look();
        ck_assert(!is_rung());
    }
    audience_ring_all(&here);
    audience_leave(&l.member);
    ck_assert_int_lt(audience_descriptor(), 0);
    ck_assert(l.times == 0 && !here.first);
}

START_TEST(a_blocking_thread_has_a_descriptor_while_it_listens_that_can_be_read_from_a_ring_until_it_looks)
{
    for (int i = 0; i < 2; i++)
        run_in_thread(look_in_thread, NULL);
}
END_TEST

Suite *audience_suite(void)
{
    Suite *s = suite_create("audience");
    TCase *c = tcase_create("all");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, each_member_is_woken_once_however_often_it_was_rung_and_not_within_that);
    tcase_add_test(c, the_last_member_may_leave_when_it_is_woken_and_the_next_audience_has_its_turn);
    tcase_add_test(c, the_last_member_may_leave_after_it_was_rung_and_the_next_audience_has_its_turn);
    tcase_add_test(c, who_is_rung_while_others_are_still_to_be_woken_is_woken_again);
    tcase_add_test(c, another_thread_wakes_a_loop_that_runs_on_only_while_it_expects_something);
    tcase_add_test(c, a_blocking_thread_has_a_descriptor_while_it_listens_that_can_be_read_from_a_ring_until_it_looks);
    suite_add_tcase(s, c);
    return s;
}
