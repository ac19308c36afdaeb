/* test_units.c - amounts, addresses, and how much of the machine is ours. */
#include "server/base/net/address.h"
#include "server/base/machine.h"
#include "server/base/units.h"

#include "tests/unit/suites.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

START_TEST(amounts_have_the_units_people_write)
{
    uint64_t n = 7;
    ck_assert_int_eq(units_number("1024", &n), 0);
    ck_assert_uint_eq(n, 1024);
    ck_assert_int_eq(units_size("512", &n), 0);
    ck_assert_uint_eq(n, 512);
    ck_assert_int_eq(units_size("64KiB", &n), 0);
    ck_assert_uint_eq(n, 65536);
    ck_assert_int_eq(units_size("3MiB", &n), 0);
    ck_assert_uint_eq(n, 3 << 20);
    ck_assert_int_eq(units_size("2GiB", &n), 0);
    ck_assert_uint_eq(n, 2ull << 30);
    ck_assert_int_eq(units_duration("250ms", &n), 0);
    ck_assert_uint_eq(n, 250);
    ck_assert_int_eq(units_duration("30s", &n), 0);
    ck_assert_uint_eq(n, 30000);
    ck_assert_int_eq(units_duration("5m", &n), 0);
    ck_assert_uint_eq(n, 300000);
    ck_assert_int_eq(units_duration("1h", &n), 0);
    ck_assert_uint_eq(n, 3600000);
    ck_assert_int_eq(units_duration("0", &n), 0);
    ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(nothing_else_is_an_amount_and_out_stays)
{
    static const char *const NUMBERS[] = { "", "x", "-1", "+1", " 1", "1 ", "1.5", "0x10", "1KiB" };
    static const char *const SIZES[] = { "", "KiB", "64KB", "64K", "64kib", "1 MiB", "1.5MiB",
                                         "64KiBs", "-1KiB" };
    static const char *const TIMES[] = { "", "30", "00", "s", "30 s", "30S", "1d", "1h30m",
                                         "0.5s" };
    uint64_t n = 7;
    for (size_t i = 0; i < 9; i++) {
        ck_assert_int_eq(units_number(NUMBERS[i], &n), UV_EINVAL);
        ck_assert_int_eq(units_size(SIZES[i], &n), UV_EINVAL);
        ck_assert_int_eq(units_duration(TIMES[i], &n), UV_EINVAL);
    }
    ck_assert_uint_eq(n, 7);
}
END_TEST

START_TEST(an_amount_beyond_64_bits_is_out_of_range)
{
    uint64_t n = 7;
    ck_assert_int_eq(units_number("18446744073709551615", &n), 0);
    ck_assert_uint_eq(n, UINT64_MAX);
    n = 7;
    ck_assert_int_eq(units_number("18446744073709551616", &n), UV_ERANGE);
    ck_assert_int_eq(units_number("99999999999999999999999999999", &n), UV_ERANGE);
    ck_assert_int_eq(units_size("18446744073709551615KiB", &n), UV_ERANGE);
    ck_assert_int_eq(units_duration("18446744073709551615h", &n), UV_ERANGE);
    ck_assert_uint_eq(n, 7);
}
END_TEST

START_TEST(six_words_switch_on_or_off)
{
    bool on;
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(units_switch((const char *[]){ "on", "true", "yes" }[i], &on), 0);
        ck_assert(on);
        ck_assert_int_eq(units_switch((const char *[]){ "off", "false", "no" }[i], &on), 0);
        ck_assert(!on);
    }
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(units_switch((const char *[]){ "", "1", "On", "onn" }[i], &on), UV_EINVAL);
}
END_TEST

START_TEST(a_line_is_utf8_without_control_characters)
{
    static const char *const GOOD[] = { "", "a\tb", "ü", "€", "\xf0\x9f\x98\x80",
                                        "\xf4\x8f\xbf\xbf" };
    static const char *const BAD[] = { "\n", "\x7f", "\x1b[0m", "\xff", "\x80", "\xc3", "\xc0\xaf",
                                       "\xc1\xbf",
                                       "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                       "\xf8\x88\x80\x80\x80",
                                       "\xe2\x82", "\xf0\x9f\x98", "\xf0\x80\x80\x80" };
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++)
        ck_assert_msg(units_is_line(GOOD[i]), "good %zu", i);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        ck_assert_msg(!units_is_line(BAD[i]), "bad %zu", i);
}
END_TEST

START_TEST(an_address_is_read_and_written_again)
{
    static const struct { const char *text, *host; int port; } GOOD[] = {
        { "127.0.0.1:8080", "127.0.0.1", 8080 }, { "[::1]:8080", "::1", 8080 },
        { ":8080", "", 8080 },
        { "[::]:0", "::", 0 }, { "example.org:65535", "example.org", 65535 },
        { "[fe80::1%eth0]:1", "fe80::1%eth0", 1 },
    };
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
        address a;
        char text[ADDRESS_TEXT];
        ck_assert_int_eq(address_parse(&a, GOOD[i].text), 0);
        ck_assert_str_eq(a.host, GOOD[i].host);
        ck_assert_int_eq(a.port, GOOD[i].port);
        address_write(&a, text);
        ck_assert_str_eq(text, GOOD[i].text);
    }
}
END_TEST

START_TEST(what_is_no_address_changes_nothing)
{
    static const char *const BAD[] = {
        "", "8080", "127.0.0.1", "127.0.0.1:", ":", ":65536", ":-1", ":+1", ":8o8o",
        ":99999999999999999999",
        "::1:8080", "[::1]", "[::1]8080", "[::1", "[]:80", "[127.0.0.1]:80", "[::g]:80", "[]]:80",
        "a b:80", "[::1%]:80",
        "http://localhost:80", "*:80", "[:80", "]:80", "\xc3\xbc:80",
    };
    char longest[600];
    address a = { .port = 7 };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        ck_assert_msg(address_parse(&a, BAD[i]) == UV_EINVAL, "'%s'", BAD[i]);
    memset(longest, 'a', sizeof longest);
    strcpy(longest + sizeof longest - 4, ":80");
    ck_assert_int_eq(address_parse(&a, longest), UV_EINVAL);
    longest[0] = '[';
    longest[sizeof longest - 5] = ']';
    ck_assert_int_eq(address_parse(&a, longest), UV_EINVAL);
    ck_assert_int_eq(a.port, 7);
}
END_TEST

START_TEST(processors_are_those_of_our_affinity)
{
    cpu_set_t mine, one;
    ck_assert_int_eq(sched_getaffinity(0, sizeof mine, &mine), 0);
    int first = 0;
    while (!CPU_ISSET(first, &mine))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    ck_assert_int_ge(machine_processors(), 1);
    ck_assert_int_le(machine_processors(), CPU_COUNT(&mine));
    ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
    ck_assert_int_eq(machine_processors(), 1);
    sched_setaffinity(0, sizeof mine, &mine);
}
END_TEST

START_TEST(a_quota_is_rounded_up)
{
    ck_assert_int_eq(machine_quota("max 100000\n"), 0);
    ck_assert_int_eq(machine_quota("200000 100000\n"), 2);
    ck_assert_int_eq(machine_quota("150000 100000\n"), 2);
    ck_assert_int_eq(machine_quota("1000 100000\n"), 1);
    ck_assert_int_eq(machine_quota("-1 100000"), 0);
    ck_assert_int_eq(machine_quota("5 0"), 0);
    ck_assert_int_eq(machine_quota(""), 0);
}
END_TEST

START_TEST(open_files_can_be_raised_to_what_is_allowed)
{
    const int before = machine_open_files();
    machine_raise_open_files();
    ck_assert_int_ge(machine_open_files(), before);
}
END_TEST

START_TEST(files_in_use_are_those_that_are_open)
{
    const int before = machine_files_in_use(), opened = open("/dev/null", O_RDONLY);
    ck_assert_int_ge(before, 3);             /* the standard ones */
    ck_assert_int_eq(machine_files_in_use(), before + 1);
    ck_assert_int_eq(machine_files_in_use(), before + 1);
    close(opened);
    ck_assert_int_eq(machine_files_in_use(), before);
}
END_TEST

Suite *units_suite(void)
{
    Suite *s = suite_create("units");
    TCase *t = tcase_create("all");
    tcase_add_test(t, amounts_have_the_units_people_write);
    tcase_add_test(t, nothing_else_is_an_amount_and_out_stays);
    tcase_add_test(t, an_amount_beyond_64_bits_is_out_of_range);
    tcase_add_test(t, six_words_switch_on_or_off);
    tcase_add_test(t, a_line_is_utf8_without_control_characters);
    tcase_add_test(t, an_address_is_read_and_written_again);
    tcase_add_test(t, what_is_no_address_changes_nothing);
    tcase_add_test(t, processors_are_those_of_our_affinity);
    tcase_add_test(t, a_quota_is_rounded_up);
    tcase_add_test(t, open_files_can_be_raised_to_what_is_allowed);
    tcase_add_test(t, files_in_use_are_those_that_are_open);
    suite_add_tcase(s, t);
    return s;
}
