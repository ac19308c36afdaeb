/* routes.c - every route that reads: what it answers, in which type, and how it refuses. */
#include "scenarios.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void on_sqlite(void) { server_start("routes-sqlite", NULL); }
static void on_postgres(void) { server_start_on_postgres("routes-postgres", NULL); }

START_TEST(the_front_page_says_what_tenk_is_and_links_to_what_one_can_try)
{
    const answer a = get("/");
    expect(a, 200, "text/html; charset=utf-8");
    expect_body(a, "tenk");
    static const char *const links[] = { "/users", "/users/42", "/users/42/promises", "/users/42/callbacks",
                                         "/users/42/sequential", "/sleep?ms=", "/json", "/plaintext", "/healthz" };
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        char link[64];
        snprintf(link, sizeof link, "href=\"%s", links[i]);
        expect_body(a, link);
    }
}
END_TEST

START_TEST(a_date_is_that_of_rfc_9110_and_of_now)
{
    struct tm then;
    memset(&then, 0, sizeof then);
    const answer a = get("/plaintext");
    const char *rest = strptime(header(&a, "Date"), "%a, %d %b %Y %H:%M:%S GMT", &then);
    ck_assert_msg(rest && *rest == '\0', "Date: %s", header(&a, "Date"));
    ck_assert_int_le(llabs(time(NULL) - timegm(&then)), 2);
}
END_TEST

START_TEST(plaintext_and_json_are_as_techempower_wants_them)
{
    const answer a = get("/plaintext");
    expect(a, 200, "text/plain");
    ck_assert_str_eq(a.body, "Hello, World!");
    ck_assert(header_is(&a, "Content-Length", "13"));
    ck_assert_ptr_nonnull(header(&a, "Server"));
    ck_assert_ptr_nonnull(header(&a, "Date"));
    const answer b = get("/json");
    expect(b, 200, "application/json");
    ck_assert_str_eq(b.body, "{\"message\":\"Hello, World!\"}");
    ck_assert(header_is(&b, "Content-Length", "27"));
    ck_assert_ptr_nonnull(header(&b, "Server"));
    ck_assert_ptr_nonnull(header(&b, "Date"));
}
END_TEST

START_TEST(each_header_of_an_answer_comes_once)
{
    static const char *const paths[] = { "/", "/plaintext", "/json", "/users/42", "/nothing", "/users/x", "/static/hello.txt" };
    static const char *const names[] = { "Server", "Date", "Content-Type", "Content-Length", "Connection" };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        const answer a = get(paths[i]);
        for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
            ck_assert_msg(header_count(&a, names[k]) == 1, "%s: %s in %s", paths[i], names[k], a.head);
    }
}
END_TEST

START_TEST(healthz_is_well)
{
    const answer a = get("/healthz");
    expect(a, 200, NULL);
    ck_assert_ptr_null(header(&a, "Server-Timing"));
}
END_TEST

static int user_links(const answer *a)
{
    int count = 0;
    for (const char *at = a->body; (at = strstr(at, "href=\"/users/")); at++)
        count++;
    return count;
}

START_TEST(users_come_fifty_a_page_with_next_and_previous)
{
    char *first = strdup(get("/users").body);
    const answer a = get("/users");
    expect(a, 200, "text/html; charset=utf-8");
    ck_assert_int_ge(user_links(&a), 50);
    ck_assert_int_lt(user_links(&a), 60);
    expect_body(a, "href=\"/users/1\"");
    expect_body(a, "href=\"/users/50\"");
    ck_assert_ptr_null(strstr(a.body, "href=\"/users/51\""));
    ck_assert_ptr_null(strstr(a.body, "rel=\"prev\""));
    const char *next = strstr(a.body, "rel=\"next\"");
    ck_assert_msg(next != NULL, "no next link: %s", a.body);

    /* Follow next as a browser would, and come back by previous. */
    const char *tag = next;
    while (*tag != '<')
        tag--;
    char path[256] = "";
    ck_assert_int_eq(sscanf(strstr(tag, "href=\""), "href=\"%255[^\"]", path), 1);
    const answer b = get(path[0] == '?' ? "/users?page=2" : path);
    expect(b, 200, "text/html");
    expect_body(b, "href=\"/users/51\"");
    expect_body(b, "href=\"/users/100\"");
    ck_assert_ptr_null(strstr(b.body, "href=\"/users/50\""));
    const char *previous = strstr(b.body, "rel=\"prev\"");
    ck_assert_msg(previous != NULL, "no previous link: %s", b.body);
    for (tag = previous; *tag != '<';)
        tag--;
    ck_assert_int_eq(sscanf(strstr(tag, "href=\""), "href=\"%255[^\"]", path), 1);
    ck_assert_str_eq(get(path).body, first);
    free(first);
}
END_TEST

START_TEST(a_page_of_users_that_is_not_there_is_an_answer_and_no_crash)
{
    static const char *const odd[] = { "0", "-1", "x", "1.5", "9223372036854775807", "9223372036854775808", "99999999999999999999",
                                       "", "%00", "1%20", "1;drop" };
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        char path[64];
        snprintf(path, sizeof path, "/users?page=%s", odd[i]);
        const int status = get(path).status;
        ck_assert_msg(status == 200 || status == 400 || status == 404, "%s: %d", path, status);
    }
    expect_problem(get("/users?page=x"), 400);
    const int beyond = get("/users?page=100000").status;
    ck_assert(beyond == 200 || beyond == 404);
}
END_TEST

START_TEST(a_user_is_a_page_with_their_posts)
{
    const answer a = get("/users/42");
    expect(a, 200, "text/html; charset=utf-8");
    expect_body(a, "<title>");
    expect_body(a, "@example.");
    expect_body(a, "<p>");                   /* Markdown became HTML */
    ck_assert_uint_gt(a.length, 1000);
}
END_TEST

START_TEST(a_user_is_json_for_those_who_accept_that)
{
    const answer a = get_as("/users/42", "application/json");
    expect(a, 200, "application/json");
    json_t *all = json_loadb(a.body, a.length, 0, NULL);
    ck_assert_msg(all != NULL, "this is no JSON: %.400s", a.body);
    json_t *user = json_object_get(all, "user") ? json_object_get(all, "user") : all;
    json_t *posts = json_object_get(all, "posts");
    ck_assert_int_eq(json_integer_value(json_object_get(user, "id")), 42);
    ck_assert_uint_gt(json_string_length(json_object_get(user, "name")), 0);
    ck_assert_uint_gt(json_string_length(json_object_get(user, "email")), 0);
    ck_assert_uint_ge(json_array_size(posts), 1);
    json_t *post;
    size_t i;
    json_array_foreach(posts, i, post) {
        ck_assert(json_is_integer(json_object_get(post, "id")));
        ck_assert_uint_gt(json_string_length(json_object_get(post, "title")), 0);
        ck_assert_uint_gt(json_string_length(json_object_get(post, "body")), 0);
    }
    json_decref(all);
}
END_TEST

START_TEST(accept_is_weighed_by_its_qualities)
{
    static const struct { const char *accept, *type; } cases[] = {
        { "application/json", "application/json" },
        { "application/json;q=0.5, text/html;q=0.4", "application/json" },
        { "application/json;q=0.4, text/html;q=0.5", "text/html" },
        { "text/html, application/json;q=0.9", "text/html" },
        { "APPLICATION/JSON", "application/json" },
        { "application/json ; q=1 , text/html ; q=0", "application/json" },
        { "*/*", "text/html" },
        { "text/*", "text/html" },
        { "application/*", "application/json" },
        { "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html" },
        { "application/json;q=0", "text/html" },
        { ",,;;==", "text/html" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const answer a = get_as("/users/42", cases[i].accept);
        ck_assert_msg(a.status == 200 && header_has(&a, "Content-Type", cases[i].type), "%s: %s", cases[i].accept, a.head);
    }
}
END_TEST

START_TEST(an_answer_that_depends_on_accept_says_so)
{
    const answer a = get("/users/42");
    ck_assert_msg(header_has(&a, "Vary", "Accept"), "a cache could mix HTML and JSON up: %s", a.head);
}
END_TEST

START_TEST(the_four_stages_answer_byte_for_byte_alike)
{
    static const char *const ids[] = { "42", "1", "10000", "10001", "0", "-1", "x", "42x", "4.2", "%34%32", "9223372036854775807",
                                       "9223372036854775808", "%00" };
    static const char *const accepts[] = { "text/html", "application/json" };
    static const char *const stages[] = { "promises", "callbacks", "sequential" };
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        for (size_t k = 0; k < sizeof accepts / sizeof accepts[0]; k++) {
            char path[128];
            snprintf(path, sizeof path, "/users/%s", ids[i]);
            const answer a = get_as(path, accepts[k]);
            ck_assert_int_ne(a.status, 0);
            char *body = strdup(a.body), *type = strdup(header(&a, "Content-Type"));
            const int status = a.status;
            for (size_t s = 0; s < sizeof stages / sizeof stages[0]; s++) {
                snprintf(path, sizeof path, "/users/%s/%s", ids[i], stages[s]);
                const answer b = get_as(path, accepts[k]);
                ck_assert_msg(b.status == status, "%s: %d, not %d", path, b.status, status);
                ck_assert_str_eq(b.body, body);
                ck_assert_str_eq(header(&b, "Content-Type"), type);
            }
            free(body);
            free(type);
        }
}
END_TEST

START_TEST(an_unknown_user_is_404_and_no_whole_number_is_400)
{
    static const char *const unknown[] = { "10001", "0", "-1", "9223372036854775807" };
    static const char *const bad[] = { "x", "42x", "4.2", "1e3", "0x2a", "9223372036854775808", "99999999999999999999999", "%2042",
                                       "42%20", "%00", "42%00", "--1", "%2b" };
    char path[64];
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        snprintf(path, sizeof path, "/users/%s", unknown[i]);
        expect_problem(get(path), 404);
        expect(get_as(path, "text/html"), 404, "text/html");
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(path, sizeof path, "/users/%s", bad[i]);
        const answer a = get(path);
        ck_assert_msg(a.status == 400, "%s: %d", path, a.status);
        expect_problem(a, 400);
        expect(get_as(path, "text/html"), 400, "text/html");
    }
}
END_TEST

START_TEST(database_routes_say_how_long_what_took)
{
    static const char *const paths[] = { "/users", "/users/42", "/users/42/promises", "/users/42/callbacks", "/users/42/sequential" };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        const answer a = get(paths[i]);
        const char *timing = header(&a, "Server-Timing");
        ck_assert_msg(timing != NULL, "%s: %s", paths[i], a.head);
        double db = -1, render = -1, total = -1;
        const char *at = strstr(timing, "db;dur=");
        ck_assert_msg(at && sscanf(at, "db;dur=%lf", &db) == 1, "%s", timing);
        at = strstr(timing, "render;dur=");
        ck_assert_msg(at && sscanf(at, "render;dur=%lf", &render) == 1, "%s", timing);
        at = strstr(timing, "total;dur=");
        ck_assert_msg(at && sscanf(at, "total;dur=%lf", &total) == 1, "%s", timing);
        ck_assert_msg(db > 0 && render >= 0 && total >= db && total < 10000, "%s", timing);
    }
}
END_TEST

START_TEST(what_is_not_there_is_404_by_accept)
{
    expect_problem(get("/nothing"), 404);
    expect_problem(get("/users/42/nothing"), 404);
    expect_problem(get("/users/42/"), 404);
    expect_problem(get("//"), 404);
    expect_problem(get("/Plaintext"), 404);
    expect_problem(get_as("/nothing", "application/json"), 404);
    expect_problem(get_as("/nothing", "application/problem+json"), 404);
    const answer page = get_as("/nothing", "text/html,application/xhtml+xml,*/*;q=0.8");
    expect(page, 404, "text/html; charset=utf-8");
    const answer forged = get_as("/%3Cscript%3Ealert(1)%3C/script%3E", "text/html");
    expect(forged, 404, "text/html");
    ck_assert_ptr_null(strstr(forged.body, "<script>"));
}
END_TEST

START_TEST(head_is_get_without_the_body)
{
    static const char *const paths[] = { "/", "/users", "/users?page=2", "/users/42", "/users/42/promises", "/users/10001", "/users/x",
                                         "/plaintext", "/json", "/healthz", "/nothing", "/static/hello.txt", "/sleep?ms=1" };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        const answer full = get(paths[i]);
        char length[32], request[256];
        snprintf(length, sizeof length, "%s", header(&full, "Content-Length"));
        char *type = strdup(header(&full, "Content-Type"));
        const int status = full.status;
        snprintf(request, sizeof request, "HEAD %s HTTP/1.1\r\nHost: tenk.test\r\nAccept: */*\r\n\r\n", paths[i]);
        client *c = client_new();
        client_say(c, request);
        const answer a = client_answer_to_head(c);
        ck_assert_msg(a.status == status, "HEAD %s: %d, GET %d", paths[i], a.status, status);
        ck_assert_msg(header_is(&a, "Content-Length", length), "%s: GET %s, HEAD: %s", paths[i], length, a.head);
        ck_assert_str_eq(header(&a, "Content-Type"), type);
        client_say(c, "GET /json HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
        const answer next = client_answer(c);    /* a body would stand in the way */
        expect(next, 200, "application/json");
        client_free(c);
        free(type);
    }
}
END_TEST

START_TEST(options_and_405_name_the_methods)
{
    const answer options = ask("OPTIONS /users/42 HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
    ck_assert_int_eq(options.status, 204);
    ck_assert(header_has(&options, "Allow", "GET") && header_has(&options, "Allow", "HEAD") && header_has(&options, "Allow", "OPTIONS"));
    ck_assert(!header_has(&options, "Allow", "POST"));
    const answer posts = ask("OPTIONS /users/42/posts HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
    ck_assert(header_has(&posts, "Allow", "POST") && header_has(&posts, "Allow", "OPTIONS"));
    ck_assert(!header_has(&posts, "Allow", "GET"));
    const answer all = ask("OPTIONS * HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
    ck_assert_int_eq(all.status, 204);
    ck_assert(header_has(&all, "Allow", "GET") && header_has(&all, "Allow", "POST"));

    const answer wrong = ask("DELETE /users/42 HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
    expect_problem(wrong, 405);
    ck_assert(header_has(&wrong, "Allow", "GET") && header_has(&wrong, "Allow", "HEAD"));
    const answer echo = get("/echo");
    expect_problem(echo, 405);
    ck_assert(header_has(&echo, "Allow", "POST") && !header_has(&echo, "Allow", "GET"));
    expect_problem(ask("DELETE /nothing HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"), 404);
    expect_problem(post("/static/hello.txt", "text/plain", "x"), 405);
}
END_TEST

START_TEST(sleep_sleeps_as_long_as_it_is_told_and_says_so)
{
    static const char *const paths[] = { "/sleep?ms=30", "/sleep/promise?ms=30" };
    for (size_t i = 0; i < 2; i++) {
        const double before = now_s();
        const answer a = get(paths[i]);
        expect(a, 200, "text/plain");
        ck_assert_double_ge(now_s() - before, 0.030);
        expect_body(a, "30");
    }
    expect(get("/sleep?ms=0"), 200, "text/plain");
}
END_TEST

START_TEST(sleep_has_limits)
{
    static const char *const bad[] = { "60001", "-1", "x", "", "1.5", "99999999999999999999", "9223372036854775808" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char path[64];
        snprintf(path, sizeof path, "/sleep?ms=%s", bad[i]);
        const answer a = get(path);
        ck_assert_msg(a.status == 400, "%s: %d", path, a.status);
        snprintf(path, sizeof path, "/sleep/promise?ms=%s", bad[i]);
        const answer b = get(path);
        ck_assert_msg(b.status == 400, "%s: %d", path, b.status);
    }
}
END_TEST

START_TEST(echo_gives_back_the_body_and_its_type)
{
    const answer a = post("/echo", "text/x-test; charset=utf-8", "what came");
    expect(a, 200, "text/x-test; charset=utf-8");
    ck_assert_str_eq(a.body, "what came");
    const answer empty = post("/echo", "text/plain", "");
    expect(empty, 200, NULL);
    ck_assert_uint_eq(empty.length, 0);
    const answer none = ask("POST /echo HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
    expect(none, 200, NULL);
    ck_assert_uint_eq(none.length, 0);
    const answer untyped = post("/echo", NULL, "x");
    expect(untyped, 200, NULL);
    ck_assert_str_eq(untyped.body, "x");
}
END_TEST

START_TEST(echo_gives_back_every_byte_there_is)
{
    char request[1024];
    const int head = snprintf(request, sizeof request,
        "POST /echo HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Type: application/octet-stream\r\nContent-Length: 256\r\n\r\n");
    for (int i = 0; i < 256; i++)
        request[head + i] = (char)i;
    const answer a = ask_bytes(request, (size_t)head + 256);
    expect(a, 200, "application/octet-stream");
    ck_assert_uint_eq(a.length, 256);
    ck_assert_mem_eq(a.body, request + head, 256);
}
END_TEST

Suite *routes_suite(void)
{
    Suite *s = suite_create("routes");
    TCase *t = theme(s, "routes-sqlite", on_sqlite);
    tcase_add_test(t, the_front_page_says_what_tenk_is_and_links_to_what_one_can_try);
    tcase_add_test(t, a_date_is_that_of_rfc_9110_and_of_now);
    tcase_add_test(t, plaintext_and_json_are_as_techempower_wants_them);
    tcase_add_test(t, each_header_of_an_answer_comes_once);
    tcase_add_test(t, healthz_is_well);
    tcase_add_test(t, accept_is_weighed_by_its_qualities);
    tcase_add_test(t, an_answer_that_depends_on_accept_says_so);
    tcase_add_test(t, what_is_not_there_is_404_by_accept);
    tcase_add_test(t, head_is_get_without_the_body);
    tcase_add_test(t, options_and_405_name_the_methods);
    tcase_add_test(t, sleep_sleeps_as_long_as_it_is_told_and_says_so);
    tcase_add_test(t, sleep_has_limits);
    tcase_add_test(t, echo_gives_back_the_body_and_its_type);
    tcase_add_test(t, echo_gives_back_every_byte_there_is);
    for (int database = 0; database < 2; database++) {
        if (database == 1)
            t = theme(s, "routes-postgres", on_postgres);
        tcase_add_test(t, users_come_fifty_a_page_with_next_and_previous);
        tcase_add_test(t, a_page_of_users_that_is_not_there_is_an_answer_and_no_crash);
        tcase_add_test(t, a_user_is_a_page_with_their_posts);
        tcase_add_test(t, a_user_is_json_for_those_who_accept_that);
        tcase_add_test(t, the_four_stages_answer_byte_for_byte_alike);
        tcase_add_test(t, an_unknown_user_is_404_and_no_whole_number_is_400);
        tcase_add_test(t, database_routes_say_how_long_what_took);
    }
    return s;
}
