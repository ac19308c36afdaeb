/* test_cors.c - which other sites' pages may use our answers, in both modes. */
#include "server/http/cors.h"
#include "server/http/request.h"
#include "tests/unit/http/whole_server.h"
#include "tests/unit/suites.h"

#include <string.h>

static const mode MODES[] = { MODE_ASYNC, MODE_THREADS };

static int shared(request *req) { return respond(req, 200, "text/plain", TEXT("[shared]")); }
static int alone(request *req)  { return respond(req, 200, "text/plain", TEXT("[alone]")); }
static int fails(request *req)  { return respond_problem(req, 404, "[none]"); }

static const route ROUTES_HERE[] = {
    { "GET", "/shared", .answer = shared, .before = BEFORE(cors) },
    { "PUT", "/shared", .answer = shared, .before = BEFORE(cors) },
    { "GET", "/fails", .await = fails, .before = BEFORE(cors) },
    { "GET", "/alone", .answer = alone },
    { "POST", "/alone", .answer = alone },
};

static void start(mode in, const char *origins, bool credentials)
{
    static cors_options o;
    o = (cors_options){ origins, "GET, PUT", "Content-Type, X-Key", credentials, 600000 };
    cors_configure(&o);
    whole_server_start(in, ROUTES_HERE, 5, (const char *const[]){ NULL });
}

/* The head of the answer, up to part. */
static const char *answer_to(const char *line, const char *headers, const char *part)
{
    char request[512];
    snprintf(request, sizeof request, "%s HTTP/1.1\r\nHost: t\r\n%s\r\n", line, headers);
    const int fd = wire_open(request);
    const char *const came = wire_until(fd, part);
    wire_close(fd);
    return came;
}

#define ORIGIN(of)    "Origin: https://" of "\r\n"
#define PREFLIGHT(of) ORIGIN(of) "Access-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: x-key\r\n"

static bool has(const char *head, const char *line) { return strstr(head, line) != NULL; }

START_TEST(a_listed_origin_is_told_that_it_may_read_the_answer)
{
    start(MODES[_i], "https://a.example, https://b.example", false);
    const char *head = answer_to("GET /shared", ORIGIN("b.example"), "[shared]");
    ck_assert(has(head, "Access-Control-Allow-Origin: https://b.example\r\n"));
    ck_assert(has(head, "Vary: Origin\r\n"));
    ck_assert(!has(head, "Credentials"));
    head = answer_to("GET /fails", ORIGIN("a.example"), "[none]");           /* and what went wrong */
    ck_assert(has(head, "HTTP/1.1 404 "));
    ck_assert(has(head, "Access-Control-Allow-Origin: https://a.example\r\n"));
    whole_server_stop();
}
END_TEST

START_TEST(others_are_told_nothing_and_caches_that_it_depends)
{
    start(MODES[_i], "https://a.example", true);
    const char *head = answer_to("GET /shared", ORIGIN("b.example"), "[shared]");
    ck_assert(!has(head, "Access-Control"));
    ck_assert(has(head, "Vary: Origin\r\n"));
    head = answer_to("GET /shared", "", "[shared]");
    ck_assert(!has(head, "Access-Control"));
    ck_assert(has(head, "Vary: Origin\r\n"));
    head = answer_to("GET /alone", ORIGIN("a.example"), "[alone]");
    ck_assert(!has(head, "Access-Control") && !has(head, "Vary"));
    whole_server_stop();
}
END_TEST

START_TEST(a_preflight_is_told_what_is_allowed_and_for_how_long)
{
    start(MODES[_i], "https://a.example", true);
    const char *head = answer_to("OPTIONS /shared", PREFLIGHT("a.example"), "\r\n\r\n");
    ck_assert(has(head, "HTTP/1.1 204 "));
    ck_assert(has(head, "Access-Control-Allow-Origin: https://a.example\r\n"));
    ck_assert(has(head, "Access-Control-Allow-Credentials: true\r\n"));
    ck_assert(has(head, "Access-Control-Allow-Methods: GET, PUT\r\n"));
    ck_assert(has(head, "Access-Control-Allow-Headers: Content-Type, X-Key\r\n"));
    ck_assert(has(head, "Access-Control-Max-Age: 600\r\n"));
    ck_assert(has(head, "Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers\r\n"));
    head = answer_to("OPTIONS /shared", PREFLIGHT("b.example"), "\r\n\r\n");
    ck_assert(has(head, "HTTP/1.1 204 ") && !has(head, "Access-Control-Allow"));
    whole_server_stop();
}
END_TEST

START_TEST(what_is_no_preflight_is_answered_as_options_are)
{
    start(MODES[_i], "https://a.example", false);
    ck_assert(has(answer_to("OPTIONS /shared", ORIGIN("a.example"), "\r\n\r\n"), "Allow: "));
    ck_assert(has(answer_to("OPTIONS /alone", PREFLIGHT("a.example"), "\r\n\r\n"), "Allow: "));
    ck_assert(has(answer_to("OPTIONS /shared", "Access-Control-Request-Method: PUT\r\n", "\r\n\r\n"), "Allow: "));
    static const char LOWER[] = ORIGIN("a.example") "Access-Control-Request-Method: put\r\n";
    ck_assert(has(answer_to("OPTIONS /shared", LOWER, "\r\n\r\n"), "Allow: "));
    whole_server_stop();
}
END_TEST

START_TEST(what_a_listed_origin_changes_is_no_forgery_where_that_takes_part)
{
    static const char BODY[] = "Content-Length: 0\r\n";
    char from_a[128], from_b[128];
    snprintf(from_a, sizeof from_a, "%s%sSec-Fetch-Site: cross-site\r\n", BODY, ORIGIN("a.example"));
    snprintf(from_b, sizeof from_b, "%s%s", BODY, ORIGIN("b.example"));
    start(MODES[_i], "https://a.example", false);
    ck_assert(has(answer_to("PUT /shared", from_a, "[shared]"), "HTTP/1.1 200 "));
    answer_to("PUT /shared", from_b, "HTTP/1.1 403 ");
    answer_to("POST /alone", from_a, "HTTP/1.1 403 ");
    whole_server_stop();
}
END_TEST

START_TEST(with_a_star_all_may_read_and_none_may_change)
{
    start(MODES[_i], "*", false);
    const char *const head = answer_to("GET /shared", ORIGIN("anybody.example"), "[shared]");
    ck_assert(has(head, "Access-Control-Allow-Origin: *\r\n"));
    ck_assert(!has(head, "Vary"));
    answer_to("PUT /shared", "Content-Length: 0\r\n" ORIGIN("anybody.example"), "HTTP/1.1 403 ");
    whole_server_stop();
}
END_TEST

START_TEST(with_none_nothing_is_said)
{
    start(MODES[_i], "none", false);
    const char *head = answer_to("GET /shared", ORIGIN("a.example"), "[shared]");
    ck_assert(!has(head, "Access-Control") && !has(head, "Vary"));
    ck_assert(has(answer_to("OPTIONS /shared", PREFLIGHT("a.example"), "\r\n\r\n"), "Allow: "));
    whole_server_stop();
}
END_TEST

Suite *cors_suite(void)
{
    Suite *s = suite_create("cors");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, a_listed_origin_is_told_that_it_may_read_the_answer, 0, 2);
    tcase_add_loop_test(t, others_are_told_nothing_and_caches_that_it_depends, 0, 2);
    tcase_add_loop_test(t, a_preflight_is_told_what_is_allowed_and_for_how_long, 0, 2);
    tcase_add_loop_test(t, what_is_no_preflight_is_answered_as_options_are, 0, 2);
    tcase_add_loop_test(t, what_a_listed_origin_changes_is_no_forgery_where_that_takes_part, 0, 2);
    tcase_add_loop_test(t, with_a_star_all_may_read_and_none_may_change, 0, 2);
    tcase_add_loop_test(t, with_none_nothing_is_said, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
