/* http_messages.c - HTTP/1.1 as it should be: keep-alive, pipelining, framing, in pieces of any size. */
#include "scenarios.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_BODY "{\"message\":\"Hello, World!\"}"

static void with_messages(void) { server_start("messages", "TENK_LIMITS_BODY=64KiB", NULL); }

START_TEST(a_connection_stays_open_or_closes_as_it_is_asked_to)
{
    static const struct { const char *version, *connection; bool stays; } cases[] = {
        { "1.1", "", true },
        { "1.1", "Connection: keep-alive\r\n", true },
        { "1.1", "Connection: close\r\n", false },
        { "1.1", "Connection: Close\r\n", false },
        { "1.1", "Connection: CLOSE\r\n", false },
        { "1.1", "Connection: close\t\r\n", false },
        { "1.1", "Connection:\tclose \t \r\n", false },
        { "1.1", "Connection:close\r\n", false },
        { "1.1", "Connection: x-a, close\r\n", false },
        { "1.1", "Connection: close, x-a\r\n", false },
        { "1.1", "Connection: x-a,close\t,x-b\r\n", false },
        { "1.1", "Connection: , ,close\r\n", false },
        { "1.1", "Connection: x-a\r\nConnection: close\r\n", false },
        { "1.1", "connection: close\r\n", false },
        { "1.1", "Connection: closed\r\n", true },
        { "1.1", "Connection: not-close\r\n", true },
        { "1.1", "Connection: keep-alive, close\r\n", false },
        { "1.1", "Connection: close\r\nConnection: keep-alive\r\n", false },
        { "1.0", "", false },
        { "1.0", "Connection: close\r\n", false },
        { "1.0", "Connection: keep-alive\r\n", true },
        { "1.0", "Connection: Keep-Alive\r\n", true },
        { "1.0", "Connection: x, keep-alive\r\n", true },
        { "1.0", "Connection: keep-alive\t\r\n", true },
        { "1.0", "Connection: keep-alive, close\r\n", false },
    };
    char request[512];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        client *c = client_new();
        snprintf(request, sizeof request, "GET /json HTTP/%s\r\nHost: t\r\n%s\r\n",
                 cases[i].version, cases[i].connection);
        client_say(c, request);
        const answer a = client_answer(c);
        expect(a, 200, "application/json");
        ck_assert_msg(strncmp(a.head, "HTTP/1.1 200 ", 13) == 0, "%s", a.head);
        const bool says_close = header_is(&a, "Connection", "close");
        ck_assert_msg(says_close != cases[i].stays, "%s %s: %s", cases[i].version,
                      cases[i].connection, a.head);
        if (cases[i].version[2] == '0' && cases[i].stays)
            ck_assert_msg(header_is(&a, "Connection", "keep-alive"),
                          "a 1.0 client must be told: %s", a.head);
        if (cases[i].stays) {
            client_say(c, request);
            ck_assert_int_eq(client_answer(c).status, 200);
        } else {
            ck_assert_msg(client_closed(c), "%s %s: it stays open", cases[i].version,
                          cases[i].connection);
        }
        client_free(c);
    }
}
END_TEST

START_TEST(http_1_0_needs_no_host)
{
    expect(ask("GET /json HTTP/1.0\r\n\r\n"), 200, "application/json");
}
END_TEST

START_TEST(a_1_0_client_gets_no_chunks)
{
    const answer a = ask("GET /users/42 HTTP/1.0\r\n\r\n");
    expect(a, 200, "text/html");
    ck_assert_ptr_null(header(&a, "Transfer-Encoding"));
}
END_TEST

START_TEST(nothing_after_connection_close_is_answered)
{
    client *c = client_new();
    client_say(
        c,
        "GET /json HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\nGET /plaintext HTTP/1.1\r\nHost: t\r\n\r\n");
    ck_assert_str_eq(client_answer(c).body, JSON_BODY);
    ck_assert(client_closed(c));
    client_free(c);
}
END_TEST

START_TEST(pipelined_requests_are_answered_in_their_order_slow_and_fast)
{
    client *c = client_new();
    client_say(c, "GET /sleep?ms=60 HTTP/1.1\r\nHost: t\r\n\r\n"
                  "GET /json HTTP/1.1\r\nHost: t\r\n\r\n"
                  "GET /users/42 HTTP/1.1\r\nHost: t\r\nAccept: application/json\r\n\r\n"
                  "GET /sleep/promise?ms=30 HTTP/1.1\r\nHost: t\r\n\r\n"
                  "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nfirst"
                  "GET /nothing HTTP/1.1\r\nHost: t\r\n\r\n"
                  "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nsecond\r\n0\r\n\r\n"
                  "GET /static/hello.txt HTTP/1.1\r\nHost: t\r\n\r\n"
                  "HEAD /users/42 HTTP/1.1\r\nHost: t\r\n\r\n"
                  "GET /plaintext HTTP/1.1\r\nHost: t\r\n\r\n");
    expect_body(client_answer(c), "60");
    ck_assert_str_eq(client_answer(c).body, JSON_BODY);
    expect_body(client_answer(c), "42");
    expect_body(client_answer(c), "30");
    ck_assert_str_eq(client_answer(c).body, "first");
    ck_assert_int_eq(client_answer(c).status, 404);
    ck_assert_str_eq(client_answer(c).body, "second");
    ck_assert_str_eq(client_answer(c).body, "Hello from a file.\n");
    ck_assert_int_eq(client_answer_to_head(c).status, 200);
    ck_assert_str_eq(client_answer(c).body, "Hello, World!");
    ck_assert(client_quiet(c));
    client_free(c);
}
END_TEST

START_TEST(a_thousand_requests_in_one_write_are_answered_in_order)
{
    enum { MANY = 1000 };
    char *all = malloc(MANY * 128), *at = all;
    for (int i = 0; i < MANY; i++)
        at += sprintf(at, "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\n%04d", i);
    client *c = client_new();
    ck_assert(client_send(c, all, (size_t)(at - all)));
    for (int i = 0; i < MANY; i++) {
        const answer a = client_answer(c);
        expect(a, 200, NULL);
        ck_assert_int_eq(atoi(a.body), i);
    }
    ck_assert(client_quiet(c));
    client_free(c);
    free(all);
}
END_TEST

START_TEST(a_thousand_queries_in_one_write_are_answered_in_order)
{
    enum { MANY = 1000 };
    char *all = malloc(MANY * 128), *at = all, name[32];
    for (int i = 1; i <= MANY; i++)
        at += sprintf(at, "GET /users/%d%s HTTP/1.1\r\nHost: t\r\nAccept: application/json\r\n\r\n", i,
                      i % 3 == 0 ? "/callbacks" : i % 3 == 1 ? "/promises" : "");
    client *c = client_new();
    ck_assert(client_send(c, all, (size_t)(at - all)));
    for (int i = 1; i <= MANY; i++) {
        const answer a = client_answer(c);
        expect(a, 200, "application/json");
        snprintf(name, sizeof name, "\"id\":%d,", i);
        expect_body(a, name);
    }
    client_free(c);
    free(all);
}
END_TEST

/* The end of what a client sends is taken for its end: only so can the work of one who left be cancelled. */
START_TEST(what_needs_no_waiting_is_answered_before_the_client_ends)
{
    client *c = client_new();
    client_say(c, "GET /plaintext HTTP/1.1\r\nHost: t\r\n\r\nGET /json HTTP/1.1\r\nHost: t\r\n\r\n");
    client_half_close(c);
    ck_assert_str_eq(client_answer(c).body, "Hello, World!");
    ck_assert_str_eq(client_answer(c).body, JSON_BODY);
    ck_assert(client_closed(c));
    client_free(c);
}
END_TEST

/* One whole exchange of everything that may be cut: two heads, a body, chunks with extension and trailer. */
static const char EVERYTHING[] =
    "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nfirst"
    "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
    "4;name=value\r\nseco\r\n2\r\nnd\r\n0\r\nX-Trailer: t\r\n\r\n"
    "GET /json HTTP/1.1\r\nHost: t\r\n\r\n";

static void expect_everything(client *c, size_t cut)
{
    answer a = client_answer(c);
    ck_assert_msg(a.status == 200 && strcmp(a.body, "first") == 0, "cut at %zu: %d %s", cut,
                  a.status, a.body);
    a = client_answer(c);
    ck_assert_msg(a.status == 200 && strcmp(a.body, "second") == 0, "cut at %zu: %d %s", cut,
                  a.status, a.body);
    a = client_answer(c);
    ck_assert_msg(a.status == 200 && strcmp(a.body, JSON_BODY) == 0, "cut at %zu: %d %s", cut,
                  a.status, a.body);
}

START_TEST(requests_may_be_cut_in_two_at_every_byte)
{
    const size_t length = strlen(EVERYTHING);
    for (size_t cut = 1; cut < length; cut++) {
        client *c = client_new();
        ck_assert(client_send(c, EVERYTHING, cut));
        /* The server has read the first part once it has answered what is whole in it, or else once
         * another connection, made later, has been served. */
        client *other = client_new();
        client_say(other, "GET /plaintext HTTP/1.1\r\nHost: t\r\n\r\n");
        ck_assert_int_eq(client_answer(other).status, 200);
        client_free(other);
        ck_assert(client_send(c, EVERYTHING + cut, length - cut));
        expect_everything(c, cut);
        client_free(c);
    }
}
END_TEST

START_TEST(requests_may_come_byte_by_byte)
{
    client *c = client_new();
    for (const char *at = EVERYTHING; *at; at++) {
        ck_assert(client_send(c, at, 1));
        pause_ms(0);
    }
    expect_everything(c, 0);
    client_free(c);
}
END_TEST

START_TEST(empty_lines_before_a_request_are_skipped)
{
    client *c = client_new();
    client_say(
        c,
        "\r\n\r\nGET /json HTTP/1.1\r\nHost: t\r\n\r\n\r\nGET /json HTTP/1.1\r\nHost: t\r\n\r\n");
    ck_assert_int_eq(client_answer(c).status, 200);
    ck_assert_int_eq(client_answer(c).status, 200);
    client_free(c);
}
END_TEST

START_TEST(a_target_may_have_a_scheme_and_a_host)
{
    expect(ask("GET http://example.com/json HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"), 200,
           "application/json");
    expect(
        ask("GET http://example.com:80/json?x=1 HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"),
        200, "application/json");
    expect(ask("GET HTTP://EXAMPLE.COM/json HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"), 200,
           "application/json");
    expect(ask("GET http://example.com HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"), 200,
           "text/html");
    expect(ask("GET http://example.com?x=1 HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"), 200,
           "text/html");
}
END_TEST

START_TEST(hosts_come_in_every_legal_form)
{
    static const char *const hosts[] = {
        "", "example.com", "example.com:8080", "127.0.0.1", "[::1]", "[::1]:8080", "a-b_c.test",
        "EXAMPLE",
    };
    char request[256];
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        snprintf(request, sizeof request,
                 "GET /json HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", hosts[i]);
        const answer a = ask(request);
        ck_assert_msg(a.status == 200, "Host: %s: %d", hosts[i], a.status);
    }
}
END_TEST

START_TEST(an_offer_to_upgrade_is_ignored)
{
    client *c = client_new();
    client_say(
        c,
        "GET /json HTTP/1.1\r\nHost: t\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\nGET /plaintext HTTP/1.1\r\nHost: t\r\n\r\n"
        "POST /echo HTTP/1.1\r\nHost: t\r\nConnection: upgrade\r\nUpgrade: x\r\nContent-Length: 2\r\n\r\nhi"
        "POST /echo HTTP/1.1\r\nHost: t\r\nConnection: upgrade\r\nUpgrade: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        "2\r\nho\r\n0\r\n\r\n"
        "GET /json HTTP/1.1\r\nHost: t\r\n\r\n");
    ck_assert_str_eq(client_answer(c).body, JSON_BODY);
    ck_assert_str_eq(client_answer(c).body, "Hello, World!");
    ck_assert_str_eq(client_answer(c).body, "hi");
    ck_assert_str_eq(client_answer(c).body, "ho");
    ck_assert_str_eq(client_answer(c).body, JSON_BODY);
    client_free(c);
}
END_TEST

START_TEST(headers_may_be_odd_and_legal)
{
    client *c = client_new();
    client_say(
        c,
        "GET /json HTTP/1.1\r\nhOsT:t\r\nEmpty:\r\nEmpty2: \t \r\nX-Latin: caf\xe9\r\nX-Utf8: \xc3\xa9\r\nX-Tab: a\tb\r\n"
        "x!#$%&'*+-.^_`|~9: odd\r\nCookie: a=b; c=d\r\n\r\n");
    expect(client_answer(c), 200, "application/json");
    client_free(c);
}
END_TEST

Suite *http_messages_suite(void)
{
    Suite *s = suite_create("http_messages");
    TCase *t = theme(s, "messages", with_messages);
    tcase_add_test(t, a_connection_stays_open_or_closes_as_it_is_asked_to);
    tcase_add_test(t, http_1_0_needs_no_host);
    tcase_add_test(t, a_1_0_client_gets_no_chunks);
    tcase_add_test(t, nothing_after_connection_close_is_answered);
    tcase_add_test(t, pipelined_requests_are_answered_in_their_order_slow_and_fast);
    tcase_add_test(t, a_thousand_requests_in_one_write_are_answered_in_order);
    tcase_add_test(t, a_thousand_queries_in_one_write_are_answered_in_order);
    tcase_add_test(t, what_needs_no_waiting_is_answered_before_the_client_ends);
    tcase_add_test(t, requests_may_be_cut_in_two_at_every_byte);
    tcase_add_test(t, requests_may_come_byte_by_byte);
    tcase_add_test(t, empty_lines_before_a_request_are_skipped);
    tcase_add_test(t, a_target_may_have_a_scheme_and_a_host);
    tcase_add_test(t, hosts_come_in_every_legal_form);
    tcase_add_test(t, an_offer_to_upgrade_is_ignored);
    tcase_add_test(t, headers_may_be_odd_and_legal);
    return s;
}
