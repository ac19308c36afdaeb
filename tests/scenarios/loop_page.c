/* loop_page.c - GET /loop and /loop/events: what a loop does, recorded while somebody looks; in threads mode, the threads. */
#include "scenarios.h"
#include "tests/scenarios/support/events.h"
#include "tests/scenarios/support/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const PHASES[] = { "timers", "pending", "idle", "prepare", "poll", "check", "closing" };

static void with_one_loop(void) { server_start("loop-page", "--workers", "1", NULL); }

static const char *word(const json_t *o, const char *key)
{
    const char *const w = json_string_value(json_object_get(o, key));
    return w ? w : "";
}

/* An event of that kind, for whom, or NULL; the last one. */
static const json_t *event_of(const json_t *events, const char *kind, const char *whom)
{
    const json_t *found = NULL;
    size_t i;
    json_t *e;
    json_array_foreach(events, i, e)
        if (strcmp(word(e, "kind"), kind) == 0 && strcmp(word(e, "for"), whom) == 0)
            found = e;
    return found;
}

static int place_of_phase(const char *name)
{
    int at = 0;
    while (strcmp(PHASES[at], name) != 0)
        ck_assert_int_lt(++at, 7);
    return at;
}

START_TEST(the_page_is_whole_without_scripts)
{
    answer a = get_as("/loop?for=20", "text/html");
    expect(a, 200, "text/html");
    ck_assert(header_is(&a, "Cache-Control", "no-store"));
    expect_body(a, "<a href=\"/loop\">loop</a>");
    if (in_threads_mode()) {
        expect_body(a, "threads mode, where there is none");
        expect_body(a, "<td>GET /loop</td>");
        ck_assert_ptr_null(strstr(a.body, "data-phase"));
        return;
    }
    const char *at = a.body;
    for (int i = 0; i < 7; i++) {            /* in libuv's order */
        char phase[40];
        snprintf(phase, sizeof phase, "data-phase=\"%s\"", PHASES[i]);
        ck_assert_msg((at = strstr(at, phase)) != NULL, "no %s behind the one before", phase);
    }
    expect_body(a, "<table class=\"turns\">");
    expect_body(a, "<td>sleep </td>");
    expect_body(a, "<td>phase prepare</td>");
    expect_body(a, "<td>GET /loop</td>");
}
END_TEST

/* What is seen while a user's page is asked for; NULL if a busy machine took longer for that than is looked. */
static json_t *look_once(void)
{
    client *const looks = client_new();
    client_say(looks, "GET /loop?for=1000 HTTP/1.1\r\nHost: t\r\nAccept: application/json\r\n\r\n");
    ck_assert_int_eq(get("/healthz").status, 200);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(get_as("/users/42", "application/json").status, 200);
    const bool in_time = client_quiet(looks);
    json_t *const seen = json_in(client_answer(looks), 200);
    client_free(looks);
    if (in_time)
        return seen;
    json_decref(seen);
    return NULL;
}

/* The caller's. */
static json_t *look_at_a_page(void)
{
    json_t *seen;
    ck_assert(eventually(30, (seen = look_once()) != NULL));
    return seen;
}

START_TEST(a_request_is_followed_through_the_turns_of_its_loop)
{
    if (in_threads_mode())
        return;
    json_t *const seen = look_at_a_page(), *const events = json_object_get(json_object_get(seen, "turns"), "events");
    const char *const whom = "GET /users/:id";
    static const char *const KINDS[] = { "request_begun", "run", "query_sent", "query_ran", "query", "settled", "request" };
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        ck_assert_msg(event_of(events, KINDS[i], whom) != NULL, "no %s", KINDS[i]);
    const json_t *const wait = event_of(events, "await", whom);
    ck_assert_str_eq(word(wait, "name"), "promise_gather");
    ck_assert_ptr_nonnull(strstr(word(wait, "place"), "handlers/users/user_page.c:"));
    ck_assert_int_eq(number_of(wait, "task"), number_of(event_of(events, "run", whom), "task"));
    ck_assert_int_gt(number_of(event_of(events, "query_ran", whom), "lane"), 0);
    ck_assert_int_eq(number_of(event_of(events, "request", whom), "outcome"), 0);
    json_decref(seen);
}
END_TEST

START_TEST(turns_have_their_phases_in_libuvs_order)
{
    if (in_threads_mode())
        return;
    json_t *const seen = look_at_a_page(), *const events = json_object_get(json_object_get(seen, "turns"), "events");
    int64_t turn = -1, at = 0;
    int phase = 0, phases = 0, turns = 0;
    size_t i;
    json_t *e;
    json_array_foreach(events, i, e) {
        if (strcmp(word(e, "kind"), "sleep") == 0) {
            ck_assert_int_gt(number_of(e, "turn"), turn);
            turn = number_of(e, "turn");
            phase = place_of_phase("poll") - 1;
            turns++;
        }
        ck_assert_int_eq(number_of(e, "turn"), turn);
        if (strcmp(word(e, "kind"), "phase") != 0)
            continue;
        int next = place_of_phase(word(e, "phase"));
        next += next < phase ? 7 : 0;        /* round, once */
        ck_assert_msg(next > phase && next <= place_of_phase("prepare") + 7, "%s follows %s", word(e, "phase"),
                      PHASES[phase % 7]);
        ck_assert_int_ge(number_of(e, "at"), at);
        at = number_of(e, "at");
        phase = next;
        phases++;
    }
    ck_assert_int_ge(turns, 5);
    ck_assert_int_ge(phases, 3 * turns);
    ck_assert_int_eq(number_of(json_object_get(seen, "turns"), "turns"), turns);
    json_decref(seen);
}
END_TEST

/* Is GET /sleep among what waits, as that, and where it should be? */
static bool sleeper_is_seen(void)
{
    json_t *const seen = json_in(get_as("/loop?for=0", "application/json"), 200);
    json_t *const look = json_object_get(seen, "look"), *w;
    bool found = false;
    size_t i;
    ck_assert_str_eq(word(look, "mode"), in_threads_mode() ? "threads" : "async");
    json_array_foreach(json_object_get(look, "waits"), i, w) {
        if (strcmp(word(w, "for"), "GET /sleep") != 0)
            continue;
        if (in_threads_mode())               /* where it blocks is the kernel's to tell, and some do not */
            found = strcmp(word(w, "is"), "thread") == 0;
        else
            found = strcmp(word(w, "is"), "task") == 0 && strcmp(word(w, "awaits"), "sleep_for") == 0 &&
                    strstr(word(w, "place"), "handlers/sleep.c:");
    }
    json_decref(seen);
    return found;
}

START_TEST(what_waits_is_seen_with_where)
{
    client *const c = client_asking("/sleep?ms=60000");
    ck_assert(eventually(10, sleeper_is_seen()));
    expect_body(get_as("/loop?for=0", "text/html"), "<td>GET /sleep</td>");
    client_reset(c);
}
END_TEST

static client *watching(const char *path)
{
    char request[128];
    client *const c = client_new();
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: t\r\n\r\n", path);
    client_say(c, request);
    return c;
}

START_TEST(the_stream_tells_what_is_done_and_not_what_it_does_itself)
{
    client *const c = watching("/loop/events");
    const char *came = events_until(c, "event: look\ndata: ");
    ck_assert_ptr_nonnull(strstr(came, "Content-Type: text/event-stream\r\n"));
    if (in_threads_mode()) {
        events_until(c, "\"mode\":\"threads\"");
        ck_assert_ptr_null(strstr(events_until(c, "\"for\":\"GET /loop/events\""), "event: turns"));
        client_free(c);
        return;
    }
    events_until(c, "\"own_turns\":");
    events_until(c, "event: turns\ndata: ");
    ck_assert_int_eq(get("/plaintext").status, 200);
    came = events_until(c, "\"kind\":\"request\"");
    ck_assert_ptr_null(strstr(came, "\"name\":\"loop_events\""));
    events_until(c, "\"for\":\"GET /plaintext\"");
    events_until(c, "event: look\ndata: ");
    client_free(c);
}
END_TEST

/* Of its one loop. */
static int64_t entries(void)
{
    json_t *const seen = json_in(get_as("/loop?for=0", "application/json"), 200);
    const int64_t count = json_integer_value(json_array_get(json_object_get(json_object_get(seen, "look"), "entries"), 0));
    json_decref(seen);
    return count;
}

static int64_t entries_of_requests(int count)
{
    const int64_t before = entries();
    for (int i = 0; i < count; i++)
        ck_assert_int_eq(get("/plaintext").status, 200);
    return entries() - before;
}

START_TEST(details_are_recorded_only_while_somebody_looks)
{
    enum { REQUESTS = 100, OF_THE_LOOK = 300 };
    if (in_threads_mode())
        return;
    ck_assert(eventually(10, entries_of_requests(REQUESTS) <= 3 * REQUESTS + OF_THE_LOOK));  /* the test before looked */
    client *const c = watching("/loop/events");
    events_until(c, "event: turns\ndata: ");
    ck_assert_int_ge(entries_of_requests(REQUESTS), 10 * REQUESTS);
    client_reset(c);
    ck_assert(eventually(10, entries_of_requests(REQUESTS) <= 3 * REQUESTS + OF_THE_LOOK));
}
END_TEST

START_TEST(a_loop_that_is_not_there_is_said_and_so_is_nonsense)
{
    expect_problem(get("/loop?loop=0"), 400);
    expect_problem(get("/loop?loop=x"), 400);
    expect_problem(get("/loop?for=5001"), 400);
    expect_problem(get("/loop?for=-1"), 400);
    expect_problem(get("/loop/events?loop=0"), 400);
    if (in_threads_mode())
        return;
    expect_problem(get("/loop?loop=2"), 404);
    expect_problem(get("/loop/events?loop=2"), 404);
}
END_TEST

START_TEST(a_page_of_another_site_may_not_look)
{
    expect_problem(ask("GET /loop/events HTTP/1.1\r\nHost: t\r\nSec-Fetch-Site: cross-site\r\n\r\n"), 403);
    const answer a = ask("GET /loop?for=5000 HTTP/1.1\r\nHost: t\r\nAccept: text/html\r\nSec-Fetch-Site: cross-site\r\n\r\n");
    expect(a, 200, "text/html");
    if (!in_threads_mode())
        expect_body(a, "<h2>The turns of 0 ms</h2>");
}
END_TEST

START_TEST(only_so_many_may_look_at_a_time)
{
    enum { MOST = 8 };
    client *all[MOST];
    server_start("loop-page-many", "--workers", "1", NULL);
    for (int i = 0; i < MOST; i++) {
        all[i] = watching("/loop/events");
        events_until(all[i], "event: look\ndata: ");
    }
    expect_problem(get("/loop/events"), 503);
    for (int i = 0; i < MOST; i++)
        client_reset(all[i]);
    client *again = NULL;
    ck_assert(eventually(10, (again = watching("/loop/events")) != NULL &&
                                 strstr(events_until(again, "\r\n\r\n"), "HTTP/1.1 200") != NULL));
    client_free(again);
    server_stop();
}
END_TEST

START_TEST(each_loop_can_be_chosen)
{
    server_start("loop-page-two", "--workers", "2", NULL);
    if (!in_threads_mode()) {
        expect_body(get_as("/loop?loop=2&for=10", "text/html"), "aria-current=\"page\">loop 2</a>");
        client *const c = watching("/loop/events?loop=2");
        events_until(c, "event: turns\ndata: {\"loop\":2,");
        client_free(c);
    }
    server_stop();
}
END_TEST

START_TEST(where_nothing_is_recorded_it_is_said)
{
    server_start("loop-page-unrecorded", "--workers", "1", "TENK_LOG_RECORDER=0", NULL);
    if (!in_threads_mode()) {
        expect_body(get_as("/loop", "text/html"), "<code>[log] recorder</code> is 0");
        expect_problem(get("/loop/events"), 404);
    }
    server_stop();
}
END_TEST

START_TEST(strangers_do_not_find_it)
{
    server_start("loop-page-off", "TENK_PATTERNS_ENABLED=off", NULL);
    expect_problem(get("/loop"), 404);
    expect_problem(get("/loop/events"), 404);
    ck_assert_ptr_null(strstr(get_as("/users", "text/html").body, "/loop"));
    server_stop();
}
END_TEST

Suite *loop_page_suite(void)
{
    Suite *s = suite_create("loop_page");
    TCase *t = theme(s, "one loop", with_one_loop);
    tcase_add_test(t, the_page_is_whole_without_scripts);
    tcase_add_test(t, a_request_is_followed_through_the_turns_of_its_loop);
    tcase_add_test(t, turns_have_their_phases_in_libuvs_order);
    tcase_add_test(t, what_waits_is_seen_with_where);
    tcase_add_test(t, the_stream_tells_what_is_done_and_not_what_it_does_itself);
    tcase_add_test(t, details_are_recorded_only_while_somebody_looks);
    tcase_add_test(t, a_loop_that_is_not_there_is_said_and_so_is_nonsense);
    tcase_add_test(t, a_page_of_another_site_may_not_look);
    t = tcase_create("others");
    tcase_add_test(t, only_so_many_may_look_at_a_time);
    tcase_add_test(t, each_loop_can_be_chosen);
    tcase_add_test(t, where_nothing_is_recorded_it_is_said);
    tcase_add_test(t, strangers_do_not_find_it);
    suite_add_tcase(s, t);
    return s;
}
