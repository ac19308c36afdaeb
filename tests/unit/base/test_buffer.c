/* test_buffer.c - text that grows: whole, escaped, and as large as it gets. */
#include "server/base/buffer.h"

#include "tests/unit/suites.h"

#include <stdio.h>
#include <stdlib.h>

static arena  a;
static buffer b;
static void setup(void)    { arena_init(&a, NULL, 0); buffer_init(&b, &a); }
static void teardown(void) { arena_done(&a); }
static bool is(const char *wanted) { return text_equal(buffer_all(&b), text_of(wanted)); }

START_TEST(nothing_written_is_an_empty_text)
{
    ck_assert(is("") && buffer_all(&b).at);
    buffer_text(&b, TEXT(""));
    buffer_html(&b, TEXT(""));
    ck_assert(is(""));
}
END_TEST

START_TEST(html_is_escaped_for_text_and_quoted_attributes)
{
    buffer_html(&b, TEXT("<a href=\"x\">'&amp;'</a> \xc3\xbc"));
    ck_assert(is("&lt;a href=&quot;x&quot;&gt;&#39;&amp;amp;&#39;&lt;/a&gt; \xc3\xbc"));
}
END_TEST

START_TEST(a_json_string_has_quotes_and_escapes_what_must_be)
{
    char all[256], wanted[2000] = "\"", *at = wanted + 1;
    for (int c = 0; c < 256; c++) {
        static const char SHORT[] = "\bb\tt\nn\ff\rr\"\"\\\\";
        all[c] = (char)c;
        const char *s = c ? strchr(SHORT, c) : NULL;
        while (s && (s - SHORT) % 2)
            s = strchr(s + 1, c);
        at += s ? sprintf(at, "\\%c", s[1]) : c < 0x20 ? sprintf(at, "\\u%04x", (unsigned)c) : sprintf(at, "%c", c);
    }
    strcpy(at, "\"");
    buffer_json(&b, (text){ all, sizeof all });
    ck_assert(is(wanted));
}
END_TEST

START_TEST(numbers_are_written_as_printf_would)
{
    static const int64_t NUMBERS[] = { 0, 1, -1, 9, 10, -10, 99999, INT64_MAX, INT64_MIN };
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++) {
        char wanted[32];
        buffer_init(&b, &a);
        buffer_int(&b, NUMBERS[i]);
        sprintf(wanted, "%lld", (long long)NUMBERS[i]);
        ck_assert(is(wanted));
    }
    buffer_printf(&b, "%s-%d", "x", 7);
    ck_assert(is("-9223372036854775808x-7"));
}
END_TEST

START_TEST(it_grows_without_losing_anything)
{
    static char wanted[300000];
    size_t length = 0;
    srand(1);
    while (length < 200000) {
        const size_t size = (size_t)rand() % (rand() % 100 ? 50 : 50000);
        for (size_t i = 0; i < size; i++)
            wanted[length + i] = (char)('a' + rand() % 26);
        buffer_text(&b, (text){ wanted + length, size });
        length += size;
        buffer_printf(&b, "%d", 7);
        wanted[length++] = '7';
    }
    ck_assert(text_equal(buffer_all(&b), (text){ wanted, length }));
}
END_TEST

Suite *buffer_suite(void)
{
    Suite *s = suite_create("buffer");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, nothing_written_is_an_empty_text);
    tcase_add_test(t, html_is_escaped_for_text_and_quoted_attributes);
    tcase_add_test(t, a_json_string_has_quotes_and_escapes_what_must_be);
    tcase_add_test(t, numbers_are_written_as_printf_would);
    tcase_add_test(t, it_grows_without_losing_anything);
    suite_add_tcase(s, t);
    return s;
}
