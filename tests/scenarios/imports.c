/* imports.c - POST /import: what is stored and what is refused, of bodies in any form and size. */
#include "scenarios.h"

#include "tests/scenarios/support/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_sqlite(void)   { server_start("imports-sqlite", "TENK_LIMITS_BODY=64KiB", NULL); }
static void on_postgres(void) { server_start_on_postgres("imports-postgres", "TENK_LIMITS_BODY=64KiB", NULL); }

START_TEST(every_good_line_becomes_a_post)
{
    import(LINE(201, "first") "\n" LINE(202, "sec\\u00f6nd \\\"quoted\\\"") "\n" LINE(201, "third") "\n", 3, 0, 3, 0);
    const answer a = get_as("/users/201", "application/json");
    expect_body(a, "\"title\":\"first\",\"body\":\"b\"");
    expect_body(a, "\"title\":\"third\"");
    expect_body(get_as("/users/202", "application/json"), "sec\u00f6nd \\\"quoted\\\"");
}
END_TEST

START_TEST(lines_may_end_as_they_like_and_blank_ones_are_passed_over)
{
    import("", 0, 0, 0, 0);
    import("\n", 1, 1, 0, 0);
    import(LINE(203, "alone"), 1, 0, 1, 0);
    import("\r\n  \n" LINE(203, "crlf") "\r\n\r\n" LINE(203, "lf") "\n\n\t", 7, 5, 2, 0);
}
END_TEST

START_TEST(what_is_wrong_with_a_line_is_said_and_the_others_are_stored)
{
    static char body[1 << 20];
    char *at = body;
    at += sprintf(at, LINE(204, "good 1") "\n" "nonsense\n" "[1, 2]\n" "\"text\"\n" "{\"user_id\": 204}\n");
    at += sprintf(at, "{\"user_id\": \"204\", \"title\": \"t\", \"body\": \"b\"}\n" "{\"title\": \"t\", \"body\": \"b\"}\n");
    at += sprintf(at, LINE(204, " ") "\n" LINE(99999999, "t") "\n" LINE(-1, "t") "\n" LINE(204.0, "t") "\n");
    at += sprintf(at, LINE(204, "\xff") "\n" LINE(204, "\\ud800") "\n" LINE(204, "\\u0000") "\n");
    at += sprintf(at, LINE(99999999999999999999, "t") "\n" LINE(204, "t") " x\n");
    memset(at, '[', 100);
    at += 100;
    at += sprintf(at, "\n{\"user_id\":204,\"title\":\"%0201d\",\"body\":\"b\"}\n{\"user_id\":204,\"title\":\"t\",\"body\":\"", 0);
    memset(at, 'y', 65537);
    at += 65537;
    at += sprintf(at, "\"}\n");
    memset(at, 'z', 600000);
    at += 600000;
    at += sprintf(at, "\n" LINE(204, "good 2") "\n");
    const report r = import(body, 21, 0, 2, 19);
    static const struct { int line; const char *why; } WHY[] = {
        { 2, "not JSON" }, { 3, "user_id" }, { 4, "user_id" }, { 5, "title and body" }, { 6, "user_id" }, { 7, "user_id" },
        { 8, "title must not be empty" }, { 9, "no user 99999999" }, { 10, "no user -1" }, { 11, "user_id" },
        { 12, "not JSON" }, { 13, "half of a surrogate pair" }, { 14, "the character U+0000" }, { 15, "a number is larger" },
        { 16, "not JSON" }, { 17, "nested" }, { 18, "title is longer" }, { 19, "body is longer" }, { 20, "line is longer" },
    };
    for (size_t i = 0; i < sizeof WHY / sizeof *WHY; i++)
        expect_refusal(&r, WHY[i].line, WHY[i].why);
    ck_assert_uint_eq(json_array_size(json_object_get(r.whole, "refusals")), 19);
}
END_TEST

START_TEST(a_byte_order_mark_is_no_part_of_a_line)
{
    const report r = import("\xef\xbb\xbf" LINE(209, "marked") "\n" LINE(209, "plain") "\n\xef\xbb\xbf" LINE(209, "again") "\n"
                            "{\"user_id\": 209, \"title\": \"t\", \"body\": \"b\", \"body\": \"c\"}\n", 4, 0, 3, 1);
    expect_refusal(&r, 4, "the same name twice");
}
END_TEST

START_TEST(thousands_of_refusals_are_counted_and_a_thousand_listed)
{
    char *body = malloc(4 * 3000 + 100);
    for (int i = 0; i < 3000; i++)
        memcpy(body + 4 * i, "bad\n", 4);
    strcpy(body + 4 * 3000, LINE(205, "good"));
    const report r = import(body, 3001, 0, 1, 3000);
    ck_assert_uint_eq(json_array_size(json_object_get(r.whole, "refusals")), 1000);
    for (int line = 1; line <= 1000; line += 333)
        expect_refusal(&r, line, "not JSON");
    free(body);
}
END_TEST

START_TEST(a_body_may_be_larger_than_those_that_are_kept_in_memory)
{
    char *body = many_lines(2000, 206, "large", 1000);       /* 2 MB, and the limit is 64 KiB */
    import(body, 2000, 0, 2000, 0);
    free(body);
    expect_problem(post("/echo", NDJSON, (body = many_lines(100, 206, "large", 1000))), 413);
    free(body);
}
END_TEST

START_TEST(chunks_cut_lines_anywhere)
{
    static const char BODY[] = LINE(207, "one") "\n" LINE(207, "two \u00e9") "\r\n" "bad\n" LINE(207, "three");
    client *c = client_new();
    for (size_t size = 1; size < 60; size += 7) {
        client_say(c, STREAM);
        for (size_t at = 0; at < sizeof BODY - 1; at += size) {
            char chunk[64];
            snprintf(chunk, size + 1, "%s", BODY + at);
            say_chunk(c, chunk);
        }
        client_say(c, "0\r\n\r\n");
        const report r = report_in(client_answer(c), 200);
        expect_counts(&r, 4, 0, 3, 1);
        expect_refusal(&r, 3, "not JSON");
    }
    client_free(c);
}
END_TEST

START_TEST(a_type_that_is_none_of_its_own_is_415)
{
    static const char *const GOOD[] = { NDJSON, "application/jsonl", "Application/X-NDJSON; charset=utf-8",
                                        "application/x-www-form-urlencoded", NULL };
    static const char *const BAD[] = { "application/json", "text/csv", "multipart/form-data; boundary=x" };
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++)
        ck_assert_int_eq(post("/import", GOOD[i], LINE(208, "t")).status, 200);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        expect_problem(post("/import", BAD[i], LINE(208, "t")), 415);
    client *c = client_new();                /* the connection goes on: all of the body was there */
    client_say(c, "POST /import HTTP/1.1\r\nHost: t\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b");
    expect_problem(client_answer(c), 415);
    client_say(c, "GET /json HTTP/1.1\r\nHost: t\r\n\r\n");
    ck_assert_int_eq(client_answer(c).status, 200);
    client_free(c);
    ck_assert_int_eq(get("/import").status, 405);
}
END_TEST

START_TEST(lines_are_stored_while_the_client_still_sends)
{
    client *c = import_begin();
    say_chunk(c, LINE(209, "a first one") "\n" LINE(209, "half"));
    ck_assert(eventually(5, strstr(get_as("/users/209", "application/json").body, "a first one")));
    say_chunk(c, "\n");
    client_say(c, "0\r\n\r\n");
    const report r = report_in(client_answer(c), 200);
    expect_counts(&r, 2, 0, 2, 0);
    client_free(c);
}
END_TEST

START_TEST(a_request_behind_it_sees_what_it_has_stored)
{
    client *c = import_begin();
    say_chunk(c, LINE(210, "seen by the next") "\n");
    client_say(c, "0\r\n\r\nGET /users/210 HTTP/1.1\r\nHost: t\r\nAccept: application/json\r\n\r\n");
    ck_assert_int_eq(client_answer(c).status, 200);
    expect_body(client_answer(c), "seen by the next");
    client_free(c);
}
END_TEST

START_TEST(an_expectant_client_is_told_to_go_on)
{
    client *c = client_new();
    client_say(c, "POST /import HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 44\r\n\r\n");
    ck_assert_int_eq(client_answer(c).status, 100);
    client_say(c, "{\"user_id\": 211, \"title\": \"t\", \"body\": \"b\"}\n");
    const report r = report_in(client_answer(c), 200);
    expect_counts(&r, 1, 0, 1, 0);
    client_say(c, "POST /import HTTP/1.1\r\nHost: t\r\nContent-Type: text/csv\r\nExpect: 100-continue\r\n"
                  "Content-Length: 1000000000\r\n\r\n");
    expect_problem(client_answer(c), 415);
    ck_assert(client_closed(c));
    client_free(c);
}
END_TEST

START_TEST(memory_does_not_grow_with_the_body)
{
    enum { EACH = 50000 };
    const int once = scaled(100);
    char *body = many_lines(once, 300, "memory", EACH), head[256];
    const size_t length = strlen(body);
    long least = 0, most = 0;
    server_start("imports", NULL);
    client *c = client_new();
    client_set_timeout(c, 60);
    for (int round = 0; round < 4; round++) {                /* the first warms up; the last is twice as large */
        const size_t times = round == 3 ? 2 : 1;
        snprintf(head, sizeof head, "POST /import HTTP/1.1\r\nHost: t\r\nContent-Length: %zu\r\n\r\n", times * length);
        client_say(c, head);
        for (size_t i = 0; i < times; i++)
            client_send(c, body, length);
        const report r = report_in(client_answer(c), 200);
        expect_counts(&r, (int)times * once, 0, (int)times * once, 0);
        const long now = server_resident();
        least = round == 1 ? now : least;
        most = now > most ? now : most;
    }
    if (!run_slowed())
        ck_assert_msg(most - least < 6L << 20, "it grew by %ld KiB", (most - least) >> 10);
    client_free(c);
    free(body);
    server_stop();
}
END_TEST

Suite *imports_suite(void)
{
    Suite *s = suite_create("imports");
    for (int database = 0; database < 2; database++) {
        TCase *t = database == 0 ? theme(s, "imports-sqlite", on_sqlite) : theme(s, "imports-postgres", on_postgres);
        tcase_add_test(t, every_good_line_becomes_a_post);
        tcase_add_test(t, lines_may_end_as_they_like_and_blank_ones_are_passed_over);
        tcase_add_test(t, what_is_wrong_with_a_line_is_said_and_the_others_are_stored);
        tcase_add_test(t, a_byte_order_mark_is_no_part_of_a_line);
        tcase_add_test(t, thousands_of_refusals_are_counted_and_a_thousand_listed);
        tcase_add_test(t, a_body_may_be_larger_than_those_that_are_kept_in_memory);
        tcase_add_test(t, chunks_cut_lines_anywhere);
        tcase_add_test(t, lines_are_stored_while_the_client_still_sends);
        if (database == 1)
            break;
        tcase_add_test(t, a_type_that_is_none_of_its_own_is_415);
        tcase_add_test(t, a_request_behind_it_sees_what_it_has_stored);
        tcase_add_test(t, an_expectant_client_is_told_to_go_on);
    }
    TCase *t = theme(s, "imports", NULL);
    tcase_add_test(t, memory_does_not_grow_with_the_body);
    return s;
}
