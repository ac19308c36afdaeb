/* test_suggestion.c - what was meant by a name that there is not. */
#include "server/config/suggestion.h"

#include "tests/unit/suites.h"

#include <string.h>

static const char *near(const char *word)
{
    suggestion near = { .word = word };
    suggestion_try(&near, "body");
    suggestion_try(&near, "head");
    suggestion_try(&near, "headers");
    suggestion_try(&near, "connections");
    return near.best ? near.best : "";
}

START_TEST(the_nearest_name_is_found_and_nothing_that_is_far)
{
    char longest[500];
    ck_assert_str_eq(near("boddy"), "body");
    ck_assert_str_eq(near("hed"), "head");
    ck_assert_str_eq(near("haeders"), "headers");
    ck_assert_str_eq(near("conection"), "connections");
    ck_assert_str_eq(near("headrs"), "headers");             /* head is near, too */
    ck_assert_str_eq(near("beady"), "body");                 /* and head no nearer */
    ck_assert_str_eq(near("frobnicate"), "");
    ck_assert_str_eq(near(""), "");
    memset(longest, 'h', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    ck_assert_str_eq(near(longest), "");
}
END_TEST

Suite *suggestion_suite(void)
{
    Suite *s = suite_create("suggestion");
    TCase *t = tcase_create("all");
    tcase_add_test(t, the_nearest_name_is_found_and_nothing_that_is_far);
    suite_add_tcase(s, t);
    return s;
}
