/* test_head_validator.c - what may be a head, how long it is, and that it does not matter how it arrives. */
#include "server/http/message/head_validator.h"
#include "server/http/message/status.h"

#include "tests/unit/suites.h"

#include <stdio.h>
#include <string.h>

static const head_validator_limits LIMITS = { .head = 400, .uri = 40, .headers = 4 };

static long whole(const char *head, size_t length)
{
    head_validator g = { 0 };
    return head_validate(&g, head, length, &LIMITS);
}

static long says(const char *head) { return whole(head, strlen(head)); }

/* The same, when the bytes come one by one. */
static long slowly(const char *head)
{
    head_validator g = { 0 };
    long said = 0;
    for (size_t length = 1; said == 0 && length <= strlen(head); length++)
        said = head_validate(&g, head, length, &LIMITS);
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
    for (size_t first = 0; first < sizeof HEAD - 1; first++)
        for (size_t second = first; second < sizeof HEAD - 1; second++) {
            head_validator g = { 0 };
            long said = head_validate(&g, HEAD, first, &LIMITS);
            if (!said)
                said = head_validate(&g, HEAD, second, &LIMITS);
            if (!said)
                said = head_validate(&g, HEAD, sizeof HEAD - 1, &LIMITS);
            ck_assert_int_eq(said, (long)sizeof HEAD - 5);
        }
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
            if (control && byte != '\t' && byte != '\r' && byte != '\n')
                ck_assert_msg(whole(head, sizeof head - 1) == HTTP_STATUS(400), "%d at %zu", byte, at);
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

Suite *head_validator_suite(void)
{
    Suite *s = suite_create("head_validator");
    TCase *t = tcase_create("all");
    tcase_add_test(t, the_end_of_a_head_is_found);
    tcase_add_test(t, it_does_not_matter_where_a_head_is_split);
    tcase_add_test(t, what_two_programs_might_read_differently_is_refused);
    tcase_add_test(t, every_control_byte_is_refused_wherever_it_stands);
    tcase_add_test(t, other_versions_are_told_so);
    tcase_add_test(t, each_limit_holds_to_the_byte);
    tcase_add_test(t, what_does_not_end_is_refused_at_its_limit);
    suite_add_tcase(s, t);
    return s;
}
