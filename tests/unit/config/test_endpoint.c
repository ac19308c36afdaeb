/* test_endpoint.c - lists of places to listen at. */
#include "server/config/endpoint.h"
#include "tests/unit/suites.h"

#include <string.h>
#include <uv.h>

static char why[256];

START_TEST(each_of_a_list_is_taken_in_turn)
{
    const char *const list = "127.0.0.1:8080 ,[::1]:80,\t:0, unix:/run/tenk.sock , mode=0660,unix:@tenk,unix:relative";
    static const struct { const char *written, *host; int port; const char *path; int mode; } ALL[] = {
        { "127.0.0.1:8080", "127.0.0.1", 8080, "", -1 },
        { "[::1]:80", "::1", 80, "", -1 },
        { ":0", "", 0, "", -1 },
        { "unix:/run/tenk.sock", "", 0, "/run/tenk.sock", 0660 },
        { "unix:@tenk", "", 0, "@tenk", -1 },
        { "unix:relative", "", 0, "relative", -1 },
    };
    text rest = text_of(list);
    endpoint e;
    ck_assert_int_eq(endpoints_check(list, why, sizeof why), 0);
    ck_assert_int_eq(endpoints_count(list), 6);
    for (size_t i = 0; i < sizeof ALL / sizeof ALL[0]; i++) {
        ck_assert_int_eq(endpoint_next(&rest, &e, why, sizeof why), 0);
        ck_assert_int_eq(e.written.length, strlen(ALL[i].written));
        ck_assert_mem_eq(e.written.at, ALL[i].written, e.written.length);
        ck_assert_str_eq(e.at.host, ALL[i].host);
        ck_assert_int_eq(e.at.port, ALL[i].port);
        ck_assert_str_eq(e.path, ALL[i].path);
        ck_assert_int_eq(e.mode, ALL[i].mode);
    }
    ck_assert_int_eq(endpoint_next(&rest, &e, why, sizeof why), UV_EOF);
    ck_assert_str_eq(e.path, "relative");
}
END_TEST

START_TEST(the_proxy_protocol_is_spoken_where_that_is_said)
{
    static const bool SPOKEN[] = { true, false, true };
    text rest = TEXT(":1,proxy_protocol=on, :2, proxy_protocol=off, unix:a,mode=0600,proxy_protocol=on");
    endpoint e;
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(endpoint_next(&rest, &e, why, sizeof why), 0);
        ck_assert(e.proxy_protocol == SPOKEN[i]);
    }
    ck_assert_int_eq(e.mode, 0600);
    ck_assert(endpoints_have_proxy_protocol(":1,:2,proxy_protocol=on"));
    ck_assert(!endpoints_have_proxy_protocol(":1,proxy_protocol=off,:2"));
}
END_TEST

START_TEST(what_is_wrong_with_one_is_said)
{
    static const struct { const char *list, *says; } WRONG[] = {
        { ",", "'' is not HOST:PORT, nor unix:PATH" },
        { "localhost", "'localhost' is not HOST:PORT, nor unix:PATH "
                       "(try 127.0.0.1:8080, [::1]:8080, :8080, unix:/run/tenk.sock)" },
        { ":1,,:2", "'' is not" },
        { ":1 :2", "':1 :2' is not" },
        { "mode=0660", "'mode=0660' is not HOST:PORT" },
        { "unix:", "'unix:' names no file" },
        { "unix:@", "'unix:@' names no file" },
        { ":1,mode=0660", "'mode=0660' is for the file of a unix socket" },
        { "unix:@a,mode=0660", "'mode=0660' is for the file of a unix socket" },
        { "unix:a,mode=", "'mode=' is not a file's mode in octal" },
        { "unix:a,mode=0880", "'mode=0880' is not a file's mode in octal" },
        { "unix:a,mode=00660", "'mode=00660' is not a file's mode in octal" },
        { "unix:a,mode=1777", "'mode=1777' is more than a socket's file has (0777)" },
        { "unix:a,owner=me", "'owner=me' is no option of an address" },
        { ":1,proxy_protocol=yes",
          "'proxy_protocol=yes' is no option of an address (there are mode=0660 and proxy_protocol=on)" },
        { ":1,:2,:1", "':1' is there twice" },
        { "unix:a,unix:a", "'unix:a' is there twice" },
    };
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        ck_assert_msg(endpoints_check(WRONG[i].list, why, sizeof why) == UV_EINVAL, "%s", WRONG[i].list);
        ck_assert_msg(strncmp(why, WRONG[i].says, strlen(WRONG[i].says)) == 0, "%s: %s", WRONG[i].list, why);
    }
}
END_TEST

START_TEST(one_that_is_wrong_changes_nothing)
{
    text rest = TEXT("unix:a,mode=9");
    endpoint e = { .at.port = 7, .mode = 1 };
    ck_assert_int_eq(endpoint_next(&rest, &e, why, sizeof why), UV_EINVAL);
    ck_assert_uint_eq(rest.length, 13);
    ck_assert_int_eq(e.at.port, 7);
    ck_assert_int_eq(e.mode, 1);
}
END_TEST

START_TEST(any_free_port_may_be_there_twice)
{
    ck_assert_int_eq(endpoints_check("127.0.0.1:0,127.0.0.1:0", why, sizeof why), 0);
}
END_TEST

START_TEST(a_path_fits_or_is_refused)
{
    char list[200] = "unix:";
    memset(list + 5, 'a', 107);
    ck_assert_int_eq(endpoints_check(list, why, sizeof why), 0);
    list[5 + 107] = 'a';
    ck_assert_int_eq(endpoints_check(list, why, sizeof why), UV_EINVAL);
    ck_assert_ptr_nonnull(strstr(why, "107 bytes"));
}
END_TEST

START_TEST(there_may_be_so_many_and_no_more)
{
    char list[40 * 6] = "";
    for (int i = 0; i < ENDPOINTS_MOST; i++)
        strcat(list, i ? ",:0" : ":0");
    ck_assert_int_eq(endpoints_check(list, why, sizeof why), 0);
    ck_assert_int_eq(endpoints_check(strcat(list, ",:0"), why, sizeof why), UV_EINVAL);
    ck_assert_str_eq(why, "there are more than 32 addresses");
}
END_TEST

START_TEST(all_are_local_if_each_is)
{
    static const struct { const char *list; bool local, has_port; } ALL[] = {
        { "127.0.0.1:1", true, true },
        { "unix:/a", true, false },
        { "unix:@a,[::1]:0,localhost:1", true, true },
        { "127.0.0.1:1,10.0.0.1:1", false, true },
        { ":1,127.0.0.1:1", false, true },
        { "unix:/a,example.org:1", false, true },
    };
    for (size_t i = 0; i < sizeof ALL / sizeof ALL[0]; i++) {
        ck_assert_msg(endpoints_are_local(ALL[i].list) == ALL[i].local, "%s", ALL[i].list);
        ck_assert_msg(endpoints_have_port(ALL[i].list, NULL) == ALL[i].has_port, "%s", ALL[i].list);
    }
}
END_TEST

Suite *endpoint_suite(void)
{
    Suite *s = suite_create("endpoint");
    TCase *t = tcase_create("all");
    tcase_add_test(t, each_of_a_list_is_taken_in_turn);
    tcase_add_test(t, the_proxy_protocol_is_spoken_where_that_is_said);
    tcase_add_test(t, what_is_wrong_with_one_is_said);
    tcase_add_test(t, one_that_is_wrong_changes_nothing);
    tcase_add_test(t, any_free_port_may_be_there_twice);
    tcase_add_test(t, a_path_fits_or_is_refused);
    tcase_add_test(t, there_may_be_so_many_and_no_more);
    tcase_add_test(t, all_are_local_if_each_is);
    suite_add_tcase(s, t);
    return s;
}
