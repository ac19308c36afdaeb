/* test_queue.c - order, back-pressure, closing, leaving the line, join; with a loop and without. */
#include "server/async/combine.h"
#include "server/async/loop.h"
#include "server/async/queue.h"
#include "server/async/task.h"
#include "server/async/timing.h"
#include "server/base/memory.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

static queue *q;
static int    err[4];
static void  *got[4];
static char   items[8];                      /* only their addresses matter */

static void setup(void)
{
    loop_start();
    q = queue_new(2, NULL);
    for (int i = 0; i < 4; i++)
        err[i] = 1;
}

static promise *push(int i, void *item)
{
    promise *p = queue_push(q, item);
    when_settled(p, store, &err[i]);
    return p;
}

static promise *pop(int i)
{
    promise *p = queue_pop(q, &got[i]);
    when_settled(p, store, &err[i]);
    return p;
}

START_TEST(items_come_out_in_the_order_they_went_in)
{
    for (int round = 0; round < 3; round++) {
        ck_assert(queue_try_push(q, &items[0]));
        ck_assert(queue_try_push(q, &items[1]));
        ck_assert_uint_eq(queue_length(q), 2);
        ck_assert_int_eq(outcome_of(queue_pop(q, &got[0])), 0);
        ck_assert_int_eq(outcome_of(queue_pop(q, &got[1])), 0);
        ck_assert_ptr_eq(got[0], &items[0]);
        ck_assert_ptr_eq(got[1], &items[1]);
        ck_assert_uint_eq(queue_length(q), 0);
    }
    queue_free(q);
}
END_TEST

START_TEST(a_full_queue_makes_the_producer_wait_and_keeps_the_order)
{
    for (int i = 0; i < 4; i++)
        push(i, &items[i]);
    ck_assert(!queue_try_push(q, &items[4]));
    loop_run();
    ck_assert_int_eq(err[1], 0);
    ck_assert_int_eq(err[2], 1);
    ck_assert_int_eq(err[3], 1);
    for (int i = 0; i < 4; i++) {
        void *item = NULL;
        ck_assert_int_eq(outcome_of(queue_pop(q, &item)), 0);
        ck_assert_ptr_eq(item, &items[i]);
        if (i == 0) {
            ck_assert_int_eq(err[2], 0);     /* there was room for one more, and no more */
            ck_assert_int_eq(err[3], 1);
        }
    }
    ck_assert_int_eq(err[3], 0);
    queue_free(q);
}
END_TEST

START_TEST(consumers_are_served_in_the_order_in_which_they_came)
{
    pop(0);
    pop(1);
    ck_assert(queue_try_push(q, &items[0]));
    ck_assert(queue_try_push(q, &items[1]));
    ck_assert_uint_eq(queue_length(q), 0);
    loop_run();
    ck_assert_int_eq(err[0], 0);
    ck_assert_int_eq(err[1], 0);
    ck_assert_ptr_eq(got[0], &items[0]);
    ck_assert_ptr_eq(got[1], &items[1]);
    queue_free(q);
}
END_TEST

START_TEST(closing_wakes_everyone_and_what_is_inside_can_still_be_popped)
{
    for (int i = 0; i < 3; i++)
        push(i, &items[i]);
    queue_close(q);
    loop_run();
    ck_assert_int_eq(err[1], 0);
    ck_assert_int_eq(err[2], UV_EPIPE);
    ck_assert_int_eq(outcome_of(queue_push(q, &items[3])), UV_EPIPE);
    ck_assert(!queue_try_push(q, &items[3]));
    ck_assert_int_eq(outcome_of(queue_pop(q, &got[0])), 0);
    ck_assert_int_eq(outcome_of(queue_pop(q, &got[1])), 0);
    ck_assert_ptr_eq(got[1], &items[1]);
    ck_assert_int_eq(outcome_of(queue_pop(q, &got[2])), UV_EOF);
    ck_assert_ptr_null(got[2]);
    queue_free(q);
}
END_TEST

START_TEST(closing_an_empty_queue_ends_its_consumers)
{
    pop(0);
    pop(1);
    queue_close(q);
    queue_close(q);
    loop_run();
    ck_assert_int_eq(err[0], UV_EOF);
    ck_assert_int_eq(err[1], UV_EOF);
    ck_assert(!queue_try_push(q, &items[0]));                /* though there is room */
    ck_assert_int_eq(outcome_of(queue_push(q, &items[0])), UV_EPIPE);
    queue_free(q);
}
END_TEST

START_TEST(whoever_is_cancelled_leaves_its_line_and_nothing_is_lost)
{
    push(0, &items[0]);
    push(0, &items[1]);
    promise *second = push(2, &items[2]);
    push(3, &items[3]);
    promise_cancel(second);
    loop_run();
    ck_assert_int_eq(err[2], UV_ECANCELED);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(outcome_of(queue_pop(q, &got[0])), 0);
        ck_assert_ptr_eq(got[0], &items[i < 2 ? i : 3]);
    }
    got[1] = NULL;
    promise *consumer = pop(1);
    pop(2);
    promise_cancel(consumer);
    ck_assert(queue_try_push(q, &items[5]));
    loop_run();
    ck_assert_int_eq(err[1], UV_ECANCELED);
    ck_assert_ptr_null(got[1]);
    ck_assert_ptr_eq(got[2], &items[5]);
    queue_free(q);
}
END_TEST

START_TEST(a_timeout_leaves_the_item_with_the_producer)
{
    ck_assert(queue_try_push(q, &items[0]));
    ck_assert(queue_try_push(q, &items[1]));
    when_settled(with_timeout(queue_push(q, &items[2]), 2), store, &err[0]);
    loop_run_skipping();
    ck_assert_int_eq(err[0], UV_ETIMEDOUT);
    ck_assert_uint_eq(queue_length(q), 2);
    queue_free(q);
}
END_TEST

START_TEST(join_settles_when_everything_taken_has_been_reported_done)
{
    ck_assert_int_eq(outcome_of(queue_join(q)), 0);
    push(0, &items[0]);
    push(0, &items[1]);
    push(1, &items[2]);                      /* waits, and counts from when it is inside */
    when_settled(queue_join(q), store, &err[2]);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(outcome_of(queue_pop(q, &got[0])), 0);
        ck_assert_int_eq(err[2], 1);
        queue_done(q);
    }
    loop_run();
    ck_assert_int_eq(err[2], 0);
    queue_free(q);
}
END_TEST

START_TEST(an_item_handed_to_a_waiting_consumer_is_joined_too)
{
    pop(0);
    ck_assert(queue_try_push(q, &items[0]));
    promise *leaves = queue_join(q);
    when_settled(leaves, store, &err[2]);
    when_settled(queue_join(q), store, &err[3]);
    promise_cancel(leaves);
    loop_run();
    ck_assert_int_eq(err[2], UV_ECANCELED);
    ck_assert_int_eq(err[3], 1);
    queue_done(q);
    loop_run();
    ck_assert_int_eq(err[3], 0);
    queue_free(q);
}
END_TEST

START_TEST(join_waits_for_what_is_pushed_behind_it_and_all_that_joined_are_woken_together)
{
    ck_assert(queue_try_push(q, &items[0]));
    when_settled(queue_join(q), store, &err[0]);
    when_settled(queue_join(q), store, &err[1]);
    ck_assert_int_eq(outcome_of(queue_pop(q, &got[0])), 0);
    ck_assert(queue_try_push(q, &items[1]));
    queue_done(q);
    ck_assert_int_eq(outcome_of(queue_pop(q, &got[0])), 0);
    loop_run();
    ck_assert_int_eq(err[0], 1);             /* it is empty, but the second one is still in work */
    ck_assert_int_eq(err[1], 1);
    queue_done(q);
    loop_run();
    ck_assert_int_eq(err[0], 0);
    ck_assert_int_eq(err[1], 0);
    ck_assert_int_eq(outcome_of(queue_join(q)), 0);
    queue_free(q);
}
END_TEST

START_TEST(closing_ends_no_join_before_what_is_left_has_been_reported_done)
{
    ck_assert(queue_try_push(q, &items[0]));
    when_settled(queue_join(q), store, &err[0]);
    queue_close(q);
    ck_assert_int_eq(outcome_of(queue_pop(q, &got[0])), 0);
    loop_run();
    ck_assert_int_eq(err[0], 1);
    queue_done(q);
    loop_run();
    ck_assert_int_eq(err[0], 0);
    queue_free(q);
}
END_TEST

static int destroyed;

static void destroy(void *item)
{
    ++*(char *)item;
    destroyed++;
}

START_TEST(what_is_left_is_destroyed)
{
    queue *own = queue_new(3, destroy);
    ck_assert(queue_try_push(own, &items[0]));
    ck_assert(queue_try_push(own, &items[1]));
    ck_assert_int_eq(outcome_of(queue_pop(own, &got[0])), 0);
    queue_free(own);
    queue_free(q);
    ck_assert_int_eq(destroyed, 1);
    ck_assert_int_eq(items[1], 1);
}
END_TEST

enum { MANY = 1000 };

static size_t longest, taken, produced;

static int produce(void *arg)
{
    int failed = 0;
    for (int i = 0; i < MANY && !failed; i++) {
        failed = await(queue_push(q, arg));
        produced++;
        if (queue_length(q) > longest)
            longest = queue_length(q);
    }
    return failed;
}

static int consume(void *arg)
{
    void *item;
    int   failed;
    while (!(failed = await(queue_pop(q, &item)))) {
        ++*(size_t *)item;
        taken++;
        if (arg)
            task_yield();
        queue_done(q);
    }
    return failed == UV_EOF ? 0 : failed;
}

static int produce_all(void *arg)
{
    static size_t counts[2];
    (void)arg;
    int failed = await(gather(task_start("produce", produce, &counts[0]), task_start("produce", produce, &counts[1])));
    if (!failed)
        failed = await(queue_join(q));
    ck_assert_uint_eq(taken, 2 * MANY);
    queue_close(q);
    ck_assert_uint_eq(counts[0], MANY);
    ck_assert_uint_eq(counts[1], MANY);
    return failed;
}

static void exchange(int *outcome)
{
    *outcome = await(gather(task_start("all", produce_all, NULL), task_start("slow", consume, &taken),
                            task_start("quick", consume, NULL)));
}

static int request_in_task(void *arg)
{
    exchange(arg);
    return 0;
}

START_TEST(producers_never_get_ahead_of_consumers_by_more_than_the_capacity)
{
    ck_assert_int_eq(outcome_of(task_start("exchange", request_in_task, &err[0])), 0);
    ck_assert_int_eq(err[0], 0);
    ck_assert_uint_eq(produced, 2 * MANY);
    ck_assert_uint_eq(longest, 2);
    queue_free(q);
}
END_TEST

static void request_in_thread(void *arg)
{
    ck_assert_ptr_null(loop_here());
    exchange(arg);
    pool_done_all();
}

START_TEST(without_a_loop_producers_and_consumers_take_turns_just_so)
{
    run_in_thread(request_in_thread, &err[0]);
    ck_assert_int_eq(err[0], 0);
    ck_assert_uint_eq(taken, 2 * MANY);
    ck_assert_uint_eq(longest, 2);
    queue_free(q);
}
END_TEST

Suite *queue_suite(void)
{
    Suite *s = suite_create("queue");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, items_come_out_in_the_order_they_went_in);
    tcase_add_test(t, a_full_queue_makes_the_producer_wait_and_keeps_the_order);
    tcase_add_test(t, consumers_are_served_in_the_order_in_which_they_came);
    tcase_add_test(t, closing_wakes_everyone_and_what_is_inside_can_still_be_popped);
    tcase_add_test(t, closing_an_empty_queue_ends_its_consumers);
    tcase_add_test(t, whoever_is_cancelled_leaves_its_line_and_nothing_is_lost);
    tcase_add_test(t, a_timeout_leaves_the_item_with_the_producer);
    tcase_add_test(t, join_settles_when_everything_taken_has_been_reported_done);
    tcase_add_test(t, an_item_handed_to_a_waiting_consumer_is_joined_too);
    tcase_add_test(t, join_waits_for_what_is_pushed_behind_it_and_all_that_joined_are_woken_together);
    tcase_add_test(t, closing_ends_no_join_before_what_is_left_has_been_reported_done);
    tcase_add_test(t, what_is_left_is_destroyed);
    tcase_add_test(t, producers_never_get_ahead_of_consumers_by_more_than_the_capacity);
    tcase_add_test(t, without_a_loop_producers_and_consumers_take_turns_just_so);
    suite_add_tcase(s, t);
    return s;
}
