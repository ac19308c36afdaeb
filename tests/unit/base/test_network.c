/* test_network.c - addresses and networks of both versions of IP. */
#include "server/base/net/network.h"
#include "tests/unit/suites.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/un.h>
#include <uv.h>

static ip ip_of_text(const char *t)
{
    ip a = { { 0 } };
    ck_assert_msg(ip_parse(&a, text_of(t)) == 0, "%s", t);
    return a;
}

START_TEST(an_address_is_written_as_people_know_it)
{
    static const struct { const char *given, *written; } ALL[] = {
        { "192.0.2.1", "192.0.2.1" }, { "0.0.0.0", "0.0.0.0" }, { "::ffff:192.0.2.1", "192.0.2.1" },
        { "2001:DB8:0:0:0:0:0:1", "2001:db8::1" }, { "::", "::" }, { "::1", "::1" },
        { "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
    };
    for (size_t i = 0; i < sizeof ALL / sizeof ALL[0]; i++) {
        char room[IP_TEXT];
        const ip a = ip_of_text(ALL[i].given);
        const text t = ip_write(&a, room);
        ck_assert_str_eq(t.at, ALL[i].written);
        ck_assert_uint_eq(t.length, strlen(ALL[i].written));
        ck_assert(ip_is_v4(&a) == (strchr(ALL[i].written, '.') != NULL));
    }
}
END_TEST

START_TEST(what_is_no_bare_address_is_refused_and_changes_nothing)
{
    static const char *const WRONG[] = { "", "1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.0.0.1", "1.2.3.4:80", " 1.2.3.4",
                                         "[::1]", "fe80::1%eth0", ":::", "localhost", "1.2.3.4/8",
                                         "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000" };
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        ip a = { { 7 } };
        ck_assert_msg(ip_parse(&a, text_of(WRONG[i])) == UV_EINVAL, "%s", WRONG[i]);
        ck_assert_int_eq(a.bytes[0], 7);
    }
    ip a;
    ck_assert_int_eq(ip_parse(&a, (text){ "1.2.3.4\0", 8 }), UV_EINVAL);
}
END_TEST

START_TEST(a_socket_has_the_same_address_whichever_version_it_speaks)
{
    struct sockaddr_in four = { .sin_family = AF_INET };
    struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
    struct sockaddr_un none = { .sun_family = AF_UNIX };
    ip a, b;
    inet_pton(AF_INET, "192.0.2.1", &four.sin_addr);
    inet_pton(AF_INET6, "::ffff:192.0.2.1", &six.sin6_addr);
    ck_assert_int_eq(ip_of(&a, (const struct sockaddr *)&four), 0);
    ck_assert_int_eq(ip_of(&b, (const struct sockaddr *)&six), 0);
    ck_assert_mem_eq(&a, &b, sizeof a);
    ck_assert_int_eq(ip_of(&a, (const struct sockaddr *)&none), UV_EINVAL);
}
END_TEST

START_TEST(a_network_has_those_that_begin_as_it_does)
{
    static const struct { const char *network, *in, *out; } ALL[] = {
        { "10.0.0.0/8", "10.255.0.1", "11.0.0.0" },
        { "10.0.0.0/8", "::ffff:10.0.0.1", "::10.0.0.1" },
        { "192.0.2.128/25", "192.0.2.255", "192.0.2.127" },
        { "192.0.2.4/30", "192.0.2.7", "192.0.2.8" },
        { "192.0.2.1", "192.0.2.1", "192.0.2.0" },
        { "192.0.2.1/32", "192.0.2.1", "192.0.2.0" },
        { "0.0.0.0/0", "255.255.255.255", "::1" },
        { "::1", "::1", "::2" },
        { "2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1" },
        { "::/0", "1.2.3.4", NULL },
    };
    for (size_t i = 0; i < sizeof ALL / sizeof ALL[0]; i++) {
        network n;
        ck_assert_msg(network_parse(&n, text_of(ALL[i].network)) == 0, "%s", ALL[i].network);
        const ip in = ip_of_text(ALL[i].in), out = ip_of_text(ALL[i].out ? ALL[i].out : "::");
        ck_assert_msg(network_has(&n, &in), "%s has %s", ALL[i].network, ALL[i].in);
        ck_assert_msg(!ALL[i].out || !network_has(&n, &out), "%s has not %s", ALL[i].network, ALL[i].out);
    }
}
END_TEST

START_TEST(what_is_no_network_is_refused_and_changes_nothing)
{
    static const char *const WRONG[] = { "", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.0/0008",
                                         "10.0.0.1/8", "::1/127", "::/129", "10/8", "10.0.0.0/8/8", "unix" };
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        network n = { .bits = 7 };
        ck_assert_msg(network_parse(&n, text_of(WRONG[i])) == UV_EINVAL, "%s", WRONG[i]);
        ck_assert_int_eq(n.bits, 7);
    }
}
END_TEST

START_TEST(masked_it_has_zeros_behind)
{
    char room[IP_TEXT];
    const ip a = ip_of_text("2001:db8:1:2:3:4:5:6"), net = ip_masked(&a, 64), odd = ip_masked(&a, 47), whole = ip_masked(&a, 128);
    ck_assert_str_eq(ip_write(&net, room).at, "2001:db8:1:2::");
    ck_assert_str_eq(ip_write(&odd, room).at, "2001:db8::");
    ck_assert_mem_eq(&whole, &a, sizeof a);
}
END_TEST

Suite *network_suite(void)
{
    Suite *s = suite_create("network");
    TCase *t = tcase_create("all");
    tcase_add_test(t, an_address_is_written_as_people_know_it);
    tcase_add_test(t, what_is_no_bare_address_is_refused_and_changes_nothing);
    tcase_add_test(t, a_socket_has_the_same_address_whichever_version_it_speaks);
    tcase_add_test(t, a_network_has_those_that_begin_as_it_does);
    tcase_add_test(t, what_is_no_network_is_refused_and_changes_nothing);
    tcase_add_test(t, masked_it_has_zeros_behind);
    suite_add_tcase(s, t);
    return s;
}
