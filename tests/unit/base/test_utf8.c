/* test_utf8.c - what is UTF-8, and what is not. */
#include "server/base/utf8.h"
#include "tests/unit/suites.h"

#include <check.h>
#include <string.h>

#define IS(literal) utf8_is(literal, sizeof literal - 1)

START_TEST(characters_of_each_length_are_utf8_wherever_they_stand)
{
    static const char *const ones[] = { "a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                                        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf" };
    char all[64];
    for (size_t i = 0; i < sizeof ones / sizeof *ones; i++)
        for (size_t before = 0; before < 20; before++) {
            memset(all, 'x', sizeof all);
            memcpy(all + before, ones[i], strlen(ones[i]));
            ck_assert_uint_eq(utf8_length(all + before), strlen(ones[i]));
            all[before + strlen(ones[i])] = '\0';
            ck_assert(utf8_is(all, before + strlen(ones[i])));
            all[before + strlen(ones[i]) - 1] = '\0';
            ck_assert_int_eq(utf8_is(all, before + strlen(ones[i]) - 1), i == 0);
        }
    ck_assert(IS("") && IS("\0") && IS("a\0b\xc3\xa4"));
}
END_TEST

START_TEST(overlong_forms_surrogates_and_what_is_beyond_are_not)
{
    ck_assert(!IS("\x80") && !IS("\xbf") && !IS("\xc0\x80") && !IS("\xc1\xbf") && !IS("\xe0\x9f\xbf") && !IS("\xf0\x8f\xbf\xbf"));
    ck_assert(!IS("\xed\xa0\x80") && !IS("\xed\xbf\xbf") && !IS("\xf4\x90\x80\x80") && !IS("\xf5\x80\x80\x80") && !IS("\xff"));
    ck_assert(!IS("\xf8\x88\x80\x80\x80") && !IS("\xf8\x90\x80\x80") && !IS("\xc3") && !IS("\xc3x") &&
              !IS("\xe2\x82") && !IS("\xe2\x82x") && !IS("\xf0\x9f\x98"));
    ck_assert(!IS("12345678\xc3") && !IS("1234567\xc3\xff"));
}
END_TEST

START_TEST(what_is_behind_the_last_byte_makes_no_character_whole)
{
    static const char EURO[] = "12345678\xe2\x82\xac";
    ck_assert(utf8_is(EURO, 8) && !utf8_is(EURO, 9) && !utf8_is(EURO, 10) && utf8_is(EURO, 11));
}
END_TEST

Suite *utf8_suite(void)
{
    Suite *s = suite_create("utf8");
    TCase *t = tcase_create("utf8");
    tcase_add_test(t, characters_of_each_length_are_utf8_wherever_they_stand);
    tcase_add_test(t, overlong_forms_surrogates_and_what_is_beyond_are_not);
    tcase_add_test(t, what_is_behind_the_last_byte_makes_no_character_whole);
    suite_add_tcase(s, t);
    return s;
}
