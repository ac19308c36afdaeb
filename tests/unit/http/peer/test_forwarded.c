/* test_forwarded.c - whom proxies say that they speak for, and whose word it is. */
#include "server/http/peer/forwarded.h"
#include "tests/unit/suites.h"
#include "heads.h"

static const char PROXIES[] = "10.0.0.0/8, 2001:db8:1::/48";

typedef struct case_of { const char *lines, *client, *scheme, *host; } case_of;

static void expect_all(forwarded_way way, const case_of cases[], size_t count)
{
    trusted *const proxies = trusted_new(PROXIES);
    for (size_t i = 0; i < count; i++) {
        const case_of *const c = &cases[i];
        header headers[16];
        char room[IP_TEXT];
        forwarded f;
        const bool found = forwarded_find(&f, way, proxies, c->lines, headers, headers_of(c->lines, headers));
        ck_assert_msg(found == (c->client != NULL), "%s", c->lines);
        if (found)
            ck_assert_msg(strcmp(ip_write(&f.client, room).at, c->client) == 0, "%s: %s", c->lines, room);
        ck_assert_msg(text_equal(f.scheme, text_of(c->scheme ? c->scheme : "")), "%s: %.*s", c->lines, (int)f.scheme.length,
                      f.scheme.at);
        ck_assert_msg(text_equal(f.host, text_of(c->host ? c->host : "")), "%s: %.*s", c->lines, (int)f.host.length, f.host.at);
    }
    trusted_free(proxies);
}

#define EXPECT_ALL(way, cases) expect_all(way, cases, sizeof(cases) / sizeof((cases)[0]))

START_TEST(the_client_is_the_first_from_the_right_whose_word_does_not_count)
{
    static const case_of CASES[] = {
        { "X-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1" },
        { "x-forwarded-for: 192.0.2.1, 10.0.0.1\r\n", "192.0.2.1" },
        { "X-Forwarded-For: 198.51.100.9, 192.0.2.1, 10.0.0.2, 10.0.0.1\r\n", "192.0.2.1" },
        { "X-Forwarded-For: 10.0.0.9, 192.0.2.1, 10.0.0.1\r\n", "192.0.2.1" },
        { "X-Forwarded-For: 10.0.0.3, 10.0.0.2\r\n", "10.0.0.3" },
        { "X-Forwarded-For: 198.51.100.9\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 10.0.0.1\r\n",
          "192.0.2.1" },
        { "X-Forwarded-For: 192.0.2.1,2001:db8:1::7\r\n", "192.0.2.1" },
        { "X-Forwarded-For: 192.0.2.1,2001:db8:2::7\r\n", "2001:db8:2::7" },
        { "X-Forwarded-For: 192.0.2.1:4711\r\n", "192.0.2.1" },
        { "X-Forwarded-For: [2001:db8::1]:4711\r\n", "2001:db8::1" },
        { "X-Forwarded-For: [2001:db8::1]\r\n", "2001:db8::1" },
        { "X-Forwarded-For: ::ffff:192.0.2.1\r\n", "192.0.2.1" },
        { "Host: a\r\n", NULL },
        { "Forwarded: for=192.0.2.1\r\n", NULL },
    };
    EXPECT_ALL(FORWARDED_X, CASES);
}
END_TEST

START_TEST(what_is_no_address_ends_the_walk_at_the_proxy_that_has_said_so)
{
    static const case_of CASES[] = {
        { "X-Forwarded-For: 192.0.2.1, unknown\r\n", NULL },
        { "X-Forwarded-For: 192.0.2.1, unknown, 10.0.0.1\r\n", "10.0.0.1" },
        { "X-Forwarded-For: 192.0.2.1, , 10.0.0.1\r\n", "10.0.0.1" },
        { "X-Forwarded-For: unknown, 192.0.2.1\r\n", "192.0.2.1" },
        { "X-Forwarded-For: unknown, 192.0.2.1, 10.0.0.1\r\n", "192.0.2.1" },
        { "X-Forwarded-For: 192.0.2.1, 10.0.0.1 10.0.0.2, 10.0.0.3\r\n", "10.0.0.3" },
        { "X-Forwarded-For: [2001:db8::1\r\n", NULL },
        { "X-Forwarded-For: [192.0.2.1]\r\n", NULL },
        { "X-Forwarded-For: [2001:db8::1]x\r\n", NULL },
        { "X-Forwarded-For: 192.0.2.1%0a\r\n", NULL },
    };
    EXPECT_ALL(FORWARDED_X, CASES);
}
END_TEST

/* A proxy hands on what a client has made up of it, and puts its own behind that. */
START_TEST(scheme_and_host_are_those_of_the_same_proxy)
{
    static const case_of CASES[] = {
        { "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: a.example:8443\r\n", "192.0.2.1", "https",
          "a.example:8443" },
        { "X-Forwarded-For: 192.0.2.1, 10.0.0.1\r\nX-Forwarded-Proto: HTTPS\r\n", "192.0.2.1", "https", "" },
        { "X-Forwarded-For: 192.0.2.1, 10.0.0.1\r\nX-Forwarded-Proto: https, http\r\nX-Forwarded-Host: a, b\r\n", "192.0.2.1",
          "https", "a" },
        { "X-Forwarded-For: 9.9.9.9, 192.0.2.1, 10.0.0.1\r\nX-Forwarded-Proto: x, https\r\nX-Forwarded-Proto: http\r\n",
          "192.0.2.1", "https", "" },
        { "X-Forwarded-For: 9.9.9.9, 192.0.2.1\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Host: good\r\n", "192.0.2.1", "",
          "good" },
        { "X-Forwarded-Proto: https\r\nX-Forwarded-Host: [::1]:80\r\n", NULL, "https", "[::1]:80" },
        { "X-Forwarded-Proto: ftp\r\nX-Forwarded-Host: a/b\r\n", NULL, "", "" },
        { "X-Forwarded-Host: a\"onload=\r\n", NULL, "", "" },
    };
    EXPECT_ALL(FORWARDED_X, CASES);
}
END_TEST

START_TEST(rfc_7239_says_the_same_in_elements)
{
    static const case_of CASES[] = {
        { "Forwarded: for=192.0.2.1\r\n", "192.0.2.1" },
        { "Forwarded: for=192.0.2.1;proto=https;by=10.0.0.1;host=a.example\r\n", "192.0.2.1", "https", "a.example" },
        { "Forwarded: For=\"[2001:db8:cafe::17]:4711\"; Proto=HTTP\r\n", "2001:db8:cafe::17", "http", "" },
        { "Forwarded: for=198.51.100.9;host=x, for=192.0.2.1;host=a, for=10.0.0.1;host=b\r\n", "192.0.2.1", "", "a" },
        { "Forwarded: for=192.0.2.1\r\nForwarded: for=\"10.0.0.1:80\"\r\n", "192.0.2.1" },
        { "Forwarded: for=10.0.0.3;proto=https, for=10.0.0.2;proto=http\r\n", "10.0.0.3", "https", "" },
        { "Forwarded: ,for=192.0.2.1, ,for=10.0.0.1,\r\n", "192.0.2.1" },
        { "Forwarded: for=\"192.0.2.1\";host=\"a:80\";ext=\"x, for=9.9.9.9\"\r\n", "192.0.2.1", "", "a:80" },
        { "Forwarded: ext=\"a\\\"b, for=9.9.9.9;\";for=192.0.2.1\r\n", "192.0.2.1" },
        { "X-Forwarded-For: 192.0.2.1\r\n", NULL },
    };
    EXPECT_ALL(FORWARDED_RFC7239, CASES);
}
END_TEST

START_TEST(what_is_hidden_or_malformed_in_it_ends_the_walk_too)
{
    static const case_of CASES[] = {
        { "Forwarded: for=192.0.2.1, for=unknown;proto=https\r\n", NULL, "https", "" },
        { "Forwarded: for=192.0.2.1, for=_hidden, for=10.0.0.1\r\n", "10.0.0.1" },
        { "Forwarded: for=192.0.2.1;proto=https, proto=http\r\n", NULL, "http", "" },
        { "Forwarded: for=192.0.2.1;for=192.0.2.2\r\n", NULL },
        { "Forwarded: for=192.0.2.1, for=\"10.0.0.1\r\n", NULL },
        { "Forwarded: for=192.0.2.1, for=\"10.0.0.1\\\r\n", NULL },
        { "Forwarded: for=192.0.2.1, for\r\nForwarded: for=10.0.0.1\r\n", "10.0.0.1" },
        { "Forwarded: for=192.0.2.1 for=10.0.0.1\r\n", NULL },
        { "Forwarded: for = 192.0.2.1\r\n", NULL },
        { "Forwarded: =192.0.2.1\r\n", NULL },
        { "Forwarded: for=2001:db8::1\r\n", "2001:db8::1" },
    };
    EXPECT_ALL(FORWARDED_RFC7239, CASES);
}
END_TEST

Suite *forwarded_suite(void)
{
    Suite *s = suite_create("forwarded");
    TCase *t = tcase_create("all");
    tcase_add_test(t, the_client_is_the_first_from_the_right_whose_word_does_not_count);
    tcase_add_test(t, what_is_no_address_ends_the_walk_at_the_proxy_that_has_said_so);
    tcase_add_test(t, scheme_and_host_are_those_of_the_same_proxy);
    tcase_add_test(t, rfc_7239_says_the_same_in_elements);
    tcase_add_test(t, what_is_hidden_or_malformed_in_it_ends_the_walk_too);
    suite_add_tcase(s, t);
    return s;
}
