/* test_head.c - the head as it is understood, and what is refused though the scanner lets it pass. */
#include "server/http/message/head.h"
#include "server/http/message/head_scanner.h"
#include "server/http/message/status.h"

#include "tests/support/plain_head.h"
#include "tests/unit/suites.h"

#include <stdio.h>
#include <string.h>

static head h;

static int reads(const char *bytes)
{
    const head_limits limits = { 65535, 65535, HEAD_MAX_HEADERS };
    head_scanner s = { 0 };
    const long size = head_scan(&s, bytes, strlen(bytes), &limits, &h);
    ck_assert_int_eq(size, (long)strlen(bytes));
    const int err = head_read(&h);
    const char *const contradiction = plain_contradiction(&h, err);
    ck_assert_msg(!contradiction, "%s of %s", contradiction, bytes);
    return err;
}

static bool same(text t, const char *s) { return text_equal(t, text_of(s)); }

#define HOST "Host: a\r\n"

START_TEST(a_head_is_taken_apart)
{
    ck_assert_int_eq(reads("POST /a/b?c=d&e HTTP/1.1\r\nHost: example.org:80\r\nX-Empty:\r\n"
                           "Content-Length: 12\r\nY: \t z \t\r\n\r\n"), 0);
    ck_assert_int_eq(h.method, HTTP_POST);
    ck_assert_int_eq(h.minor, 1);
    ck_assert(same(h.path, "/a/b") && same(h.query, "c=d&e"));
    ck_assert_int_eq(h.count, 4);
    ck_assert(same(header_name(h.at, h.headers[0]), "Host") && same(header_value(h.at, h.headers[0]), "example.org:80"));
    ck_assert_uint_eq(h.headers[1].value_length, 0);
    ck_assert(same(header_value(h.at, h.headers[3]), "z"));
    ck_assert(h.has_body && !h.chunked && h.keep_alive && !h.expects_continue);
    ck_assert_uint_eq(h.content_length, 12);
    ck_assert_int_eq(reads("GET /x HTTP/1.1\r\n" HOST "\r\n"), 0);      /* nothing of the last one is left */
    ck_assert(same(h.query, "") && !h.has_body && h.content_length == 0 && h.count == 1);
}
END_TEST

START_TEST(a_target_has_one_of_three_forms)
{
    static const struct { const char *target, *path, *query; } GOOD[] = {
        { "/", "/", "" }, { "/?", "/", "" }, { "//", "//", "" }, { "/a?b?c", "/a", "b?c" },
        { "http://h", "/", "" }, { "http://h/", "/", "" }, { "http://h:80/a?b", "/a", "b" }, { "HTTP://h?b", "/", "b" },
        { "http://[::1]:80/a", "/a", "" },
    };
    static const char *const BAD[] = { "a", "*", "http://", "http:///a", "https://h/", "/#a", "/a?b#c", "http://u@h/", "a:80",
                                       "/\xc3\xbc", "h" };
    char request[200];
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
        sprintf(request, "GET %s HTTP/1.1\r\n" HOST "\r\n", GOOD[i].target);
        ck_assert_msg(reads(request) == 0, "%s", GOOD[i].target);
        ck_assert_msg(same(h.path, GOOD[i].path) && same(h.query, GOOD[i].query), "%s", GOOD[i].target);
    }
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        sprintf(request, "GET %s HTTP/1.1\r\n" HOST "\r\n", BAD[i]);
        ck_assert_msg(reads(request) == HTTP_STATUS(400), "%s: %d", BAD[i], reads(request));
    }
    ck_assert_int_eq(reads("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), 0);
    ck_assert(same(h.path, "*"));
}
END_TEST

START_TEST(a_host_is_said_once_and_well)
{
    static const char *const GOOD[] = { "", "a", "example.org", "a:80", "127.0.0.1:8080", "[::1]", "[::1]:80", "a:", "a%20b" };
    static const char *const BAD[] = { "a b", "a/b", "a,b:c:d", "[::1", "::1", "[::1]x", "a:8x", "a@b", "a:80:80", "\xc3\xbc",
                                       "[x]", "[::1x:80" };
    char request[200];
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
        sprintf(request, "GET / HTTP/1.1\r\nhOST: %s\r\n\r\n", GOOD[i]);
        ck_assert_msg(reads(request) == 0, "%s", GOOD[i]);
    }
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        sprintf(request, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", BAD[i]);
        ck_assert_msg(reads(request) == HTTP_STATUS(400), "%s", BAD[i]);
    }
    ck_assert_int_eq(reads("GET / HTTP/1.1\r\n\r\n"), HTTP_STATUS(400));
    ck_assert_int_eq(reads("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), HTTP_STATUS(400));
    ck_assert_int_eq(reads("GET / HTTP/1.0\r\n\r\n"), 0);
}
END_TEST

START_TEST(a_body_has_one_framing)
{
    static const struct { const char *headers; int err; } CASES[] = {
        { "Content-Length: 5\r\nContent-Length: 5\r\n", 400 }, { "Content-Length: 5, 5\r\n", 400 },
        { "Content-Length: +5\r\n", 400 }, { "Content-Length: -5\r\n", 400 }, { "Content-Length: 5 5\r\n", 400 },
        { "Content-Length: 0x5\r\n", 400 }, { "Content-Length: 99999999999999999999\r\n", 400 },
        { "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400 },
        { "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", 400 },
        { "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400 },
        { "Transfer-Encoding:\r\nContent-Length: 5\r\n", 400 }, { "Transfer-Encoding:\r\n", 400 },
        { "Transfer-Encoding: gzip\r\n", 501 }, { "Transfer-Encoding: gzip, chunked\r\n", 501 },
        { "Content-Length: 5\t\r\n", 0 }, { "Content-Length:\t 5 \t \r\n", 0 }, { "Content-Length: 5\t5\r\n", 400 },
        { "Content-Length: 5\t\r\nContent-Length: 5\r\n", 400 }, { "Content-Length: 5,\r\n", 400 },
        { "Content-Length:\r\n", 400 }, { "Content-Length: 5\t\r\nTransfer-Encoding: chunked\r\n", 400 },
        { "Content-Length: 18446744073709551615\r\n", 0 }, { "Content-Length: 18446744073709551616\r\n", 400 },
        { "Transfer-Encoding: , chunked\r\nContent-Length: 5\r\n", 400 },
        { "Transfer-Encoding: gzip\r\nContent-Length: 5\r\n", 400 }, { "Content-Length: 5\r\nTransfer-Encoding: x\r\n", 400 },
        { "Transfer-Encoding: ,\r\n", 400 }, { "Transfer-Encoding: chunked, chunked\r\n", 400 },
        { "Transfer-Encoding: , chunked\r\n", 0 }, { "Transfer-Encoding: chunked,\r\n", 0 },
        { "Transfer-Encoding:\t, ,\tchunked\t, \t\r\n", 0 }, { "Transfer-Encoding: \r\nTransfer-Encoding: chunked\r\n", 0 },
        { "Transfer-Encoding: chunked\r\nTransfer-Encoding: ,\r\n", 0 },
        { "Transfer-Encoding: , gzip\r\nTransfer-Encoding: chunked\r\n", 501 }, { "Transfer-Encoding: chunked;q=1\r\n", 501 },
        { "Transfer-Encoding: chunked, identity\r\n", 501 }, { "Transfer-Encoding: xchunked\r\n", 501 },
        { "Transfer-Encoding: chunked\r\n", 0 }, { "Transfer-Encoding: CHUNKED\r\n", 0 }, { "Content-Length: 0\r\n", 0 },
        { "Content-Length: 5\r\nUpgrade: x\r\nConnection: upgrade\r\n", 0 },
    };
    char request[300];
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        sprintf(request, "POST / HTTP/1.1\r\n" HOST "%s\r\n", CASES[i].headers);
        const int err = reads(request);
        ck_assert_msg(err == (CASES[i].err ? HTTP_STATUS(CASES[i].err) : 0), "%s: %d", CASES[i].headers, err);
    }
    ck_assert_int_eq(reads("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"), 0);
    ck_assert(h.chunked && h.has_body);
    ck_assert_int_eq(reads("POST /a?b HTTP/1.1\r\n" HOST "Content-Length: 5\t\r\nX: y\r\n\r\n"), 0);
    ck_assert(h.has_body && h.content_length == 5 && same(h.path, "/a") && same(h.query, "b") && h.count == 3);
    ck_assert(same(header_name(h.at, h.headers[1]), "Content-Length") && same(header_value(h.at, h.headers[2]), "y"));
    ck_assert_int_eq(reads("POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"), 0);
    ck_assert(!h.has_body);
    ck_assert_int_eq(reads("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), HTTP_STATUS(400));
    ck_assert_int_eq(reads("POST / HTTP/1.1\r\n" HOST "Content-Langth: 5\r\nTransfer-Encodinx: chunked\r\nHosx: b\r\n"
                           "Expecx: tea\r\nConnectiox: close\r\n\r\n"), 0);        /* names of the same length */
    ck_assert(!h.has_body && h.keep_alive);
}
END_TEST

START_TEST(close_wins_over_keep_alive_wherever_it_stands)
{
    static const struct { const char *request; bool stays; } CASES[] = {
        { "GET / HTTP/1.1\r\n" HOST "\r\n", true }, { "GET / HTTP/1.0\r\n\r\n", false },
        { "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", false },
        { "GET / HTTP/1.1\r\n" HOST "Connection: Close\t\r\n\r\n", false },
        { "GET / HTTP/1.1\r\n" HOST "Connection: x, \tcLOSE ,y\r\n\r\n", false },
        { "GET / HTTP/1.1\r\n" HOST "Connection: x\r\nConnection: close\r\nConnection: keep-alive\r\n\r\n", false },
        { "GET / HTTP/1.1\r\n" HOST "Connection: closed\r\n\r\n", true },
        { "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true },
        { "GET / HTTP/1.0\r\nConnection: close, keep-alive\r\n\r\n", false },
        { "GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", false },
        { "GET / HTTP/1.0\r\nConnection: close\r\nConnection: keep-alive\r\n\r\n", false },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        ck_assert_int_eq(reads(CASES[i].request), 0);
        ck_assert_msg(h.keep_alive == CASES[i].stays, "%s", CASES[i].request);
    }
}
END_TEST

START_TEST(only_100_continue_is_expected)
{
    ck_assert_int_eq(reads("POST / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n"), 0);
    ck_assert(h.expects_continue);
    ck_assert_int_eq(reads("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"), 0);
    ck_assert(!h.expects_continue);
    ck_assert_int_eq(reads("POST / HTTP/1.1\r\n" HOST "Expect: tea\r\n\r\n"), HTTP_STATUS(417));
}
END_TEST

START_TEST(methods_are_those_the_parser_knows_but_connect)
{
    ck_assert_int_eq(reads("DELETE / HTTP/1.1\r\n" HOST "\r\n"), 0);
    ck_assert_int_eq(reads("BREW / HTTP/1.1\r\n" HOST "\r\n"), HTTP_STATUS(501));
    ck_assert_int_eq(reads("get / HTTP/1.1\r\n" HOST "\r\n"), HTTP_STATUS(501));
    ck_assert_int_eq(reads("CONNECT h:80 HTTP/1.1\r\n" HOST "\r\n"), HTTP_STATUS(501));
    ck_assert_int_eq(reads("CONNECT \xc3\xbc HTTP/1.1\r\n" HOST "\r\n"), HTTP_STATUS(501));     /* whatever its target is */
    ck_assert_int_eq(reads("PRI * HTTP/1.1\r\n" HOST "\r\n"), HTTP_STATUS(400));       /* HTTP/2's, whose rest llhttp expects */
    ck_assert_int_eq(reads("PRI / HTTP/1.1\r\n" HOST "\r\n"), HTTP_STATUS(400));
    ck_assert_int_eq(reads("DESCRIBE / HTTP/1.1\r\n" HOST "\r\n"), HTTP_STATUS(400));  /* RTSP's */
}
END_TEST

START_TEST(there_is_a_last_header)
{
    static char request[10000];
    char *at = request + sprintf(request, "GET / HTTP/1.1\r\n" HOST);
    for (int i = 1; i < HEAD_MAX_HEADERS; i++)
        at += sprintf(at, "X-%d: y\r\n", i);
    strcpy(at, "\r\n");
    ck_assert_int_eq(reads(request), 0);
    ck_assert(h.count == HEAD_MAX_HEADERS && same(header_name(h.at, h.headers[HEAD_MAX_HEADERS - 1]), "X-255"));
}
END_TEST

START_TEST(a_list_is_all_of_its_lines)
{
    static const struct { const char *headers, *list; } CASES[] = {
        { "", "" }, { "A: b\r\n", "b" }, { "A:\r\n", "" }, { "A: b, c\r\na: d\r\n", "b, c,d" },
        { "A: b\r\nX: y\r\nA:\r\nA: \"c,d\"\r\n", "b,\"c,d\"" }, { "A:\r\nA:\r\n", "" }, { "AA: b\r\nA: c\r\n", "c" },
    };
    char request[200];
    arena a;
    arena_init(&a, NULL, 0);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        sprintf(request, "GET / HTTP/1.1\r\n" HOST "%s\r\n", CASES[i].headers);
        ck_assert_int_eq(reads(request), 0);
        ck_assert_msg(same(header_list(&a, h.at, h.headers, h.count, "a"), CASES[i].list), "%s", CASES[i].headers);
    }
    arena_done(&a);
}
END_TEST

START_TEST(a_list_has_members_of_which_some_are_empty)
{
    text list = TEXT(" a ,\tb;q=1,, c"), member;
    static const char *const MEMBERS[] = { "a", "b;q=1", "", "c" };
    for (int i = 0; i < 4; i++)
        ck_assert(text_next_member(&list, &member) && same(member, MEMBERS[i]));
    ck_assert(!text_next_member(&list, &member) && same(member, "c"));
}
END_TEST

START_TEST(texts_are_compared_and_trimmed)
{
    ck_assert(text_is(TEXT("HoSt"), "host") && !text_is(TEXT("hos"), "host") &&
              !text_is(TEXT("^"), "~") && text_is(TEXT(""), ""));
    ck_assert(same(text_trim(TEXT(" \ta b\t ")), "a b") && same(text_trim(TEXT(" \t")), ""));
}
END_TEST

/* What llhttp alone says of a line. */
static int said_by_llhttp(const char *line, uint8_t *minor)
{
    static const llhttp_settings_t no_callbacks;
    llhttp_t parser;
    llhttp_init(&parser, HTTP_REQUEST, &no_callbacks);
    const llhttp_errno_t said = llhttp_execute(&parser, line, strlen(line));
    *minor = parser.http_minor;
    return said == HPE_OK ? parser.method : -1;
}

/* Each byte at each end of a target and in its middle, so that any that is taken without llhttp is one that llhttp takes. */
START_TEST(whatever_is_read_without_llhttp_is_read_as_llhttp_would)
{
    static const char *const FORMS[] = { "/%c", "/a%c", "/%ca", "/quite/a/long/path%cof/more/than/sixteen?bytes=1", "/?%c" };
    char target[128], request[256];
    uint8_t minor;
    for (size_t f = 0; f < sizeof FORMS / sizeof *FORMS; f++)
        for (int byte = '!'; byte < 256; byte++) {
            if (byte == 0x7f)
                continue;                    /* no head with that is read */
            snprintf(target, sizeof target, FORMS[f], byte);
            snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n", target);
            const int method = said_by_llhttp(request, &minor);
            strcat(request, "Host: a\r\n\r\n");
            const int err = reads(request);
            if (!err)
                ck_assert_msg(method == h.method && minor == h.minor, "%s", target);
            else
                ck_assert_msg(method < 0 || byte == '#', "%s: %d", target, err);
        }
}
END_TEST

START_TEST(a_host_is_looked_at_each_time_whatever_was_good_before)
{
    ck_assert_int_eq(reads("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"), 0);
    ck_assert_int_eq(reads("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"), 0);
    ck_assert_int_eq(reads("GET / HTTP/1.1\r\nHost: example@org\r\n\r\n"), HTTP_STATUS(400));
    ck_assert_int_eq(reads("GET / HTTP/1.1\r\nHost: example@org\r\n\r\n"), HTTP_STATUS(400));
    ck_assert_int_eq(reads("GET / HTTP/1.1\r\nHost: example.org\r\nHost: example.org\r\n\r\n"), HTTP_STATUS(400));
    ck_assert_int_eq(reads("GET / HTTP/1.1\r\nHost: \r\n\r\n"), 0);
    ck_assert_int_eq(reads("GET / HTTP/1.1\r\nHost: example.or@\r\n\r\n"), HTTP_STATUS(400));
}
END_TEST

Suite *head_suite(void)
{
    Suite *s = suite_create("head");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_head_is_taken_apart);
    tcase_add_test(t, a_target_has_one_of_three_forms);
    tcase_add_test(t, a_host_is_said_once_and_well);
    tcase_add_test(t, a_body_has_one_framing);
    tcase_add_test(t, close_wins_over_keep_alive_wherever_it_stands);
    tcase_add_test(t, only_100_continue_is_expected);
    tcase_add_test(t, methods_are_those_the_parser_knows_but_connect);
    tcase_add_test(t, there_is_a_last_header);
    tcase_add_test(t, a_list_is_all_of_its_lines);
    tcase_add_test(t, a_list_has_members_of_which_some_are_empty);
    tcase_add_test(t, texts_are_compared_and_trimmed);
    tcase_add_test(t, whatever_is_read_without_llhttp_is_read_as_llhttp_would);
    tcase_add_test(t, a_host_is_looked_at_each_time_whatever_was_good_before);
    suite_add_tcase(s, t);
    return s;
}
