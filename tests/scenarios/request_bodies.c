/* request_bodies.c - bodies of requests: their framing, their size, and clients who ask before they send
 * one. */
#include "scenarios.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_BODY "{\"message\":\"Hello, World!\"}"

static void with_bodies(void) { server_start("bodies", "TENK_LIMITS_BODY=64KiB", NULL); }

START_TEST(chunks_come_in_every_legal_form)
{
    static const struct { const char *chunks, *body; } cases[] = {
        { "0\r\n\r\n", "" },
        { "5\r\nhello\r\n0\r\n\r\n", "hello" },
        { "A\r\n0123456789\r\n0\r\n\r\n", "0123456789" },
        { "a\r\n0123456789\r\n0\r\n\r\n", "0123456789" },
        { "0005\r\nhello\r\n000\r\n\r\n", "hello" },
        { "5;a=b\r\nhello\r\n0\r\n\r\n", "hello" },
        { "5;a\r\nhello\r\n0;b=c\r\n\r\n", "hello" },
        { "5;a=\"b c\"\r\nhello\r\n0\r\n\r\n", "hello" },
        { "5;a;b\r\nhello\r\n0;c;d\r\n\r\n", "hello" },
        { "5 ; a = b ; c = \"d ; \\\" e\"\t;f\r\nhello\r\n0\t;\tg\r\n\r\n", "hello" },
        { "1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n", "abc" },
        { "3\r\n\r\n0\r\n0\r\n\r\n", "\r\n0" },
        { "1\r\na\r\n0\r\nX-One: 1\r\nX-Two: 2\r\n\r\n", "a" },
    };
    char request[512];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        client *c = client_new();
        snprintf(request, sizeof request,
                 "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n%s"
                 "GET /json HTTP/1.1\r\nHost: t\r\n\r\n",
                 cases[i].chunks);
        client_say(c, request);
        const answer a = client_answer(c);
        ck_assert_msg(a.status == 200, "%s: %d", cases[i].chunks, a.status);
        ck_assert_str_eq(a.body, cases[i].body);
        ck_assert_str_eq(client_answer(c).body, JSON_BODY);
        client_free(c);
    }
    expect(ask("POST /echo HTTP/1.1\r\nHost: t\r\ntransfer-encoding: CHUNKED\r\n\r\n0\r\n\r\n"),
           200, NULL);
}
END_TEST

START_TEST(a_body_may_be_as_large_as_the_limit_and_no_larger)
{
    const size_t limit = 64 * 1024;
    char *request = malloc(limit + 1024);
    for (size_t more = 0; more < 2; more++) {
        const int head = sprintf(
            request,
            "POST /echo HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
            limit + more);
        memset(request + head, 'x', limit + more);
        const answer a = ask_bytes(request, (size_t)head + limit + more);
        ck_assert_int_eq(a.status, more ? 413 : 200);
        if (!more)
            ck_assert_uint_eq(a.length, limit);
        const int chunked = sprintf(
            request,
            "POST /echo HTTP/1.1\r\nHost: t\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n%zx\r\n",
            limit + more);
        memset(request + chunked, 'x', limit + more);
        memcpy(request + chunked + limit + more, "\r\n0\r\n\r\n", 8);
        const answer b = ask_bytes(request, (size_t)chunked + limit + more + 7);
        ck_assert_int_eq(b.status, more ? 413 : 200);
    }
    free(request);
}
END_TEST

/* None of it needs to come, nor even the end of its line. */
START_TEST(a_chunk_that_says_it_is_too_large_is_413_at_once)
{
    static const char *const sizes[] = { "FFFFFFFFFFFFFFFF\r\n", "100000005\r\n", "10001\r\n", "3\r\nabc\r\nffff\r\n",
                                         "FFFFFFFFFFFFFFFFFF" };
    char request[256];
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        client *c = client_new();
        snprintf(request, sizeof request, "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n%s", sizes[i]);
        client_say(c, request);
        expect_problem(client_answer(c), 413);
        ck_assert(client_closed(c));
        client_free(c);
    }
}
END_TEST

START_TEST(the_length_of_a_body_may_be_spaced_and_its_coding_a_list)
{
    client *c = client_new();
    client_say(c, "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\t\r\n\r\nfirst"
                  "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: , chunked\r\n\r\n6\r\nsecond\r\n0\r\n\r\n"
                  "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\t,\t\r\n\r\n5\r\nthird\r\n0\r\n\r\n"
                  "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: , chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n");
    ck_assert_str_eq(client_answer(c).body, "first");
    ck_assert_str_eq(client_answer(c).body, "second");
    ck_assert_str_eq(client_answer(c).body, "third");
    expect_problem(client_answer(c), 400);
    ck_assert(client_closed(c));
    client_free(c);
}
END_TEST

START_TEST(a_body_nobody_reads_does_not_disturb_what_follows)
{
    static const char SMUGGLED[] = "GET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n";
    char request[512];
    client *c = client_new();
    snprintf(request, sizeof request,
             "GET /json HTTP/1.1\r\nHost: t\r\nContent-Length: %zu\r\n\r\n%s", strlen(SMUGGLED),
             SMUGGLED);
    client_say(c, request);
    client_say(
        c,
        "POST /nothing HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        "GET /plaintext HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
    ck_assert_str_eq(client_answer(c).body, JSON_BODY);
    const answer a = client_answer(c);
    expect_problem(a, 404);
    ck_assert_str_eq(client_answer(c).body, "Hello, World!");
    ck_assert(client_closed(c));
    client_free(c);
}
END_TEST

/* Else it would be reset, and might never read the answer. */
START_TEST(who_is_answered_before_all_of_its_body_has_come_may_send_more_for_a_while)
{
    static const char *const early[] = {
        "POST /import HTTP/1.1\r\nHost: t\r\nContent-Type: text/csv\r\nContent-Length: 60000\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 70000\r\n\r\n",
    };
    for (int i = 0; i < 2; i++) {
        client *c = client_new();
        client_say(c, early[i]);
        expect_problem(client_answer(c), i ? 413 : 415);
        ck_assert(client_closed(c));
        for (int k = 0; k < 3; k++)
            ck_assert_msg(client_say(c, "some more of it"), "%s", early[i]);
        client_free(c);
    }
}
END_TEST

START_TEST(what_comes_behind_the_last_request_does_not_cost_its_answer)
{
    enum { HEAD = 16384, MORE = 300000 };    /* as much as is read at first; what stays in the kernel */
    char *all = malloc(HEAD + MORE);
    memset(all, 'x', HEAD + MORE);
    memcpy(all + sprintf(all, "GET /json HTTP/1.1\r\nHost: t\r\nConnection: close\r\nX: "), "x", 1);
    memcpy(all + HEAD - 4, "\r\n\r\n", 4);
    client *c = client_new();
    ck_assert(client_send(c, all, HEAD + MORE));
    ck_assert_str_eq(client_answer(c).body, JSON_BODY);
    ck_assert(client_let_go(c));
    client_free(c);
    free(all);
}
END_TEST

START_TEST(an_expectant_client_is_told_to_continue)
{
    client *c = client_new();
    client_say(
        c, "POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    answer a = client_answer(c);
    ck_assert_int_eq(a.status, 100);
    client_say(c, "hello");
    a = client_answer(c);
    expect(a, 200, NULL);
    ck_assert_str_eq(a.body, "hello");

    client_say(
        c,
        "POST /echo HTTP/1.1\r\nHost: t\r\nexpect: 100-CONTINUE\r\nTransfer-Encoding: chunked\r\n\r\n");
    ck_assert_int_eq(client_answer(c).status, 100);
    client_say(c, "2\r\nhi\r\n0\r\n\r\n");
    ck_assert_str_eq(client_answer(c).body, "hi");
    client_free(c);
}
END_TEST

START_TEST(no_interim_answer_comes_where_there_is_no_use_for_one)
{
    client *c = client_new();                /* no body */
    client_say(c, "GET /json HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\n\r\n");
    ck_assert_int_eq(client_answer(c).status, 200);
    /* HTTP/1.0 does not know them */
    client_say(
        c, "POST /echo HTTP/1.0\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi");
    ck_assert_int_eq(client_answer(c).status, 200);
    client_free(c);
}
END_TEST

START_TEST(an_interim_answer_waits_for_the_answers_before_it)
{
    client *c = client_new();
    client_say(c, "GET /sleep?ms=40 HTTP/1.1\r\nHost: t\r\n\r\n"
                  "POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    expect_body(client_answer(c), "40");
    ck_assert_int_eq(client_answer(c).status, 100);
    client_say(c, "hello");
    ck_assert_str_eq(client_answer(c).body, "hello");
    client_free(c);
}
END_TEST

START_TEST(an_expectation_of_too_much_is_413_at_once)
{
    client *c = client_new();
    client_say(
        c,
        "POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 1000000\r\n\r\n");
    expect_problem(client_answer(c), 413);
    client_free(c);
}
END_TEST

START_TEST(an_unknown_expectation_is_417)
{
    expect_problem(
        ask("POST /echo HTTP/1.1\r\nHost: t\r\nConnection: close\r\nExpect: miracles\r\nContent-Length: 2\r\n\r\nhi"),
        417);
}
END_TEST

Suite *request_bodies_suite(void)
{
    Suite *s = suite_create("request_bodies");
    TCase *t = theme(s, "bodies", with_bodies);
    tcase_add_test(t, chunks_come_in_every_legal_form);
    tcase_add_test(t, a_body_may_be_as_large_as_the_limit_and_no_larger);
    tcase_add_test(t, a_chunk_that_says_it_is_too_large_is_413_at_once);
    tcase_add_test(t, the_length_of_a_body_may_be_spaced_and_its_coding_a_list);
    tcase_add_test(t, a_body_nobody_reads_does_not_disturb_what_follows);
    tcase_add_test(t, who_is_answered_before_all_of_its_body_has_come_may_send_more_for_a_while);
    tcase_add_test(t, what_comes_behind_the_last_request_does_not_cost_its_answer);
    tcase_add_test(t, an_expectant_client_is_told_to_continue);
    tcase_add_test(t, no_interim_answer_comes_where_there_is_no_use_for_one);
    tcase_add_test(t, an_interim_answer_waits_for_the_answers_before_it);
    tcase_add_test(t, an_expectation_of_too_much_is_413_at_once);
    tcase_add_test(t, an_unknown_expectation_is_417);
    return s;
}
