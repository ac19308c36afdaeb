/* test_subscription.c - order, replay, policies for slow readers, waiting and cancelling, on one loop. */
#include "topic_fixture.h"
#include "server/async/combine.h"
#include "server/async/task.h"
#include "server/async/timing.h"
#include "server/base/memory.h"

static const topic_message *m;
static int err;

static promise *receive(subscription *s)
{
    promise *p = subscription_receive(s, &m);
    err = 1;
    when_settled(p, store, &err);
    return p;
}

START_TEST(messages_come_in_order_to_each_who_has_subscribed)
{
    subscription *one = topic_subscribe(&a, t, TOPIC_NEW);
    publish("a");
    subscription *two = topic_subscribe(&a, t, TOPIC_NEW);
    publish("b");
    ck_next(one, "a");
    ck_next(one, "b");
    ck_next(one, NULL);
    ck_next(two, "b");
    ck_next(two, NULL);
    ck_assert(subscription_is_complete(one));
}
END_TEST

START_TEST(after_an_id_comes_what_was_published_after_it)
{
    for (int i = 1; i <= 3; i++)
        publish_to(t, 10 * i, i == 1 ? "a" : i == 2 ? "b" : "c");
    subscription *s = topic_subscribe(&a, t, 20);
    ck_assert(subscription_is_complete(s));
    ck_next(s, "c");
    ck_next(s, NULL);
    s = topic_subscribe(&a, t, 30);
    ck_assert(subscription_is_complete(s));
    ck_next(s, NULL);
}
END_TEST

START_TEST(after_an_id_that_is_not_kept_come_all_larger_ones_and_it_is_not_complete)
{
    publish_to(t, 10, "a");
    publish_to(t, 20, "b");
    subscription *s = topic_subscribe(&a, t, 15);
    ck_assert(!subscription_is_complete(s));
    ck_next(s, "b");
    s = topic_subscribe(&a, t, 0);
    ck_assert(!subscription_is_complete(s));
    ck_next(s, "a");
    s = topic_subscribe(&a, t, 99);
    ck_assert(!subscription_is_complete(s));
    ck_next(s, NULL);
}
END_TEST

START_TEST(after_the_last_id_that_is_kept_no_more_it_is_complete)
{
    for (int i = 1; i <= KEEP + 2; i++)
        publish_to(t, i, "x");
    ck_assert(!subscription_is_complete(topic_subscribe(&a, t, 1)));
    subscription *s = topic_subscribe(&a, t, 2);
    ck_assert(subscription_is_complete(s));
    for (int i = 3; i <= KEEP + 2; i++)
        ck_next(s, "x");
    ck_next(s, NULL);
}
END_TEST

START_TEST(ids_out_of_order_are_resumed_in_the_order_of_publishing)
{
    publish_to(t, 1, "a");
    publish_to(t, 3, "c");
    publish_to(t, 2, "b");
    subscription *s = topic_subscribe(&a, t, 3);
    ck_next(s, "b");
    ck_next(s, NULL);
    ck_next(topic_subscribe(&a, t, 2), NULL);
}
END_TEST

START_TEST(a_slow_reader_misses_the_oldest_and_that_is_counted)
{
    const uint64_t before = topics_look().dropped;
    subscription *s = topic_subscribe(&a, t, TOPIC_NEW);
    publish_numbers(0, KEEP + 3);
    ck_next_numbers(s, 3, KEEP + 3);
    ck_next(s, NULL);
    ck_assert_uint_eq(subscription_dropped(s), 3);
    ck_assert_uint_eq(topics_look().dropped, before + 3);
}
END_TEST

START_TEST(what_a_slow_reader_missed_is_counted_also_if_it_just_ends)
{
    const uint64_t before = topics_look().dropped;
    subscription *s = topic_subscribe(&a, t, TOPIC_NEW);
    publish_numbers(0, KEEP + 3);
    subscription_end(s);
    subscription_end(s);
    ck_assert_uint_eq(topics_look().dropped, before + 3);
}
END_TEST

START_TEST(a_slow_reader_misses_the_newest_until_it_has_read_what_was_before)
{
    topic_set_policy(t, TOPIC_DROP_NEWEST);
    subscription *s = topic_subscribe(&a, t, TOPIC_NEW);
    publish_numbers(0, KEEP / 2 + 2);
    ck_next_numbers(s, 0, KEEP / 2);
    ck_assert(!subscription_is_ready(s));
    ck_next(s, NULL);
    ck_assert_uint_eq(subscription_dropped(s), 2);
    publish("new");
    ck_next(s, "new");
    ck_next(s, NULL);
}
END_TEST

START_TEST(a_reader_that_is_not_half_behind_misses_nothing)
{
    topic_set_policy(t, TOPIC_DROP_NEWEST);
    subscription *s = topic_subscribe(&a, t, TOPIC_NEW);
    publish_numbers(0, KEEP / 2);
    ck_next_numbers(s, 0, KEEP / 2);
    publish_numbers(0, KEEP / 2);
    ck_next_numbers(s, 0, KEEP / 2);
    publish_numbers(0, KEEP / 2);            /* just half */
    ck_next(s, "0");
    publish_numbers(KEEP / 2, KEEP / 2 + 1);
    ck_next_numbers(s, 1, KEEP / 2 + 1);
    ck_assert_uint_eq(subscription_dropped(s), 0);
}
END_TEST

START_TEST(what_is_replayed_does_not_count_as_being_late)
{
    topic_set_policy(t, TOPIC_DROP_NEWEST);
    publish_numbers(0, KEEP);
    ck_next_numbers(topic_subscribe(&a, t, 0), 0, KEEP);
}
END_TEST

START_TEST(a_very_slow_reader_loses_the_old_ones_too_and_goes_on_with_what_is_kept)
{
    topic_set_policy(t, TOPIC_DROP_NEWEST);
    subscription *s = topic_subscribe(&a, t, TOPIC_NEW);
    publish_numbers(0, 3 * KEEP);
    ck_assert(subscription_is_ready(s));
    ck_next_numbers(s, 2 * KEEP, 2 * KEEP + KEEP / 2);
    ck_next(s, NULL);
    ck_assert_uint_eq(subscription_dropped(s), 2 * KEEP + KEEP / 2);
}
END_TEST

START_TEST(one_that_had_missed_the_newest_and_falls_off_all_the_same_begins_anew)
{
    topic_set_policy(t, TOPIC_DROP_NEWEST);
    subscription *s = topic_subscribe(&a, t, TOPIC_NEW);
    publish_numbers(0, KEEP / 2 + 2);
    ck_next_numbers(s, 0, 1);
    publish_numbers(0, 2 * KEEP);
    ck_next_numbers(s, KEEP, KEEP + KEEP / 2);
    ck_next(s, NULL);
}
END_TEST

START_TEST(a_slow_reader_is_disconnected_and_the_others_are_not)
{
    const uint64_t before = topics_look().disconnected;
    topic_set_policy(t, TOPIC_DISCONNECT);
    subscription *slow = topic_subscribe(&a, t, TOPIC_NEW), *quick = topic_subscribe(&a, t, TOPIC_NEW);
    for (int i = 0; i <= KEEP; i++) {
        publish_numbers(i, i + 1);
        ck_next_numbers(quick, i, i + 1);
    }
    ck_assert(subscription_is_ready(slow));
    ck_assert_int_eq(subscription_next(slow, &m), SUBSCRIPTION_BEHIND);
    ck_assert_int_eq(outcome_of(subscription_receive(slow, &m)), SUBSCRIPTION_BEHIND);
    ck_assert_uint_eq(topics_look().disconnected, before + 1);
    publish("more");
    ck_next(quick, "more");
}
END_TEST

START_TEST(a_message_that_is_there_is_received_at_once)
{
    subscription *s = topic_subscribe(&a, t, TOPIC_NEW);
    publish("a");
    ck_assert_int_eq(outcome_now(subscription_receive(s, &m)), 0);
    ck_message(m, "a");
}
END_TEST

START_TEST(whoever_waits_is_woken_by_a_message)
{
    subscription *s = topic_subscribe(&a, t, TOPIC_NEW);
    receive(s);
    turn();
    ck_assert_int_eq(err, 1);
    publish("a");
    ck_assert_int_eq(err, 1);                /* never within topic_publish */
    loop_run();
    ck_assert_int_eq(err, 0);
    ck_message(m, "a");
}
END_TEST

START_TEST(a_received_message_is_there_until_the_next_call_though_it_is_kept_no_more)
{
    subscription *s = topic_subscribe(&a, t, TOPIC_NEW);
    publish("a");
    ck_assert_int_eq(subscription_next(s, &m), 0);
    publish_numbers(0, 2 * KEEP);
    ck_message(m, "a");
    topic_message_hold(m);
    const topic_message *mine = m;
    ck_assert_int_eq(subscription_next(s, &m), 0);
    ck_message(mine, "a");
    topic_message_release(mine);
}
END_TEST

START_TEST(a_cancelled_receive_has_taken_nothing)
{
    subscription *s = topic_subscribe(&a, t, TOPIC_NEW);
    promise_cancel(receive(s));
    publish("a");
    loop_run();
    ck_assert_int_eq(err, UV_ECANCELED);
    ck_next(s, "a");
    publish("b");
    ck_assert_int_eq(outcome_of(with_timeout(subscription_receive(s, &m), 1)), 0);
    ck_assert_int_eq(outcome_of(with_timeout(subscription_receive(s, &m), 1)), UV_ETIMEDOUT);
    publish("c");
    ck_next(s, "c");
}
END_TEST

START_TEST(a_receive_that_is_cancelled_after_it_was_rung_has_taken_nothing)
{
    subscription *s = topic_subscribe(&a, t, TOPIC_NEW);
    promise *p = receive(s);
    publish("a");
    promise_cancel(p);
    loop_run();
    ck_assert_int_eq(err, UV_ECANCELED);
    ck_next(s, "a");
}
END_TEST

START_TEST(readiness_takes_nothing)
{
    subscription *s = topic_subscribe(&a, t, TOPIC_NEW);
    int ready = 1, which = 0;
    ck_assert(!subscription_is_ready(s));
    when_settled(either(&which, subscription_source(s)), store, &ready);
    turn();
    ck_assert_int_eq(ready, 1);
    publish("a");
    loop_run();
    ck_assert_int_eq(ready, 0);
    ck_assert_int_eq(outcome_now(either(&which, subscription_source(s))), 0);
    ck_next(s, "a");
}
END_TEST

enum { MANY = 5000, ROUNDS = 3 };

static int received, tasks_ended;

static int reader(void *arg)
{
    const topic_message *got;
    (void)arg;
    subscription *s = topic_subscribe(&a, t, TOPIC_NEW);
    int e = 0;
    for (int i = 0; i < ROUNDS && !(e = await(subscription_receive(s, &got))); i++, received++)
        ck_assert_int_eq(got->bytes.at[0], '0' + i);
    subscription_end(s);
    tasks_ended++;
    return e;
}

static int ended_with[MANY];

START_TEST(thousands_get_each_message)
{
    for (int i = 0; i < MANY; i++) {
        promise *p = task_start("reader", reader, NULL);
        when_settled(p, store, &ended_with[i]);
    }
    turn();
    for (int round = 0; round < ROUNDS; round++) {
        publish_numbers(round, round + 1);
        while (received < (round + 1) * MANY)
            uv_run(loop_here(), UV_RUN_NOWAIT);
    }
    loop_run();
    ck_assert_int_eq(tasks_ended, MANY);
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(ended_with[i], 0);
}
END_TEST

/* A subscriber who is told, and what it then does. */
typedef struct told { subscription *s; int times; struct told *ends; } told;

static void on_news(void *arg)
{
    told *x = arg;
    x->times++;
    if (x->ends)
        subscription_end(x->ends->s);
}

static told tell(void)
{
    return (told){ .s = topic_subscribe(&a, t, TOPIC_NEW) };
}

START_TEST(news_are_told_once_however_many_and_again_though_not_received)
{
    told x = tell();
    subscription_on_news(x.s, on_news, &x);
    publish_numbers(0, 3);
    ck_assert_int_eq(x.times, 0);
    turn();
    ck_assert_int_eq(x.times, 1);
    publish("more");
    turn();
    ck_assert_int_eq(x.times, 2);
    turn();
    ck_assert_int_eq(x.times, 2);
    ck_next(x.s, "0");
    subscription_on_news(x.s, NULL, NULL);
    publish("more");
    turn();
    ck_assert_int_eq(x.times, 2);
}
END_TEST

START_TEST(what_is_there_already_is_told_too)
{
    told x = tell();
    publish("a");
    turn();
    subscription_on_news(x.s, on_news, &x);
    ck_assert_int_eq(x.times, 0);
    turn();
    ck_assert_int_eq(x.times, 1);
}
END_TEST

START_TEST(whoever_is_told_may_end_itself_and_others)
{
    for (int i = 0; i < 3; i++) {
        told x[3] = { tell(), tell(), tell() };
        x[1].ends = &x[i];
        for (int j = 0; j < 3; j++)
            subscription_on_news(x[j].s, on_news, &x[j]);
        publish("a");
        turn();
        ck_assert_int_eq(x[0].times, 1);
        ck_assert_int_eq(x[1].times, 1);
        ck_assert_int_eq(x[2].times, i == 2 ? 0 : 1);
        for (int j = 0; j < 3; j++)
            subscription_end(x[j].s);
    }
}
END_TEST

static uint64_t   turns, told_in_turn;
static uv_check_t check;

static void count_turns(uv_check_cb on_turn)
{
    uv_check_init(loop_here(), &check);
    uv_check_start(&check, on_turn);
}

static void on_turn(uv_check_t *h)
{
    (void)h;
    turns++;
}

static void on_slow_news(void *arg)
{
    const uint64_t until = uv_hrtime() + 50000;
    while (uv_hrtime() < until)
        ;
    ++*(int *)arg;
}

static void on_other_news(void *arg)
{
    (void)arg;
    told_in_turn = turns;
}

START_TEST(a_thousand_slow_ones_leave_turns_to_the_loop_and_to_another_topic)
{
    int told_all = 0;
    topic *other;
    count_turns(on_turn);
    ck_assert_int_eq(topic_open(TEXT("other"), &other), 0);
    for (int i = 0; i < 1000; i++)
        subscription_on_news(topic_subscribe(&a, t, TOPIC_NEW), on_slow_news, &told_all);
    subscription_on_news(topic_subscribe(&a, other, TOPIC_NEW), on_other_news, NULL);
    publish("a");
    publish_to(other, 0, "a");
    while (told_all < 1000)
        uv_run(loop_here(), UV_RUN_NOWAIT);
    ck_assert_uint_ge(turns, 5);             /* 50 ms in slices of a few */
    ck_assert_uint_le(told_in_turn, 2);
    topic_close(other);
    uv_close((uv_handle_t *)&check, NULL);
}
END_TEST

enum { CROWD = 300 };

static subscription *crowd[CROWD];
static int           crowd_got[CROWD];

/* The first of them publishes again, and ends two whose turn has not come: the next and the last. */
static void on_crowd_news(void *arg)
{
    const int i = (int)((int *)arg - crowd_got);
    int calls = 0;
    if (i == 0 && crowd_got[0] == 0) {
        publish("b");
        subscription_end(crowd[1]);
        subscription_end(crowd[CROWD - 1]);
    }
    on_slow_news(&calls);
    while (subscription_next(crowd[i], &m) == 0)
        crowd_got[i]++;
}

START_TEST(what_comes_and_who_leaves_while_many_are_still_woken_costs_the_others_nothing)
{
    for (int i = 0; i < CROWD; i++) {
        crowd[i] = topic_subscribe(&a, t, TOPIC_NEW);
        subscription_on_news(crowd[i], on_crowd_news, &crowd_got[i]);
    }
    publish("a");
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 10 * CROWD; i++)
            uv_run(loop_here(), UV_RUN_NOWAIT);
        for (int i = 0; i < CROWD; i++)
            ck_assert_int_eq(crowd_got[i], i == 1 || i == CROWD - 1 ? 0 : 2 + round);
        publish("c");
    }
}
END_TEST

static int greedy(void *arg)
{
    subscription *s = arg;
    const topic_message *got;
    int e = 0;
    for (int i = 0; i < 1000 && !e; i++) {
        publish("again");
        e = await(subscription_receive(s, &got));
    }
    return e;
}

START_TEST(a_reader_that_always_finds_something_leaves_turns_to_the_loop)
{
    count_turns(on_turn);
    uv_unref((uv_handle_t *)&check);
    ck_assert_int_eq(outcome_of(task_start("greedy", greedy, topic_subscribe(&a, t, TOPIC_NEW))), 0);
    ck_assert_uint_ge(turns, 1000 / 64 - 1);
    uv_close((uv_handle_t *)&check, NULL);
}
END_TEST

static int echo(void *arg)
{
    topic *const *between = arg;
    const topic_message *got;
    subscription *s = topic_subscribe(&a, between[0], TOPIC_NEW);
    int e;
    while (!(e = await(subscription_receive(s, &got))))
        if (turns < 10)
            publish_to(between[1], 0, "x");
    subscription_end(s);
    return e;
}

static void on_enough(uv_check_t *h)
{
    if (++turns == 10) {
        uv_close((uv_handle_t *)h, NULL);
        topics_stop();
    }
}

START_TEST(two_that_answer_each_other_for_ever_leave_turns_to_the_loop)
{
    topic *other;
    ck_assert_int_eq(topic_open(TEXT("other"), &other), 0);
    topic *there[] = { t, other }, *back[] = { other, t };
    count_turns(on_enough);
    promise *one = task_start("there", echo, there), *two = task_start("back", echo, back);
    int ends[2] = { 1, 1 };
    when_settled(one, store, &ends[0]);
    when_settled(two, store, &ends[1]);
    loop_run_ready();
    publish("first");
    loop_run();
    ck_assert_int_eq(ends[0], UV_EOF);
    ck_assert_int_eq(ends[1], UV_EOF);
    topic_close(other);
}
END_TEST

START_TEST(stopping_ends_each_receive_when_all_has_been_received)
{
    subscription *waits = topic_subscribe(&a, t, TOPIC_NEW);
    receive(waits);
    subscription *has = topic_subscribe(&a, t, TOPIC_NEW);
    publish("a");
    loop_run();
    ck_assert_int_eq(err, 0);
    receive(waits);
    topics_stop();
    loop_run();
    ck_assert_int_eq(err, UV_EOF);
    ck_next(has, "a");
    ck_assert(subscription_is_ready(has));
    ck_assert_int_eq(subscription_next(has, &m), UV_EOF);
    ck_assert_int_eq(outcome_of(subscription_receive(has, &m)), UV_EOF);
}
END_TEST

START_TEST(stopping_wakes_who_waits_for_any_of_several_topics)
{
    enum { SEVERAL = 3 };
    static const char *const names[SEVERAL] = { "a", "n", "z" };
    static const topic_message *none;
    subscription *s[SEVERAL];
    topic *topics[SEVERAL];
    int errs[SEVERAL];
    for (int i = 0; i < SEVERAL; i++) {
        ck_assert_int_eq(topic_open(text_of(names[i]), &topics[i]), 0);
        s[i] = topic_subscribe(&a, topics[i], TOPIC_NEW);
        errs[i] = 1;
        when_settled(subscription_receive(s[i], &none), store, &errs[i]);
    }
    topics_stop();
    turn();
    for (int i = 0; i < SEVERAL; i++) {
        ck_assert_int_eq(errs[i], UV_EOF);
        subscription_end(s[i]);
        topic_close(topics[i]);
    }
}
END_TEST

/* So that a handler's end is the same, however far it came. */
START_TEST(one_that_was_never_made_ends_as_well)
{
    const uint64_t before = topics_look().subscriptions;
    subscription_end(NULL);
    ck_assert_uint_eq(topics_look().subscriptions, before);
}
END_TEST

START_TEST(one_that_has_ended_says_so)
{
    subscription *s = topic_subscribe(&a, t, TOPIC_NEW);
    publish("a");
    subscription_end(s);
    ck_assert(subscription_is_ready(s));
    ck_assert_int_eq(subscription_next(s, &m), UV_EOF);
    ck_assert_int_eq(outcome_of(subscription_receive(s, &m)), UV_EOF);
}
END_TEST

START_TEST(one_may_end_while_it_has_been_rung_and_with_it_the_topic)
{
    topic *other;
    ck_assert_int_eq(topic_open(TEXT("other"), &other), 0);
    subscription *s = topic_subscribe(&a, other, TOPIC_NEW);
    publish_to(other, 0, "a");
    subscription_end(s);
    topic_close(other);
    turn();
    ck_assert_uint_eq(topics_look().subscriptions, 0);
}
END_TEST

Suite *subscription_suite(void)
{
    Suite *s = suite_create("subscription");
    TCase *c = tcase_create("all");
    tcase_add_checked_fixture(c, topic_setup, topic_teardown);
    tcase_add_test(c, messages_come_in_order_to_each_who_has_subscribed);
    tcase_add_test(c, after_an_id_comes_what_was_published_after_it);
    tcase_add_test(c, after_an_id_that_is_not_kept_come_all_larger_ones_and_it_is_not_complete);
    tcase_add_test(c, after_the_last_id_that_is_kept_no_more_it_is_complete);
    tcase_add_test(c, ids_out_of_order_are_resumed_in_the_order_of_publishing);
    tcase_add_test(c, a_slow_reader_misses_the_oldest_and_that_is_counted);
    tcase_add_test(c, what_a_slow_reader_missed_is_counted_also_if_it_just_ends);
    tcase_add_test(c, a_slow_reader_misses_the_newest_until_it_has_read_what_was_before);
    tcase_add_test(c, a_reader_that_is_not_half_behind_misses_nothing);
    tcase_add_test(c, what_is_replayed_does_not_count_as_being_late);
    tcase_add_test(c, a_very_slow_reader_loses_the_old_ones_too_and_goes_on_with_what_is_kept);
    tcase_add_test(c, one_that_had_missed_the_newest_and_falls_off_all_the_same_begins_anew);
    tcase_add_test(c, a_slow_reader_is_disconnected_and_the_others_are_not);
    tcase_add_test(c, a_message_that_is_there_is_received_at_once);
    tcase_add_test(c, whoever_waits_is_woken_by_a_message);
    tcase_add_test(c, a_received_message_is_there_until_the_next_call_though_it_is_kept_no_more);
    tcase_add_test(c, a_cancelled_receive_has_taken_nothing);
    tcase_add_test(c, a_receive_that_is_cancelled_after_it_was_rung_has_taken_nothing);
    tcase_add_test(c, readiness_takes_nothing);
    tcase_add_test(c, thousands_get_each_message);
    tcase_add_test(c, news_are_told_once_however_many_and_again_though_not_received);
    tcase_add_test(c, what_is_there_already_is_told_too);
    tcase_add_test(c, whoever_is_told_may_end_itself_and_others);
    tcase_add_test(c, a_thousand_slow_ones_leave_turns_to_the_loop_and_to_another_topic);
    tcase_add_test(c, what_comes_and_who_leaves_while_many_are_still_woken_costs_the_others_nothing);
    tcase_add_test(c, a_reader_that_always_finds_something_leaves_turns_to_the_loop);
    tcase_add_test(c, two_that_answer_each_other_for_ever_leave_turns_to_the_loop);
    tcase_add_test(c, stopping_ends_each_receive_when_all_has_been_received);
    tcase_add_test(c, stopping_wakes_who_waits_for_any_of_several_topics);
    tcase_add_test(c, one_that_was_never_made_ends_as_well);
    tcase_add_test(c, one_that_has_ended_says_so);
    tcase_add_test(c, one_may_end_while_it_has_been_rung_and_with_it_the_topic);
    suite_add_tcase(s, c);
    return s;
}
