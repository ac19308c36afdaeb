/* test_access_line.c - the two forms of a line, and what strangers may not do to them. */
#include "server/http/observe/access_line.h"
#include "tests/unit/suites.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static accessed a;

static void setup(void)
{
    setenv("TZ", "UTC-2", 1);
    tzset();
    a = (accessed){
        .when = { 1796012650, 123456789 }, .client = TEXT("192.0.2.7"), .method = TEXT("GET"), .path = TEXT("/users/42"),
        .query = TEXT("a=b"), .minor = 1, .status = 200, .bytes = 1873, .took = 412345, .referer = TEXT("http://r/"),
        .user_agent = TEXT("curl/7.88.1"), .route = TEXT("GET /users/:id"), .request_id = TEXT("r-1"),
        .trace_id = TEXT("0af7651916cd43dd8448eb211c80319c"),
    };
}

static const char *combined(void)
{
    static char line[ACCESS_LINE + 1];
    line[access_line_combined(&a, line)] = '\0';
    return line;
}

static json_t *json(void)
{
    char line[ACCESS_LINE + 1];
    json_error_t why;
    const size_t n = access_line_json(&a, line);
    ck_assert_uint_le(n, ACCESS_LINE);
    ck_assert_ptr_eq(memchr(line, '\n', n), line + n - 1);
    json_t *const all = json_loadb(line, n, JSON_REJECT_DUPLICATES, &why);
    ck_assert_msg(all != NULL, "%s: %.*s", why.text, (int)n, line);
    return all;
}

static const char *member(const char *name)
{
    static json_t *all;
    json_decref(all);
    all = json();
    const char *const value = json_string_value(json_object_get(all, name));
    return value ? value : "(none)";
}

START_TEST(combined_is_what_apache_calls_so_and_more_behind_it)
{
    ck_assert_str_eq(combined(), "192.0.2.7 - - [30/Nov/2026:06:24:10 +0200] \"GET /users/42?a=b HTTP/1.1\" 200 1873 "
                                 "\"http://r/\" \"curl/7.88.1\" 0.000412 r-1 0af7651916cd43dd8448eb211c80319c "
                                 "\"GET /users/:id\"\n");
}
END_TEST

START_TEST(in_combined_what_is_not_there_is_a_hyphen)
{
    a.client = a.method = a.path = a.query = a.referer = a.user_agent = a.route = a.request_id = a.trace_id = TEXT("");
    a.took = a.bytes = 0;
    a.status = 408;
    ck_assert_str_eq(combined(), "- - - [30/Nov/2026:06:24:10 +0200] \"-\" 408 0 \"-\" \"-\" - - - \"-\"\n");
}
END_TEST

START_TEST(in_combined_nobody_ends_a_field_or_a_line)
{
    a.user_agent = TEXT("x\" \\\r\n\x1b[31m\x7f\xc3\xa9\"");
    ck_assert_ptr_nonnull(strstr(combined(), " \"x\\x22 \\x5C\\x0D\\x0A\\x1B[31m\\x7F\\xC3\\xA9\\x22\" 0.000412"));
}
END_TEST

START_TEST(json_has_all_and_its_time_in_utc)
{
    json_t *const all = json();
    ck_assert_str_eq(member("time"), "2026-11-30T04:24:10.123Z");
    ck_assert_str_eq(member("client"), "192.0.2.7");
    ck_assert_str_eq(member("method"), "GET");
    ck_assert_str_eq(member("path"), "/users/42");
    ck_assert_str_eq(member("query"), "a=b");
    ck_assert_str_eq(member("protocol"), "HTTP/1.1");
    ck_assert_int_eq(json_integer_value(json_object_get(all, "status")), 200);
    ck_assert_int_eq(json_integer_value(json_object_get(all, "bytes")), 1873);
    ck_assert_double_eq(json_real_value(json_object_get(all, "seconds")), 0.000412);
    ck_assert_str_eq(member("referer"), "http://r/");
    ck_assert_str_eq(member("user_agent"), "curl/7.88.1");
    ck_assert_str_eq(member("route"), "GET /users/:id");
    ck_assert_str_eq(member("request_id"), "r-1");
    ck_assert_str_eq(member("trace_id"), "0af7651916cd43dd8448eb211c80319c");
    ck_assert_ptr_null(json_object_get(all, "aborted"));
    json_decref(all);
}
END_TEST

START_TEST(in_json_what_is_not_there_is_left_out)
{
    a.method = a.path = a.query = a.referer = a.user_agent = a.route = a.request_id = a.trace_id = TEXT("");
    a.took = 0;
    a.aborted = true;
    json_t *const all = json();
    ck_assert_uint_eq(json_object_size(all), 5);
    ck_assert(json_is_true(json_object_get(all, "aborted")));
    json_decref(all);
}
END_TEST

START_TEST(in_json_what_is_not_utf8_is_replaced_byte_by_byte)
{
    a.user_agent = TEXT("\"\n\x01 caf\xc3\xa9 \xe9t\xc3\xa9 \xff\xf0\x9f\x98\x80 \xed\xa0\x80.");
    ck_assert_str_eq(member("user_agent"), "\"\n\x01 caf\xc3\xa9 \xef\xbf\xbdt\xc3\xa9 \xef\xbf\xbd\xf0\x9f\x98\x80 "
                                           "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd.");
}
END_TEST

static text many(const char *part)
{
    static char all[64 * 1024];
    const size_t length = strlen(part);
    size_t n = 0;
    for (; n + length < sizeof all; n += length)
        memcpy(all + n, part, length);
    all[n] = '\0';
    return (text){ all, n };
}

/* However much is sent, and whatever, a line is whole. */
START_TEST(long_values_are_cut_and_the_line_is_never_too_long)
{
    static const char *const PARTS[] = { "a", "\"", "\xc3\xa9", "\xf0\x9f\x98\x80", "\xff", "\x01", "a\xe2\x82\xac", "a\xff" };
    char line[ACCESS_LINE], id[128];
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++) {
        a.request_id = (text){ memset(id, 'i', sizeof id), sizeof id };
        a.path = a.query = a.referer = a.user_agent = many(PARTS[i]);
        const size_t n = access_line_combined(&a, line);
        ck_assert_uint_le(n, ACCESS_LINE);
        ck_assert_ptr_eq(memchr(line, '\n', n), line + n - 1);
        const char *const agent = member("user_agent");
        ck_assert_str_eq(agent + strlen(agent) - 3, "...");
        const char *const path = member("path");
        ck_assert_str_eq(path + strlen(path) - 3, "...");
        ck_assert_uint_gt(strlen(path), 200);
    }
}
END_TEST

START_TEST(a_plain_value_is_whole_as_long_as_it_may_be)
{
    char wanted[500];
    memset(wanted, 'a', sizeof wanted);
    wanted[497] = '\0';
    a.user_agent = (text){ many("a").at, 497 };
    ck_assert_str_eq(member("user_agent"), wanted);
    ck_assert_ptr_nonnull(strstr(combined(), wanted));
    a.user_agent.length++;
    ck_assert_ptr_nonnull(strstr(member("user_agent"), "aaa..."));
    ck_assert_ptr_nonnull(strstr(combined(), "aaa...\" "));
}
END_TEST

START_TEST(seconds_have_six_digits_behind_the_point)
{
    static const struct { uint64_t ns; const char *shown; } EACH[] = {
        { 1, " 0.000000 " }, { 999, " 0.000000 " }, { 1000, " 0.000001 " }, { 1000000000, " 1.000000 " },
        { UINT64_C(86399999999999), " 86399.999999 " },
    };
    for (size_t i = 0; i < sizeof EACH / sizeof EACH[0]; i++) {
        a.took = EACH[i].ns;
        ck_assert_msg(strstr(combined(), EACH[i].shown) != NULL, "%s has no%s", combined(), EACH[i].shown);
    }
}
END_TEST

START_TEST(the_time_goes_on)
{
    combined();
    member("time");
    a.when.tv_sec++;
    ck_assert_ptr_nonnull(strstr(combined(), ":24:11 +0200]"));
    ck_assert_str_eq(member("time"), "2026-11-30T04:24:11.123Z");
}
END_TEST

Suite *access_line_suite(void)
{
    Suite *s = suite_create("access_line");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, combined_is_what_apache_calls_so_and_more_behind_it);
    tcase_add_test(t, in_combined_what_is_not_there_is_a_hyphen);
    tcase_add_test(t, in_combined_nobody_ends_a_field_or_a_line);
    tcase_add_test(t, json_has_all_and_its_time_in_utc);
    tcase_add_test(t, in_json_what_is_not_there_is_left_out);
    tcase_add_test(t, in_json_what_is_not_utf8_is_replaced_byte_by_byte);
    tcase_add_test(t, long_values_are_cut_and_the_line_is_never_too_long);
    tcase_add_test(t, a_plain_value_is_whole_as_long_as_it_may_be);
    tcase_add_test(t, seconds_have_six_digits_behind_the_point);
    tcase_add_test(t, the_time_goes_on);
    suite_add_tcase(s, t);
    return s;
}
