/* test_topics.c - which names are topics, and which of them are anybody's. */
#include "handlers/topics.h"
#include "tests/unit/suites.h"

#include <check.h>

START_TEST(a_name_is_two_words)
{
    static const struct { const char *name; bool valid, open; } cases[] = {
        { "users/42", true, true },      { "chat/lobby", true, true },     { "chat/a-9", true, true },
        { "users/x", true, false },      { "users/042", true, false },     { "secrets/1", true, false },
        { "users/99999999999999999999", true, false },                   { "compare/run", true, true },
        { "", false, false },            { "/", false, false },            { "users", false, false },
        { "users/", false, false },      { "/42", false, false },          { "users/4/2", false, false },
        { "chat/Lobby", false, false },  { "chat/a b", false, false },     { "chat/a\n", false, false },
        { "chat/abcdefghijabcdefghijabcdefghijab", true, true },
        { "chat/abcdefghijabcdefghijabcdefghijabc", false, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const text name = text_of(cases[i].name);
        ck_assert_msg(topic_name_is_valid(name) == cases[i].valid, "%s", cases[i].name);
        ck_assert_msg(!cases[i].valid || topic_is_public(name) == cases[i].open, "%s", cases[i].name);
    }
}
END_TEST

Suite *topics_suite(void)
{
    Suite *s = suite_create("topics");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_name_is_two_words);
    suite_add_tcase(s, t);
    return s;
}
