/* test_request.c - what a handler sees of a request and what becomes of its answer, over a fake host. */
#include "db/db.h"
#include "server/base/block.h"
#include "server/http/request.h"
#include "server/http/request_internal.h"
#include "server/base/errors.h"

#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

static int     answerings;
static request *req;
static output  out;
static route   served = { "GET", "/users/:id/*" };

static promise *room(request *r)      { (void)r; return promise_settled(0); }
static void     answering(request *r) { answerings++; respond_header(r, "X-Site", "%d", 7); }

static size_t share_here;
static size_t share(const request *r) { (void)r; return share_here; }

static const request_host host = { .room = room, .share = share, .answering = answering };

static void begin(const char *bytes)
{
    static head h;
    const head_limits limits = { 4000, 4000, HEAD_MAX_HEADERS };
    head_scanner s = { 0 };
    const route *const routes = &served;
    match m;
    if (req) {
        request_done(req);
        output_free(&out);
        free(req);
    }
    ck_assert_int_eq(head_scan(&s, bytes, strlen(bytes), &limits, &h), (long)strlen(bytes));
    ck_assert_int_eq(head_read(&h), 0);
    const size_t size = request_size(&h, false, 100);
    req = malloc(size);
    request_init(req, size, &h, false);
    router *r = router_new(routes, 1, false);
    router_find(r, HTTP_GET, h.path, &m);
    router_free(r);
    request_host_here = &host;
    req->out = &out;
    req->route = m.route;
    memset(&h, 0xee, sizeof h);              /* nothing may refer to it any more */
}

static void teardown(void)
{
    request_done(req);
    output_free(&out);
    free(req);
    req = NULL;
    block_trim();
}

/* The answer but for Server and Date. */
static const char *answer(void)
{
    static char all[100000];
    size_t length = 0;
    for (chunk *c = out.first; c; length += c->used, c = c->next)
        memcpy(all + length, chunk_left(c).at, c->used);
    all[length] = '\0';
    char *from = strstr(all, "Server: tenk\r\nDate: "), *to = strstr(from, " GMT\r\n") + 6;
    ck_assert_int_eq(to - from, 51);
    memmove(from, to, strlen(to) + 1);
    output_free(&out);
    return all;
}

static bool same(text t, const char *s) { return text_equal(t, text_of(s)); }

#define GET(target) "GET " target " HTTP/1.1\r\nHost: a\r\nX: 1\r\nx: 2\r\n\r\n"

START_TEST(a_request_says_what_it_is)
{
    begin(GET("/users/4%32/a%2fb/c?n=7&s=a+b&n=8&e"));
    ck_assert(same(request_method(req), "GET") && same(request_path(req), "/users/4%32/a%2fb/c"));
    ck_assert(same(request_header(req, "x"), "1") && same(request_header(req, "host"), "a"));
    ck_assert(same(request_header(req, "none"), "") && same(request_body(req), ""));
    ck_assert(same(request_param(req, "id"), "42") && same(request_param(req, "*"), "a/b/c"));
    ck_assert(same(request_param(req, "i"), "") && same(request_param(req, ""), ""));
    ck_assert(same(request_query(req, "n"), "7") && same(request_query(req, "s"), "a b"));
    ck_assert(request_has_query(req, "e") && !request_has_query(req, "x"));
    ck_assert(!*request_context(req));
    begin(GET("http://h"));
    ck_assert(same(request_path(req), "/"));
    teardown();
}
END_TEST

START_TEST(a_colon_within_a_segment_is_no_parameter)
{
    served.path = "/users:all/:id";
    begin(GET("/users:all/7"));
    ck_assert(same(request_param(req, "id"), "7") && same(request_param(req, "all"), ""));
    teardown();
}
END_TEST

START_TEST(parameters_are_where_they_stand_in_the_path)
{
    static const struct { const char *route, *head, *name, *value; } CASES[] = {
        { "/:a/:b/:c/:d/:e/:f", GET("/1/2/3/4/5/6"), "a", "1" }, { "/:a/:b/:c/:d/:e/:f", GET("/1/2/3/4/5/6?a=7"), "f", "6" },
        { "/a/:b/c/:d", GET("/a/one/c/two"), "d", "two" },       { "/a/:b/c/:d", GET("/a/one/c/two"), "a", "" },
        { "/files/*", GET("/files/a/b%20/c"), "*", "a/b /c" },   { "/files/*", GET("/files/"), "*", "" },
        { "/:a//:b", GET("/one//two"), "b", "two" },             { "/:a/*", GET("/one//two/"), "*", "/two/" },
        { "/", GET("/"), "", "" },                               { "/:*", GET("/one"), "*", "one" },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        served.path = CASES[i].route;
        begin(CASES[i].head);
        ck_assert_ptr_eq(req->route, &served);
        ck_assert_msg(same(request_param(req, CASES[i].name), CASES[i].value), "%s of %s", CASES[i].name, CASES[i].route);
        teardown();
    }
}
END_TEST

START_TEST(what_is_no_path_of_its_route_has_no_parameters_beyond_its_own)
{
    served.path = "/:a";
    begin(GET("/one"));
    served.path = "/:a/:b/*";                /* as if it had been answered by another */
    ck_assert(same(request_param(req, "b"), "") && same(request_param(req, "*"), ""));
    teardown();
}
END_TEST

START_TEST(numbers_are_whole_and_fit)
{
    static const struct { const char *text; int err; int64_t value; } CASES[] = {
        { "0", 0, 0 }, { "-1", 0, -1 }, { "007", 0, 7 }, { "9223372036854775807", 0, INT64_MAX },
        { "-9223372036854775808", 0, INT64_MIN }, { "9223372036854775808", E_BAD_REQUEST, 0 },
        { "99999999999999999999999", E_BAD_REQUEST, 0 }, { "000000000000000000000001", E_BAD_REQUEST, 0 },
        { "", E_BAD_REQUEST, 0 }, { "-", E_BAD_REQUEST, 0 },
        { "+1", E_BAD_REQUEST, 0 }, { "%201", E_BAD_REQUEST, 0 }, { "1%20", E_BAD_REQUEST, 0 }, { "1%00", E_BAD_REQUEST, 0 },
        { "0x1", E_BAD_REQUEST, 0 }, { "1.0", E_BAD_REQUEST, 0 }, { "--1", E_BAD_REQUEST, 0 },
    };
    char target[100];
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        int64_t value = 77;
        sprintf(target, "GET /users/1/?n=%s HTTP/1.1\r\nHost: a\r\n\r\n", CASES[i].text);
        begin(target);
        ck_assert_msg(request_query_int(req, "n", &value) == CASES[i].err, "%s", CASES[i].text);
        ck_assert_int_eq(value, CASES[i].err ? 77 : CASES[i].value);
        ck_assert_int_eq(request_query_int(req, "other", &value), 0);
        ck_assert_int_eq(value, CASES[i].err ? 77 : CASES[i].value);
    }
    teardown();
}
END_TEST

START_TEST(a_head_is_the_same_however_many_others_are_made_meanwhile)
{
    static const struct { int status; const char *type, *line; } CASES[] = {
        { 200, "text/plain", "200 OK" }, { 200, "text/other", "200 OK" }, { 404, "text/plain", "404 Not Found" },
        { 200, NULL, "200 OK" }, { 431, "text/plain", "431 Request Header Fields Too Large" },
        { 431, "application/vnd.a.type.that.is.exactly.46.byte", "431 Request Header Fields Too Large" },
        { 200, "application/vnd.a.type.that.is.of.exactly.47.of", "200 OK" },
        { 200, "application/vnd.a.type.that.has.many.more.bytes.than.usual.ones.do.and.is.not.kept", "200 OK" },
        { 500, "text/plain; charset=utf-8", "500 Internal Server Error" }, { 208, "text/plain", "500 Internal Server Error" },
    };
    enum { MANY = sizeof CASES / sizeof *CASES };
    for (int i = 0; i < 2 * MANY * MANY; i++) {              /* each behind each */
        const int n = i % 2 ? i / 2 / MANY : i / 2 % MANY;
        char wanted[300];
        snprintf(wanted, sizeof wanted, "HTTP/1.1 %s\r\n%s%s%sContent-Length: 2\r\nX-Site: 7\r\n\r\nhi", CASES[n].line,
                 CASES[n].type ? "Content-Type: " : "", CASES[n].type ? CASES[n].type : "", CASES[n].type ? "\r\n" : "");
        begin(GET("/users/1/"));
        ck_assert_int_eq(respond(req, CASES[n].status, CASES[n].type, TEXT("hi")), 0);
        ck_assert_str_eq(answer(), wanted);
    }
    teardown();
}
END_TEST

START_TEST(an_answer_has_its_head_and_its_body)
{
    begin(GET("/users/1/"));
    respond_header(req, "X-A", "%s", "b\r\nEvil: 1\x7f\tc");
    ck_assert_int_eq(respond(req, 200, "text/plain", TEXT("hello")), 0);
    ck_assert_str_eq(answer(), "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n"
                               "X-A: b  Evil: 1 \tc\r\nX-Site: 7\r\n\r\nhello");
    ck_assert_int_eq(respond(req, 200, "text/plain", TEXT("again")), UV_EALREADY);
    ck_assert_int_eq(respond_begin(req, 200, NULL, 5), UV_EALREADY);
    ck_assert_ptr_null(out.first);
    ck_assert_int_eq(answerings, 1);
    request_set_deadline(req, 5);            /* too late: from now on the client's pace is what counts */
    ck_assert_uint_eq(request_deadline(req), NO_DEADLINE);
    teardown();
}
END_TEST

START_TEST(the_date_is_of_the_second_in_which_it_is_answered)
{
    static const char *const DATES[] = { "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:38 GMT" };
    for (int i = 0; i < 3; i++) {            /* set back, too */
        begin(GET("/users/1/"));
        clock_set_date(784111777 + i % 2);
        respond_nothing(req, 204);
        const text date = TEXT("\r\nDate: "), head = chunk_left(out.first);
        const char *said = memmem(head.at, head.length, date.at, date.length);
        ck_assert(said && strncmp(said + date.length, DATES[i % 2], strlen(DATES[0])) == 0);
    }
    clock_set_date(0);
    teardown();
}
END_TEST

START_TEST(a_long_header_is_not_cut)
{
    static const int LENGTHS[] = { 0, 1, 254, 255, 256, 257, 5000 };
    for (size_t i = 0; i < sizeof LENGTHS / sizeof *LENGTHS; i++) {
        char value[5001];
        memset(value, 'v', 5000);
        value[LENGTHS[i]] = '\0';
        begin(GET("/users/1/"));
        respond_header(req, "X", "%s", value);
        respond_header(req, "Y", "as it is");
        respond_nothing(req, 303);
        const char *x = strstr(answer(), "X: ");
        ck_assert_int_eq((int)strspn(x + 3, "v"), LENGTHS[i]);
        ck_assert(strncmp(x + 3 + LENGTHS[i], "\r\nY: as it is\r\nX-Site", 21) == 0);
        teardown();
    }
}
END_TEST

START_TEST(an_answer_says_whether_the_connection_stays)
{
    begin("GET / HTTP/1.0\r\n\r\n");
    respond_nothing(req, 204);
    ck_assert_str_eq(answer(), "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    begin("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    respond_nothing(req, 303);
    ck_assert_str_eq(answer(), "HTTP/1.1 303 See Other\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
    begin("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    respond_nothing(req, 304);
    ck_assert_str_eq(answer(), "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n");
    teardown();
}
END_TEST

START_TEST(some_answers_have_no_body_whatever_is_given)
{
    begin(GET("/"));
    respond(req, 304, "text/plain", TEXT("body"));
    ck_assert_str_eq(answer(), "HTTP/1.1 304 Not Modified\r\nContent-Type: text/plain\r\n\r\n");
    ck_assert_uint_eq(req->left, 0);
    begin("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    respond(req, 200, NULL, TEXT("body"));
    ck_assert_str_eq(answer(), "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
    begin("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    respond_begin(req, 200, NULL, 1000);
    int err = 1;
    ck_assert(promise_take_if_settled(respond_piece(req, TEXT("piece")), &err));
    ck_assert_str_eq(answer(), "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    teardown();
}
END_TEST

START_TEST(pieces_add_up_to_the_length_and_no_more)
{
    int err = 1;
    begin(GET("/"));
    respond_begin(req, 200, "a/b", 7);
    ck_assert(promise_take_if_settled(respond_piece(req, TEXT("12345")), &err) && err == 0);
    ck_assert(promise_take_if_settled(respond_piece(req, TEXT("67890")), &err) && err == 0);
    ck_assert_str_eq(answer(), "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 7\r\n\r\n1234567");
    teardown();
}
END_TEST

static int piece_of(const char *words)
{
    int err = 1;
    ck_assert(promise_take_if_settled(respond_piece(req, text_of(words)), &err));
    return err;
}

#define STREAM_HEAD "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n"

START_TEST(a_stream_is_a_chunk_a_piece_and_an_empty_one_at_its_end)
{
    begin(GET("/users/1/"));
    ck_assert_int_eq(respond_stream(req, 200, "a/b"), 0);
    ck_assert_int_eq(respond_stream(req, 200, "a/b"), UV_EALREADY);
    ck_assert_int_eq(piece_of("1"), 0);
    ck_assert_int_eq(piece_of(""), 0);       /* which would be the end */
    ck_assert_int_eq(piece_of("2345678901234567890"), 0);
    ck_assert(request_broke_off(req));
    respond_end(req);
    ck_assert(!request_broke_off(req) && req->keep_alive);
    ck_assert_int_eq(piece_of("too late"), 0);
    respond_end(req);
    ck_assert_str_eq(answer(), STREAM_HEAD "X-Site: 7\r\n\r\n1\r\n1\r\n13\r\n2345678901234567890\r\n0\r\n\r\n");
    ck_assert_int_eq(answerings, 1);
    teardown();
}
END_TEST

START_TEST(to_http_1_0_a_stream_ends_with_the_connection)
{
    begin("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    respond_stream(req, 200, "a/b");
    ck_assert_int_eq(piece_of("one"), 0);
    ck_assert_int_eq(piece_of("two"), 0);
    ck_assert(request_broke_off(req));
    respond_end(req);
    ck_assert(!request_broke_off(req) && !req->keep_alive);
    ck_assert_str_eq(answer(), "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nConnection: close\r\n\r\nonetwo");
    teardown();
}
END_TEST

START_TEST(a_stream_without_a_body_is_its_head_and_need_not_be_ended)
{
    static const struct { const char *method; int status; const char *head; } CASES[] = {
        { "HEAD", 200, STREAM_HEAD "\r\n" },
        { "GET", 204, "HTTP/1.1 204 No Content\r\nContent-Type: a/b\r\n\r\n" },
        { "GET", 304, "HTTP/1.1 304 Not Modified\r\nContent-Type: a/b\r\n\r\n" },
    };
    for (size_t i = 0; i < 2 * sizeof CASES / sizeof *CASES; i++) {
        char asked[100];
        snprintf(asked, sizeof asked, "%s / HTTP/1.1\r\nHost: a\r\n\r\n", CASES[i / 2].method);
        begin(asked);
        respond_stream(req, CASES[i / 2].status, "a/b");
        ck_assert_int_eq(piece_of("piece"), 0);
        if (i % 2)
            respond_end(req);
        ck_assert(!request_broke_off(req));
        ck_assert_str_eq(answer(), CASES[i / 2].head);
    }
    teardown();
}
END_TEST

START_TEST(only_a_stream_is_ended)
{
    begin(GET("/"));
    respond_end(req);                        /* nothing has begun */
    respond_begin(req, 200, "a/b", 5);
    ck_assert_int_eq(piece_of("1"), 0);
    respond_end(req);
    ck_assert(request_broke_off(req));
    ck_assert_str_eq(answer(), "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 5\r\n\r\n1");
    begin(GET("/"));
    respond_stream(req, 200, "a/b");
    req->gone = true;
    output_free(&out);
    ck_assert_int_eq(piece_of("1"), UV_ECANCELED);
    respond_end(req);
    ck_assert_ptr_null(out.first);
    teardown();
}
END_TEST

START_TEST(a_piece_is_as_large_as_its_share_but_not_tiny)
{
    begin(GET("/users/1/"));
    share_here = 10000;
    ck_assert_uint_eq(respond_piece_size(req, 65536), 10000);
    ck_assert_uint_eq(respond_piece_size(req, 10000), 10000);
    ck_assert_uint_eq(respond_piece_size(req, 9999), 9999);
    share_here = 0;
    ck_assert_uint_eq(respond_piece_size(req, 65536), 4096);
    teardown();
}
END_TEST

START_TEST(answers_to_a_client_that_is_gone_are_dropped)
{
    int err = 1;
    begin(GET("/"));
    req->gone = true;
    ck_assert_int_eq(respond(req, 200, "a/b", TEXT("x")), 0);
    ck_assert(promise_take_if_settled(respond_piece(req, TEXT("x")), &err) && err == UV_ECANCELED);
    ck_assert_ptr_null(out.first);
    teardown();
}
END_TEST

static void ends_with(int err, const char *status, const char *logged)
{
    const int before = logged ? log_times(logged) : log_times("\n");
    begin(GET("/users/1/"));
    request_end(req, err);
    ck_assert_ptr_nonnull(strstr(answer(), status));
    ck_assert_int_eq((logged ? log_times(logged) : log_times("\n")) - before, logged ? 1 : 0);
}

/* What the database did not like is in the log by then, in its words. */
START_TEST(what_ends_without_an_answer_gets_one_and_what_is_our_fault_a_line_in_the_log)
{
    log_capture();
    ends_with(0, " 500 ", "GET /users/:id/*: the handler did not answer");
    ends_with(HTTP_STATUS(500), " 500 ", "GET /users/:id/*: the handler failed");
    ends_with(UV_EIO, " 500 ", "GET /users/:id/*: i/o error");
    ends_with(DB_EQUERY, " 500 ", NULL);
    ends_with(E_NOT_FOUND, " 404 ", NULL);
    ends_with(UV_ETIMEDOUT, " 504 ", NULL);
    begin(GET("/users/1/"));
    respond(req, 200, "a/b", TEXT("whole"));
    request_end(req, 0);
    ck_assert(strstr(answer(), "whole") && log_times("did not answer") == 1);
    teardown();
}
END_TEST

/* What a database holds is not ours to say: too much of it is an error, not the end. */
START_TEST(an_answer_that_is_too_long_to_be_sent_is_an_error)
{
    begin(GET("/users/1/"));
    ck_assert_int_eq(respond(req, 200, "text/plain", (text){ "", (size_t)5 << 30 }), HTTP_STATUS(500));
    ck_assert_ptr_nonnull(strstr(answer(), " 500 "));
    teardown();
}
END_TEST

/* "Try again" would be a lie, or worse. */
START_TEST(what_another_try_would_make_no_better_asks_for_none)
{
    static const struct { int err; const char *status, *says; } EACH[] = {
        { ERR_UNCERTAIN, " 502 ", "It is not known whether this was stored" }, { UV_EROFS, " 503 ", "Nothing was stored" },
    };
    for (int i = 0; i < 4; i++) {
        begin(i < 2 ? GET("/users/1/") : "GET /users/1/ HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n");
        respond_error(req, EACH[i % 2].err);
        const char *said = answer();
        ck_assert_msg(strstr(said, EACH[i % 2].status) && strstr(said, EACH[i % 2].says), "%s", said);
        ck_assert(!strstr(said, "Retry-After") && !strstr(said, "try again"));
        ck_assert_ptr_nonnull(strstr(said, i < 2 ? "application/problem+json" : "text/html"));
        ck_assert((strstr(said, "\"uncertain\":true") != NULL) == (i == 0));
    }
    teardown();
}
END_TEST

START_TEST(a_problem_is_json_or_html_as_the_client_prefers)
{
    begin(GET("/"));
    ck_assert_int_eq(respond_problem(req, 422, "no \"%s\" <here>", "title"), HTTP_STATUS(422));
    const char *said = answer();
    ck_assert(strstr(said, "Content-Type: application/problem+json\r\n") && strstr(said, "Vary: Accept\r\n"));
    ck_assert(strstr(said, "\r\n\r\n{\"type\":\"about:blank\",\"title\":\"Unprocessable Content\",\"status\":422,"
                           "\"detail\":\"no \\\"title\\\" <here>\"}\n"));
    begin("GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html,*/*;q=0.8\r\n\r\n");
    respond_error(req, UV_EAGAIN);
    said = answer();
    ck_assert(strstr(said, " 503 ") && strstr(said, "text/html") && strstr(said, "Retry-After: 1\r\n"));
    begin("GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n");
    respond_problem(req, 400, "<script>");
    ck_assert(strstr(answer(), "&lt;script&gt;"));
    begin("GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html;q=0.5, application/problem+json\r\n\r\n");
    respond_problem(req, 400, "<script>");
    ck_assert(strstr(answer(), "\"detail\":\"<script>\"}"));
    teardown();
}
END_TEST

START_TEST(a_request_without_a_handler_is_told_why)
{
    begin(GET("/nothing"));
    request_answer(req);
    ck_assert(strstr(answer(), " 404 "));
    begin("OPTIONS /nothing HTTP/1.1\r\nHost: a\r\n\r\n");
    request_answer(req);
    ck_assert(strstr(answer(), " 404 "));
    begin("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    request_answer(req);
    ck_assert_str_eq(answer(), "HTTP/1.1 204 No Content\r\nAllow: GET, HEAD, POST, OPTIONS\r\n\r\n");
    begin("DELETE /there HTTP/1.1\r\nHost: a\r\n\r\n");
    req->allow = "GET, HEAD";
    request_answer(req);
    const char *said = answer();
    ck_assert(strstr(said, " 405 ") && strstr(said, "Allow: GET, HEAD\r\n"));
    teardown();
}
END_TEST

Suite *request_suite(void)
{
    Suite *s = suite_create("request");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_request_says_what_it_is);
    tcase_add_test(t, a_colon_within_a_segment_is_no_parameter);
    tcase_add_test(t, parameters_are_where_they_stand_in_the_path);
    tcase_add_test(t, what_is_no_path_of_its_route_has_no_parameters_beyond_its_own);
    tcase_add_test(t, numbers_are_whole_and_fit);
    tcase_add_test(t, a_head_is_the_same_however_many_others_are_made_meanwhile);
    tcase_add_test(t, an_answer_has_its_head_and_its_body);
    tcase_add_test(t, the_date_is_of_the_second_in_which_it_is_answered);
    tcase_add_test(t, a_long_header_is_not_cut);
    tcase_add_test(t, an_answer_says_whether_the_connection_stays);
    tcase_add_test(t, some_answers_have_no_body_whatever_is_given);
    tcase_add_test(t, pieces_add_up_to_the_length_and_no_more);
    tcase_add_test(t, a_stream_is_a_chunk_a_piece_and_an_empty_one_at_its_end);
    tcase_add_test(t, to_http_1_0_a_stream_ends_with_the_connection);
    tcase_add_test(t, a_stream_without_a_body_is_its_head_and_need_not_be_ended);
    tcase_add_test(t, only_a_stream_is_ended);
    tcase_add_test(t, a_piece_is_as_large_as_its_share_but_not_tiny);
    tcase_add_test(t, answers_to_a_client_that_is_gone_are_dropped);
    tcase_add_test(t, what_ends_without_an_answer_gets_one_and_what_is_our_fault_a_line_in_the_log);
    tcase_add_test(t, an_answer_that_is_too_long_to_be_sent_is_an_error);
    tcase_add_test(t, what_another_try_would_make_no_better_asks_for_none);
    tcase_add_test(t, a_problem_is_json_or_html_as_the_client_prefers);
    tcase_add_test(t, a_request_without_a_handler_is_told_why);
    suite_add_tcase(s, t);
    return s;
}
