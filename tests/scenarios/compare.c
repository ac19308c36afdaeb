/* compare.c - both modes under one load, started from the front page: what may be asked, what comes of it, and how it ends. */
#include "scenarios.h"

#include "tests/scenarios/support/events.h"
#include "tests/scenarios/support/json.h"
#include "tests/scenarios/support/launch.h"
#include "tests/scenarios/support/postgres.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORM "application/x-www-form-urlencoded"

static void with_sqlite(void)   { server_start("compare", NULL); }
static void with_postgres(void) { server_start_on_postgres("compare-postgres", NULL); }

static answer start_as(const char *form, const char *accept) { return post_as("/compare", FORM, form, accept); }

static json_t *state(void) { return json_in(get_as("/compare", "application/json"), 200); }

static bool state_is(const char *wanted)
{
    json_t *c = state();
    const bool is = strcmp(json_string_value(json_object_get(c, "state")), wanted) == 0;
    json_decref(c);
    return is;
}

/* Whatever the test before has left behind. */
static void none_runs(void) { ck_assert(eventually(60, !state_is("running"))); }

/* A short run, to its end. */
static json_t *run(const char *form)
{
    const answer a = start_as(form, "application/json");
    expect(a, 202, "application/json");
    ck_assert(header_is(&a, "Location", "/compare"));
    ck_assert_msg(eventually(60, !state_is("running")), "it goes on for ever");
    return state();
}

static double real(const json_t *object, const char *key)
{
    const json_t *n = json_object_get(object, key);
    ck_assert_msg(json_is_number(n), "%s is no number", key);
    return json_number_value(n);
}

static void check_mode(const json_t *run, const char *mode, int requests)
{
    const json_t *f = json_object_get(json_object_get(run, "modes"), mode), *memory = json_object_get(f, "memory");
    ck_assert_int_eq(number_of(f, "turns"), 2);
    ck_assert_int_gt(number_of(f, "answers"), 0);
    ck_assert_int_eq(number_of(f, "failed"), 0);
    ck_assert_int_eq(number_of(f, "connections"), requests);
    ck_assert_int_le(number_of(f, "held"), requests);
    ck_assert_int_gt(number_of(f, "held"), 0);
    ck_assert_double_gt(real(f, "per_second"), 0);
    ck_assert_double_ge(real(f, "p99_ms"), real(f, "p50_ms"));
    ck_assert_double_gt(real(f, "cpu_us"), 0);
    ck_assert_int_ge(number_of(memory, "kernel_stacks"), (strcmp(mode, "threads") == 0 ? requests : 1) * 16384);
    if (strcmp(mode, "threads") == 0) {
        ck_assert_int_ge(number_of(f, "threads"), requests + 1);
        ck_assert_int_ge(number_of(memory, "stacks"), requests * 4096);
    } else {
        ck_assert_int_lt(number_of(f, "threads"), 64);
    }
}

static bool has_answers(const json_t *run, const char *mode)
{
    return number_of(json_object_get(json_object_get(run, "modes"), mode), "answers") > 0;
}

/* Long enough for the slowest of these to be answered, however busy the machine is. */
static json_t *run_long_enough(const char *load, int requests)
{
    enum { LONGEST = 8000 };                 /* milliseconds */
    for (int ms = run_slowed() ? 2000 : 500;; ms *= 4) {
        char form[64];
        snprintf(form, sizeof form, "load=%s&requests=%d&ms=%d", load, requests, ms);
        json_t *c = run(form);
        if (ms * 4 > LONGEST || (has_answers(c, "async") && has_answers(c, "threads")))
            return c;
        json_decref(c);
    }
}

static void check_run(const char *load, int requests)
{
    json_t *c = run_long_enough(load, requests);
    const json_t *samples = json_object_get(c, "samples");
    ck_assert_str_eq(json_string_value(json_object_get(c, "state")), "done");
    ck_assert_str_eq(json_string_value(json_object_get(c, "load")), load);
    ck_assert_int_eq(number_of(c, "requests"), requests);
    ck_assert_uint_gt(strlen(json_string_value(json_object_get(c, "sentence"))), 20);
    check_mode(c, "async", requests);
    check_mode(c, "threads", requests);
    ck_assert_uint_ge(json_array_size(samples), 8);          /* of each turn, one when it is open, and one at its end */
    json_decref(c);
}

START_TEST(at_first_there_is_none_but_how_to_start_one)
{
    json_t *c = state();
    ck_assert_str_eq(json_string_value(json_object_get(c, "state")), "none");
    ck_assert_str_eq(json_string_value(json_object_get(c, "sentence")), "");
    json_decref(c);
    static const char *const PAGES[] = { "/", "/compare" };
    for (int i = 0; i < 2; i++) {
        const answer a = get_as(PAGES[i], "text/html");
        expect(a, 200, "text/html");
        expect_body(a, "action=\"/compare\"");
        ck_assert_ptr_null(strstr(a.body, "<table"));
    }
    ck_assert_int_eq(server_second_port(), 0);
}
END_TEST

START_TEST(both_serve_what_waits)      { check_run("waiting", 50); }
END_TEST
START_TEST(both_serve_a_slow_database) { check_run("database", 10); }
END_TEST
START_TEST(both_compute)               { check_run("cpu", 10); }
END_TEST
START_TEST(both_serve_a_mixture)       { check_run("mixed", 20); }
END_TEST

START_TEST(without_scripts_the_page_has_the_sentence_and_a_table)
{
    const answer started = start_as("load=waiting&requests=10&ms=1000", "text/html");      /* it is to be seen running */
    expect(started, 303, NULL);
    ck_assert(header_is(&started, "Location", "/compare"));
    const answer running = get_as("/", "text/html");
    expect_body(running, "<noscript><meta http-equiv=\"refresh\"");
    ck_assert(eventually(60, !state_is("running")));
    const answer a = get_as("/", "text/html");
    expect_body(a, "<table class=\"compare-figures\"");
    ck_assert_ptr_null(strstr(a.body, "http-equiv=\"refresh\""));
    char *page = strdup(a.body);
    json_t *c = state();
    char *sentence = strdup(json_string_value(json_object_get(c, "sentence")));
    sentence[strcspn(sentence, "'")] = '\0';                /* which a page writes in another way */
    ck_assert_msg(strlen(sentence) > 20 && strstr(page, sentence) != NULL, "%s", sentence);
    free(sentence);
    json_decref(c);
    free(page);
}
END_TEST

START_TEST(one_runs_at_a_time)
{
    expect(start_as("load=waiting&requests=10&ms=1000", "application/json"), 202, NULL);
    const answer a = start_as("load=cpu&requests=10&ms=100", "application/json");
    expect_problem(a, 409);
    ck_assert_ptr_nonnull(header(&a, "Retry-After"));
    ck_assert(eventually(60, !state_is("running")));
    json_t *c = state();
    ck_assert_str_eq(json_string_value(json_object_get(c, "load")), "waiting");
    json_decref(c);
}
END_TEST

START_TEST(what_cannot_be_asked_for_is_said_in_words)
{
    static const char *const WRONG[] = {
        "load=nothing", "load=", "requests=9", "requests=10001", "requests=", "requests=-10", "requests=1e3",
        "requests=99999999999999", "ms=99", "ms=10001", "load=cpu&requests=x",
    };
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++)
        expect_problem(start_as(WRONG[i], "application/json"), 422);
    expect_problem(post_as("/compare", "application/json", "{}", "application/json"), 415);
    ck_assert(!state_is("running"));
}
END_TEST

START_TEST(it_can_be_followed_by_events)
{
    client *c = client_new();
    client_say(c, "GET /events/compare/run HTTP/1.1\r\nHost: t\r\nAccept: text/event-stream\r\n\r\n");
    events_until(c, "\r\n\r\n");
    expect(start_as("load=waiting&requests=10&ms=100", "application/json"), 202, NULL);
    events_until(c, "\"state\":\"running\"");
    ck_assert_ptr_nonnull(strstr(events_until(c, "\"state\":\"done\""), "event: sample"));
    client_free(c);
}
END_TEST

START_TEST(the_second_server_answers_as_the_first)
{
    json_t *c = run("load=waiting&requests=10&ms=100");
    const server first = here;
    for (int i = 0; i < 2; i++) {
        const json_t *mode = json_object_get(json_object_get(c, "modes"), i ? "threads" : "async");
        const char *at = json_string_value(json_object_get(mode, "address"));
        here.port = atoi(strrchr(at, ':') + 1);
        ck_assert(here.port == first.port || i == (in_threads_mode() ? 0 : 1));
        expect_body(get("/plaintext"), "Hello, World!");
        here = first;
    }
    json_decref(c);
}
END_TEST

START_TEST(a_server_that_stops_ends_the_run)
{
    server_start("compare-stop", NULL);
    expect(start_as("load=waiting&requests=100&ms=10000", "application/json"), 202, NULL);
    client *c = client_new();
    ck_assert(eventually(20, state_is("running") && json_array_size(json_object_get(state(), "samples")) > 1));
    client_free(c);
    const double before = granted_s();
    server_signal(SIGTERM);
    ck_assert_int_eq(server_wait(), 0);
    const double took = granted_s() - before;
    ck_assert_msg(took < (run_slowed() ? 20 : 5), "it took %.1f s", took);
}
END_TEST

START_TEST(where_there_are_few_descriptors_it_is_smaller_and_says_so)
{
    next_limited(RLIMIT_NOFILE, 400);
    server_start("compare-few", NULL);
    json_t *c = run("load=waiting&requests=1000&ms=100");
    const char *why = json_string_value(json_object_get(c, "why"));
    ck_assert_str_eq(json_string_value(json_object_get(c, "state")), "done");
    ck_assert_int_lt(number_of(c, "requests"), 200);
    ck_assert_int_gt(number_of(c, "requests"), 20);
    ck_assert_msg(strstr(why, "The limit of open files is 400") != NULL, "%s", why);
    json_decref(c);
    server_stop();
}
END_TEST

START_TEST(where_there_are_too_few_it_says_so)
{
    next_limited(RLIMIT_NOFILE, 96);
    server_start("compare-few", NULL);
    json_t *c = run("load=waiting&requests=1000&ms=100");
    ck_assert_str_eq(json_string_value(json_object_get(c, "state")), "failed");
    const char *why = json_string_value(json_object_get(c, "why"));
    ck_assert_msg(strstr(why, "open files") != NULL, "%s", why);
    expect_body(get_as("/", "text/html"), "limit of open files");
    json_decref(c);
    server_stop();
}
END_TEST

START_TEST(strangers_find_none)
{
    server_start("compare-strangers", "--listen", ":0", NULL);
    expect(get("/compare"), 404, NULL);
    expect(get("/compare/cpu"), 404, NULL);
    expect(start_as("load=waiting&requests=10", "application/json"), 404, NULL);
    expect_problem(get("/events/compare/run"), 404);
    const answer a = get_as("/", "text/html");
    ck_assert_ptr_null(strstr(a.body, "action=\"/compare\""));
    expect_body(a, "<code>tenk --listen 127.0.0.1:8080</code>");
    server_stop();
    server_start("compare-strangers", "--listen", ":0", "TENK_PATTERNS_ENABLED=on", NULL);
    expect_body(get_as("/", "text/html"), "action=\"/compare\"");
    json_t *c = run("load=waiting&requests=10&ms=100");
    ck_assert_str_eq(json_string_value(json_object_get(c, "state")), "done");
    json_decref(c);
    server_stop();
}
END_TEST

Suite *compare_suite(void)
{
    Suite *s = suite_create("compare");
    TCase *first = theme(s, "compare", with_sqlite), *t = theme(s, "compare", with_sqlite), *alone = theme(s, "compare-", NULL);
    TCase *postgres = postgres_theme(s, "compare-postgres");
    tcase_add_test(first, at_first_there_is_none_but_how_to_start_one);
    tcase_add_checked_fixture(t, none_runs, NULL);
    tcase_add_test(t, both_serve_what_waits);
    tcase_add_test(t, both_serve_a_slow_database);
    tcase_add_test(t, both_compute);
    tcase_add_test(t, both_serve_a_mixture);
    tcase_add_test(t, without_scripts_the_page_has_the_sentence_and_a_table);
    tcase_add_test(t, one_runs_at_a_time);
    tcase_add_test(t, what_cannot_be_asked_for_is_said_in_words);
    tcase_add_test(t, it_can_be_followed_by_events);
    tcase_add_test(t, the_second_server_answers_as_the_first);
    tcase_add_unchecked_fixture(postgres, with_postgres, server_fixture_stop);
    tcase_add_test(postgres, both_serve_a_slow_database);
    tcase_add_test(postgres, both_serve_a_mixture);
    tcase_add_test(alone, a_server_that_stops_ends_the_run);
    tcase_add_test(alone, where_there_are_few_descriptors_it_is_smaller_and_says_so);
    tcase_add_test(alone, where_there_are_too_few_it_says_so);
    tcase_add_test(alone, strangers_find_none);
    return s;
}
