/* slow_requests.c - what the server tells of its own slowest requests, and what it advises. */
#include "scenarios.h"

#include "tests/scenarios/support/json.h"

#include <stdio.h>
#include <string.h>

static json_t *json_of(const char *path) { return json_in(get_as(path, "application/json"), 200); }

static double real_of(const json_t *of, const char *key) { return json_number_value(json_object_get(of, key)); }

static const char *text_in(const json_t *of, const char *key)
{
    const char *const t = json_string_value(json_object_get(of, key));
    return t ? t : "";
}

/* The slowest of that route, which is the caller's as *all. */
static const json_t *slowest_of(const char *query, json_t **all)
{
    char path[128];
    snprintf(path, sizeof path, "/requests?route=%s", query);
    *all = json_of(path);
    return json_array_get(json_object_get(json_array_get(json_object_get(*all, "routes"), 0), "slowest"), 0);
}

/* what NULL: any. NULL if there is none. */
static const json_t *row_find(const json_t *request, const char *kind, const char *what)
{
    size_t i;
    const json_t *row;
    json_array_foreach(json_object_get(request, "rows"), i, row)
        if (strcmp(text_in(row, "kind"), kind) == 0 && (!what || strcmp(text_in(row, "what"), what) == 0))
            return row;
    return NULL;
}

static const json_t *row_of(const json_t *request, const char *kind, const char *what)
{
    const json_t *const row = row_find(request, kind, what);
    ck_assert_msg(row != NULL, "no %s of %s", kind, what);
    return row;
}

static double from_of(const json_t *row) { return real_of(json_array_get(json_object_get(row, "spans"), 0), "from_ms"); }

START_TEST(a_slow_request_is_kept_with_what_it_awaited_and_where)
{
    json_t *all;
    server_start("slow_requests", NULL);
    get("/sleep?ms=500");                    /* as late as the other one is hardly */
    get("/sleep?ms=1");
    const json_t *const slowest = slowest_of("GET+/sleep", &all), *const slept = row_of(slowest, "await", "sleep_for");
    ck_assert(real_of(slowest, "took_ms") >= 500);
    ck_assert(real_of(slept, "total_ms") >= 490);
    ck_assert(real_of(slept, "total_ms") <= real_of(slowest, "took_ms") + .1);
    ck_assert(strncmp(text_in(slept, "place"), "handlers/sleep.c:", 17) == 0);
    ck_assert(strstr(text_in(slept, "source"), "await(sleep_for(") != NULL);
    ck_assert(!json_is_true(json_object_get(slowest, "partial")));
    if (!in_threads_mode())
        ck_assert_int_ge(json_array_size(json_object_get(row_of(slowest, "runs", "/sleep"), "spans")), 2);
    json_decref(all);
    server_stop();
}
END_TEST

static void queries_are_shown(void)
{
    json_t *all;
    ck_assert_int_eq(get_as("/users/42", "text/html").status, 200);
    const json_t *const slowest = slowest_of("GET+/users/:id", &all);
    const json_t *const user = row_of(slowest, "query", "user_by_id"), *const posts = row_of(slowest, "query", "posts_by_user");
    const double took = real_of(slowest, "took_ms");
    ck_assert(real_of(user, "total_ms") > 0 && real_of(user, "total_ms") <= took + .1);
    ck_assert(real_of(posts, "total_ms") > 0 && real_of(posts, "total_ms") <= took + .1);
    row_of(slowest, "job", "cpu");
    row_of(slowest, "handler", "GET /users/:id");
    if (!in_threads_mode()) {                /* side by side: the second one was asked for while the first was under way */
        ck_assert(from_of(posts) < from_of(user) + real_of(user, "total_ms") + .01);
        ck_assert(strncmp(text_in(row_of(slowest, "await", "promise_gather"), "place"), "handlers/users/user_page.c:", 27) == 0);
    }
    json_decref(all);
}

START_TEST(each_query_of_a_page_is_shown_by_its_name_and_its_rendering_too)
{
    server_start("slow_requests", "TENK_RENDERING_WHERE=pool", NULL);
    queries_are_shown();
    server_stop();
}
END_TEST

START_TEST(on_postgresql_it_is_the_same)
{
    server_start_on_postgres("slow_requests", "TENK_RENDERING_WHERE=pool", NULL);
    queries_are_shown();
    server_stop();
}
END_TEST

enum { CROWD = 160, ROUNDS = 30 };

/* All at the same moment: how many answers say that they waited to be admitted. */
static int ask_together(void)
{
    client *clients[CROWD];
    int said = 0;
    for (int i = 0; i < CROWD; i++) {
        clients[i] = client_new();
        client_say(clients[i], "GET /users/42 HTTP/1.1\r\nHost: a\r\n");
    }
    for (int i = 0; i < CROWD; i++)
        client_say(clients[i], "\r\n");
    for (int i = 0; i < CROWD; i++) {
        const answer a = client_answer(clients[i]);
        ck_assert_int_eq(a.status, 200);
        said += header_has(&a, "Server-Timing", "line;dur=");
        client_free(clients[i]);
    }
    return said;
}

/* Of the slowest pages; one or the other waited for a cold cache instead. */
static int count_lines(void)
{
    size_t i;
    const json_t *one;
    json_t *all;
    int lines = 0;
    slowest_of("GET+/users/:id", &all);
    json_array_foreach(json_object_get(json_array_get(json_object_get(all, "routes"), 0), "slowest"), i, one) {
        const json_t *const line = row_find(one, "line", NULL);
        lines += line != NULL;
        ck_assert(!line || (real_of(line, "total_ms") > 0 && real_of(line, "total_ms") <= real_of(one, "took_ms") + .1));
    }
    json_decref(all);
    return lines;
}

/* One reader, and many who want it: most must wait to be admitted. */
START_TEST(a_request_that_waited_to_be_admitted_shows_it_and_says_so_itself)
{
    int said = 0, lines = 0;
    server_start("slow_requests", "TENK_DATABASE_READERS=1", "TENK_DATABASE_TARGET=30s", "TENK_DATABASE_LINE_TIMEOUT=30s", NULL);
    for (int round = 0; round < ROUNDS && !(said && lines); round++) {
        said += ask_together();
        lines = count_lines();
    }
    ck_assert_int_gt(said, 0);
    ck_assert_int_gt(lines, 0);
    server_stop();
}
END_TEST

START_TEST(what_is_not_there_is_not_found_and_what_is_no_number_is_told)
{
    json_t *all;
    char path[64];
    server_start("slow_requests", NULL);
    ck_assert_int_eq(get("/requests").status, 200);
    ck_assert_int_eq(get("/requests/0").status, 404);
    ck_assert_int_eq(get("/requests/999999").status, 404);
    ck_assert_int_eq(get("/requests/x").status, 400);
    ck_assert_int_eq(get("/requests?route=GET+/nowhere").status, 404);
    get("/healthz");
    const int64_t id = number_of(slowest_of("GET+/healthz", &all), "id");
    json_decref(all);
    snprintf(path, sizeof path, "/requests/%d", (int)id);
    json_t *const one = json_of(path);
    ck_assert_int_eq(number_of(one, "id"), id);
    ck_assert_str_eq(text_in(one, "route"), "GET /healthz");
    json_decref(one);
    const answer a = get_as(path, "text/html");
    ck_assert_int_eq(a.status, 200);
    ck_assert_ptr_nonnull(strstr(a.body, "<svg width=\"100%\""));
    server_stop();
}
END_TEST

START_TEST(strangers_do_not_come_here)
{
    server_start("slow_requests", "TENK_PATTERNS_ENABLED=off", NULL);
    ck_assert_int_eq(get("/requests").status, 404);
    ck_assert_int_eq(get("/requests/1").status, 404);
    ck_assert_int_eq(get("/advisor").status, 404);
    server_stop();
}
END_TEST

START_TEST(without_a_recorder_it_is_said)
{
    server_start("slow_requests", "TENK_LOG_RECORDER=0", NULL);
    get("/plaintext");
    ck_assert_ptr_nonnull(strstr(get_as("/requests", "text/html").body, "[log] recorder is 0"));
    ck_assert_ptr_nonnull(strstr(get_as("/advisor", "text/html").body, "[log] recorder is 0"));
    server_stop();
}
END_TEST

static const json_t *advice_for(const json_t *all, const char *route)
{
    size_t i;
    const json_t *one;
    json_array_foreach(json_object_get(all, "routes"), i, one)
        if (strcmp(text_in(one, "route"), route) == 0)
            return one;
    ck_abort_msg("nothing is advised for %s", route);
    return NULL;
}

START_TEST(what_is_advised_follows_from_what_the_requests_of_a_route_did)
{
    enum { ENOUGH = 100 };
    server_start("slow_requests", NULL);
    for (int i = 0; i < ENOUGH; i++)
        get("/sleep?ms=5");
    for (int i = 0; i < ENOUGH - 1; i++)
        get("/users/42");
    json_t *const all = json_of("/advisor");
    const json_t *const sleeps = advice_for(all, "GET /sleep"), *const users = advice_for(all, "GET /users/:id");
    ck_assert_int_eq(number_of(sleeps, "requests"), ENOUGH);
    ck_assert(real_of(sleeps, "timers_ms") >= 4.5);
    ck_assert(real_of(sleeps, "timers_ms") <= real_of(sleeps, "mean_ms") + .1);
    ck_assert_str_eq(text_in(sleeps, "sure"), "hardly");
    /* Unless the machine stopped the loop now and then, which looks as if the route had. */
    if (!run_slowed() && number_of(sleeps, "blocked") == 0 && real_of(sleeps, "computed_ms") < .1)
        ck_assert_str_eq(text_in(sleeps, "verdict"), "async or threads");
    ck_assert_str_eq(text_in(users, "verdict"), "not enough data");
    ck_assert(real_of(users, "database_ms") > 0);
    ck_assert(real_of(users, "database_ms") <= real_of(users, "mean_ms") + .1);
    ck_assert(real_of(users, "computed_ms") > 0);
    ck_assert(strncmp(text_in(json_array_get(json_object_get(sleeps, "awaits"), 0), "place"), "handlers/sleep.c:", 17) == 0);
    json_decref(all);
    const answer a = get_as("/advisor", "text/html");
    ck_assert_ptr_nonnull(strstr(a.body, "When to use what"));
    server_stop();
}
END_TEST

START_TEST(of_a_handler_that_is_no_task_it_is_said_what_is_measured_and_what_is_estimated)
{
    static const char NOTE[] = "is not recorded: that is the time between.", ESTIMATE[] = "<em>other waits</em> is an estimate";
    const bool loop = !in_threads_mode();
    server_start("slow_requests", NULL);
    get("/sleep?ms=5");
    get("/sleep/promise?ms=5");
    json_t *const all = json_of("/advisor");
    const json_t *const task = advice_for(all, "GET /sleep"), *const promise = advice_for(all, "GET /sleep/promise");
    ck_assert_uint_eq(json_array_size(json_object_get(task, "estimated")), 0);
    ck_assert_uint_eq(json_array_size(json_object_get(promise, "estimated")), loop);
    ck_assert(real_of(promise, loop ? "others_ms" : "mean_ms") >= 4.5);
    ck_assert(!loop || real_of(promise, "computed_ms") == 0);
    json_decref(all);
    ck_assert_int_eq(strstr(get_as("/advisor", "text/html").body, ESTIMATE) != NULL, loop);
    ck_assert_int_eq(strstr(get_as("/requests?route=GET+/sleep/promise", "text/html").body, NOTE) != NULL, loop);
    ck_assert_ptr_null(strstr(get_as("/requests?route=GET+/sleep", "text/html").body, NOTE));
    server_stop();
}
END_TEST

Suite *slow_requests_suite(void)
{
    Suite *s = suite_create("slow_requests");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_slow_request_is_kept_with_what_it_awaited_and_where);
    tcase_add_test(t, each_query_of_a_page_is_shown_by_its_name_and_its_rendering_too);
    tcase_add_test(t, on_postgresql_it_is_the_same);
    tcase_add_test(t, a_request_that_waited_to_be_admitted_shows_it_and_says_so_itself);
    tcase_add_test(t, what_is_not_there_is_not_found_and_what_is_no_number_is_told);
    tcase_add_test(t, strangers_do_not_come_here);
    tcase_add_test(t, without_a_recorder_it_is_said);
    tcase_add_test(t, what_is_advised_follows_from_what_the_requests_of_a_route_did);
    tcase_add_test(t, of_a_handler_that_is_no_task_it_is_said_what_is_measured_and_what_is_estimated);
    suite_add_tcase(s, t);
    return s;
}
