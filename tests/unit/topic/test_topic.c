/* test_topic.c - names, ids, what is kept, and its bounds. */
#include "topic_fixture.h"
#include "server/base/memory.h"
#include "server/base/overload/refusal.h"

#include <stdlib.h>
#include <time.h>

static int64_t id_of_next(subscription *s)
{
    const topic_message *m;
    ck_assert_int_eq(subscription_next(s, &m), 0);
    return m->id;
}

START_TEST(a_name_is_one_topic)
{
    topic *same, *other;
    ck_assert_int_eq(topic_open(TEXT("news"), &same), 0);
    ck_assert_int_eq(topic_open(TEXT("new"), &other), 0);
    ck_assert_ptr_eq(same, t);
    ck_assert_ptr_ne(other, t);
    ck_assert(text_equal(topic_name(other), TEXT("new")));
    topic_close(same);
    topic_close(other);
}
END_TEST

START_TEST(a_name_may_be_any_bytes_but_not_too_many)
{
    char name[TOPIC_NAME + 1] = { 0, 'x', '\n' };
    topic *other;
    ck_assert_int_eq(topic_open((text){ name, TOPIC_NAME + 1 }, &other), UV_ENAMETOOLONG);
    ck_assert_int_eq(topic_open((text){ name, TOPIC_NAME }, &other), 0);
    topic_close(other);
    ck_assert_int_eq(topic_open(TEXT(""), &other), 0);
    topic_close(other);
}
END_TEST

START_TEST(ids_begin_with_the_time_and_grow_by_one)
{
    const int64_t before = (int64_t)time(NULL) * 1000000;
    subscription *s = topic_subscribe(&a, t, TOPIC_NEW);
    publish("a");
    publish("b");
    const int64_t first = id_of_next(s);
    ck_assert_int_ge(first, before - 1000000);
    ck_assert_int_le(first, before + 60000000);
    ck_assert_int_lt(first, INT64_C(1) << 53);
    ck_assert_int_eq(id_of_next(s), first + 1);
}
END_TEST

START_TEST(ids_of_a_topic_that_was_forgotten_have_grown)
{
    topic *other;
    int64_t last = 0;
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(topic_open(TEXT("other"), &other), 0);
        subscription *s = topic_subscribe(&a, other, TOPIC_NEW);
        publish_to(other, 0, "a");
        const int64_t id = id_of_next(s);
        ck_assert_int_gt(id, last);
        last = id;
        subscription_end(s);
        topic_close(other);
        topic_close(t);
        topics_done();
        ck_assert_int_eq(topic_open(TEXT("news"), &t), 0);
    }
}
END_TEST

START_TEST(whoever_publishes_may_name_ids)
{
    subscription *s = topic_subscribe(&a, t, TOPIC_NEW);
    publish_to(t, 5, "a");
    publish_to(t, 9, "b");
    ck_assert_int_eq(id_of_next(s), 5);
    ck_assert_int_eq(id_of_next(s), 9);
}
END_TEST

START_TEST(the_last_messages_are_kept_and_no_more)
{
    publish_numbers(0, 3 * KEEP);
    subscription *s = topic_subscribe(&a, t, 0);
    ck_next_numbers(s, 2 * KEEP, 3 * KEEP);
    ck_next(s, NULL);
}
END_TEST

START_TEST(what_is_kept_stays_while_nobody_has_it_open)
{
    publish("a");
    topic_close(t);
    ck_assert_int_eq(topic_open(TEXT("news"), &t), 0);
    ck_next(topic_subscribe(&a, t, 0), "a");
}
END_TEST

START_TEST(a_topic_without_messages_is_forgotten_when_it_is_closed)
{
    topic *other;
    ck_assert_int_eq(topic_open(TEXT("other"), &other), 0);
    ck_assert_uint_eq(topics_look().topics, 2);
    topic_close(other);
    ck_assert_uint_eq(topics_look().topics, 1);
}
END_TEST

/* As many topics as there may be beside t, each with a message, idle in the order of their names. */
static void fill_names(void)
{
    for (int i = 1; i <= 3; i++) {
        topic *other;
        const char name = (char)('0' + i);
        ck_assert_int_eq(topic_open((text){ &name, 1 }, &other), 0);
        publish_to(other, 0, "old");
        topic_close(other);
    }
}

static bool has_kept(const char *name)
{
    topic *other;
    const topic_message *m;
    ck_assert_int_eq(topic_open(text_of(name), &other), 0);
    subscription *s = topic_subscribe(&a, other, 0);
    const int err = subscription_next(s, &m);
    subscription_end(s);
    topic_close(other);
    return err == 0;
}

START_TEST(for_a_new_name_the_longest_idle_is_forgotten)
{
    topic *other;
    fill_names();
    ck_assert(has_kept("1"));                /* used just now: 2 is idle for the longest */
    ck_assert_int_eq(topic_open(TEXT("4"), &other), 0);
    ck_assert_uint_eq(topics_look().topics, 4);
    topic_close(other);
    ck_assert(has_kept("1"));
    ck_assert(has_kept("3"));
    ck_assert(!has_kept("2"));
}
END_TEST

START_TEST(topics_in_use_are_not_forgotten_and_another_is_refused)
{
    topic *other;
    publish("kept");
    for (int i = 1; i <= 3; i++) {
        const char name = (char)('0' + i);
        ck_assert_int_eq(topic_open((text){ &name, 1 }, &other), 0);
        topic_subscribe(&a, other, 0);
        topic_close(other);                  /* but its subscriber is there */
    }
    ck_assert_int_eq(topic_open(TEXT("4"), &other), REFUSED(REFUSED_TOPICS));
    ck_assert_int_eq(topic_open(TEXT("1"), &other), 0);
    topic_close(other);
    ck_assert(has_kept("news"));
}
END_TEST

static int publish_bytes(topic *to, size_t length)
{
    char *bytes = mem_alloc(length);
    const int err = topic_publish(to, 0, TEXT(""), (text){ bytes, length });
    mem_free(bytes);
    return err;
}

static size_t kept(void) { return topics_look().bytes; }

START_TEST(one_topic_keeps_at_most_half_of_the_bytes_and_the_newest)
{
    subscription *s = topic_subscribe(&a, t, TOPIC_NEW);
    for (int i = 0; i < KEEP; i++)
        ck_assert_int_eq(publish_bytes(t, 8000), 0);
    ck_assert_uint_le(kept(), 32 * 1024);
    ck_assert_uint_ge(kept(), 24 * 1024);
    publish("newest");
    const topic_message *m;
    int there = 0;
    while (subscription_next(s, &m) == 0)
        there++;
    ck_assert_int_ge(there, 3);
    ck_assert_uint_eq(subscription_dropped(s), (uint64_t)(KEEP + 1 - there));
}
END_TEST

START_TEST(many_topics_get_equal_shares_and_there_is_something_left)
{
    topic *others[3];
    for (int i = 0; i < 3; i++) {
        const char name = (char)('1' + i);
        ck_assert_int_eq(topic_open((text){ &name, 1 }, &others[i]), 0);
    }
    for (int round = 0; round < 20; round++) {
        ck_assert_int_eq(publish_bytes(t, 1000), 0);
        for (int i = 0; i < 3; i++)
            ck_assert_int_eq(publish_bytes(others[i], 1000), 0);
    }
    ck_assert_uint_le(kept(), 64 * 1024);
    for (int i = 0; i < 3; i++) {
        subscription *s = topic_subscribe(&a, others[i], 0);
        const topic_message *m;
        int there = 0;
        while (subscription_next(s, &m) == 0)
            there++;
        ck_assert_int_eq(there, KEEP);
        topic_close(others[i]);
    }
}
END_TEST

START_TEST(a_message_too_large_for_all_is_refused_and_changes_nothing)
{
    publish("a");
    ck_assert_int_eq(publish_bytes(t, 64 * 1024), UV_ENOBUFS);
    ck_assert_int_eq(publish_bytes(t, 40 * 1024), 0);        /* alone it may be more than half */
    ck_assert_int_eq(publish_bytes(t, 64 * 1024), UV_ENOBUFS);
    ck_assert_uint_ge(kept(), 40 * 1024);
}
END_TEST

START_TEST(idle_topics_are_forgotten_before_a_message_is_refused)
{
    topic *other;
    ck_assert_int_eq(topic_open(TEXT("idle"), &other), 0);
    ck_assert_int_eq(publish_bytes(other, 40 * 1024), 0);
    ck_assert_int_eq(publish_bytes(t, 40 * 1024), UV_ENOBUFS);
    topic_close(other);
    ck_assert_int_eq(publish_bytes(t, 40 * 1024), 0);
    ck_assert_uint_eq(topics_look().topics, 1);
}
END_TEST

Suite *topic_suite(void)
{
    Suite *s = suite_create("topic");
    TCase *c = tcase_create("all");
    tcase_add_checked_fixture(c, topic_setup, topic_teardown);
    tcase_add_test(c, a_name_is_one_topic);
    tcase_add_test(c, a_name_may_be_any_bytes_but_not_too_many);
    tcase_add_test(c, ids_begin_with_the_time_and_grow_by_one);
    tcase_add_test(c, ids_of_a_topic_that_was_forgotten_have_grown);
    tcase_add_test(c, whoever_publishes_may_name_ids);
    tcase_add_test(c, the_last_messages_are_kept_and_no_more);
    tcase_add_test(c, what_is_kept_stays_while_nobody_has_it_open);
    tcase_add_test(c, a_topic_without_messages_is_forgotten_when_it_is_closed);
    tcase_add_test(c, for_a_new_name_the_longest_idle_is_forgotten);
    tcase_add_test(c, topics_in_use_are_not_forgotten_and_another_is_refused);
    tcase_add_test(c, one_topic_keeps_at_most_half_of_the_bytes_and_the_newest);
    tcase_add_test(c, many_topics_get_equal_shares_and_there_is_something_left);
    tcase_add_test(c, a_message_too_large_for_all_is_refused_and_changes_nothing);
    tcase_add_test(c, idle_topics_are_forgotten_before_a_message_is_refused);
    suite_add_tcase(s, c);
    return s;
}
