/* test_chunked.c - the framing of chunks: every form that there is, every split, and nothing else. */
#include "server/http/message/chunked.h"
#include "server/http/message/status.h"

#include "tests/unit/suites.h"

#include <stdio.h>
#include <string.h>

enum { MOST = 0x20 };

/* Feeds bytes in steps, each content's bytes as they come. Returns what was said last; how many bytes of content
 * there were, and how many were used until the trailers. */
static long feed(const char *bytes, size_t step, size_t *content, size_t *used)
{
    chunked c = { 0 };
    const size_t length = strlen(bytes);
    *content = 0;
    for (*used = 0; *used < length && !c.last;) {
        const size_t there = length - *used < step ? length - *used : step;
        long n;
        if (c.left > 0) {
            n = (long)(c.left < there ? c.left : there);
            c.left -= (size_t)n;
            *content += (size_t)n;
        } else {
            n = chunked_take(&c, bytes + *used, there, MOST);
        }
        if (n < 0)
            return n;
        ck_assert_int_gt(n, 0);
        *used += (size_t)n;
    }
    return c.last;
}

static void is_read(const char *bytes, size_t content)
{
    size_t used, got;
    for (size_t step = 1; step <= strlen(bytes) + 1; step++) {
        ck_assert_msg(feed(bytes, step, &got, &used) == 1, "%s by %zu", bytes, step);
        ck_assert_msg(got == content && used == strlen(bytes), "%s by %zu: %zu in %zu", bytes, step, got, used);
    }
}

static void is_refused(const char *bytes, int err)
{
    size_t used, got;
    for (size_t step = 1; step <= strlen(bytes); step++)
        ck_assert_msg(feed(bytes, step, &got, &used) == err, "%s by %zu", bytes, step);
}

START_TEST(sizes_are_hexadecimal)
{
    is_read("0\r\n", 0);
    is_read("000\r\n", 0);
    is_read("00000000000000000000000000000000000005\r\nhello\r\n0\r\n", 5);
    is_read("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n", 20);
    is_read("1f\r\n0123456789012345678901234567890\r\n0\r\n", 31);
    is_read("3\r\n\r\n0\r\n0\r\n", 3);
}
END_TEST

START_TEST(extensions_are_dropped)
{
    static const char *const GOOD[] = {
        ";a", ";a=b", ";a=\"b\"", ";a;b;c", ";a=b;c=d", ";a=\"\"", ";a=\"b c;d=e\"", ";a=\"\\\"\";b", ";a=\"\\\\\"",
        " ;a", "\t;\ta\t=\tb", " ; a = b ; c = \"d\" ;e", ";a=\"b\";c=\"d\"", ";a=\"\tb\"", ";a=\"\xc3\xa4\"",
        ";!#$%&'*+-.^_`|~=1", ";a ;b", ";a=b ;c", ";a=\"b\" ;c", ";5=5",
    };
    char bytes[100];
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
        sprintf(bytes, "5%s\r\nhello\r\n0%s\r\n", GOOD[i], GOOD[i]);
        is_read(bytes, 5);
    }
}
END_TEST

START_TEST(what_the_grammar_has_not_is_400)
{
    static const char *const BAD[] = {
        "x", "-1\r\n", "+1\r\n", "0x1\r\n", " 1\r\n", "\t1\r\n", "\r\n", "\n", ";a\r\n", "1 \r\n", "1\t\r\n", "1 1\r\n",
        "1_0\r\n", "1\n", "1\rx", "1\r\r\n", "1;\r\n", "1;a\n", "1;a\rb", "1;a=\r\n", "1;a=;b\r\n", "1;=b\r\n",
        "1;a \r\n", "1;a=b \r\n", "1;a=\"b\" \r\n", "1;a b\r\n", "1;a=b c\r\n", "1;a=\"b\"c\r\n", "1;a=\"b\r\n",
        "1;a=\"b\n\"", "1;a=\"\\\r\n", "1;a=\"\1\"\r\n", "1;a=\"\\\1\"\r\n", "1;a=\x7f\r\n", "1;a=\"\x7f\"\r\n",
        "1;a=(b)\r\n", "1;a;;b\r\n", "1;a==b\r\n", "1;\xc3\xa4\r\n", "1,a\r\n", "1\r\naX", "1\r\na\n", "1\r\na\rX",
        "1\r\n\r\n\n", "1\r\nab\r\n", "g\r\n", "1G\r\n",
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        is_refused(BAD[i], HTTP_STATUS(400));
}
END_TEST

START_TEST(a_size_above_the_most_is_413_at_its_first_digit_too_many)
{
    static const char *const LARGE[] = { "21", "20F", "100000005", "FFFFFFFFFFFFFFFF", "10000000000000000",
                                         "fffffffffffffffffffffffff" };
    for (size_t i = 0; i < sizeof LARGE / sizeof *LARGE; i++)
        is_refused(LARGE[i], HTTP_STATUS(413));
    is_read("20\r\n01234567890123456789012345678901\r\n0\r\n", MOST);
    chunked all = { 0 };
    ck_assert_int_eq(chunked_take(&all, "FFFFFFFFFFFFFFFF\r\n", 18, UINT64_MAX), 18);
    ck_assert(all.left == UINT64_MAX);
    all = (chunked){ 0 };
    ck_assert_int_eq(chunked_take(&all, "10000000000000000", 17, UINT64_MAX), HTTP_STATUS(413));
}
END_TEST

START_TEST(it_takes_no_byte_of_what_is_no_framing)
{
    chunked c = { 0 };
    ck_assert_int_eq(chunked_take(&c, "5\r\nhello", 8, MOST), 3);
    ck_assert(c.left == 5 && !c.last);
    c.left = 0;
    ck_assert_int_eq(chunked_take(&c, "\r\n0\r\nX: y\r\n\r\n", 13, MOST), 5);
    ck_assert(c.left == 0 && c.last);
}
END_TEST

Suite *chunked_suite(void)
{
    Suite *s = suite_create("chunked");
    TCase *t = tcase_create("all");
    tcase_add_test(t, sizes_are_hexadecimal);
    tcase_add_test(t, extensions_are_dropped);
    tcase_add_test(t, what_the_grammar_has_not_is_400);
    tcase_add_test(t, a_size_above_the_most_is_413_at_its_first_digit_too_many);
    tcase_add_test(t, it_takes_no_byte_of_what_is_no_framing);
    suite_add_tcase(s, t);
    return s;
}
