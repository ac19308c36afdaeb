/* test_line_reader.c - lines out of pieces, however they are cut. */
#include "handlers/import/line_reader.h"

#include "tests/unit/suites.h"

#include <stdio.h>
#include <string.h>

enum { LIMIT = 8 };

static char said[512];                       /* each line, with its number; those too long as ! */

static void note(line_reader_found what, const line_reader *l, text line)
{
    const size_t used = strlen(said);
    if (what == LINE_READER_TOO_LONG)
        snprintf(said + used, sizeof said - used, "%d!", (int)l->number);
    else
        snprintf(said + used, sizeof said - used, "%d(%.*s)", (int)l->number, (int)line.length, line.at);
}

static void cuts(const char *bytes, const char *expected)
{
    for (size_t step = 1; step <= strlen(bytes) + 1; step++) {
        line_reader l = { .limit = LIMIT };
        line_reader_found what;
        text line;
        said[0] = '\0';
        for (size_t at = 0; at < strlen(bytes); at += step) {
            const size_t left = strlen(bytes) - at;
            line_reader_feed(&l, (text){ bytes + at, left < step ? left : step });
            while ((what = line_reader_next(&l, &line)) != LINE_READER_MORE)
                note(what, &l, line);
        }
        if ((what = line_reader_last(&l, &line)) != LINE_READER_MORE)
            note(what, &l, line);
        ck_assert_msg(strcmp(said, expected) == 0, "%s by %zu: %s", bytes, step, said);
        ck_assert_int_eq(line_reader_last(&l, &line), LINE_READER_MORE);
        line_reader_done(&l);
    }
}

START_TEST(a_line_ends_with_lf_or_crlf_or_with_all)
{
    cuts("", "");
    cuts("\n", "1()");
    cuts("one", "1(one)");
    cuts("one\n", "1(one)");
    cuts("one\ntwo", "1(one)2(two)");
    cuts("one\r\ntwo\r\n", "1(one)2(two)");
    cuts("one\r", "1(one)");
    cuts("\n\n\r\nfour\n\n", "1()2()3()4(four)5()");
    cuts("a\rb\n", "1(a\rb)");
}
END_TEST

START_TEST(a_line_may_be_as_long_as_the_limit_and_no_longer)
{
    cuts("12345678\n", "1(12345678)");
    cuts("12345678\r\n", "1(12345678)");
    cuts("12345678", "1(12345678)");
    cuts("123456789\n", "1!");
    cuts("123456789\r\n", "1!");
    cuts("123456789", "1!");
    cuts("1\n12345678901234567890\n3\n12345678901\n5", "1(1)2!3(3)4!5(5)");
}
END_TEST

START_TEST(a_line_that_is_too_long_is_not_kept)
{
    static char piece[65536];
    line_reader l = { .limit = 1000 };
    text line;
    memset(piece, 'x', sizeof piece);
    for (int i = 0; i < 100; i++) {
        line_reader_feed(&l, (text){ piece, sizeof piece });
        ck_assert_int_eq(line_reader_next(&l, &line), LINE_READER_MORE);
        ck_assert_uint_le(l.capacity, 4096);
    }
    line_reader_feed(&l, TEXT("\nx\n"));
    ck_assert_int_eq(line_reader_next(&l, &line), LINE_READER_TOO_LONG);
    ck_assert_int_eq(line_reader_next(&l, &line), LINE_READER_LINE);
    ck_assert(text_equal(line, TEXT("x")));
    line_reader_done(&l);
}
END_TEST

Suite *line_reader_suite(void)
{
    Suite *s = suite_create("line_reader");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_line_ends_with_lf_or_crlf_or_with_all);
    tcase_add_test(t, a_line_may_be_as_long_as_the_limit_and_no_longer);
    tcase_add_test(t, a_line_that_is_too_long_is_not_kept);
    suite_add_tcase(s, t);
    return s;
}
