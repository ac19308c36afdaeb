/* test_event.c - events as bytes, and that a client reads of them what was meant. */
#include "server/http/events/event.h"
#include "tests/unit/suites.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* The encoded event, terminated; valid until the next. */
static const char *encoded(event e)
{
    static char *bytes;
    const size_t size = event_size(&e);
    ck_assert(event_is_valid(&e));
    free(bytes);
    bytes = malloc(size + 1);
    ck_assert_ptr_eq(event_write(&e, bytes), bytes + size);
    bytes[size] = '\0';
    return bytes;
}

START_TEST(each_field_has_its_line_and_a_blank_one_ends_it)
{
    ck_assert_str_eq(encoded((event){ .id = TEXT("7"), .event = TEXT("post"), .data = TEXT("hello"), .retry = 1500 }),
                     "id: 7\nevent: post\nretry: 1500\ndata: hello\n\n");
    ck_assert_str_eq(encoded((event){ .data = TEXT("hello") }), "data: hello\n\n");
    ck_assert_str_eq(encoded((event){ .retry = 86400000 }), "retry: 86400000\n\n");
    ck_assert_str_eq(encoded((event){ .id = TEXT("7") }), "id: 7\n\n");
}
END_TEST

START_TEST(data_of_several_lines_is_as_many_however_they_end)
{
    ck_assert_str_eq(encoded((event){ .data = TEXT("a\nb\r\nc\rd") }), "data: a\ndata: b\ndata: c\ndata: d\n\n");
    ck_assert_str_eq(encoded((event){ .data = TEXT("a\n") }), "data: a\ndata: \n\n");
    ck_assert_str_eq(encoded((event){ .data = TEXT("a\r") }), "data: a\ndata: \n\n");
    ck_assert_str_eq(encoded((event){ .data = TEXT("\n\r\r\n") }), "data: \ndata: \ndata: \ndata: \n\n");
    ck_assert_str_eq(encoded((event){ .data = TEXT("a\n\nid: 5\n\ndata: b") }),
                     "data: a\ndata: \ndata: id: 5\ndata: \ndata: data: b\n\n");
}
END_TEST

START_TEST(data_that_is_empty_is_a_line_and_none_is_none)
{
    ck_assert_str_eq(encoded((event){ .data = TEXT("") }), "data: \n\n");
    ck_assert_str_eq(encoded((event){ .id = TEXT("1"), .data = { 0 } }), "id: 1\n\n");
}
END_TEST

START_TEST(what_is_no_line_end_stays_as_it_is)
{
    ck_assert_str_eq(encoded((event){ .data = TEXT("  two blanks: \xe2\x80\xa8\xf0\x9f\x8c\x8d\x0b\x0c\xc2\x85") }),
                     "data:   two blanks: \xe2\x80\xa8\xf0\x9f\x8c\x8d\x0b\x0c\xc2\x85\n\n");
    const event zero = { .data = TEXT("a\0b") };
    char bytes[32];
    ck_assert_uint_eq((size_t)(event_write(&zero, bytes) - bytes), 11);
    ck_assert_mem_eq(bytes, "data: a\0b\n\n", 11);
}
END_TEST

START_TEST(an_id_or_a_name_that_the_client_would_read_otherwise_is_refused)
{
    static const event refused[] = {
        { .id = { "1\n2", 3 } }, { .id = { "1\r", 2 } }, { .id = { "1\0", 2 } },
        { .event = { "\na", 2 } }, { .event = { "a\rdata: b", 9 } },
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        ck_assert(!event_is_valid(&refused[i]));
    ck_assert(event_is_valid(&(event){ .id = TEXT("a: b, \xc3\xa9"), .event = TEXT("a b") }));
}
END_TEST

/* Quadratic, it would take hours. */
START_TEST(a_million_of_lines_take_no_longer_than_their_bytes)
{
    enum { MANY = 4000000 };
    static const char ends[] = { '\r', '\n' };
    for (size_t i = 0; i < sizeof ends; i++) {
        char *data = malloc(MANY);
        memset(data, ends[i], MANY);
        const event e = { .data = { data, MANY } };
        ck_assert_uint_eq(event_size(&e), (MANY + 1) * strlen("data: \n") + 1);
        free(data);
    }
}
END_TEST

Suite *event_suite(void)
{
    Suite *s = suite_create("event");
    TCase *t = tcase_create("all");
    tcase_add_test(t, each_field_has_its_line_and_a_blank_one_ends_it);
    tcase_add_test(t, data_of_several_lines_is_as_many_however_they_end);
    tcase_add_test(t, data_that_is_empty_is_a_line_and_none_is_none);
    tcase_add_test(t, what_is_no_line_end_stays_as_it_is);
    tcase_add_test(t, an_id_or_a_name_that_the_client_would_read_otherwise_is_refused);
    tcase_add_test(t, a_million_of_lines_take_no_longer_than_their_bytes);
    suite_add_tcase(s, t);
    return s;
}
