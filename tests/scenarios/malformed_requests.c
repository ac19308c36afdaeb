/* malformed_requests.c - what must not be understood. Each is answered once, the connection is closed, and
 * nothing behind it is taken for a request: whoever could make it one would speak for others
 * (request smuggling). */
#include "tests/scenarios/support/refusal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void with_refusals(void) { server_start("refusals", "TENK_LIMITS_BODY=64KiB", NULL); }

START_TEST(lines_end_with_cr_and_lf_and_neither_stands_alone)
{
    REFUSED("GET / HTTP/1.1\nHost: t\n\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost: t\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\nHost: t\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost: t\r\n\n", 400);
    REFUSED("GET / HTTP/1.1\rHost: t\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost: t\rX: y\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost: t\r\nX: a\rb\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost: t\r\n\rX: y\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost: t\r\nX: a\r\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost: t\r\n\r\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\r\nHost: t\r\n\r\n", 400);
    REFUSED("\nGET / HTTP/1.1\r\nHost: t\r\n\r\n", 400);
    REFUSED("\rGET / HTTP/1.1\r\nHost: t\r\n\r\n", 400);
}
END_TEST

START_TEST(a_header_has_one_line_and_no_space_around_its_name)
{
    REFUSED("GET / HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\n" H "X: a\r\n\tb\r\n\r\n", 400);
    REFUSED("POST /echo HTTP/1.1\r\n" H "X: a\r\n Content-Length: 5\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\n Host: t\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\n\tHost: t\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost : t\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost\t: t\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\n" H "Content-Length : 5\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\n" H "Transfer-Encoding : chunked\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\n" H "X A: b\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\n" H ": b\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\n" H "no colon\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\n" H "X\x80: b\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\n" H "X(a): b\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\n" H "X\"a\": b\r\n\r\n", 400);
}
END_TEST

START_TEST(control_bytes_have_no_place_in_a_head)
{
    REFUSED("GET / HTTP/1.1\r\n" H "X: a\0b\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\n" H "X\0: a\r\n\r\n", 400);
    REFUSED("GET /\0 HTTP/1.1\r\n" H "\r\n", 400);
    REFUSED("GET /a\tb HTTP/1.1\r\n" H "\r\n", 400);
    REFUSED("GE\0T / HTTP/1.1\r\n" H "\r\n", 400);
    char request[] = "GET / HTTP/1.1\r\nHost: t\r\nX: a?b\r\n\r\n";
    char *place = strchr(request, '?');
    for (int c = 1; c < 0x20; c++)
        if (c != '\t' && c != '\r' && c != '\n') {
            *place = (char)c;
            refused(request, sizeof request - 1, 400, 400);
        }
    *place = 0x7f;
    refused(request, sizeof request - 1, 400, 400);
}
END_TEST

START_TEST(http_1_1_has_one_good_host)
{
    REFUSED("GET / HTTP/1.1\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\nX-Host: t\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost: t\r\nHost: t\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost: t\r\nhost: other\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.0\r\nHost: t\r\nHost: u\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost: user@host\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost: a?b\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost: a#b\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost: http://a\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost: <a>\r\n\r\n", 400);
    REFUSED("GET / HTTP/1.1\r\nHost: a\xc3\xa9\r\n\r\n", 400);
    REFUSED("GET http://example.com/ HTTP/1.1\r\n\r\n", 400);
}
END_TEST

START_TEST(a_body_has_one_length)
{
    REFUSED("POST /echo HTTP/1.1\r\n" H
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400);
    REFUSED("POST /echo HTTP/1.1\r\n" H
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
            400);
    REFUSED("POST /echo HTTP/1.1\r\n" H "Transfer-Encoding:\r\nContent-Length: 5\r\n\r\nhello", 400);
    REFUSED("POST /echo HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400);
    REFUSED("POST /echo HTTP/1.1\r\n" H "Content-Length: 0\r\nContent-Length: 35\r\n\r\n", 400);
    REFUSED("POST /echo HTTP/1.1\r\n" H "Content-Length: 5, 6\r\n\r\nhello", 400);
    REFUSED("POST /echo HTTP/1.1\r\n" H "Content-Length: -5\r\n\r\n", 400);
    REFUSED("POST /echo HTTP/1.1\r\n" H "Content-Length: +5\r\n\r\nhello", 400);
    REFUSED("POST /echo HTTP/1.1\r\n" H "Content-Length: 0x5\r\n\r\nhello", 400);
    REFUSED("POST /echo HTTP/1.1\r\n" H "Content-Length: 5x\r\n\r\nhello", 400);
    REFUSED("POST /echo HTTP/1.1\r\n" H "Content-Length: 5 5\r\n\r\nhello", 400);
    REFUSED("POST /echo HTTP/1.1\r\n" H "Content-Length: 1e1\r\n\r\nhello", 400);
    REFUSED("POST /echo HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", 400);
    REFUSED_EITHER("POST /echo HTTP/1.1\r\n" H "Content-Length: 18446744073709551616\r\n\r\n", 400,
                   413);
    REFUSED_EITHER("POST /echo HTTP/1.1\r\n" H "Content-Length: 18446744073709551651\r\n\r\n", 400,
                   413);
    REFUSED_EITHER("POST /echo HTTP/1.1\r\n" H "Content-Length: 99999999999999999999999999\r\n\r\n",
                   400, 413);
}
END_TEST

START_TEST(the_only_transfer_coding_is_chunked_and_only_on_1_1)
{
    REFUSED_EITHER("POST /echo HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, 501);
    REFUSED_EITHER(
        "POST /echo HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400, 501);
    REFUSED_EITHER("POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: gzip\r\n\r\n", 501, 400);
    REFUSED_EITHER("POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                   501, 400);
    REFUSED_EITHER("POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
                   501, 400);
    REFUSED_EITHER("POST /echo HTTP/1.1\r\n" H
                   "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
                   501, 400);
    REFUSED_EITHER("POST /echo HTTP/1.1\r\n" H
                   "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                   400, 501);
    REFUSED_EITHER("POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\n\r\n", 501, 400);
    REFUSED_EITHER("POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501,
                   400);
    REFUSED_EITHER("POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
                   501, 400);
    REFUSED_EITHER("POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
                   501, 400);
    REFUSED_EITHER("POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: \x0b"
                   "chunked\r\n\r\n0\r\n\r\n",
                   400, 501);
    REFUSED_EITHER("POST /echo HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\r\n", 400, 501);
    REFUSED_EITHER("POST /echo HTTP/1.1\r\n" H
                   "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                   501, 400);
}
END_TEST

START_TEST(bad_chunks_end_the_connection)
{
    REFUSED(CHUNKED "x\r\n\r\n", 400);
    REFUSED(CHUNKED "\r\n", 400);
    REFUSED(CHUNKED "-1\r\n\r\n", 400);
    REFUSED(CHUNKED "+1\r\na\r\n0\r\n\r\n", 400);
    REFUSED(CHUNKED "0x1\r\na\r\n0\r\n\r\n", 400);
    REFUSED(CHUNKED " 1\r\na\r\n0\r\n\r\n", 400);
    REFUSED(CHUNKED "1 \r\na\r\n0\r\n\r\n", 400);
    REFUSED(CHUNKED "1\na\n0\n\n", 400);
    REFUSED(CHUNKED "1\r\nab\r\n0\r\n\r\n", 400);
    REFUSED(CHUNKED "5\r\nhell\r\n0\r\n\r\n", 400);
    REFUSED(CHUNKED "1\r\naX\r\n0\r\n\r\n", 400);
    REFUSED(CHUNKED "1\r\na\n0\r\n\r\n", 400);
    REFUSED(CHUNKED "1\ra\r\n0\r\n\r\n", 400);
    REFUSED(CHUNKED "1;a\nb\r\na\r\n0\r\n\r\n", 400);
    REFUSED(CHUNKED "1;a=\x01\r\na\r\n0\r\n\r\n", 400);
    REFUSED_EITHER(CHUNKED "10000000000000000\r\na\r\n", 400, 413);
    REFUSED_EITHER(CHUNKED "fffffffffffffffff\r\na\r\n", 400, 413);
    REFUSED(CHUNKED "0\r\nX : y\r\n\r\n", 400);
    REFUSED(CHUNKED "0\r\n X: y\r\n\r\n", 400);
    REFUSED(CHUNKED "0\r\nX: a\r\n b\r\n\r\n", 400);
    REFUSED(CHUNKED "0\r\nX: a\nY: b\r\n\r\n", 400);
    REFUSED(CHUNKED "0\r\nX: a\rY: b\r\n\r\n", 400);
    REFUSED(CHUNKED "0\r\n\rX", 400);
}
END_TEST

START_TEST(the_request_line_is_exact)
{
    REFUSED("GET  / HTTP/1.1\r\n" H "\r\n", 400);
    REFUSED("GET /  HTTP/1.1\r\n" H "\r\n", 400);
    REFUSED("GET / HTTP/1.1 \r\n" H "\r\n", 400);
    REFUSED(" GET / HTTP/1.1\r\n" H "\r\n", 400);
    REFUSED("GET\t/\tHTTP/1.1\r\n" H "\r\n", 400);
    REFUSED("GET /a b HTTP/1.1\r\n" H "\r\n", 400);
    REFUSED("GET / http/1.1\r\n" H "\r\n", 400);
    REFUSED("GET / HTTP/1\r\n" H "\r\n", 400);
    REFUSED("GET / HTTP/1.\r\n" H "\r\n", 400);
    REFUSED("GET / HTTP/1.1x\r\n" H "\r\n", 400);
    REFUSED("GET / HTTP/01.1\r\n" H "\r\n", 400);
    REFUSED("GET / HTTPS/1.1\r\n" H "\r\n", 400);
    REFUSED("GET / XTTP/1.1\r\n" H "\r\n", 400);
    REFUSED("GET HTTP/1.1\r\n" H "\r\n", 400);
    REFUSED("/ HTTP/1.1\r\n" H "\r\n", 400);
    REFUSED("G@T / HTTP/1.1\r\n" H "\r\n", 400);
    REFUSED("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400);
}
END_TEST

START_TEST(other_versions_are_refused_and_0_9_is_none)
{
    REFUSED("GET / HTTP/2.0\r\n" H "\r\n", 505);
    REFUSED("GET / HTTP/1.2\r\n" H "\r\n", 505);
    REFUSED("GET / HTTP/0.9\r\n" H "\r\n", 505);
    REFUSED("GET / HTTP/9.9\r\n" H "\r\n", 505);
    REFUSED("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
    REFUSED("GET /\r\n\r\n", 400);
    REFUSED("GET /\r\n", 400);
}
END_TEST

START_TEST(targets_are_a_path_or_a_url_and_the_asterisk_is_for_options)
{
    REFUSED("GET * HTTP/1.1\r\n" H "\r\n", 400);
    REFUSED("GET example.com HTTP/1.1\r\n" H "\r\n", 400);
    REFUSED("GET example.com:80 HTTP/1.1\r\n" H "\r\n", 400);
    REFUSED("GET ?x=1 HTTP/1.1\r\n" H "\r\n", 400);
    REFUSED("GET #x HTTP/1.1\r\n" H "\r\n", 400);
    REFUSED("GET /#fragment HTTP/1.1\r\n" H "\r\n", 400);
    REFUSED("GET /x?y#fragment HTTP/1.1\r\n" H "\r\n", 400);
    REFUSED("GET http:///json HTTP/1.1\r\n" H "\r\n", 400);
    REFUSED("GET http://user@/json HTTP/1.1\r\n" H "\r\n", 400);
    REFUSED("GET ftp://example.com/ HTTP/1.1\r\n" H "\r\n", 400);
    REFUSED("GET /\x80 HTTP/1.1\r\n" H "\r\n", 400);
    REFUSED("OPTIONS ** HTTP/1.1\r\n" H "\r\n", 400);
}
END_TEST

START_TEST(connect_is_refused)
{
    REFUSED_EITHER("CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n", 501, 405);
    REFUSED_EITHER("CONNECT /json HTTP/1.1\r\n" H "\r\n", 501, 400);
}
END_TEST

START_TEST(unknown_methods_are_501)
{
    REFUSED("BREW /pot HTTP/1.1\r\n" H "\r\n", 501);
    REFUSED("get / HTTP/1.1\r\n" H "\r\n", 501);
    REFUSED("GETX / HTTP/1.1\r\n" H "\r\n", 501);
    REFUSED("G / HTTP/1.1\r\n" H "\r\n", 501);
}
END_TEST

START_TEST(whatever_was_asked_before_is_answered_before_the_refusal)
{
    client *c = client_new();
    client_say(c, "GET /sleep?ms=30 HTTP/1.1\r\n" H "\r\nGET /users/42 HTTP/1.1\r\n" H
                  "\r\nGET / HTTP/1.1\r\n" H "Bad : x\r\n\r\n" SMUGGLED);
    ck_assert_int_eq(client_answer(c).status, 200);
    ck_assert_int_eq(client_answer(c).status, 200);
    ck_assert_int_eq(client_answer(c).status, 400);
    ck_assert(client_closed(c));
    client_free(c);
}
END_TEST

START_TEST(a_body_cut_short_is_no_body)
{
    client *c = client_new();
    client_say(
        c,
        "POST /users/20/posts HTTP/1.1\r\n" H
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 30\r\n\r\ntitle=cut+short&body=b");
    client_half_close(c);
    const answer a = client_answer(c);
    ck_assert_msg(a.status == 0 || a.status == 400, "answered %d", a.status);
    client_free(c);
    ck_assert_ptr_null(strstr(get("/users/20").body, "cut short"));
    c = client_new();
    client_say(c, CHUNKED "5\r\nhello\r\n");
    client_half_close(c);
    const answer b = client_answer(c);
    ck_assert_msg(b.status == 0 || b.status == 400, "answered %d", b.status);
    client_free(c);
}
END_TEST

START_TEST(noise_harms_nobody)
{
    unsigned seed = 1;
    char noise[600];
    for (int i = 0; i < scaled(2000); i++) {
        const char *base =
            i % 2
                ? "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n"
                : "GET /users/42?a=b HTTP/1.1\r\nHost: t\r\nAccept: text/html;q=0.5\r\nConnection: close\r\n\r\n";
        const size_t length = strlen(base);
        memcpy(noise, base, length + 1);
        for (int k = 0; k <= i % 4; k++) {
            seed = seed * 1103515245u + 12345u;
            noise[(seed >> 8) % length] = (char)(seed >> 24);
        }
        client *c = client_new();
        client_send(c, noise, length);
        client_half_close(c);
        client_drain(c);
        client_free(c);
    }
    expect(get("/json"), 200, "application/json");
}
END_TEST

Suite *malformed_requests_suite(void)
{
    Suite *s = suite_create("malformed_requests");
    TCase *t = theme(s, "refusals", with_refusals);
    tcase_add_test(t, lines_end_with_cr_and_lf_and_neither_stands_alone);
    tcase_add_test(t, a_header_has_one_line_and_no_space_around_its_name);
    tcase_add_test(t, control_bytes_have_no_place_in_a_head);
    tcase_add_test(t, http_1_1_has_one_good_host);
    tcase_add_test(t, a_body_has_one_length);
    tcase_add_test(t, the_only_transfer_coding_is_chunked_and_only_on_1_1);
    tcase_add_test(t, bad_chunks_end_the_connection);
    tcase_add_test(t, the_request_line_is_exact);
    tcase_add_test(t, other_versions_are_refused_and_0_9_is_none);
    tcase_add_test(t, targets_are_a_path_or_a_url_and_the_asterisk_is_for_options);
    tcase_add_test(t, connect_is_refused);
    tcase_add_test(t, unknown_methods_are_501);
    tcase_add_test(t, whatever_was_asked_before_is_answered_before_the_refusal);
    tcase_add_test(t, a_body_cut_short_is_no_body);
    tcase_add_test(t, noise_harms_nobody);
    return s;
}
