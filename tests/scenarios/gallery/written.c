/* written.c - one program, written in four ways: the same letter comes out of each, and of each failure the same apology, which
 * is dealt with in as many places as the gallery's pages say. */
#include "tests/scenarios/scenarios.h"

#include "tests/scenarios/support/recorded.h"

#include <stdio.h>
#include <string.h>

static const char *const FORMS[] = { "blocking", "callbacks", "promises", "await" };
static const char *const STEPS[] = { "file", "database", "server", "render" };
static const char *const FAILS[] = { "file", "query", "fetch", "render" };
enum { FORM_COUNT = 4, STEP_COUNT = 4, READERS = 8 };

static json_t *letter_of(const char *form, const char *fails)
{
    char name[64];
    snprintf(name, sizeof name, "%s?fail=%s", form, fails);
    json_t *run = run_of(name);
    ck_assert_ptr_nonnull(run);
    ck_assert_int_eq(number_of(run, "outcome"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(json_object_get(run, "chosen"), "fail")), fails);
    return run;
}

static const char *output(const json_t *run)
{
    const char *html = json_string_value(json_object_get(run, "output"));
    ck_assert_msg(html != NULL, "it has made nothing");
    return html;
}

START_TEST(each_form_makes_the_same_letter_of_what_file_database_and_server_say)
{
    json_t *first = letter_of(FORMS[0], "nothing");
    ck_assert_ptr_nonnull(strstr(output(first), "<p>Dear <strong>Daria Dahl</strong>,</p>"));
    ck_assert_ptr_nonnull(strstr(output(first), "<em>10 posts</em>"));
    ck_assert_ptr_nonnull(strstr(output(first), "<code>Slept 20 ms.</code>"));
    for (int i = 1; i < FORM_COUNT; i++) {
        json_t *run = letter_of(FORMS[i], "nothing");
        ck_assert_str_eq(output(run), output(first));
        json_decref(run);
    }
    json_decref(first);
}
END_TEST

START_TEST(each_form_apologizes_for_the_same_failure_in_the_same_words)
{
    static const char *const SAYS[STEP_COUNT] = {
        "could not be read: no such file or directory", "database could not be asked: the database said no",
        "server could not be asked: connection refused", "could not be made HTML: invalid argument",
    };
    for (int step = 0; step < STEP_COUNT; step++) {
        json_t *first = letter_of(FORMS[0], FAILS[step]);
        ck_assert_msg(strstr(output(first), SAYS[step]) != NULL, "%s: %s", FAILS[step], output(first));
        for (int i = 1; i < FORM_COUNT; i++) {
            json_t *run = letter_of(FORMS[i], FAILS[step]);
            ck_assert_str_eq(output(run), output(first));
            json_decref(run);
        }
        json_decref(first);
    }
}
END_TEST

START_TEST(steps_come_in_turn_and_the_server_takes_its_time)
{
    for (int i = 1; i < FORM_COUNT; i++) {
        json_t *run = letter_of(FORMS[i], "nothing");
        int64_t before = 0;
        for (int step = 0; step < STEP_COUNT; step++) {
            const tracks t = tracks_called(run, STEPS[step]);
            ck_assert_int_eq(t.succeeded, 1);
            ck_assert_int_ge(t.first_begin, before);
            before = t.last_end;
        }
        const tracks server = tracks_called(run, "server");
        ck_assert_int_ge(server.last_end - server.first_begin, 20000);
        json_decref(run);
    }
}
END_TEST

START_TEST(the_step_that_fails_is_the_last_that_begins)
{
    for (int i = 1; i < FORM_COUNT; i++)
        for (int fails = 0; fails < STEP_COUNT; fails++) {
            json_t *run = letter_of(FORMS[i], FAILS[fails]);
            for (int step = 0; step < STEP_COUNT; step++) {
                const tracks t = tracks_called(run, STEPS[step]);
                ck_assert_msg(t.count == (step <= fails) && t.succeeded == (step < fails), "%s, %s: %s", FORMS[i],
                              FAILS[fails], STEPS[step]);
            }
            json_decref(run);
        }
}
END_TEST

static int times(const char *in, const char *what)
{
    int n = 0;
    for (const char *at = in; (at = strstr(at, what)); at += strlen(what))
        n++;
    return n;
}

START_TEST(errors_are_dealt_with_in_four_places_by_callbacks_and_else_in_one)
{
    for (int i = 0; i < FORM_COUNT; i++) {
        char path[64];
        snprintf(path, sizeof path, "/patterns/%s", FORMS[i]);
        const answer a = get_as(path, "text/html");
        ck_assert_int_eq(times(a.body, ">letter_apologize<"), strcmp(FORMS[i], "callbacks") == 0 ? 4 : 1);
    }
}
END_TEST

/* Of the tracks called so; how many are open at the same time, at most. */
static int overlap(const json_t *run, const char *name)
{
    bool of_these[MOST_TRACKS] = { false };
    int now = 0, most = 0;
    size_t i;
    json_t *e;
    json_array_foreach(json_object_get(run, "events"), i, e) {
        const int64_t track = number_of(e, "track");
        if (is(e, "kind", "begin") && is(e, "name", name)) {
            of_these[track] = true;
            now++;
        } else if (is(e, "kind", "end") && of_these[track]) {
            now--;
        }
        most = now > most ? now : most;
    }
    return most;
}

/* Two, as its server is told. */
START_TEST(as_many_letters_have_a_thread_as_may_and_their_threads_mostly_wait)
{
    const int may = in_threads_mode() ? 1 : 2;
    int most = 0;
    for (int again = 0; again < 20 && most < may; again++) {             /* the machine may be too busy */
        json_t *run = letter_of("blocking", "nothing");
        most = overlap(run, "a thread");
        ck_assert_int_le(most, may);
        ck_assert_int_le(figure(run, "threads at once, at most"), may);
        ck_assert_int_eq(tracks_called(run, "a thread").succeeded, READERS);
        ck_assert_int_ge(number_of(run, "took_us"), READERS / may * 20000);
        ck_assert(run_slowed() || 4 * figure(run, "processor time of all") < number_of(run, "took_us"));
        json_decref(run);
    }
    ck_assert_int_eq(most, may);
}
END_TEST

START_TEST(what_is_chosen_is_offered_as_a_field_of_the_form_and_stays_chosen)
{
    answer a = get_as("/patterns/await", "text/html");
    expect_body(a, "<select name=\"fail\"><option value=\"nothing\" selected>nothing</option><option value=\"file\">");
    a = get_as("/patterns/await?fail=query&run=1", "text/html");
    expect(a, 200, "text/html");
    expect_body(a, "<option value=\"query\" selected>");
    expect_body(a, "<div class=\"output\"><p>There is no letter today.");
    a = get_as("/patterns", "application/json");
    expect_body(a, "\"choices\":{\"fail\":[\"nothing\",\"file\",\"query\",\"fetch\",\"render\"]}");
}
END_TEST

START_TEST(what_there_is_not_to_choose_is_400_and_runs_nothing)
{
    const answer a = get_as("/patterns/await?fail=everything", "application/json");
    expect_problem(a, 400);
    expect_body(a, "nothing, file, query, fetch, render");
    expect(get_as("/patterns/await?fail=", "text/html"), 400, "text/html");
}
END_TEST

Suite *gallery_written_suite(void)
{
    Suite *s = suite_create("gallery_written");
    for (int database = 0; database < 2; database++) {
        TCase *t = recorded_theme(s, database == 1);
        tcase_add_test(t, each_form_makes_the_same_letter_of_what_file_database_and_server_say);
        tcase_add_test(t, each_form_apologizes_for_the_same_failure_in_the_same_words);
        tcase_add_test(t, steps_come_in_turn_and_the_server_takes_its_time);
        tcase_add_test(t, the_step_that_fails_is_the_last_that_begins);
        tcase_add_test(t, as_many_letters_have_a_thread_as_may_and_their_threads_mostly_wait);
        if (database == 1)
            continue;                        /* the rest asks no database */
        tcase_add_test(t, errors_are_dealt_with_in_four_places_by_callbacks_and_else_in_one);
        tcase_add_test(t, what_is_chosen_is_offered_as_a_field_of_the_form_and_stays_chosen);
        tcase_add_test(t, what_there_is_not_to_choose_is_400_and_runs_nothing);
    }
    return s;
}
