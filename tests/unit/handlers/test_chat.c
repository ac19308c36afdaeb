/* test_chat.c - what can be said in a room, how it is kept, and who is said to be there. */
#include "handlers/chat/chat_message.h"
#include "handlers/chat/chat_room.h"
#include "tests/unit/suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

static arena a;

static void setup(void) { arena_init(&a, NULL, 0); }
static void teardown(void) { arena_done(&a); }

START_TEST(a_room_is_made_of_small_letters_digits_and_hyphens)
{
    static const char *const good[] = { "a", "lobby", "room-1", "-", "00000000001111111111222222222233" };
    static const char *const bad[] = { "", "Lobby", "a b", "a/b", "caf\xc3\xa9", "a.b", "a%",
                                       "000000000011111111112222222222333" };
    char name[CHAT_TOPIC];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        ck_assert_msg(topic_word_is_valid(text_of(good[i])), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!topic_word_is_valid(text_of(bad[i])), "%s", bad[i]);
    ck_assert(text_equal(chat_topic(text_of(good[4]), name), TEXT("chat/00000000001111111111222222222233")));
}
END_TEST

static chat_message message(const char *name, const char *said, const char *key)
{
    return (chat_message){ .name = text_of(name), .text = text_of(said), .key = text_of(key), .at = 1700000000 };
}

static char long_text[CHAT_TEXT + 2];

START_TEST(what_cannot_be_said_has_a_reason_in_words)
{
    memset(long_text, 'x', CHAT_TEXT + 1);
    const char *const very_long = long_text, *const just_right = long_text + 1;
    const char *const long_name = long_text + CHAT_TEXT - CHAT_NAME, *const long_key = long_text + CHAT_TEXT - CHAT_KEY;
    const struct { const char *name, *said, *key, *why; } wrong[] = {
        { "", "hello", "k", "name is empty" },        { " \t", "hello", "k", "name is empty" },
        { long_name, "hello", "k", "name is too long" },
        { "A\nB", "hello", "k", "name must be" },     { "\xff", "hello", "k", "name must be" },
        { "Ann", "", "k", "message is empty" },       { "Ann", " \n ", "k", "message is empty" },
        { "Ann", very_long, "k", "message is too long" },
        { "Ann", "\x1b[0m", "k", "message must be" }, { "Ann", "\xed\xa0\x80", "k", "message must be" },
        { "Ann", "hello", "", "key" },                { "Ann", "hello", long_key, "key" },
        { "Ann", "hello", "\xff", "key" },
    };
    char why[CHAT_WHY];
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const chat_message m = message(wrong[i].name, wrong[i].said, wrong[i].key);
        ck_assert_int_lt(chat_message_check(&m, why), 0);
        ck_assert_msg(strstr(why, wrong[i].why), "%s: %s", wrong[i].why, why);
    }
    const chat_message good[] = { message("Ann", just_right, long_key + 1), message(long_name + 1, "two\r\n\tlines", "k"),
                                  message("\xc3\x9cnal", "\xf0\x9f\x99\x82", "k") };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        ck_assert_msg(!chat_message_check(&good[i], why), "%zu: %s", i, why);
}
END_TEST

START_TEST(what_was_said_is_read_from_its_data_as_it_was)
{
    const chat_message m = message("A \"nn\"", "<b>\n\\ \xe2\x82\xac", "k\"1");
    chat_message read;
    const text data = chat_message_data(&a, &m);
    ck_assert(chat_message_of_data(&a, data, &read));
    ck_assert(text_equal(read.name, m.name) && text_equal(read.text, m.text) && text_equal(read.key, m.key));
    ck_assert_int_eq(read.at, m.at);
}
END_TEST

START_TEST(data_that_is_none_is_not_read)
{
    static const char *const data[] = {
        "", "{", "[]", "{}", "{\"name\":\"A\",\"text\":\"t\",\"at\":1}",
        "{\"name\":\"A\",\"text\":\"t\",\"at\":\"1\",\"key\":\"k\"}",
        "{\"name\":1,\"text\":\"t\",\"at\":1,\"key\":\"k\"}",
    };
    chat_message m;
    for (size_t i = 0; i < sizeof data / sizeof data[0]; i++)
        ck_assert_msg(!chat_message_of_data(&a, text_of(data[i]), &m), "%s", data[i]);
}
END_TEST

START_TEST(keys_differ)
{
    const text one = chat_key_new(&a), two = chat_key_new(&a);
    ck_assert(!text_equal(one, two));
    ck_assert_uint_le(one.length, CHAT_KEY);
}
END_TEST

static int64_t before;                       /* the id under which it was told the time before */

/* What is told now; "" if it is not time. */
static const char *told(chat_room *r)
{
    buffer b;
    buffer_init(&b, &a);
    if (!chat_room_tell(r, &b, &before))
        return "";
    return arena_copy(&a, buffer_all(&b));
}

static const char *names_in(const char *data)
{
    const char *from = strstr(data, "\"names\":"), *to = strstr(data, ",\"at\":");
    ck_assert_msg(from && to, "%s", data);
    return arena_copy(&a, (text){ from, (size_t)(to - from) });
}

START_TEST(who_comes_is_told_at_once_and_again_when_it_is_time)
{
    chat_room *r = chat_room_open(TEXT("lobby"));
    chat_member ann = { .name = TEXT("Ann") }, bob = { .name = TEXT("Bob") };
    ck_assert_str_eq(told(r), "");           /* nobody is there, and nobody was */
    chat_room_enter(r, &ann);
    ck_assert_uint_eq(chat_room_wait(r), 0);
    const char *data = told(r);
    ck_assert_str_eq(names_in(data), "\"names\":[\"Ann\"],\"count\":1");
    const text server = chat_server();
    ck_assert_ptr_nonnull(strstr(data, arena_printf(&a, "{\"server\":\"%.*s\",", (int)server.length, server.at)));
    ck_assert_str_eq(told(r), "");           /* by one at a time */
    ck_assert_int_eq(before, 0);
    chat_room_told(r, 0, 7);
    ck_assert_str_eq(told(r), "");
    const uint64_t quiet = chat_room_wait(r);
    ck_assert(quiet >= CHAT_HERE_EVERY / 2 && quiet < CHAT_HERE_EVERY * 3 / 2);
    chat_room_enter(r, &bob);
    chat_room_leave(&bob);
    chat_room_enter(r, &bob);
    const uint64_t changed = chat_room_wait(r);
    ck_assert(changed > 0 && changed <= CHAT_HERE_SOONEST);
    ck_assert_str_eq(told(r), "");           /* not so soon after the last time */
    chat_room_leave(&ann);
    chat_room_leave(&bob);
    chat_room_leave(&bob);
    chat_room_close(r);
}
END_TEST

START_TEST(that_the_last_has_left_is_told)
{
    chat_room *r = chat_room_open(TEXT("lobby"));
    chat_member ann = { .name = TEXT("Ann") };
    chat_room_enter(r, &ann);
    chat_room_leave(&ann);
    ck_assert_str_eq(names_in(told(r)), "\"names\":[],\"count\":0");
    chat_room_told(r, 0, 7);
    ck_assert_uint_ge(chat_room_wait(r), CHAT_HERE_EVERY / 2);
    chat_room_close(r);
}
END_TEST

START_TEST(what_could_not_be_told_is_told_later)
{
    chat_room *r = chat_room_open(TEXT("lobby"));
    chat_member ann = { .name = TEXT("Ann") };
    chat_room_enter(r, &ann);
    ck_assert_str_ne(told(r), "");
    chat_room_told(r, UV_ECONNREFUSED, 0);
    const uint64_t wait = chat_room_wait(r);
    ck_assert(wait > 0 && wait <= CHAT_HERE_SOONEST);
    chat_room_leave(&ann);
    chat_room_close(r);
}
END_TEST

START_TEST(of_many_the_first_are_named_each_once_and_all_are_counted)
{
    enum { MANY = 500, SAME = 10 };
    chat_room *r = chat_room_open(TEXT("lobby")), *same = chat_room_open(TEXT("lobby")), *other = chat_room_open(TEXT("kitchen"));
    chat_member *all = calloc(MANY, sizeof *all);
    ck_assert_ptr_eq(r, same);
    ck_assert_ptr_ne(r, other);
    for (int i = 0; i < MANY; i++) {
        all[i].name = text_of(arena_printf(&a, "%d", i < MANY - SAME ? i : MANY));
        chat_room_enter(r, &all[i]);
    }
    const char *data = told(r);
    ck_assert_ptr_nonnull(strstr(data, "\"count\":500"));
    ck_assert_ptr_nonnull(strstr(data, "[\"500\",\"489\","));
    ck_assert_uint_lt(strlen(data), 400);
    ck_assert_str_eq(told(other), "");
    for (int i = 0; i < MANY; i++)
        chat_room_leave(&all[i]);
    chat_room_close(r);
    chat_room_close(same);
    chat_room_close(other);
    free(all);
}
END_TEST

Suite *chat_suite(void)
{
    Suite *s = suite_create("chat");
    TCase *t = tcase_create("chat");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_room_is_made_of_small_letters_digits_and_hyphens);
    tcase_add_test(t, what_cannot_be_said_has_a_reason_in_words);
    tcase_add_test(t, what_was_said_is_read_from_its_data_as_it_was);
    tcase_add_test(t, data_that_is_none_is_not_read);
    tcase_add_test(t, keys_differ);
    tcase_add_test(t, who_comes_is_told_at_once_and_again_when_it_is_time);
    tcase_add_test(t, that_the_last_has_left_is_told);
    tcase_add_test(t, what_could_not_be_told_is_told_later);
    tcase_add_test(t, of_many_the_first_are_named_each_once_and_all_are_counted);
    suite_add_tcase(s, t);
    return s;
}
