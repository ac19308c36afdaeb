/* test_either.c - waiting for the first of several: who is ready, who is next, and that nothing is taken. */
#include "server/async/either.h"
#include "server/async/loop.h"
#include "server/async/task.h"
#include "server/async/timing.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <sys/socket.h>
#include <unistd.h>

/* Counts what it has; a pipe says the same to a blocking thread. */
typedef struct box {
    int      things, waits, cancels;
    int      pipe[2];
    promise *waiting;
} box;

static box  boxes[3];
static int  which, err;

static bool box_is_ready(const source *s) { return ((box *)s->of)->things > 0; }

static void box_wake(box *b, int outcome)
{
    promise *p = b->waiting;
    b->waiting = NULL;
    if (p)
        promise_settle(p, outcome);
}

static void box_on_cancel(promise *p, void *arg)
{
    box *b = arg;
    (void)p;
    b->cancels++;
    box_wake(b, UV_ECANCELED);
}

static promise *box_ready(const source *s)
{
    box *b = s->of;
    ck_assert(!b->waiting);
    b->waits++;
    return b->waiting = promise_new(box_on_cancel, b);
}

static void box_expect(const source *s, blocking_set *set)
{
    const box *b = s->of;
    blocking_add(set, b->pipe[0], POLLIN);
}

static const source_kind BOX = { box_is_ready, box_ready, box_expect };

static source box_source(int i) { return (source){ .kind = &BOX, .of = &boxes[i] }; }

static void box_put(int i)
{
    boxes[i].things++;
    ck_assert_int_eq(write(boxes[i].pipe[1], "x", 1), 1);
    box_wake(&boxes[i], 0);
}

static void box_take(int i)
{
    char x;
    boxes[i].things--;
    ck_assert_int_eq(read(boxes[i].pipe[0], &x, 1), 1);
}

static void setup(void)
{
    loop_start();
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pipe(boxes[i].pipe), 0);
    which = 0;
    err = 1;
}

static promise *wait_for_boxes(void) { return either(&which, box_source(0), box_source(1), box_source(2)); }

START_TEST(the_one_that_is_ready_is_named_at_once_and_nothing_is_taken)
{
    box_put(1);
    ck_assert_int_eq(outcome_now(wait_for_boxes()), 0);
    ck_assert_int_eq(which, 1);
    ck_assert_int_eq(boxes[1].things, 1);
    ck_assert_int_eq(boxes[0].waits, 0);
}
END_TEST

START_TEST(the_first_to_become_ready_is_named_and_the_others_are_waited_for_no_more)
{
    when_settled(wait_for_boxes(), store, &err);
    loop_run_ready();
    ck_assert_int_eq(err, 1);
    box_put(2);
    loop_run_ready();
    ck_assert_int_eq(err, 0);
    ck_assert_int_eq(which, 2);
    for (int i = 0; i < 3; i++) {
        ck_assert_ptr_null(boxes[i].waiting);
        ck_assert_int_eq(boxes[i].cancels, i != 2);
    }
}
END_TEST

START_TEST(two_that_become_ready_in_the_same_instant_lose_nothing)
{
    when_settled(wait_for_boxes(), store, &err);
    box_put(1);
    box_put(2);
    loop_run_ready();
    ck_assert_int_eq(err, 0);
    ck_assert_int_eq(which, 1);
    box_take(1);
    ck_assert_int_eq(outcome_now(wait_for_boxes()), 0);
    ck_assert_int_eq(which, 2);
    ck_assert_int_eq(boxes[2].things, 1);
}
END_TEST

START_TEST(of_those_that_are_always_ready_each_has_its_turn)
{
    int times[3] = { 0 };
    for (int i = 0; i < 3; i++)
        box_put(i);
    for (int i = 0; i < 30; i++) {
        ck_assert_int_eq(outcome_now(wait_for_boxes()), 0);
        times[which]++;
    }
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(times[i], 10);
    box_take(1);
    box_take(2);
    which = 0;                               /* which is its turn again, if no other is ready */
    ck_assert_int_eq(outcome_now(wait_for_boxes()), 0);
    ck_assert_int_eq(which, 0);
    which = -1;                              /* whatever it was, one is found */
    ck_assert_int_eq(outcome_now(wait_for_boxes()), 0);
}
END_TEST

START_TEST(cancelled_it_waits_for_nothing_any_more)
{
    promise *p = wait_for_boxes();
    when_settled(p, store, &err);
    promise_cancel(p);
    loop_run_ready();
    ck_assert_int_eq(err, UV_ECANCELED);
    for (int i = 0; i < 3; i++)
        ck_assert_ptr_null(boxes[i].waiting);
}
END_TEST

START_TEST(cancelled_in_the_instant_in_which_one_is_ready_it_takes_nothing)
{
    promise *p = wait_for_boxes();
    when_settled(p, store, &err);
    box_put(0);
    promise_cancel(p);
    loop_run_ready();
    ck_assert(err == 0 || err == UV_ECANCELED);
    ck_assert_int_eq(boxes[0].things, 1);
}
END_TEST

START_TEST(cancelled_when_what_was_there_is_gone_again_it_waits_for_nothing_any_more)
{
    promise *p = wait_for_boxes();
    when_settled(p, store, &err);
    box_put(0);
    box_take(0);
    promise_cancel(p);
    loop_run_ready();
    ck_assert_int_eq(err, UV_ECANCELED);
    ck_assert_int_eq(boxes[0].waits, 1);
}
END_TEST

START_TEST(what_is_gone_again_before_it_is_looked_at_is_waited_for_again)
{
    when_settled(wait_for_boxes(), store, &err);
    box_put(0);
    box_take(0);
    loop_run_ready();
    ck_assert_int_eq(err, 1);
    ck_assert_int_eq(boxes[0].waits, 2);
    box_put(1);
    loop_run_ready();
    ck_assert_int_eq(err, 0);
    ck_assert_int_eq(which, 1);
}
END_TEST

START_TEST(a_wait_that_fails_ends_it_with_that_error)
{
    when_settled(wait_for_boxes(), store, &err);
    box_wake(&boxes[0], UV_EIO);
    loop_run_ready();
    ck_assert_int_eq(err, UV_EIO);
    ck_assert_int_eq(boxes[1].cancels + boxes[2].cancels, 2);
}
END_TEST

START_TEST(a_time_is_a_source)
{
    clock_hold();                            /* or it may have come before it is waited for */
    const uint64_t until = deadline_in(3);
    when_settled(either(&which, box_source(0), time_source(until)), store, &err);
    loop_run_skipping();
    ck_assert_int_eq(err, 0);
    ck_assert_int_eq(which, 1);
    ck_assert_uint_ge(uv_hrtime(), until);
    ck_assert_int_eq(boxes[0].cancels, 1);
    when_settled(either(&which, box_source(0), time_source(NO_DEADLINE)), store, &err);
    box_put(0);
    loop_run();
    ck_assert_int_eq(err, 0);
    ck_assert_int_eq(which, 0);
}
END_TEST

START_TEST(a_timeout_cancels_it)
{
    ck_assert_int_eq(outcome_of(with_timeout(wait_for_boxes(), 1)), UV_ETIMEDOUT);
    ck_assert_int_eq(boxes[0].cancels, 1);
}
END_TEST

/* Takes from whichever is ready until it has so many, of a loop's task or a blocking thread. */
static int taken[3];

static int take_many(void *arg)
{
    int e = 0;
    for (int n = *(int *)arg; n > 0 && !(e = await(wait_for_boxes())); n--) {
        box_take(which);
        taken[which]++;
    }
    return e;
}

START_TEST(a_task_takes_all_of_all_and_loses_none)
{
    int count = 60;
    promise *p = task_start("taker", take_many, &count);
    when_settled(p, store, &err);
    for (int i = 0; i < count; i++) {
        box_put(i % 3);
        if (i % 7 == 0)
            loop_run_ready();
    }
    loop_run_ready();
    ck_assert_int_eq(err, 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(taken[i], 20);
}
END_TEST

static void take_in_thread(void *arg) { err = take_many(arg); }

START_TEST(a_blocking_thread_takes_what_is_there_by_turns)
{
    int count = 6;
    for (int i = 0; i < count; i++)
        box_put(i % 3);
    run_in_thread(take_in_thread, &count);
    ck_assert_int_eq(err, 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(taken[i], 2);
}
END_TEST

/* What becomes ready while a blocking thread waits, as for a socket: to look is to read. */
static bool pipe_is_ready(const source *s)
{
    const box *b = s->of;
    return poll(&(struct pollfd){ b->pipe[0], POLLIN, 0 }, 1, 0) == 1;
}

static const source_kind PIPE = { pipe_is_ready, NULL, box_expect };

static uv_sem_t waits;

static void pipe_expect_and_tell(const source *s, blocking_set *set)
{
    box_expect(s, set);
    uv_sem_post(&waits);
}

static const source_kind TELLING = { pipe_is_ready, NULL, pipe_expect_and_tell };

static void wait_for_pipes(void *arg)
{
    err = await(either(&which, (source){ .kind = &PIPE, .of = &boxes[0] }, (source){ .kind = &TELLING, .of = &boxes[1] },
                       time_source(*(uint64_t *)arg)));
}

START_TEST(a_blocking_thread_waits_for_all_at_once)
{
    uv_thread_t thread;
    uint64_t never = NO_DEADLINE;
    uv_sem_init(&waits, 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(uv_thread_create(&thread, wait_for_pipes, &never), 0);
        uv_sem_wait(&waits);
        ck_assert_int_eq(write(boxes[i].pipe[1], "x", 1), 1);
        uv_thread_join(&thread);
        ck_assert_int_eq(err, 0);
        ck_assert_int_eq(which, i);
        box_take(i);
    }
}
END_TEST

START_TEST(a_blocking_thread_has_a_time_too)
{
    uint64_t until = deadline_in(3);
    uv_sem_init(&waits, 0);
    run_in_thread(wait_for_pipes, &until);
    ck_assert_int_eq(err, 0);
    ck_assert_int_eq(which, 2);
    ck_assert_uint_ge(uv_hrtime(), until);
}
END_TEST

static void wait_until_deadline(void *arg)
{
    blocking_limit(deadline_in(2));
    wait_for_pipes(arg);
}

START_TEST(a_blocking_threads_deadline_ends_it)
{
    uint64_t never = NO_DEADLINE;
    uv_sem_init(&waits, 0);
    run_in_thread(wait_until_deadline, &never);
    ck_assert_int_eq(err, UV_ETIMEDOUT);
}
END_TEST

static void wait_for_client(void *arg)
{
    uint64_t never = NO_DEADLINE;
    blocking_follow(*(int *)arg, 0);
    wait_for_pipes(&never);
}

START_TEST(a_client_that_is_gone_ends_a_blocking_threads_wait)
{
    uv_thread_t thread;
    int ends[2];
    uv_sem_init(&waits, 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    ck_assert_int_eq(uv_thread_create(&thread, wait_for_client, &ends[0]), 0);
    uv_sem_wait(&waits);
    close(ends[1]);
    uv_thread_join(&thread);
    ck_assert_int_eq(err, UV_ECANCELED);
    close(ends[0]);
}
END_TEST

Suite *either_suite(void)
{
    Suite *s = suite_create("either");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, the_one_that_is_ready_is_named_at_once_and_nothing_is_taken);
    tcase_add_test(t, the_first_to_become_ready_is_named_and_the_others_are_waited_for_no_more);
    tcase_add_test(t, two_that_become_ready_in_the_same_instant_lose_nothing);
    tcase_add_test(t, of_those_that_are_always_ready_each_has_its_turn);
    tcase_add_test(t, cancelled_it_waits_for_nothing_any_more);
    tcase_add_test(t, cancelled_in_the_instant_in_which_one_is_ready_it_takes_nothing);
    tcase_add_test(t, cancelled_when_what_was_there_is_gone_again_it_waits_for_nothing_any_more);
    tcase_add_test(t, what_is_gone_again_before_it_is_looked_at_is_waited_for_again);
    tcase_add_test(t, a_wait_that_fails_ends_it_with_that_error);
    tcase_add_test(t, a_time_is_a_source);
    tcase_add_test(t, a_timeout_cancels_it);
    tcase_add_test(t, a_task_takes_all_of_all_and_loses_none);
    tcase_add_test(t, a_blocking_thread_takes_what_is_there_by_turns);
    tcase_add_test(t, a_blocking_thread_waits_for_all_at_once);
    tcase_add_test(t, a_blocking_thread_has_a_time_too);
    tcase_add_test(t, a_blocking_threads_deadline_ends_it);
    tcase_add_test(t, a_client_that_is_gone_ends_a_blocking_threads_wait);
    suite_add_tcase(s, t);
    return s;
}
