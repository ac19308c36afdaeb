/* test_markdown.c - a stranger's Markdown: what becomes of it, and what must not. */
#include "handlers/markdown.h"

#include "tests/unit/suites.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static arena  a;
static buffer b;
static void setup(void)    { arena_init(&a, NULL, 0); buffer_init(&b, &a); }
static void teardown(void) { arena_done(&a); }

static bool gives(const char *markdown, const char *html)
{
    buffer_init(&b, &a);
    markdown_html(&b, text_of(markdown));
    return text_equal(buffer_all(&b), text_of(html));
}

START_TEST(it_is_commonmark_with_tables_strikethrough_and_bare_links)
{
    ck_assert(gives("**a** `b`", "<p><strong>a</strong> <code>b</code></p>\n"));
    ck_assert(gives("~~a~~", "<p><del>a</del></p>\n"));
    ck_assert(gives("http://e.org", "<p><a href=\"http://e.org\">http://e.org</a></p>\n"));
    ck_assert(gives("", ""));
    buffer_init(&b, &a);
    markdown_html(&b, TEXT("|a|c|\n|---|---|\n|b|d|\n"));
    ck_assert(memmem(buffer_all(&b).at, buffer_all(&b).length, "<td>b</td>", 10));
}
END_TEST

START_TEST(raw_html_comes_out_as_text)
{
    ck_assert(gives("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>\n"));
    ck_assert(gives("<script>\n", "<p>&lt;script&gt;</p>\n"));
}
END_TEST

START_TEST(addresses_are_harmless_or_gone)
{
    static const char *const GOOD[] = { "http://e", "HTTPS://e", "mailto:a@e", "/a", "a/b:c", "?a:b", "#a:b", "a" };
    static const char *const BAD[] = { "javascript:x", "JavaScript:x", "data:text/html,x", "vbscript:x", "java&#115;cript:x",
                                       "javascript&colon;x", "java&Tab;script:x", "&#1;javascript:x", "httpx:a",
                                       "file:///a", ":x" };
    char markdown[100], html[100];
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
        snprintf(markdown, sizeof markdown, "[a](%s)", GOOD[i]);
        snprintf(html, sizeof html, "<p><a href=\"%s\">a</a></p>\n", GOOD[i]);
        ck_assert_msg(gives(markdown, html), "%s", GOOD[i]);
    }
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        snprintf(markdown, sizeof markdown, "[a](%s)", BAD[i]);
        ck_assert_msg(gives(markdown, "<p><a href=\"#\">a</a></p>\n"), "%s", BAD[i]);
        snprintf(markdown, sizeof markdown, "![a](%s)", BAD[i]);
        ck_assert_msg(gives(markdown, "<p><img src=\"#\" alt=\"a\"></p>\n"), "%s: %.*s", BAD[i], (int)b.length, b.at);
    }
}
END_TEST

START_TEST(nothing_behind_the_text_is_read)
{
    static const char *const ENDS[] = { "[x](a", "![x](a", "[x](<a", "[x](a \"t", "[x]: a", "`a", "<a", "http://a", "&#",
                                        "|a|\n|-" };
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_int_eq(mprotect(pages + page, page, PROT_NONE), 0);
    for (size_t i = 0; i < sizeof ENDS / sizeof *ENDS; i++) {
        const size_t length = strlen(ENDS[i]);
        markdown_html(&b, (text){ memcpy(pages + page - length, ENDS[i], length), length });
    }
    munmap(pages, 2 * page);
}
END_TEST

Suite *markdown_suite(void)
{
    Suite *s = suite_create("markdown");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, it_is_commonmark_with_tables_strikethrough_and_bare_links);
    tcase_add_test(t, raw_html_comes_out_as_text);
    tcase_add_test(t, addresses_are_harmless_or_gone);
    tcase_add_test(t, nothing_behind_the_text_is_read);
    suite_add_tcase(s, t);
    return s;
}
