/* test_address.c - HOST:PORT: what it is, who can reach it, and how it is asked from here. */
#include "server/base/net/address.h"
#include "tests/unit/suites.h"

#include <string.h>
#include <uv.h>

static address of(const char *text)
{
    address a;
    ck_assert_msg(address_parse(&a, text) == 0, "%s", text);
    return a;
}

START_TEST(only_this_machine_reaches_a_loopback_address)
{
    static const char *const OURS[] = {
        "127.0.0.1:80", "127.255.0.3:0", "[::1]:80", "[::ffff:127.0.0.1]:80", "localhost:80", "LOCALHOST:80",
    };
    static const char *const EVERYBODYS[] = {
        ":80", "0.0.0.0:80", "[::]:80", "10.0.0.1:80", "128.0.0.1:80", "[::ffff:10.0.0.1]:80", "[::ffff:0.0.0.0]:80",
        "[fe80::1%eth0]:80", "example.org:80", "localhost.example.org:80", "127.0.0.1.example.org:80",
    };
    for (size_t i = 0; i < sizeof OURS / sizeof OURS[0]; i++) {
        const address a = of(OURS[i]);
        ck_assert_msg(address_is_loopback(&a), "%s", OURS[i]);
    }
    for (size_t i = 0; i < sizeof EVERYBODYS / sizeof EVERYBODYS[0]; i++) {
        const address a = of(EVERYBODYS[i]);
        ck_assert_msg(!address_is_loopback(&a), "%s", EVERYBODYS[i]);
    }
}
END_TEST

START_TEST(who_listens_on_every_address_is_asked_on_the_loopback)
{
    static const struct { const char *at, *asked; } CASES[] = {
        { ":80", "127.0.0.1:80" }, { "0.0.0.0:80", "127.0.0.1:80" }, { "[::]:80", "[::1]:80" },
        { "10.0.0.1:80", "10.0.0.1:80" }, { "[::1]:80", "[::1]:80" }, { "name:80", "name:80" },
    };
    char text[ADDRESS_TEXT];
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        address a = of(CASES[i].at);
        address_to_ask(&a);
        address_write(&a, text);
        ck_assert_str_eq(text, CASES[i].asked);
    }
}
END_TEST

START_TEST(what_is_no_host_and_port_is_refused_and_changes_nothing)
{
    static const char *const WRONG[] = { "", "80", "host", "host:", "host:x", "host:65536", "[::1]", "::1:80", "[host]:80",
                                         "a b:80" };
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        address a = { .host = "as before", .port = 7 };
        ck_assert_msg(address_parse(&a, WRONG[i]) == UV_EINVAL, "%s", WRONG[i]);
        ck_assert_str_eq(a.host, "as before");
        ck_assert_int_eq(a.port, 7);
    }
}
END_TEST

Suite *address_suite(void)
{
    Suite *s = suite_create("address");
    TCase *t = tcase_create("all");
    tcase_add_test(t, only_this_machine_reaches_a_loopback_address);
    tcase_add_test(t, who_listens_on_every_address_is_asked_on_the_loopback);
    tcase_add_test(t, what_is_no_host_and_port_is_refused_and_changes_nothing);
    suite_add_tcase(s, t);
    return s;
}
