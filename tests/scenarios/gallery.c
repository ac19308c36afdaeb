/* gallery.c - the gallery of patterns: its pages, how many may run at once, and its settings. */
#include "scenarios.h"

#include "tests/scenarios/support/recorded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The lines of a file from the first on, as HTML would have them. */
static void expect_source(answer a, const char *path)
{
    char line[256];
    const char *at = strstr(a.body, "<ol class=\"source\" start=\"");
    ck_assert_ptr_nonnull(at);
    int number = atoi(at + strlen("<ol class=\"source\" start=\""));
    FILE *f = fopen(path, "r");
    ck_assert_msg(f != NULL, "%s is not there", path);
    for (int i = 1; i < number; i++)
        ck_assert_ptr_nonnull(fgets(line, sizeof line, f));
    for (at = strstr(at, "<li>"); at && fgets(line, sizeof line, f); number++) {
        const size_t plain = strcspn(line, "<>&\"'\n/");    /* what is neither escaped nor a comment */
        const char *shown = at + strlen("<li>");
        for (size_t i = 0; i < plain; i++) {
            while (strncmp(shown, "<b>", 3) == 0 || strncmp(shown, "</b>", 4) == 0)
                shown = strchr(shown, '>') + 1;
            ck_assert_msg(*shown++ == line[i], "%s:%d is not shown as it is", path, number);
        }
        at = strstr(at + 1, "<li>");
    }
    fclose(f);
    ck_assert_ptr_null(at);
}

START_TEST(a_page_shows_the_source_and_after_a_run_the_timeline)
{
    answer a = get_as("/patterns", "text/html");
    expect(a, 200, "text/html");
    expect_body(a, "action=\"/patterns/all\"");
    a = get_as("/patterns/all", "text/html");
    expect(a, 200, "text/html");
    expect_body(a, "handlers/gallery/patterns/all.c");
    expect_source(a, "handlers/gallery/patterns/all.c");
    expect_body(a, "<b>gather</b>(step(r, &quot;the user&quot;");
    ck_assert_ptr_null(strstr(a.body, "<svg"));
    a = get_as("/patterns/all?run=1", "text/html");
    expect(a, 200, "text/html");
    expect_body(a, "<svg");
    expect_body(a, "the posts");
    ck_assert(header_is(&a, "Cache-Control", "no-store"));
}
END_TEST

START_TEST(what_does_not_run_here_is_a_page_that_says_so)
{
    const answer a = get_as("/patterns/timeout?run=1", "text/html");
    expect(a, 200, "text/html");
    expect_body(a, "class=\"refusal\"");
    ck_assert_ptr_null(strstr(a.body, "<svg"));
}
END_TEST

START_TEST(an_unknown_pattern_is_404_and_head_runs_nothing)
{
    expect_problem(get("/patterns/unheard-of"), 404);
    expect(get_as("/patterns/unheard-of", "text/html"), 404, "text/html");
    const answer a = ask("HEAD /patterns/hundred-sleepers?run=1 HTTP/1.1\r\nHost: t\r\n\r\n");
    ck_assert_int_eq(a.status, 200);
    ck_assert_ptr_null(header(&a, "Cache-Control"));
}
END_TEST

START_TEST(a_link_on_a_strangers_page_runs_nothing)
{
    const answer a = ask("GET /patterns/all?run=1 HTTP/1.1\r\nHost: t\r\nAccept: text/html\r\n"
                         "Sec-Fetch-Site: cross-site\r\n\r\n");
    expect(a, 200, "text/html");
    ck_assert_ptr_null(strstr(a.body, "<svg"));
}
END_TEST

START_TEST(so_many_run_at_once_and_the_next_is_503_until_one_has_ended_or_left)
{
    enum { AT_ONCE = 8 };
    client *c[AT_ONCE];
    for (int i = 0; i < AT_ONCE; i++)
        c[i] = client_asking("/patterns/hundred-sleepers?run=1");
    answer a = { 0 };
    ck_assert(eventually(0.8, (a = get_as("/patterns/all", "application/json")).status == 503));
    ck_assert(header_is(&a, "Retry-After", "1"));
    expect(get_as("/patterns/all", "text/html"), 200, "text/html");          /* which runs nothing */
    for (int i = 0; i < AT_ONCE; i++)
        client_reset(c[i]);
    ck_assert(eventually(5, get_as("/patterns/all", "application/json").status == 200));
}
END_TEST

START_TEST(ten_thousand_sleep_and_one_run_of_them_at_a_time_is_enough)
{
    client *c[2];
    int good = 0, refused = 0;
    if (in_threads_mode()) {
        ck_assert_ptr_null(run_of("ten-thousand-sleepers"));
        return;
    }
    for (int i = 0; i < 2; i++) {
        c[i] = client_new();
        client_set_timeout(c[i], 60);
        client_say(c[i], "GET /patterns/ten-thousand-sleepers HTTP/1.1\r\nHost: t\r\nAccept: application/json\r\n\r\n");
    }
    for (int i = 0; i < 2; i++) {
        const answer a = client_answer(c[i]);
        good += a.status == 200;
        refused += a.status == 503 && header_is(&a, "Retry-After", "1");
        if (a.status == 200) {
            json_t *run = json_in(a, 200);
            const int64_t sleepers = figure(run, "sleepers");
            ck_assert(sleepers == 10000 || run_slowed());
            ck_assert_int_gt(figure(run, "while all sleep"), 0);
            ck_assert_int_eq(most_of(run, "asleep"), sleepers);
            ck_assert_int_eq(number_of(run, "dropped") > 0, sleepers > MOST_TRACKS);
            json_decref(run);
        }
        client_free(c[i]);
    }
    ck_assert_int_eq(good, 1);
    ck_assert_int_eq(refused, 1);
}
END_TEST

START_TEST(switched_off_there_is_no_gallery)
{
    server_start("gallery-settings", "TENK_PATTERNS_ENABLED=off", NULL);
    expect_problem(get("/patterns"), 404);
    expect_problem(get("/patterns/race"), 404);
    const answer a = get_as("/", "text/html");
    ck_assert_ptr_null(strstr(a.body, "/patterns"));
    server_stop();
}
END_TEST

START_TEST(a_server_that_listens_everywhere_asks_itself_on_the_loopback)
{
    char listen[2][64] = { "0.0.0.0:0", "[::]:0" };
    for (int i = 0; i < 2; i++) {
        server_start("gallery-settings", "--listen", listen[i], "TENK_PATTERNS_ENABLED=on", NULL);
        json_t *run = run_of("callbacks");
        ck_assert_int_eq(number_of(run, "outcome"), 0);
        json_decref(run);
        server_stop();
    }
}
END_TEST

Suite *gallery_suite(void)
{
    Suite *s = suite_create("gallery");
    for (int database = 0; database < 2; database++) {
        TCase *t = recorded_theme(s, database == 1);
        if (database == 0 || in_threads_mode())              /* else all run */
            tcase_add_test(t, what_does_not_run_here_is_a_page_that_says_so);
        if (database == 1)
            continue;                        /* the rest asks no database */
        tcase_add_test(t, ten_thousand_sleep_and_one_run_of_them_at_a_time_is_enough);
        if (!in_threads_mode())              /* where nothing runs for long enough */
            tcase_add_test(t, so_many_run_at_once_and_the_next_is_503_until_one_has_ended_or_left);
        tcase_add_test(t, a_page_shows_the_source_and_after_a_run_the_timeline);
        tcase_add_test(t, a_link_on_a_strangers_page_runs_nothing);
        tcase_add_test(t, an_unknown_pattern_is_404_and_head_runs_nothing);
    }
    TCase *t = tcase_create("gallery-settings");
    tcase_add_test(t, switched_off_there_is_no_gallery);
    tcase_add_test(t, a_server_that_listens_everywhere_asks_itself_on_the_loopback);
    suite_add_tcase(s, t);
    return s;
}
