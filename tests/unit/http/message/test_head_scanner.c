/* test_head_scanner.c - what may be a head, how long it is, what its lines are, and that it does not matter how it arrives:
 * by vectors, by words, and as a plain reading finds it. */
#define VECTOR_PORTABLE
#define head_scan  portable_scan
#define HEAD_TOKEN PORTABLE_TOKEN
#include "server/http/message/head_scanner.c"          /* as where there are no vectors: NOLINT(bugprone-suspicious-include) */
#undef head_scan
#undef HEAD_TOKEN

#include "tests/support/plain_head.h"
#include "tests/unit/suites.h"

#include <stdio.h>
#include <stdlib.h>

long head_scan(head_scanner *s, const char *at, size_t length, const head_limits *limits, head *h);
extern const bool HEAD_TOKEN[256];

static const head_limits LIMITS = { .head = 400, .uri = 40, .headers = 4 };

/* The bytes in a room of their own, where a sanitizer sees a step over its end. */
static long scanned(head_scanner *s, const char *bytes, size_t length, const head_limits *limits)
{
    static head h;
    head_scanner other = *s;
    char *const room = malloc(length);
    memcpy(room, bytes, length);
    const long said = head_scan(s, room, length, limits, NULL);
    ck_assert_int_eq(portable_scan(&other, room, length, limits, &h), said);
    ck_assert_int_eq(plain_scan(room, length, limits), said);
    if (said == 0)
        ck_assert_uint_eq(s->line, other.line);
    if (said > 0)
        ck_assert_ptr_null(plain_contradiction(&h, head_read(&h)));
    free(room);
    return said;
}

static long whole(const char *head, size_t length)
{
    head_scanner s = { 0 };
    return scanned(&s, head, length, &LIMITS);
}

static long says(const char *head) { return whole(head, strlen(head)); }

/* The same, when the bytes come one by one. */
static long slowly(const char *head)
{
    head_scanner s = { 0 };
    long said = 0;
    for (size_t length = 1; said == 0 && length <= strlen(head); length++)
        said = scanned(&s, head, length, &LIMITS);
    return said;
}

#define REST " HTTP/1.1\r\nHost: a\r\n\r\n"

START_TEST(the_end_of_a_head_is_found)
{
    static const char *const HEADS[] = {
        "GET / HTTP/1.1\r\n\r\n", "GET /a?b HTTP/1.0\r\nHost: a\r\nAccept:\r\nX:\ty \t\r\n\r\n",
        "\r\n\r\nPOST / HTTP/1.1\r\nA: \xc3\xbc\r\n\r\n", "M-SEARCH * HTTP/1.1\r\nHost:a\r\n\r\n",
    };
    for (size_t i = 0; i < 4; i++) {
        char more[500];
        const long length = (long)strlen(HEADS[i]);
        ck_assert_int_eq(says(HEADS[i]), length);
        ck_assert_int_eq(slowly(HEADS[i]), length);
        snprintf(more, sizeof more, "%s\1\2\3 GET", HEADS[i]);
        ck_assert_int_eq(says(more), length);
        for (size_t part = 0; part < (size_t)length; part++)
            ck_assert_int_eq(whole(HEADS[i], part), 0);
    }
}
END_TEST

START_TEST(it_does_not_matter_where_a_head_is_split)
{
    static const char HEAD[] = "\r\nGET /abc?def HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\n\r\nrest";
    static head all, parts;
    head_scanner first = { 0 };
    ck_assert_int_eq(head_scan(&first, HEAD, sizeof HEAD - 1, &LIMITS, &all), (long)sizeof HEAD - 5);
    for (size_t one = 0; one < sizeof HEAD - 1; one++)
        for (size_t two = one; two < sizeof HEAD - 1; two++) {
            head_scanner s = { 0 };
            memset(&parts, 0, sizeof parts);
            long said = head_scan(&s, HEAD, one, &LIMITS, &parts);
            if (!said) {
                parts.headers[0] = (header){ 0 };        /* meanwhile it is used for the head of another client */
                said = head_scan(&s, HEAD, two, &LIMITS, &parts);
            }
            if (!said)
                said = head_scan(&s, HEAD, sizeof HEAD - 1, &LIMITS, &parts);
            ck_assert_int_eq(said, (long)sizeof HEAD - 5);
            ck_assert_int_eq(parts.count, 2);
            ck_assert_mem_eq(parts.headers, all.headers, 2 * sizeof *all.headers);
            ck_assert(text_equal(parts.target, TEXT("/abc?def")) && text_equal(parts.line, TEXT("GET /abc?def HTTP/1.1\r\n")));
        }
}
END_TEST

START_TEST(the_table_has_each_name_and_value)
{
    static const char HEAD[] = "\r\n\r\nGET /a HTTP/1.0\r\nHost:a\r\nX_y.z: \t b  c\t \r\nEmpty:\r\nBlank: \t\r\n\r\n";
    static const char *const NAMES[] = { "Host", "X_y.z", "Empty", "Blank" }, *const VALUES[] = { "a", "b  c", "", "" };
    static head h;
    for (int i = 0; i < 2; i++) {
        head_scanner s = { 0 };
        const long size = (i ? portable_scan : head_scan)(&s, HEAD, sizeof HEAD - 1, &LIMITS, &h);
        ck_assert_int_eq(size, (long)sizeof HEAD - 1);
        ck_assert(h.at == HEAD && h.length == sizeof HEAD - 1 && h.count == 4);
        ck_assert(h.line.at == HEAD + 4 && text_equal(h.line, TEXT("GET /a HTTP/1.0\r\n")) && h.target.at == HEAD + 8 &&
                  h.target.length == 2);
        for (int k = 0; k < 4; k++)
            ck_assert(text_equal(header_name(h.at, h.headers[k]), text_of(NAMES[k])) &&
                      text_equal(header_value(h.at, h.headers[k]), text_of(VALUES[k])));
    }
}
END_TEST

START_TEST(trailers_are_headers_without_a_request_line)
{
    static const struct { const char *bytes; long said; } CASES[] = {
        { "\r\n", 2 }, { "A: b\r\n\r\nGET", 8 }, { "", 0 }, { "\r", 0 }, { "A: b\r\n", 0 }, { "A : b\r\n\r\n", HTTP_STATUS(400) },
        { "GET / HTTP/1.1\r\n\r\n", HTTP_STATUS(400) }, { "A: b\r\n\n", HTTP_STATUS(400) },
        { "A:\r\nA:\r\nA:\r\nA:\r\n\r\n", 18 }, { "A:\r\nA:\r\nA:\r\nA:\r\nA:\r\n", HTTP_STATUS(431) },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        head_scanner s = { .lines = 1 }, other = s;
        ck_assert_int_eq(head_scan(&s, CASES[i].bytes, strlen(CASES[i].bytes), &LIMITS, NULL), CASES[i].said);
        ck_assert_int_eq(portable_scan(&other, CASES[i].bytes, strlen(CASES[i].bytes), &LIMITS, NULL), CASES[i].said);
    }
}
END_TEST

/* Of what is good and bad of a line, put together anyhow. */
static size_t made_up(char *to)
{
    static const char *const PARTS[] = {
        "GET", "POST", "CONNECT", "PRI", "BREW", "OPTIONS", " ", " ", " ", "\t", "/", "/a?b", "*", "http://h/", " HTTP/1.1\r\n",
        " HTTP/1.1\r\n", " HTTP/1.1\r\n", " HTTP/1.0\r\n", " HTTP/2.0\r\n", "\r\n", "\r\n", "\r\n", "\r", "\n", "Host: a\r\n",
        "Host: a\r\n", "Host", "Content-Length", "Transfer-Encoding", "Connection", "X_1", "Expect", ":", ": ", ": ", " :", "5",
        "5", "chunked", "close", "100-continue", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: a\r\n", "a value of some length",
        "\x7f", "\x01", "\xc3\xbc", ",", "no-header-has-such-a-name-0123456789", "/0123456789012345678901234567890123456789",
    };
    size_t length = 0;
    for (int parts = rand() % 4 ? 3 : 0; parts < 16; parts++) {
        const int which = parts == 3 && rand() % 2 ? 42 : rand() % (int)(sizeof PARTS / sizeof *PARTS);
        length = (size_t)(stpcpy(to + length, PARTS[which]) - to);
    }
    return (size_t)(stpcpy(to + length, "\r\n\r\n") - to);
}

START_TEST(any_bytes_are_read_as_plainly)
{
    static const head_limits LARGE = { 60000, 8000, HEAD_MAX_HEADERS };
    char bytes[1200];
    int good = 0;
    srand(1);
    for (int i = 0; i < 5000; i++) {
        const size_t length = made_up(bytes), part = 1 + (size_t)rand() % length;
        head_scanner once = { 0 }, s = { 0 };
        good += scanned(&once, bytes, length, &LARGE) > 0;
        whole(bytes, length);
        if (scanned(&s, bytes, part, &LIMITS) == 0)
            scanned(&s, bytes, length, &LIMITS);
    }
    ck_assert_int_gt(good, 100);
}
END_TEST

START_TEST(what_two_programs_might_read_differently_is_refused)
{
    static const char *const BAD[] = {
        "GET / HTTP/1.1\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\n",
        "GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n", "GET / HTTP/1.1\rHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\rX",                  /* a head that ends with CRLF CR X */
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "GET / HTTP/1.1\r\nHost\t: a\r\n\r\n",
        "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "GET / HTTP/1.1\r\nX: a\r\n Content-Length: 5\r\n\r\n",
        "GET / HTTP/1.1\r\nX: a\r\n\tb\r\n\r\n", "GET / HTTP/1.1\r\n: a\r\n\r\n", "GET / HTTP/1.1\r\nHost\r\n\r\n",
        "GET / HTTP/1.1\r\na b: c\r\n\r\n", "GET / HTTP/1.1\r\na\xc3\xbc: c\r\n\r\n", "GET / HTTP/1.1\r\na@b: c\r\n\r\n",
        "GET / HTTP/1.1\r\na[b: c\r\n\r\n", "GET / HTTP/1.1\r\n(a): c\r\n\r\n",
        "GET / HTTP/1.1\r\nX: \1\r\n\r\n", "GET / HTTP/1.1\r\nX: \x7f\r\n\r\n", "GET /\1 HTTP/1.1\r\n\r\n",
        "GET /\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/1.1 \r\n\r\n", "GET  / HTTP/1.1\r\n\r\n", " GET / HTTP/1.1\r\n\r\n",
        "GET / a HTTP/1.1\r\n\r\n", "GET / http/1.1\r\n\r\n", "GET / HTTP/1.1x\r\n\r\n", "GET / HTTP/x.1\r\n\r\n",
        "GET / HTTP/11\r\n\r\n", "G\xc3\x84T / HTTP/1.1\r\n\r\n", "GET\t/ HTTP/1.1\r\n\r\n", "{} / HTTP/1.1\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        ck_assert_msg(says(BAD[i]) == HTTP_STATUS(400), "%zu: %ld", i, says(BAD[i]));
        ck_assert_msg(slowly(BAD[i]) == HTTP_STATUS(400), "%zu, slowly: %ld", i, slowly(BAD[i]));
    }
    ck_assert_int_eq(whole("GET / HTTP/1.1\r\nX: \0\r\n\r\n", 25), HTTP_STATUS(400));
}
END_TEST

START_TEST(every_control_byte_is_refused_wherever_it_stands)
{
    char head[] = "GET /0123456789 HTTP/1.1\r\nHost: abcdefghijklmnop\r\nLonger-Name: and a longer value\r\n\r\n";
    for (size_t at = 0; at < sizeof head - 1; at++)
        for (int byte = 0; byte < 256; byte++) {
            const char was = head[at];
            const bool control = byte < 0x20 || byte == 0x7f;
            head[at] = (char)byte;
            const long said = whole(head, sizeof head - 1);
            if (control && byte != '\t' && byte != '\r' && byte != '\n')
                ck_assert_msg(said == HTTP_STATUS(400), "%d at %zu", byte, at);
            head[at] = was;
        }
}
END_TEST

START_TEST(other_versions_are_told_so)
{
    ck_assert_int_eq(says("GET / HTTP/2.0\r\n\r\n"), HTTP_STATUS(505));
    ck_assert_int_eq(says("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), HTTP_STATUS(505));
    ck_assert_int_eq(says("GET / HTTP/1.2\r\n\r\n"), HTTP_STATUS(505));
    ck_assert_int_eq(says("GET / HTTP/0.9\r\n\r\n"), HTTP_STATUS(505));
    ck_assert_int_gt(says("GET / HTTP/1.0\r\n\r\n"), 0);
}
END_TEST

START_TEST(each_limit_holds_to_the_byte)
{
    char head[1000], *at;
    for (int length = 31; length <= 33; length++) {          /* of a method: longer ones are not even looked at */
        sprintf(head, "%0*d /" REST, length, 7);
        const long wanted = length > 32 ? HTTP_STATUS(501) : (long)strlen(head);
        ck_assert_int_eq(says(head), wanted);
        ck_assert_int_eq(slowly(head), wanted);
    }
    for (int length = 39; length <= 41; length++) {
        sprintf(head, "GET /%0*d" REST, length - 1, 0);
        const long wanted = length > 40 ? HTTP_STATUS(414) : (long)strlen(head);
        ck_assert_int_eq(says(head), wanted);
        ck_assert_int_eq(slowly(head), wanted);
    }
    for (int count = 3; count <= 5; count++) {
        at = head + sprintf(head, "GET / HTTP/1.1\r\n");
        for (int i = 0; i < count; i++)
            at += sprintf(at, "X: y\r\n");
        strcpy(at, "\r\n");
        ck_assert_int_eq(says(head), count > 4 ? HTTP_STATUS(431) : (long)strlen(head));
        ck_assert_int_eq(slowly(head), says(head));
    }
    for (int length = 399; length <= 401; length++) {
        sprintf(head, "GET / HTTP/1.1\r\nX: %0*d\r\n\r\n", length - 23, 0);
        ck_assert_uint_eq(strlen(head), (size_t)length);
        ck_assert_int_eq(says(head), length > 400 ? HTTP_STATUS(431) : length);
        ck_assert_int_eq(slowly(head), says(head));
    }
}
END_TEST

START_TEST(what_does_not_end_is_refused_at_its_limit)
{
    static char endless[600];
    memset(endless, 'a', sizeof endless - 1);
    ck_assert_int_eq(says(endless), HTTP_STATUS(501));
    ck_assert_int_eq(slowly(endless), HTTP_STATUS(501));
    memcpy(endless, "GET /", 5);
    ck_assert_int_eq(says(endless), HTTP_STATUS(414));
    ck_assert_int_eq(whole(endless, 200), HTTP_STATUS(414));
    memcpy(endless, "GET / HTTP/1.1\r\n", 16);
    ck_assert_int_eq(says(endless), HTTP_STATUS(431));
    for (size_t i = 0; i + 1 < sizeof endless; i++)
        endless[i] = i % 2 ? '\n' : '\r';
    ck_assert_int_eq(says(endless), HTTP_STATUS(431));
}
END_TEST

Suite *head_scanner_suite(void)
{
    Suite *s = suite_create("head_scanner");
    TCase *t = tcase_create("all");
    tcase_add_test(t, the_end_of_a_head_is_found);
    tcase_add_test(t, it_does_not_matter_where_a_head_is_split);
    tcase_add_test(t, the_table_has_each_name_and_value);
    tcase_add_test(t, trailers_are_headers_without_a_request_line);
    tcase_add_test(t, any_bytes_are_read_as_plainly);
    tcase_add_test(t, what_two_programs_might_read_differently_is_refused);
    tcase_add_test(t, every_control_byte_is_refused_wherever_it_stands);
    tcase_add_test(t, other_versions_are_told_so);
    tcase_add_test(t, each_limit_holds_to_the_byte);
    tcase_add_test(t, what_does_not_end_is_refused_at_its_limit);
    suite_add_tcase(s, t);
    return s;
}
