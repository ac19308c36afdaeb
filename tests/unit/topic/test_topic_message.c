/* test_topic_message.c - shared messages, and what is made of them. */
#include "server/topic/topic_message.h"
#include "server/base/memory.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <uv.h>

static atomic_int made;

static text doubled(const topic_message *m)
{
    char *room = mem_alloc(2 * m->bytes.length);
    memcpy(room, m->bytes.at, m->bytes.length);
    memcpy(room + m->bytes.length, m->bytes.at, m->bytes.length);
    made++;
    return (text){ room, 2 * m->bytes.length };
}

static text first_byte(const topic_message *m)
{
    char *room = mem_alloc(1);
    *room = *m->bytes.at;
    return (text){ room, 1 };
}

START_TEST(a_message_is_a_copy)
{
    char event[] = "said", bytes[] = "hello";
    topic_message *m = topic_message_new(7, text_of(event), text_of(bytes));
    event[0] = bytes[0] = 'x';
    ck_assert_int_eq(m->id, 7);
    ck_assert(text_equal(m->event, TEXT("said")));
    ck_assert(text_equal(m->bytes, TEXT("hello")));
    ck_assert_uint_eq(topic_message_size(m), sizeof *m + sizeof event - 1 + sizeof bytes - 1);
    topic_message_release(m);
}
END_TEST

START_TEST(it_lives_until_its_last_holder_releases_it)
{
    topic_message *m = topic_message_new(1, TEXT(""), TEXT("hello"));
    topic_message_hold(m);
    topic_message_release(m);
    ck_assert(text_equal(m->bytes, TEXT("hello")));
    topic_message_release(m);
    topic_message_release(NULL);
}
END_TEST

START_TEST(a_form_is_made_once_and_stays)
{
    topic_message *m = topic_message_new(1, TEXT(""), TEXT("ab"));
    const text one = topic_message_form(m, doubled), other = topic_message_form(m, first_byte);
    ck_assert(text_equal(one, TEXT("abab")));
    ck_assert(text_equal(other, TEXT("a")));
    ck_assert_ptr_eq(topic_message_form(m, doubled).at, one.at);
    ck_assert_ptr_eq(topic_message_form(m, first_byte).at, other.at);
    ck_assert_int_eq(made, 1);
    topic_message_release(m);
}
END_TEST

enum { MESSAGES = 2000, THREADS = 4 };

static topic_message *many[MESSAGES];
static text           seen[THREADS][MESSAGES];

static void make_forms(void *arg)
{
    text *mine = arg;
    for (int i = 0; i < MESSAGES; i++)
        mine[i] = topic_message_form(many[i], i % 2 ? doubled : first_byte);
}

START_TEST(threads_that_need_a_form_at_once_get_the_same_one)
{
    uv_thread_t ids[THREADS];
    for (int i = 0; i < MESSAGES; i++)
        many[i] = topic_message_new(i, TEXT(""), TEXT("ab"));
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(uv_thread_create(&ids[i], make_forms, seen[i]), 0);
    for (int i = 0; i < THREADS; i++)
        uv_thread_join(&ids[i]);
    for (int i = 0; i < MESSAGES; i++) {
        for (int j = 0; j < THREADS; j++)
            ck_assert_ptr_eq(seen[j][i].at, seen[0][i].at);
        topic_message_release(many[i]);
    }
}
END_TEST

Suite *topic_message_suite(void)
{
    Suite *s = suite_create("topic_message");
    TCase *c = tcase_create("all");
    tcase_add_test(c, a_message_is_a_copy);
    tcase_add_test(c, it_lives_until_its_last_holder_releases_it);
    tcase_add_test(c, a_form_is_made_once_and_stays);
    tcase_add_test(c, threads_that_need_a_form_at_once_get_the_same_one);
    suite_add_tcase(s, c);
    return s;
}
