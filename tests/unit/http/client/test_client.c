/* test_client.c - asking other servers, from a loop: what goes out, what comes back, and what goes wrong. */
#include "server/async/combine.h"
#include "server/async/task.h"
#include "client_fixture.h"
#include "server/http/request.h"
#include "tests/unit/http/serving.h"
#include "tests/support/support.h"
#include "tests/unit/suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static http_answer got;

static int get(const char *path) { return outcome_of(http_get(&a, peer_url(path), &got)); }

static bool says(text t, const char *words) { return memmem(t.at, t.length, words, strlen(words)) != NULL; }

START_TEST(an_answer_has_status_type_head_and_body)
{
    ck_assert_int_eq(get("/hello"), 0);
    ck_assert_int_eq(got.status, 200);
    ck_assert(text_equal(got.type, TEXT("text/plain")) && text_equal(got.body, TEXT("hello")));
    ck_assert(text_equal(http_answer_header(&got, "content-length"), TEXT("5")));
    ck_assert(text_equal(http_answer_header(&got, "Content"), TEXT("")));
    ck_assert_int_eq(strncmp(got.head.at, "HTTP/1.1 200 X\r\n", 16), 0);
}
END_TEST

START_TEST(chunks_are_one_body_and_only_the_final_head_counts)
{
    ck_assert_int_eq(get("/chunked"), 0);
    ck_assert_int_eq(got.status, 200);
    ck_assert(text_equal(got.body, TEXT("onetwo")) && got.type.length == 0);
    ck_assert_int_eq(strncmp(got.head.at, "HTTP/1.1 200 OK\r\n", 17), 0);
    ck_assert(text_equal(http_answer_header(&got, "x-thing"), TEXT("a thing")));
    ck_assert(text_equal(http_answer_header(&got, "x-late"), TEXT("")));
}
END_TEST

START_TEST(any_status_is_an_answer_and_no_redirection_is_followed)
{
    static const struct { const char *path; int status; } CASES[] = {
        { "/status/302", 302 }, { "/status/307", 307 }, { "/status/404", 404 }, { "/status/500", 500 },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        ck_assert_int_eq(get(CASES[i].path), 0);
        ck_assert_int_eq(got.status, CASES[i].status);
    }
    ck_assert(text_equal(http_answer_header(&got, "location"), TEXT("/hello")));
    ck_assert_int_eq(peer_requests(), 4);
}
END_TEST

START_TEST(what_is_asked_goes_out_as_it_was_said)
{
    const http_call call = {
        .method = "PUT", .url = peer_url("/echo"), .type = "text/x", .body = TEXT("the body"),
        .headers = (const char *const[]){ "X-Own: yes", "Accept: a/b", NULL },
    };
    ck_assert_int_eq(outcome_of(http_fetch(&a, &call, &got)), 0);
    ck_assert_int_eq(strncmp(got.body.at, "PUT /echo HTTP/1.1\r\nHost: 127.0.0.1:", 36), 0);
    ck_assert(says(got.body, "\r\nX-Own: yes\r\n") && says(got.body, "\r\nAccept: a/b\r\n"));
    ck_assert(says(got.body, "\r\nContent-Type: text/x\r\n") && says(got.body, "\r\nContent-Length: 8\r\n"));
    ck_assert(says(got.body, "\r\n\r\nthe body") && !says(got.body, "Expect"));
    ck_assert(says(got.body, "\r\nUser-Agent: tenk/"));

    ck_assert_int_eq(outcome_of(http_post(&a, peer_url("/echo"), NULL, TEXT(""), &got)), 0);
    ck_assert(says(got.body, "POST /echo") && says(got.body, "\r\nContent-Length: 0\r\n") && !says(got.body, "Content-Type"));
    ck_assert_int_eq(outcome_of(http_fetch(&a, &(http_call){ .method = "DELETE", .url = peer_url("/echo") }, &got)), 0);
    ck_assert(says(got.body, "DELETE /echo") && !says(got.body, "Content-Length"));
    ck_assert_int_eq(outcome_of(http_fetch(&a, &(http_call){ .method = "HEAD", .url = peer_url("/hello") }, &got)), 0);
    ck_assert(got.body.length == 0 && text_equal(http_answer_header(&got, "content-length"), TEXT("5")));
}
END_TEST

/* A server that does not know 100-continue would let it wait. */
START_TEST(a_large_body_goes_out_at_once)
{
    enum { MANY = (1 << 20) + 1000 };
    char *const many = zeros(MANY);
    memset(many, 'x', MANY);
    const http_call call = { .method = "POST", .url = peer_url("/echo"), .body = { many, MANY }, .most = 2 << 20 };
    ck_assert_int_eq(outcome_of(http_fetch(&a, &call, &got)), 0);
    ck_assert(!says(got.body, "Expect:") && says(got.body, "xxx"));
    ck_assert_uint_gt(got.body.length, MANY);
}
END_TEST

START_TEST(what_nobody_may_send_is_refused)
{
    const http_call BAD[] = {
        { .url = "" }, { .url = "localhost:80" }, { .url = "ftp://127.0.0.1/" }, { .url = "file:///etc/passwd" },
        { .url = "http://" }, { .url = "http://[::1" }, { .url = "http://127.0.0.1/a b" }, { .url = "http://127.0.0.1/\r\nX: y" },
        { .method = "", .url = "http://127.0.0.1/" }, { .method = "GET /", .url = "http://127.0.0.1/" },
        { .type = "a/b\r\nX: y", .url = "http://127.0.0.1/" },
        { .headers = (const char *const[]){ "X: y\r\nZ: z", NULL }, .url = "http://127.0.0.1/" },
        { .headers = (const char *const[]){ "no colon", NULL }, .url = "http://127.0.0.1/" },
        { .headers = (const char *const[]){ "A: b", ": c", NULL }, .url = "http://127.0.0.1/" },
    };
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        ck_assert_msg(outcome_of(http_fetch(&a, &BAD[i], &got)) == UV_EINVAL, "%zu", i);
}
END_TEST

START_TEST(no_answer_is_an_error_that_says_why)
{
    static const struct { const char *path; int err; } CASES[] = {
        { "/half", UV_ECONNRESET }, { "/cut", UV_ECONNRESET }, { "/nothing", UV_ECONNRESET }, { "/reset", UV_ECONNRESET },
        { "/nonsense", UV_EPROTO },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const int err = get(CASES[i].path);
        ck_assert_msg(err == CASES[i].err, "%s: %s", CASES[i].path, err ? uv_err_name(err) : "0");
    }
    ck_assert_int_eq(outcome_of(http_get(&a, peer_url_at("https://127.0.0.1", "/hello"), &got)), UV_EPROTO);
    ck_assert_int_eq(outcome_of(http_get(&a, peer_url_at("http://none.test", "/hello"), &got)), UV_EAI_NONAME);
    ck_assert_int_eq(get("/hello"), 0);      /* and the next one is none the worse */
}
END_TEST

START_TEST(a_server_that_is_not_there_refuses)
{
    ck_assert_int_eq(outcome_of(http_get(&a, "http://127.0.0.1:1/", &got)), UV_ECONNREFUSED);
}
END_TEST

START_TEST(who_has_no_descriptor_left_is_told_so)
{
    struct rlimit few, all;
    ck_assert_int_eq(get("/hello"), 0);      /* what is needed but for a socket is there */
    getrlimit(RLIMIT_NOFILE, &all);
    few = all;
    few.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &few);
    const int err = outcome_of(http_post(&a, peer_url("/hello"), NULL, TEXT(""), &got));
    setrlimit(RLIMIT_NOFILE, &all);
    ck_assert_int_eq(err, UV_EMFILE);
}
END_TEST

START_TEST(a_name_is_looked_up_and_no_proxy_is_asked)
{
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("all_proxy", "http://127.0.0.1:1", 1);
    ck_assert_int_eq(outcome_of(http_get(&a, peer_url_at("http://some.test", "/hello"), &got)), 0);
    ck_assert(text_equal(got.body, TEXT("hello")));
}
END_TEST

START_TEST(a_connection_is_kept_for_the_next_one)
{
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(get("/hello"), 0);
    ck_assert_int_eq(peer_connections(), 1);
}
END_TEST

START_TEST(one_that_retires_keeps_no_connection_and_asks_as_before)
{
    ck_assert_int_eq(get("/hello") | get("/hello"), 0);
    ck_assert_int_eq(peer_connections(), 1);
    http_client_retire();
    ck_assert_int_eq(get("/hello") | get("/hello"), 0);
    ck_assert_int_eq(peer_connections(), 3);
}
END_TEST

START_TEST(what_finds_its_connection_closed_goes_again_if_it_changes_nothing)
{
    ck_assert_int_eq(get("/last"), 0);
    ck_assert_int_eq(get("/hello"), 0);
    ck_assert_int_eq(peer_connections(), 2);
    ck_assert_int_eq(peer_requests(), 3);
    ck_assert_int_eq(get("/last"), 0);
    ck_assert_int_eq(outcome_of(http_post(&a, peer_url("/hello"), "a/b", TEXT("once"), &got)), 0);
    ck_assert_int_eq(peer_connections(), 3);
    ck_assert_int_eq(peer_requests(), 5);
}
END_TEST

/* A server that asks itself. */

static int inner(request *req) { return respond(req, 200, "text/plain", TEXT("from inside")); }

static int outer(request *req)
{
    char url[100];
    http_answer parts[3];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/inner", serving_port());
    const int err = await(gather(http_get(request_arena(req), url, &parts[0]), http_get(request_arena(req), url, &parts[1]),
                                 http_get(request_arena(req), url, &parts[2])));
    return err ? err : respond(req, parts[2].status, "text/plain", parts[2].body);
}

START_TEST(a_server_may_ask_itself_on_its_only_loop)
{
    static const route ROUTES_HERE[] = { { "GET", "/outer", .await = outer }, { "GET", "/inner", .await = inner } };
    int err = 1;
    http_client_configure(&(http_client_options){
        .connections = 1, .line = 8, .timeout_ms = 10000, .connect_timeout_ms = 2000, .size = 1000,
    });
    serving_start(ROUTES_HERE, 2);
    client c = client_new();
    client_say(&c, "GET /outer HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    client_until_end(&c);
    ck_assert_msg(strstr(c.got, "from inside") != NULL, "%s", c.got);
    client_close(&c);
    when_settled(http_client_close(), store, &err);
    serving_turns();
    ck_assert_int_eq(err, 0);
    serving_stop();
}
END_TEST

Suite *client_suite(void)
{
    Suite *s = suite_create("client");
    TCase *t = tcase_create("all"), *itself = tcase_create("itself");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, an_answer_has_status_type_head_and_body);
    tcase_add_test(t, chunks_are_one_body_and_only_the_final_head_counts);
    tcase_add_test(t, any_status_is_an_answer_and_no_redirection_is_followed);
    tcase_add_test(t, what_is_asked_goes_out_as_it_was_said);
    tcase_add_test(t, a_large_body_goes_out_at_once);
    tcase_add_test(t, what_nobody_may_send_is_refused);
    tcase_add_test(t, no_answer_is_an_error_that_says_why);
    tcase_add_test(t, a_server_that_is_not_there_refuses);
    tcase_add_test(t, who_has_no_descriptor_left_is_told_so);
    tcase_add_test(t, a_name_is_looked_up_and_no_proxy_is_asked);
    tcase_add_test(t, a_connection_is_kept_for_the_next_one);
    tcase_add_test(t, one_that_retires_keeps_no_connection_and_asks_as_before);
    tcase_add_test(t, what_finds_its_connection_closed_goes_again_if_it_changes_nothing);
    tcase_add_test(itself, a_server_may_ask_itself_on_its_only_loop);
    suite_add_tcase(s, t);
    suite_add_tcase(s, itself);
    return s;
}
