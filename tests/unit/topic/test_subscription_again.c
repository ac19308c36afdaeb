/* test_subscription_again.c - a subscription that begins anew, behind another id, and is the same one. */
#include "topic_fixture.h"

START_TEST(one_that_is_behind_goes_on_behind_the_id_that_it_names)
{
    const topic_message *m;
    topic_set_policy(t, TOPIC_DISCONNECT);
    subscription *s = topic_subscribe(&a, t, 0);
    publish_numbers(0, KEEP + 3);
    ck_assert_int_eq(subscription_next(s, &m), SUBSCRIPTION_BEHIND);
    subscription_again(s, 0);
    ck_assert(!subscription_is_complete(s));
    ck_next_numbers(s, 3, 5);
    const int64_t last = subscription_last(s);
    publish_numbers(KEEP + 3, 3 * KEEP);
    ck_assert_int_eq(subscription_next(s, &m), SUBSCRIPTION_BEHIND);
    ck_assert_int_eq(subscription_last(s), last);
    subscription_again(s, last + KEEP);
    ck_next_numbers(s, 2 * KEEP, 3 * KEEP);
    ck_next(s, NULL);
    ck_assert_uint_eq(topics_look().disconnected, 2);
    ck_assert_uint_eq(topics_look().subscriptions, 1);
    subscription_end(s);
}
END_TEST

START_TEST(one_that_is_not_may_go_back_or_on_to_what_is_new)
{
    subscription *s = topic_subscribe(&a, t, 0);
    publish_numbers(0, 6);
    ck_next_numbers(s, 0, 3);
    const int64_t third = subscription_last(s);
    ck_next_numbers(s, 3, 6);
    subscription_again(s, third);
    ck_assert(subscription_is_complete(s));
    ck_assert_int_eq(subscription_last(s), third);
    ck_next_numbers(s, 3, 4);
    subscription_again(s, TOPIC_NEW);
    ck_next(s, NULL);
    publish_numbers(6, 7);
    ck_next_numbers(s, 6, 7);
    subscription_end(s);
}
END_TEST

static void on_news(void *arg) { ++*(int *)arg; }

START_TEST(its_callback_stays_and_is_called_for_what_there_is)
{
    int calls = 0;
    subscription *s = topic_subscribe(&a, t, TOPIC_NEW);
    subscription_on_news(s, on_news, &calls);
    publish_numbers(0, 3);
    turn();
    ck_assert_int_eq(calls, 1);
    ck_next_numbers(s, 0, 3);
    subscription_again(s, TOPIC_NEW);
    turn();
    ck_assert_int_eq(calls, 1);
    subscription_again(s, 0);
    turn();
    ck_assert_int_eq(calls, 2);
    ck_next_numbers(s, 0, 3);
    publish_numbers(3, 4);
    turn();
    ck_assert_int_eq(calls, 3);
    subscription_end(s);
}
END_TEST

START_TEST(it_says_which_topic_it_is_of_and_what_it_had_last)
{
    const topic_message *m;
    subscription *s = topic_subscribe(&a, t, 7);
    ck_assert_ptr_eq(subscription_topic(s), t);
    ck_assert_int_eq(subscription_last(s), 7);
    publish_to(t, 9, "nine");
    ck_assert_int_eq(subscription_last(s), 7);
    ck_assert_int_eq(subscription_next(s, &m), 0);
    ck_assert_int_eq(subscription_last(s), 9);
    subscription_end(s);
    ck_assert_ptr_null(subscription_topic(s));
    ck_assert_int_eq(subscription_last(s), 9);
}
END_TEST

Suite *subscription_again_suite(void)
{
    Suite *s = suite_create("subscription_again");
    TCase *c = tcase_create("all");
    tcase_add_checked_fixture(c, topic_setup, topic_teardown);
    tcase_add_test(c, one_that_is_behind_goes_on_behind_the_id_that_it_names);
    tcase_add_test(c, one_that_is_not_may_go_back_or_on_to_what_is_new);
    tcase_add_test(c, its_callback_stays_and_is_called_for_what_there_is);
    tcase_add_test(c, it_says_which_topic_it_is_of_and_what_it_had_last);
    suite_add_tcase(s, c);
    return s;
}
