/* routes.c - every route that needs no database, and what all routes have in common: what they
 * answer, in which type, and how they refuse. */
#include "scenarios.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void with_routes(void) { server_start("routes", NULL); }

START_TEST(the_front_page_says_what_tenk_is_and_links_to_what_one_can_try)
{
    const answer a = get("/");
    expect(a, 200, "text/html; charset=utf-8");
    expect_body(a, "tenk");
    static const char *const links[] = {
        "/users", "/users/42", "/users/42/promises", "/users/42/callbacks", "/users/42/sequential",
        "/sleep?ms=", "/json", "/plaintext", "/healthz",
    };
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        char link[64];
        snprintf(link, sizeof link, "href=\"%s", links[i]);
        expect_body(a, link);
    }
}
END_TEST

START_TEST(the_front_page_names_the_address_by_which_it_was_reached)
{
    char own[64];
    const answer a = ask("GET / HTTP/1.1\r\nHost: example.org:81\r\nConnection: close\r\n\r\n");
    expect_body(a, " example.org:81/users/42\n");
    expect_body(a, " example.org:81/import</pre>");
    ck_assert_ptr_null(strstr(a.body, "localhost:8080"));
    snprintf(own, sizeof own, " 127.0.0.1:%d/users/42\n", here.port);
    expect_body(ask("GET / HTTP/1.0\r\n\r\n"), own);
    ck_assert_ptr_null(strstr(ask("GET / HTTP/1.1\r\nHost: a'b&c\r\nConnection: close\r\n\r\n").body, "a'b&c"));
}
END_TEST

START_TEST(an_error_has_the_navigation_of_every_page)
{
    static const struct { const char *request; int status; } wrong[] = {
        { "GET /nothing HTTP/1.1\r\n", 404 },    { "GET /users/0 HTTP/1.1\r\n", 404 },
        { "GET /users?page=x HTTP/1.1\r\n", 400 }, { "PUT /users/42 HTTP/1.1\r\n", 405 },
    };
    char *page = strdup(get_as("/users/42", "text/html").body), *nav = strstr(page, "<nav aria-label=\"The site\">"), *end;
    ck_assert(nav && (end = strstr(nav, "</header>")));
    *end = '\0';
    ck_assert(strstr(nav, "href=\"/users\"") && strstr(nav, "href=\"/chat\"") && strstr(nav, "href=\"/patterns\""));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char request[256];
        snprintf(request, sizeof request, "%sHost: t\r\nAccept: text/html\r\nConnection: close\r\n\r\n", wrong[i].request);
        const answer a = ask(request);
        expect(a, wrong[i].status, "text/html");
        expect_body(a, nav);
        expect_body(a, "</main>\n</body>\n</html>\n");
    }
    free(page);
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
    static const char *const paths[] = {
        "/", "/plaintext", "/json", "/users/42", "/nothing", "/users/x", "/static/hello.txt",
    };
    static const char *const names[] = {
        "Server", "Date", "Content-Type", "Content-Length", "Connection",
    };
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
        ck_assert_msg(a.status == 200 && header_has(&a, "Content-Type", cases[i].type), "%s: %s",
                      cases[i].accept, a.head);
    }
}
END_TEST

START_TEST(an_answer_that_depends_on_accept_says_so)
{
    const answer a = get("/users/42");
    ck_assert_msg(header_has(&a, "Vary", "Accept"), "a cache could mix HTML and JSON up: %s", a.head);
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
    static const char *const paths[] = {
        "/", "/users", "/users?page=2", "/users/42", "/users/42/promises", "/users/10001",
        "/users/x", "/plaintext", "/json", "/healthz", "/nothing", "/static/hello.txt",
        "/sleep?ms=1",
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        const answer full = get(paths[i]);
        char length[32], request[256];
        snprintf(length, sizeof length, "%s", header(&full, "Content-Length"));
        char *type = strdup(header(&full, "Content-Type"));
        const int status = full.status;
        snprintf(request, sizeof request,
                 "HEAD %s HTTP/1.1\r\nHost: tenk.test\r\nAccept: */*\r\n\r\n", paths[i]);
        client *c = client_new();
        client_say(c, request);
        const answer a = client_answer_to_head(c);
        ck_assert_msg(a.status == status, "HEAD %s: %d, GET %d", paths[i], a.status, status);
        ck_assert_msg(header_is(&a, "Content-Length", length), "%s: GET %s, HEAD: %s", paths[i],
                      length, a.head);
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
    ck_assert(header_has(&options, "Allow", "GET") && header_has(&options, "Allow", "HEAD") &&
              header_has(&options, "Allow", "OPTIONS"));
    ck_assert(!header_has(&options, "Allow", "POST"));
    const answer posts =
        ask("OPTIONS /users/42/posts HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
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
    static const char *const bad[] = {
        "60001", "-1", "x", "", "1.5", "99999999999999999999", "9223372036854775808",
    };
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

/* Was another answered while it did? A busy machine may have answered neither by the time that one is over. */
static bool is_answered_beside_one_that_blocks(void)
{
    const double before = now_s();
    client *slow = client_asking("/block?ms=1000");
    expect(get("/block?ms=0"), 200, "text/plain");
    const bool beside = now_s() - before < 1.0;
    expect(client_answer(slow), 200, "text/plain");
    ck_assert_double_ge(now_s() - before, 1.0);
    client_free(slow);
    return beside;
}

START_TEST(a_call_that_blocks_keeps_nobody_else_waiting)
{
    ck_assert(eventually(5, is_answered_beside_one_that_blocks()));
    expect_problem(get("/block?ms=1001"), 400);
    expect_problem(get("/block?ms=-1"), 400);
    expect_problem(get("/block"), 400);
}
END_TEST

START_TEST(which_model_suits_which_workload_is_a_page_and_json_of_the_same_figures)
{
    const answer page = get_as("/workloads", "text/html");
    expect(page, 200, "text/html");
    char *html = strdup(page.body);
    const answer data = get_as("/workloads", "application/json");
    expect(data, 200, "application/json");
    json_error_t error;
    json_t *read = json_loads(data.body, 0, &error), *rows = json_object_get(read, "workloads"), *row;
    size_t i;
    ck_assert_uint_gt(json_array_size(rows), 10);
    json_array_foreach(rows, i, row) {
        const char *title = json_string_value(json_object_get(row, "workload"));
        const char *best = json_string_value(json_object_get(row, "best"));
        char cell[200];
        snprintf(cell, sizeof cell, "<td data-label=\"Best model\">%s</td>", best);
        const char *at = strstr(html, title);
        ck_assert_msg(at && strstr(at, cell), "%s, %s", title, cell);
    }
    json_decref(read);
    free(html);
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
        "POST /echo HTTP/1.1\r\nHost: t\r\nConnection: close\r\n"
        "Content-Type: application/octet-stream\r\nContent-Length: 256\r\n\r\n");
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
    TCase *t = theme(s, "routes", with_routes);
    tcase_add_test(t, the_front_page_says_what_tenk_is_and_links_to_what_one_can_try);
    tcase_add_test(t, an_error_has_the_navigation_of_every_page);
    tcase_add_test(t, the_front_page_names_the_address_by_which_it_was_reached);
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
    tcase_add_test(t, a_call_that_blocks_keeps_nobody_else_waiting);
    tcase_add_test(t, which_model_suits_which_workload_is_a_page_and_json_of_the_same_figures);
    tcase_add_test(t, echo_gives_back_the_body_and_its_type);
    tcase_add_test(t, echo_gives_back_every_byte_there_is);
    return s;
}
