/* test_proxy_header.c - the PROXY protocol's header, whole, in parts, and in every way wrong. */
#include "server/http/peer/proxy_header.h"
#include "tests/unit/suites.h"

#include <stdlib.h>
#include <uv.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V4 "\xc0\0\2\1" "\xc6\x33\x64\1" "\xdc\4" "\1\xbb"    /* 192.0.2.1, 198.51.100.1, and ports */
#define V6 "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1" "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\2" "\xdc\4" "\1\xbb"

typedef struct bytes { const char *at; size_t length; } bytes;
#define BYTES(literal) { literal, sizeof(literal) - 1 }

static proxy_header found;

/* Of bytes that end where memory does, so that a look beyond them is seen. */
static long reads(const char *at, size_t length)
{
    char *const copy = malloc(length ? length : 1);
    memcpy(copy, at, length);
    found = (proxy_header){ .known = true, .tls = true, .client = { { 7 } } };
    const long size = proxy_header_read(&found, copy, length);
    free(copy);
    return size;
}

static void expect_client(const char *address)
{
    char room[IP_TEXT];
    ck_assert(found.known == (address != NULL));
    if (address)
        ck_assert_str_eq(ip_write(&found.client, room).at, address);
}

static const struct { bytes header; const char *client; bool tls; } RIGHT[] = {
    { BYTES("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"), "192.0.2.1", false },
    { BYTES("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"), "255.255.255.255", false },
    { BYTES("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n"), "0.0.0.0", false },
    { BYTES("PROXY TCP6 2001:db8::1 ::1 1 2\r\n"), "2001:db8::1", false },
    { BYTES("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false },
    { BYTES("PROXY UNKNOWN\r\n"), NULL, false },
    { BYTES("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
      NULL, false },
    { BYTES("PROXY UNKNOWN \r\n"), NULL, false },
    { BYTES(SIGNATURE "\x21\x11\0\xc" V4), "192.0.2.1", false },
    { BYTES(SIGNATURE "\x21\x21\0\x24" V6), "2001:db8::1", false },
    { BYTES(SIGNATURE "\x20\0\0\0"), NULL, false },                                      /* LOCAL */
    { BYTES(SIGNATURE "\x20\x11\0\xc" V4), NULL, false },
    { BYTES(SIGNATURE "\x20\x31\0\3xyz"), NULL, false },
    { BYTES(SIGNATURE "\x21\0\0\0"), NULL, false },                                      /* for whom it cannot say */
    { BYTES(SIGNATURE "\x21\0\0\5abcde"), NULL, false },
    { BYTES(SIGNATURE "\x21\x12\0\xc" V4), NULL, false },                                /* who came by UDP */
    { BYTES(SIGNATURE "\x21\x10\0\xc" V4), NULL, false },
    { BYTES(SIGNATURE "\x21\x11\0\x0f" V4 "\4\0\0"), "192.0.2.1", false },               /* and TLVs */
    { BYTES(SIGNATURE "\x21\x11\0\x19" V4 "\1\0\2h2" "\x20\0\5\1\0\0\0\0"), "192.0.2.1", true },
    { BYTES(SIGNATURE "\x21\x11\0\x14" V4 "\x20\0\5\0\0\0\0\0"), "192.0.2.1", false },       /* TLS to another */
};

START_TEST(a_header_tells_who_the_client_is)
{
    for (size_t i = 0; i < sizeof RIGHT / sizeof RIGHT[0]; i++) {
        char with_more[300];
        const bytes h = RIGHT[i].header;
        ck_assert_msg(reads(h.at, h.length) == (long)h.length, "%zu", i);
        expect_client(RIGHT[i].client);
        ck_assert_msg(found.tls == RIGHT[i].tls, "%zu", i);
        memcpy(with_more, h.at, h.length);
        memcpy(with_more + h.length, "GET / HTTP/1.1\r\n", 16);
        ck_assert_msg(reads(with_more, h.length + 16) == (long)h.length, "%zu", i);
    }
}
END_TEST

START_TEST(a_part_of_one_is_waited_for)
{
    for (size_t i = 0; i < sizeof RIGHT / sizeof RIGHT[0]; i++)
        for (size_t n = 0; n < RIGHT[i].header.length; n++)
            ck_assert_msg(reads(RIGHT[i].header.at, n) == 0, "%zu bytes of %zu", n, i);
    ck_assert(found.known && found.tls && found.client.bytes[0] == 7);
}
END_TEST

static const bytes WRONG[] = {
    BYTES("GET / HTTP/1.1\r\n"),
    BYTES("P\r"),
    BYTES("PROXX"),
    BYTES("PROXY\r\n"),
    BYTES("proxy TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"),
    BYTES("PROXY \r\n"),
    BYTES("PROXY \n"),
    BYTES("PROXY TCP4\r\n"),
    BYTES("PROXY TCP4 192.0.2.1\r\n"),
    BYTES("PROXY TCP4 192.0.2.1 198.51.100.1 56324\r\n"),
    BYTES("PROXY TCP4 192.0.2.1 198.51.100.1 56324 \r\n"),
    BYTES("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 \r\n"),
    BYTES("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 1\r\n"),
    BYTES("PROXY TCP4  192.0.2.1 198.51.100.1 56324 443\r\n"),
    BYTES("PROXY  TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"),
    BYTES("PROXY TCP4\t192.0.2.1 198.51.100.1 56324 443\r\n"),
    BYTES("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\n"),
    BYTES("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\r\n"),
    BYTES("PROXY TCP4 192.0.2.1 198.51.100.1 \r56324 443\r\n"),
    BYTES("PROXY TCP4 192.0.2.1\0 198.51.100.1 56324 443\r\n"),
    BYTES("PROXY TCP4 192.0.2.256 198.51.100.1 56324 443\r\n"),
    BYTES("PROXY TCP4 192.0.2.01 198.51.100.1 56324 443\r\n"),
    BYTES("PROXY TCP4 192.0.2.1 198.51.100 56324 443\r\n"),
    BYTES("PROXY TCP4 192.0.2.1 198.51.100.1 56324 65536\r\n"),
    BYTES("PROXY TCP4 192.0.2.1 198.51.100.1 65536 443\r\n"),
    BYTES("PROXY TCP4 192.0.2.1 198.51.100.1 056324 443\r\n"),
    BYTES("PROXY TCP4 192.0.2.1 198.51.100.1 -1 443\r\n"),
    BYTES("PROXY TCP4 192.0.2.1 198.51.100.1 00 443\r\n"),
    BYTES("PROXY TCP4 192.0.2.1 198.51.100.1 1 4x3\r\n"),
    BYTES("PROXY TCP4 ::1 ::1 56324 443\r\n"),
    BYTES("PROXY TCP6 192.0.2.1 198.51.100.1 56324 443\r\n"),
    BYTES("PROXY TCP6 ::1 198.51.100.1 56324 443\r\n"),
    BYTES("PROXY TCP6 [::1] ::1 56324 443\r\n"),
    BYTES("PROXY TCP5 192.0.2.1 198.51.100.1 56324 443\r\n"),
    BYTES("PROXY UDP4 192.0.2.1 198.51.100.1 56324 443\r\n"),
    BYTES("PROXY UNKNOWNS\r\n"),
    BYTES("PROXY UNKNOW\r\n"),
    BYTES("PROXY UNKNOWN\n"),
    BYTES("PROXY UNKNOWN\rX\r\n"),
    BYTES("PROXY UNKNOWN 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456\r\n"),
    BYTES("\r\n\r\n\0\r\nQUIX"),
    BYTES("\r\n\r\nGET"),
    BYTES(SIGNATURE "\x11"),
    BYTES(SIGNATURE "\x31"),
    BYTES(SIGNATURE "\x22"),
    BYTES(SIGNATURE "\x21\x41"),
    BYTES(SIGNATURE "\x21\x13"),
    BYTES(SIGNATURE "\x20\xff"),
    BYTES(SIGNATURE "\x21\x11\0\0"),
    BYTES(SIGNATURE "\x21\x11\0\xb" V4),
    BYTES(SIGNATURE "\x21\x21\0\xc" V4),
    BYTES(SIGNATURE "\x21\x31\0\xc" V4),
    BYTES(SIGNATURE "\x21\x11\xff\xff"),
    BYTES(SIGNATURE "\x21\x11\x0f\xf1"),
    BYTES(SIGNATURE "\x20\0\xff\xff"),
    BYTES(SIGNATURE "\x21\x11\0\xd" V4 "\4"),
    BYTES(SIGNATURE "\x21\x11\0\xe" V4 "\4\0"),
    BYTES(SIGNATURE "\x21\x11\0\xf" V4 "\4\0\1"),
    BYTES(SIGNATURE "\x21\x11\0\x10" V4 "\4\xff\xff" "a"),
    BYTES(SIGNATURE "\x21\x11\0\x13" V4 "\x20\0\4\1\0\0\0"),
};

START_TEST(what_does_not_match_is_an_error_and_changes_nothing)
{
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        ck_assert_msg(reads(WRONG[i].at, WRONG[i].length) == UV_EPROTO, "%zu: %s", i, WRONG[i].at);
        ck_assert(found.known && found.tls && found.client.bytes[0] == 7);
    }
}
END_TEST

START_TEST(a_line_that_does_not_end_in_time_is_an_error)
{
    char line[107];
    memset(line, 'x', sizeof line);
    memcpy(line, "PROXY UNKNOWN ", 14);
    ck_assert_int_eq(reads(line, 106), 0);
    ck_assert_int_eq(reads(line, 107), UV_EPROTO);
    line[105] = '\r', line[106] = '\n';
    ck_assert_int_eq(reads(line, 107), 107);
}
END_TEST

START_TEST(the_longest_with_tlvs_is_taken)
{
    char *const whole = calloc(1, PROXY_HEADER_MOST);
    memcpy(whole, SIGNATURE "\x21\x11\x0f\xf0" V4 "\4\x0f\xe1", 31);
    ck_assert_int_eq(reads(whole, PROXY_HEADER_MOST - 1), 0);
    ck_assert_int_eq(reads(whole, PROXY_HEADER_MOST), PROXY_HEADER_MOST);
    expect_client("192.0.2.1");
    free(whole);
}
END_TEST

Suite *proxy_header_suite(void)
{
    Suite *s = suite_create("proxy_header");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_header_tells_who_the_client_is);
    tcase_add_test(t, a_part_of_one_is_waited_for);
    tcase_add_test(t, what_does_not_match_is_an_error_and_changes_nothing);
    tcase_add_test(t, a_line_that_does_not_end_in_time_is_an_error);
    tcase_add_test(t, the_longest_with_tlvs_is_taken);
    suite_add_tcase(s, t);
    return s;
}
