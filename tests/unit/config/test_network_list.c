/* test_network_list.c - lists of networks. */
#include "server/config/network_list.h"
#include "tests/unit/suites.h"

#include <string.h>
#include <uv.h>

static char why[256];

START_TEST(each_of_a_list_is_taken_in_turn)
{
    text rest = TEXT("10.0.0.0/8 ,unix, ::1");
    network n;
    bool is_unix;
    ck_assert(network_list_next(&rest, &n, &is_unix) && !is_unix);
    ck_assert_int_eq(n.bits, 104);
    ck_assert(network_list_next(&rest, &n, &is_unix) && is_unix);
    ck_assert(network_list_next(&rest, &n, &is_unix) && !is_unix);
    ck_assert_int_eq(n.bits, 128);
    ck_assert(!network_list_next(&rest, &n, &is_unix));
    rest = TEXT("none");
    ck_assert(!network_list_next(&rest, &n, &is_unix));
}
END_TEST

START_TEST(what_is_wrong_is_said)
{
    static const struct { const char *list, *bad; } WRONG[] = {
        { "10.0.0.0/8, here", "'here'" }, { "10.0.0.1/8", "'10.0.0.1/8'" }, { ",", "''" }, { "none, ::1", "'none'" },
        { "::1, none", "'none'" }, { "localhost", "'localhost'" }, { "UNIX", "'UNIX'" },
    };
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        ck_assert_msg(network_list_check(WRONG[i].list, why, sizeof why) == UV_EINVAL, "%s", WRONG[i].list);
        ck_assert_msg(strncmp(why, WRONG[i].bad, strlen(WRONG[i].bad)) == 0, "%s", why);
        ck_assert_ptr_nonnull(strstr(why, " is no network, nor unix (try "));
    }
    ck_assert_int_eq(network_list_check("none", why, sizeof why), 0);
    ck_assert_int_eq(network_list_check("unix", why, sizeof why), 0);
    ck_assert_int_eq(network_list_check("0.0.0.0/0,::/0", why, sizeof why), 0);
}
END_TEST

Suite *network_list_suite(void)
{
    Suite *s = suite_create("network_list");
    TCase *t = tcase_create("all");
    tcase_add_test(t, each_of_a_list_is_taken_in_turn);
    tcase_add_test(t, what_is_wrong_is_said);
    suite_add_tcase(s, t);
    return s;
}
