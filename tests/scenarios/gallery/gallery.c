/* gallery.c - the gallery of patterns: its pages, how many may run at once, and its settings. */
#include "tests/scenarios/scenarios.h"

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
    char *end = strstr(at, "</ol>");
    *end = '\0';
    for (at = strstr(at, "<li"); at && fgets(line, sizeof line, f); number++) {
        const size_t plain = strcspn(line, "<>&\"'\n/");    /* what is neither escaped nor a comment */
        const char *shown = at;
        for (size_t i = 0; i < plain; i++) {
            while (*shown == '<')            /* a word leads to where it is declared */
                shown = strchr(shown, '>') + 1;
            ck_assert_msg(*shown++ == line[i], "%s:%d is not shown as it is", path, number);
        }
        at = strstr(at + 1, "<li");
    }
    *end = '<';
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
    expect_body(a, "<a href=\"/patterns/source/server/async/combine.h#gather\">gather</a>(");
    expect_body(a, "&quot;the user&quot;");
    ck_assert_ptr_null(strstr(a.body, "<svg"));
    a = get_as("/patterns/all?run=1", "text/html");
    expect(a, 200, "text/html");
    expect_body(a, "<svg");
    expect_body(a, "the posts");
    expect_body(a, "awaits <code>gather( step(r, &quot;the user&quot;");          /* every event, for who has no scripts */
    expect_body(a, "<a href=\"#L");
    ck_assert(header_is(&a, "Cache-Control", "no-store"));
}
END_TEST

/* Follows those of one page, in which they end with a quotation mark. */
static int expect_links_into_source(char *page)
{
    static const char LINK[] = "href=\"/patterns/source/";
    int count = 0;
    for (char *at = page, *end; (at = strstr(at, LINK)); at = end + 1, count++) {
        char target[256], path[256];
        at += strlen("href=\"");
        end = strchr(at, '"');
        snprintf(path, sizeof path, "%.*s", (int)strcspn(at, "#\""), at);
        snprintf(target, sizeof target, "id=\"%.*s\"", (int)(end - at - (ptrdiff_t)strlen(path) - 1), at + strlen(path) + 1);
        const answer a = get_as(path, "text/html");
        expect(a, 200, "text/html");
        if (at[strlen(path)] == '#')
            expect_body(a, target);
    }
    return count;
}

START_TEST(a_word_in_the_source_leads_to_where_it_is_declared)
{
    json_t *all = json_in(get_as("/patterns", "application/json"), 200), *about;
    size_t i;
    json_array_foreach(json_object_get(all, "patterns"), i, about) {
        char path[128];
        snprintf(path, sizeof path, "/patterns/%s", json_string_value(json_object_get(about, "pattern")));
        char *page = strdup(get_as(path, "text/html").body);
        ck_assert_msg(expect_links_into_source(page) > 1, "%s leads nowhere", path);
        free(page);
    }
    json_decref(all);
    expect_body(get_as("/patterns/source/handlers/gallery/patterns/all.c", "text/html"), "#include &quot;pattern.h&quot;");
    expect_problem(get("/patterns/source/server/main.c"), 404);
    expect_problem(get("/patterns/source/../../etc/passwd"), 404);
    expect_problem(get("/patterns/source/"), 404);
}
END_TEST

START_TEST(what_does_not_run_here_is_a_page_that_says_so)
{
    const answer a = get_as("/patterns/phases?run=1", "text/html");
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
    answer a = { 0 };
    for (int tries = 0; a.status != 503 && tries < 20; tries++) {            /* a busy machine may begin them one by one */
        for (int i = 0; i < AT_ONCE; i++) {
            if (tries > 0)
                client_reset(c[i]);
            c[i] = client_asking("/patterns/back-pressure?run=1");
        }
        a = get_as("/patterns/all", "application/json");
    }
    ck_assert_int_eq(a.status, 503);
    ck_assert(header_is(&a, "Retry-After", "1"));
    expect(get_as("/patterns/all", "text/html"), 200, "text/html");          /* which runs nothing */
    for (int i = 0; i < AT_ONCE; i++)
        client_reset(c[i]);
    ck_assert(eventually(5, get_as("/patterns/all", "application/json").status == 200));
}
END_TEST

/* Of two that are asked for at once, one runs: how many slept in it, at one time. */
static int64_t asleep_at_once(int64_t *sleepers)
{
    client *c[2];
    int good = 0, refused = 0;
    int64_t most = 0;
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
            *sleepers = figure(run, "sleepers");
            most = most_of(run, "asleep");
            ck_assert_int_gt(figure(run, "while all sleep"), 0);
            ck_assert_int_eq(number_of(run, "dropped"), 0);
            json_decref(run);
        }
        client_free(c[i]);
    }
    ck_assert_int_eq(good, 1);
    ck_assert_int_eq(refused, 1);
    return most;
}

/* They nap, and where the machine is busy the first may wake before the last has begun. */
START_TEST(ten_thousand_sleep_and_one_run_of_them_at_a_time_is_enough)
{
    int64_t sleepers = 0, most = -1;
    if (in_threads_mode()) {
        ck_assert_ptr_null(run_of("ten-thousand-sleepers"));
        return;
    }
    for (int again = 0; again < 10 && most != sleepers; again++)
        most = asleep_at_once(&sleepers);
    ck_assert(sleepers == 10000 || run_slowed());
    ck_assert_int_eq(most, sleepers);
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

START_TEST(one_that_runs_for_longer_than_it_may_is_stopped)
{
    server_start("gallery-settings", "TENK_PATTERNS_TIMEOUT=100ms", NULL);
    json_t *run = run_once("timeout");         /* which takes 170 */
    ck_assert_str_eq(json_string_value(json_object_get(run, "error")), "timed out");
    json_decref(run);
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
    TCase *t = recorded_theme(s, false);
    if (in_threads_mode())                   /* else all run */
        tcase_add_test(t, what_does_not_run_here_is_a_page_that_says_so);
    else                                     /* there nothing runs for long enough */
        tcase_add_test(t, so_many_run_at_once_and_the_next_is_503_until_one_has_ended_or_left);
    tcase_add_test(t, ten_thousand_sleep_and_one_run_of_them_at_a_time_is_enough);
    tcase_add_test(t, a_page_shows_the_source_and_after_a_run_the_timeline);
    tcase_add_test(t, a_word_in_the_source_leads_to_where_it_is_declared);
    tcase_add_test(t, a_link_on_a_strangers_page_runs_nothing);
    tcase_add_test(t, an_unknown_pattern_is_404_and_head_runs_nothing);
    t = tcase_create("gallery-settings");
    tcase_add_test(t, switched_off_there_is_no_gallery);
    if (!in_threads_mode())                  /* which has a thread for each */
        tcase_add_test(t, one_that_runs_for_longer_than_it_may_is_stopped);
    tcase_add_test(t, a_server_that_listens_everywhere_asks_itself_on_the_loopback);
    suite_add_tcase(s, t);
    return s;
}
