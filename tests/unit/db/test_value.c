/* test_value.c - what a database writes, read as numbers and truths, or refused. */
#include "db/value.h"
#include "tests/unit/suites.h"

#include <math.h>

START_TEST(whole_numbers_have_64_bits_and_nothing_behind_the_point)
{
    static const struct { const char *s; int64_t n; } GOOD[] = {
        { "0", 0 }, { "-0", 0 }, { "7", 7 }, { "007", 7 }, { "-42", -42 }, { "7.000", 7 }, { "-7.0", -7 }, { "7.", 7 },
        { "9223372036854775807", INT64_MAX }, { "-9223372036854775808", INT64_MIN },
    };
    static const char *const BAD[] = {
        "", "-", "--1", "+1", " 1", "1 ", "1x", "7.5", "7.05", "0x10", "1e3", "t", "2026-01-01", "\\x31", "NaN",
        "9223372036854775808", "-9223372036854775809", "92233720368547758070", ".0",
    };
    int64_t n = 99;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        ck_assert_msg(!value_whole(BAD[i], &n) && n == 99, "\"%s\"", BAD[i]);
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++)
        ck_assert_msg(value_whole(GOOD[i].s, &n) && n == GOOD[i].n, "\"%s\"", GOOD[i].s);
}
END_TEST

START_TEST(numbers_may_be_infinite_and_none_at_all)
{
    static const struct { const char *s; double x; } GOOD[] = {
        { "0", 0 }, { "1.5", 1.5 }, { "-1e-3", -0.001 }, { "12345678901234567890.5", 12345678901234567890.5 },
        { "Infinity", INFINITY }, { "-Infinity", -INFINITY },
    };
    static const char *const BAD[] = { "", " 1", "1 ", "1,5", "one", "2026-01-01", "$1.50", "{1}" };
    double x = 99;
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        ck_assert_msg(!value_number(BAD[i], &x) && x == 99, "\"%s\"", BAD[i]);
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++)
        ck_assert_msg(value_number(GOOD[i].s, &x) && x == GOOD[i].x, "\"%s\"", GOOD[i].s);
    ck_assert(value_number("NaN", &x) && isnan(x));
}
END_TEST

START_TEST(truths_are_one_letter)
{
    static const char *const BAD[] = { "", "true", "T", "2", "11", "tf", "-1", " t" };
    bool b = true;
    ck_assert(value_truth("f", &b) && !b);
    ck_assert(value_truth("t", &b) && b);
    ck_assert(value_truth("0", &b) && !b);
    ck_assert(value_truth("1", &b) && b);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        ck_assert_msg(!value_truth(BAD[i], &b) && b, "\"%s\"", BAD[i]);
}
END_TEST

START_TEST(null_fits_capitals_and_texts)
{
    for (const char *l = "IFBt"; *l; l++)
        ck_assert(value_fits(NULL, *l));
    for (const char *l = "ifb"; *l; l++)
        ck_assert(!value_fits(NULL, *l));
    ck_assert(value_fits("1", 'i') && value_fits("1", 'I') && value_fits("1.5", 'f') && value_fits("1.5", 'F'));
    ck_assert(value_fits("t", 'b') && value_fits("t", 'B') && value_fits("anything", 't'));
    ck_assert(!value_fits("x", 'i') && !value_fits("x", 'I') && !value_fits("x", 'f') && !value_fits("x", 'F'));
    ck_assert(!value_fits("x", 'b') && !value_fits("x", 'B'));
}
END_TEST

Suite *value_suite(void)
{
    Suite *s = suite_create("value");
    TCase *t = tcase_create("all");
    tcase_add_test(t, whole_numbers_have_64_bits_and_nothing_behind_the_point);
    tcase_add_test(t, numbers_may_be_infinite_and_none_at_all);
    tcase_add_test(t, truths_are_one_letter);
    tcase_add_test(t, null_fits_capitals_and_texts);
    suite_add_tcase(s, t);
    return s;
}
