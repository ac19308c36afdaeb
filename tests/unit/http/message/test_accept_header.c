/* test_accept_header.c - what clients say they would like. */
#include "server/http/message/accept_header.h"

#include "tests/unit/suites.h"

START_TEST(the_best_naming_range_counts)
{
    static const struct { const char *accept; int html, json; } CASES[] = {
        { "", 1000, 1000 }, { "*/*", 1000, 1000 }, { "text/html", 1000, 0 }, { "text/*", 1000, 0 }, { "TEXT/HTML", 1000, 0 },
        { "Application/*", 0, 1000 }, { "application/json, text/html;q=0.5", 500, 1000 },
        { "*/*;q=0.1, text/*;q=0.2, text/html;q=0.3", 300, 100 }, { "text/html;q=0.3, text/*;q=0.2, */*;q=0.1", 300, 100 },
        { "text/html;q=0", 0, 0 }, { "*/*, text/html;q=0", 0, 1000 }, { "text/html;level=1;q=0.4", 400, 0 },
        { "text/html ; Q=0.75 ,x", 750, 0 }, { "text/htmlx", 0, 0 }, { "text", 0, 0 }, { ",,;;,", 0, 0 }, { "/", 0, 0 },
        { "*", 0, 0 }, { "text/*x", 0, 0 }, { "text/html;q=1.000", 1000, 0 }, { "text/html;q=0.001", 1, 0 },
        { "text/html;q=nan", 1000, 0 }, { "text/html;q=1e9", 1000, 0 }, { "text/html;q=-1", 1000, 0 },
        { "text/html;q=2", 1000, 0 }, { "text/html;q=0.5555", 1000, 0 }, { "text/html;q=", 1000, 0 },
        { "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", 1000, 800 },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const text accept = text_of(CASES[i].accept);
        ck_assert_msg(accept_header_quality(accept, TEXT("text/html")) == CASES[i].html, "%s", accept.at);
        ck_assert_msg(accept_header_quality(accept, TEXT("application/json")) == CASES[i].json, "%s", accept.at);
    }
}
END_TEST

START_TEST(the_liked_better_is_preferred_and_between_equals_the_one_that_is_named)
{
    static const struct { const char *accept; bool json, html; } CASES[] = {
        { "", false, false }, { "*/*", false, false }, { "application/json", true, false }, { "text/html", false, true },
        { "application/json, text/plain, */*", true, false }, { "text/html, */*", false, true },
        { "application/json;q=0.5, */*", false, true }, { "application/json, text/html", false, false },
        { "application/*, */*", true, false }, { "text/plain", false, false },
        { "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false, true },
    };
    const text html = TEXT("text/html"), json = TEXT("application/json");
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const text accept = text_of(CASES[i].accept);
        ck_assert_msg(accept_header_prefers(accept, json, html) == CASES[i].json, "%s", accept.at);
        ck_assert_msg(accept_header_prefers(accept, html, json) == CASES[i].html, "%s", accept.at);
    }
}
END_TEST

START_TEST(of_codings_the_liked_best_is_chosen_and_of_equals_the_smallest)
{
    enum { I = 1 << CODING_IDENTITY, G = 1 << CODING_GZIP, B = 1 << CODING_BROTLI };
    static const struct { const char *accept; unsigned codings; coding best; bool identity; } CASES[] = {
        { "", I | G | B, CODING_IDENTITY, true }, { "gzip, br", G | B, CODING_BROTLI, true },
        { "gzip, br", G, CODING_GZIP, true }, { "br;q=1, gzip;q=0.8", G | B, CODING_BROTLI, true },
        { "gzip;q=1, br;q=0.8", G | B, CODING_GZIP, true }, { "gzip", B, CODING_IDENTITY, true },
        { "deflate, GZIP", G | B, CODING_GZIP, true }, { "x-gzip", G | B, CODING_GZIP, true },
        { "gzip;q=0, br;q=0", G | B, CODING_IDENTITY, true }, { "gzip;q=0, *", G | B, CODING_BROTLI, true },
        { "br;q=0, *;q=0.001", G | B, CODING_GZIP, true }, { "*", G | B, CODING_BROTLI, true },
        { "*;q=0", G | B, CODING_IDENTITY, false }, { "identity;q=0", G | B, CODING_IDENTITY, false },
        { "identity;q=0, gzip;q=0.1", G | B, CODING_GZIP, false }, { "*;q=0, identity", G | B, CODING_IDENTITY, true },
        { "identity, gzip;q=0.5", G | B, CODING_IDENTITY, true }, { "identity, gzip", G | B, CODING_GZIP, true },
        { "identity;q=0.5, gzip;q=0.8", G | B, CODING_GZIP, true }, { "gzip;q=0.1, *;q=0.5", G, CODING_IDENTITY, true },
        { "gzipx, brr", G | B, CODING_IDENTITY, true }, { "gzip ; q=0.2 , br ; q=0.1", G | B, CODING_GZIP, true },
        { "gzip;q=", G | B, CODING_GZIP, true }, { ",,;q=1,", G | B, CODING_IDENTITY, true },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const text accept = text_of(CASES[i].accept);
        const coding best = accept_encoding_best(accept, CASES[i].codings);
        ck_assert_msg(best == CASES[i].best, "%s: %s", accept.at, coding_name(best));
        ck_assert_msg(accept_encoding_takes_identity(accept) == CASES[i].identity, "%s", accept.at);
    }
}
END_TEST

Suite *accept_header_suite(void)
{
    Suite *s = suite_create("accept_header");
    TCase *t = tcase_create("all");
    tcase_add_test(t, the_best_naming_range_counts);
    tcase_add_test(t, the_liked_better_is_preferred_and_between_equals_the_one_that_is_named);
    tcase_add_test(t, of_codings_the_liked_best_is_chosen_and_of_equals_the_smallest);
    suite_add_tcase(s, t);
    return s;
}
