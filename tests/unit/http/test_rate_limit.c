/* test_rate_limit.c - how often one client may ask, and what stands before a handler, in both modes. */
#include "server/http/middleware/rate_limit.h"
#include "server/http/request.h"
#include "tests/unit/http/whole_server.h"
#include "tests/unit/suites.h"

#include <stdatomic.h>
#include <string.h>

static const mode MODES[] = { MODE_ASYNC, MODE_THREADS };
static const rate_limit KEYS = { "keys", 1, 3600000 }, MORE = { "more", 1, 3600000 }, ANY = { "any", 0, 1 };
static atomic_int handled;

static int  serve(request *req)   { atomic_fetch_add(&handled, 1); return respond(req, 200, "text/plain", TEXT("[served]")); }
static int  by_key(request *req)  { return rate_limit_take(req, &KEYS, request_header(req, "x-key")); }
static int  more(request *req)    { return rate_limit_take(req, &MORE, request_header(req, "x-key")); }
static int  any(request *req)     { return rate_limit_take(req, &ANY, TEXT("one")); }
static int  fails(request *req)   { (void)req; return HTTP_STATUS(401); }
static int  answers(request *req) { return respond(req, 200, "text/plain", TEXT("[before]")); }
static int  names(request *req)   { respond_header(req, "X-Before", "yes"); return 0; }

static promise *later(request *req) { return promise_settled(serve(req)); }

static const route ROUTES_HERE[] = {
    { "GET", "/usual", .answer = serve, .before = BEFORE(rate_limited) },
    { "POST", "/usual", .await = serve, .before = BEFORE(rate_limited) },
    { "POST", "/stream", .await = serve, .streams = true, .before = BEFORE(rate_limited) },
    { "GET", "/keys", .promise = later, .before = BEFORE(names, by_key) },
    { "GET", "/more", .answer = serve, .before = BEFORE(more) },
    { "GET", "/any", .answer = serve, .before = BEFORE(any) },
    { "GET", "/fails", .await = serve, .before = BEFORE(fails, names) },
    { "GET", "/before", .await = serve, .before = BEFORE(answers, fails) },
};

static void start(mode in, uint32_t requests, const char *proxies)
{
    rate_limit_configure(&(rate_limit){ "usual", requests, 3600000 }, 1024);
    whole_server_start(in, ROUTES_HERE, sizeof ROUTES_HERE / sizeof ROUTES_HERE[0], (const char *const[]){ proxies, NULL });
}

static const char *answer_to(const char *line, const char *headers, const char *part)
{
    char request[512];
    snprintf(request, sizeof request, "%s HTTP/1.1\r\nHost: t\r\n%s\r\n", line, headers);
    const int fd = wire_open(request);
    const char *const came = wire_until(fd, part);
    wire_close(fd);
    return came;
}

static bool has(const char *head, const char *line) { return strstr(head, line) != NULL; }

START_TEST(answers_say_what_is_left_and_beyond_it_there_is_429)
{
    start(MODES[_i], 2, NULL);
    const char *head = answer_to("GET /usual", "", "[served]");
    ck_assert(has(head, "RateLimit-Policy: \"usual\";q=2;w=3600\r\n"));
    ck_assert(has(head, "RateLimit: \"usual\";r=1;t=1800\r\n"));
    head = answer_to("POST /usual", "Content-Length: 2\r\n\r\nab", "[served]");
    ck_assert(has(head, "RateLimit: \"usual\";r=0;t="));
    head = answer_to("GET /usual", "", "}");
    ck_assert(has(head, "HTTP/1.1 429 Too Many Requests\r\n"));
    ck_assert(has(head, "Content-Type: application/problem+json\r\n"));
    ck_assert(has(head, "RateLimit: \"usual\";r=0;t="));
    ck_assert(has(head, "\r\nRetry-After: 1"));              /* some 1800, of which a part of a second may be over */
    ck_assert(has(head, "2 requests in 3600 s are allowed to each client."));
    answer_to("POST /stream", "Content-Length: 2\r\n\r\nab", "HTTP/1.1 429 ");
    ck_assert_int_eq(handled, 2);
    whole_server_stop();
}
END_TEST

START_TEST(one_that_is_refused_leaves_its_connection_for_others)
{
    start(MODES[_i], 1, NULL);
    const int fd = wire_open("GET /usual HTTP/1.1\r\nHost: t\r\n\r\nGET /usual HTTP/1.1\r\nHost: t\r\n\r\n"
                             "POST /usual HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\nab"
                             "GET /any HTTP/1.1\r\nHost: t\r\n\r\n");
    wire_until(fd, "[served]");
    wire_until(fd, "HTTP/1.1 429 ");
    wire_until(fd, "HTTP/1.1 429 ");
    wire_until(fd, "[served]");
    wire_close(fd);
    whole_server_stop();
}
END_TEST

START_TEST(each_address_has_its_own_and_one_of_ipv6_is_its_network)
{
    start(MODES[_i], 1, "TENK_SERVER_TRUSTED_PROXIES=127.0.0.1");
    answer_to("GET /usual", "X-Forwarded-For: 192.0.2.1\r\n", "[served]");
    answer_to("GET /usual", "X-Forwarded-For: 192.0.2.1\r\n", "HTTP/1.1 429 ");
    answer_to("GET /usual", "X-Forwarded-For: 192.0.2.2\r\n", "[served]");
    answer_to("GET /usual", "X-Forwarded-For: 2001:db8:0:1::1\r\n", "[served]");
    answer_to("GET /usual", "X-Forwarded-For: 2001:db8:0:1:ffff::2\r\n", "HTTP/1.1 429 ");
    answer_to("GET /usual", "X-Forwarded-For: 2001:db8:0:2::1\r\n", "[served]");
    whole_server_stop();
}
END_TEST

START_TEST(clients_may_be_told_apart_by_anything)
{
    start(MODES[_i], 0, NULL);
    ck_assert(has(answer_to("GET /keys", "X-Key: a\r\n", "[served]"), "RateLimit-Policy: \"keys\";q=1;w=3600\r\n"));
    ck_assert(has(answer_to("GET /keys", "X-Key: a\r\n", "}"), "HTTP/1.1 429 "));
    answer_to("GET /keys", "X-Key: b\r\n", "[served]");
    whole_server_stop();
}
END_TEST

START_TEST(a_client_has_as_much_of_each_limit)
{
    start(MODES[_i], 0, NULL);
    answer_to("GET /keys", "X-Key: d\r\n", "[served]");
    answer_to("GET /more", "X-Key: d\r\n", "[served]");
    answer_to("GET /more", "X-Key: d\r\n", "HTTP/1.1 429 ");
    whole_server_stop();
}
END_TEST

START_TEST(without_a_limit_nothing_is_said)
{
    start(MODES[_i], 0, NULL);
    for (int i = 0; i < 10; i++) {
        ck_assert(!has(answer_to("GET /usual", "", "[served]"), "RateLimit"));
        ck_assert(!has(answer_to("GET /any", "", "[served]"), "RateLimit"));
    }
    whole_server_stop();
}
END_TEST

START_TEST(what_stands_before_a_handler_runs_in_turn_until_one_answers_or_fails)
{
    start(MODES[_i], 0, NULL);
    ck_assert(has(answer_to("GET /keys", "X-Key: c\r\n", "[served]"), "X-Before: yes\r\n"));
    handled = 0;
    ck_assert(!has(answer_to("GET /fails", "", "HTTP/1.1 401 "), "X-Before"));
    ck_assert(has(answer_to("GET /before", "", "[before]"), "HTTP/1.1 200 "));
    ck_assert_int_eq(handled, 0);
    whole_server_stop();
}
END_TEST

Suite *rate_limit_suite(void)
{
    Suite *s = suite_create("rate_limit");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, answers_say_what_is_left_and_beyond_it_there_is_429, 0, 2);
    tcase_add_loop_test(t, one_that_is_refused_leaves_its_connection_for_others, 0, 2);
    tcase_add_loop_test(t, each_address_has_its_own_and_one_of_ipv6_is_its_network, 0, 2);
    tcase_add_loop_test(t, clients_may_be_told_apart_by_anything, 0, 2);
    tcase_add_loop_test(t, a_client_has_as_much_of_each_limit, 0, 2);
    tcase_add_loop_test(t, without_a_limit_nothing_is_said, 0, 2);
    tcase_add_loop_test(t, what_stands_before_a_handler_runs_in_turn_until_one_answers_or_fails, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
