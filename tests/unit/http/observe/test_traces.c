/* test_traces.c - in both modes: which requests are traced, what their spans say, and what becomes of them when the collector is
 * slow, busy or gone. */
#include "server/http/observe/traces.h"
#include "server/async/task.h"
#include "server/base/observe/recorder.h"
#include "server/executor/executor.h"
#include "server/http/client/client.h"
#include "server/http/request.h"
#include "tests/support/collector.h"
#include "tests/support/peer.h"
#include "tests/support/support.h"
#include "tests/unit/http/whole_server.h"
#include "tests/unit/suites.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#define TRACE  "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"
#define SAMPLED "traceparent: 00-" TRACE "-" PARENT "-01\r\n"

static int answers(request *req) { return respond(req, 200, "text/plain", TEXT("hello")); }
static int fails(request *req)   { (void)req; return HTTP_STATUS(503); }

/* As a driver of a database has it. */
static void has_queried(const char *what, int err)
{
    const uint64_t since = recorder_since();
    recorder_add_begun(RECORD_QUERY, since, since, 0, what, scope_is_for(scope_here()), err);
}

static int calls(request *req)
{
    http_answer got;
    has_queried("user_by_id", 0);
    has_queried("post_new", UV_ETIMEDOUT);
    const int err = await(http_get(request_arena(req), peer_url("/echo"), &got));
    return err ? err : respond(req, 200, "text/plain", got.body);
}

static const route ROUTES[] = {
    { "GET", "/hello/:name", .answer = answers }, { "GET", "/fails", .await = fails }, { "GET", "/calls", .await = calls },
};

static void trace(double sample)
{
    const traces_options o = { .endpoint = collector_url(), .service = "shop", .database = "sqlite", .sample = sample };
    ck_assert_int_eq(traces_start(&o), 0);
}

static void serve(int threads, double sample)
{
    http_client_configure(&(http_client_options){ .connections = 4, .line = 4, .timeout_ms = 10000, .connect_timeout_ms = 10000,
                                                  .size = 1 << 20 });
    collector_start();
    trace(sample);
    whole_server_start(threads ? MODE_THREADS : MODE_ASYNC, ROUTES, sizeof ROUTES / sizeof ROUTES[0], (const char *[]){ NULL });
}

static void end(void)
{
    whole_server_stop();
    traces_stop();
    http_client_done();
}

/* All of the answer. */
static const char *asked(const char *path, const char *headers)
{
    char request[1024];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: t\r\nConnection: close\r\n%s\r\n", path, headers);
    const int fd = wire_open(request);
    const char *const all = wire_until_end(fd);
    wire_close(fd);
    return all;
}

static const char *member(const json_t *span, const char *key)
{
    const char *const value = json_string_value(json_object_get(span, key));
    return value ? value : "(none)";
}

START_TEST(a_request_is_a_span_with_what_the_conventions_say)
{
    serve(_i, 1);
    asked("/hello/you?a=b", "User-Agent: test\r\n" SAMPLED "tracestate: a=1\r\n");
    json_t *const m = collector_next();
    const json_t *const s = span_named(m, "GET /hello/:name");
    ck_assert_str_eq(member(s, "traceId"), TRACE);
    ck_assert_str_eq(member(s, "parentSpanId"), PARENT);
    ck_assert_str_eq(member(s, "traceState"), "a=1");
    ck_assert_uint_eq(strlen(member(s, "spanId")), 16);
    ck_assert_int_eq(json_integer_value(json_object_get(s, "kind")), 2);
    const uint64_t since = strtoull(member(s, "startTimeUnixNano"), NULL, 10);
    const uint64_t until = strtoull(member(s, "endTimeUnixNano"), NULL, 10);
    ck_assert_uint_le(since, until);
    ck_assert_uint_lt(until / 1000000000, (uint64_t)time(NULL) + 2);
    ck_assert_uint_gt(since / 1000000000, (uint64_t)time(NULL) - 120);
    static const char *const WANTED[][2] = {
        { "http.request.method", "GET" }, { "http.route", "/hello/:name" }, { "url.path", "/hello/you" }, { "url.query", "a=b" },
        { "url.scheme", "http" }, { "http.response.status_code", "200" }, { "network.protocol.version", "1.1" },
        { "client.address", "127.0.0.1" }, { "user_agent.original", "test" }, { "http.response.body.size", "5" },
    };
    for (size_t i = 0; i < sizeof WANTED / sizeof WANTED[0]; i++)
        ck_assert_str_eq(attribute_of(s, WANTED[i][0]), WANTED[i][1]);
    ck_assert_ptr_null(attribute_of(s, "error.type"));
    ck_assert_ptr_null(json_object_get(s, "status"));
    const json_t *const resource = json_object_get(json_array_get(json_object_get(m, "resourceSpans"), 0), "resource");
    ck_assert_str_eq(attribute_of(resource, "service.name"), "shop");
    json_decref(m);
    end();
}
END_TEST

START_TEST(an_error_of_the_server_is_one_of_its_span)
{
    serve(_i, 1);
    asked("/fails", SAMPLED);
    json_t *const m = collector_next();
    const json_t *const s = span_named(m, "GET /fails");
    ck_assert_str_eq(attribute_of(s, "error.type"), "503");
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(s, "status"), "code")), 2);
    json_decref(m);
    end();
}
END_TEST

START_TEST(queries_and_calls_are_its_children_and_the_other_server_is_told_the_call_s_id)
{
    char told[128];
    sigset_t stop, before;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stop, &before);      /* which is for the server, not for a thread of this one */
    peer_start();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    serve(_i, 1);
    const char *const echoed = asked("/calls", SAMPLED);
    json_t *const m = collector_next();
    const char *const own = member(span_named(m, "GET /calls"), "spanId");
    const json_t *const query = span_named(m, "user_by_id"), *const failed = span_named(m, "post_new");
    const json_t *const call = span_named(m, "GET");
    const json_t *const all[] = { query, failed, call };
    for (size_t i = 0; i < 3; i++) {
        ck_assert_str_eq(member(all[i], "traceId"), TRACE);
        ck_assert_str_eq(member(all[i], "parentSpanId"), own);
        ck_assert_str_ne(member(all[i], "spanId"), own);
        ck_assert_int_eq(json_integer_value(json_object_get(all[i], "kind")), 3);
    }
    ck_assert_str_eq(attribute_of(query, "db.system.name"), "sqlite");
    ck_assert_str_eq(attribute_of(query, "db.query.summary"), "user_by_id");
    ck_assert_ptr_null(attribute_of(query, "error.type"));
    ck_assert_str_eq(attribute_of(failed, "error.type"), "ETIMEDOUT");
    ck_assert_str_eq(attribute_of(call, "url.full"), peer_url("/echo"));
    ck_assert_str_eq(attribute_of(call, "http.request.method"), "GET");
    ck_assert_str_eq(attribute_of(call, "http.response.status_code"), "200");
    snprintf(told, sizeof told, "traceparent: 00-" TRACE "-%s-01\r\n", member(call, "spanId"));
    ck_assert_msg(strstr(echoed, told) != NULL, "no %s in %s", told, echoed);
    json_decref(m);
    end();
    peer_stop();
}
END_TEST

START_TEST(whoever_has_a_traceparent_decides_and_all_others_by_chance)
{
    serve(_i, 0);
    asked("/hello/not-sampled", "traceparent: 00-" TRACE "-" PARENT "-00\r\n");
    asked("/hello/nobody-says", "");
    asked("/hello/nobody-can-say", "traceparent: nonsense\r\n");
    asked("/fails", SAMPLED);
    json_t *const m = collector_next();
    ck_assert_str_eq(member(span_named(m, "GET /fails"), "traceId"), TRACE);
    json_decref(m);
    end();
    ck_assert_uint_eq(traces_count().sent, 1);
}
END_TEST

START_TEST(a_trace_that_begins_here_has_no_parent)
{
    serve(_i, 1);
    asked("/hello/you", "traceparent: nonsense\r\n");
    json_t *const m = collector_next();
    const json_t *const s = span_named(m, "GET /hello/:name");
    ck_assert_ptr_null(json_object_get(s, "parentSpanId"));
    ck_assert_uint_eq(strspn(member(s, "traceId"), "0123456789abcdef"), 32);
    json_decref(m);
    end();
}
END_TEST

/* Of so many nobody will ever see 50 more or less than half of them: that is five times the standard deviation. */
START_TEST(of_those_that_begin_here_that_part_is_sent_which_was_asked_for)
{
    enum { MANY = 400 };
    serve(_i, 0.5);
    for (int i = 0; i < MANY; i++)
        asked("/hello/you", i % 2 ? "traceparent: nonsense\r\n" : "");
    end();
    const uint64_t seen = traces_count().sent + traces_count().dropped;
    ck_assert_uint_gt(seen, MANY / 2 - 50);
    ck_assert_uint_lt(seen, MANY / 2 + 50);
}
END_TEST

static void expect_batch_with(const char *name)
{
    json_t *const batch = collector_next();
    span_named(batch, name);
    json_decref(batch);
}

START_TEST(what_is_left_when_it_stops_is_sent)
{
    serve(_i, 1);
    asked("/hello/you", SAMPLED);
    end();                                   /* before a batch would have gathered */
    expect_batch_with("GET /hello/:name");
    ck_assert_uint_eq(traces_count().sent, 1);
    ck_assert_uint_eq(traces_count().dropped, 0);
}
END_TEST

/* What it was sending when it was told to stop it sends once more: that is no failure. */
START_TEST(what_has_gathered_meanwhile_is_one_message)
{
    log_capture();
    collector_answer(0);
    serve(_i, 1);
    asked("/hello/you", SAMPLED);
    json_decref(collector_next());           /* which is not answered: the next two gather */
    asked("/fails", SAMPLED);
    asked("/calls/nobody", SAMPLED);
    collector_answer(200);
    end();
    json_t *m = collector_next();
    span_named(m, "GET /hello/:name");
    json_decref(m);
    m = collector_next();
    span_named(m, "GET /fails");
    span_named(m, "GET");
    json_decref(m);
    ck_assert_uint_eq(traces_count().sent, 3);
    ck_assert_int_eq(log_times("traces: "), 0);
}
END_TEST

START_TEST(a_collector_that_is_busy_is_asked_again)
{
    collector_answer(503);
    serve(0, 1);
    asked("/hello/you", SAMPLED);
    json_decref(collector_next());
    collector_answer(200);
    expect_batch_with("GET /hello/:name");
    end();
    ck_assert_uint_eq(traces_count().sent, 1);
}
END_TEST

START_TEST(after_five_tries_a_batch_is_dropped_and_the_next_one_sent)
{
    log_capture();
    collector_answer(503);
    serve(0, 1);
    const traces_options impatient = { .endpoint = collector_url(), .service = "shop", .database = "sqlite", .sample = 1,
                                       .pause_ms = 1 };
    ck_assert_int_eq(traces_start(&impatient), 0);
    asked("/hello/you", SAMPLED);
    for (int tries = 0; tries < 5; tries++)
        expect_batch_with("GET /hello/:name");
    collector_answer(200);
    asked("/fails", SAMPLED);
    expect_batch_with("GET /fails");
    end();
    ck_assert_uint_eq(traces_count().sent, 1);
    ck_assert_uint_eq(traces_count().dropped, 1);
    ck_assert_int_eq(log_times("answers 503"), 1);
}
END_TEST

START_TEST(a_collector_that_refuses_a_batch_is_not_asked_again)
{
    log_capture();
    collector_answer(400);
    serve(0, 1);
    asked("/hello/you", SAMPLED);
    json_decref(collector_next());
    collector_answer(200);
    asked("/fails", SAMPLED);
    expect_batch_with("GET /fails");
    end();
    ck_assert_uint_eq(traces_count().sent, 1);
    ck_assert_uint_eq(traces_count().dropped, 1);
    ck_assert_int_eq(log_times("answers 400"), 1);
}
END_TEST

/* Neither one that is gone nor one that does not answer keeps the server from ending. */
START_TEST(spans_that_cannot_be_sent_are_dropped_counted_and_told_and_nobody_waits)
{
    log_capture();
    collector_answer(0);
    serve(0, 1);
    if (_i)
        collector_stop();
    asked("/hello/you", SAMPLED);
    if (!_i)
        json_decref(collector_next());
    const uint64_t began = uv_hrtime();
    end();
    ck_assert_uint_lt(uv_hrtime() - began, UINT64_C(30000000000));   /* it gives one second; the machine may be busy */
    ck_assert_uint_eq(traces_count().sent, 0);
    ck_assert_uint_eq(traces_count().dropped, 1);
    ck_assert_int_eq(log_times("traces: cannot send to "), 1);
}
END_TEST

START_TEST(what_does_not_fit_into_a_batch_is_dropped_and_counted)
{
    char path[1100];
    memset(path, 'x', sizeof path);
    memcpy(path, "/hello/", 7);
    path[900] = '\0';
    collector_answer(0);                     /* it takes the first, and keeps the thread waiting */
    serve(0, 1);
    for (int i = 0; traces_count().dropped == 0 && i < 10000; i++)
        asked(path, SAMPLED);
    ck_assert_uint_gt(traces_count().dropped, 0);
    end();
}
END_TEST

START_TEST(what_is_no_url_is_refused)
{
    ck_assert_int_eq(traces_start(&(traces_options){ .endpoint = "localhost:4318" }), UV_EINVAL);
    ck_assert(!traces_are_on());
    traces_stop();                           /* no-op */
}
END_TEST

START_TEST(traces_are_turned_on_and_off_while_requests_come)
{
    serve(_i, 1);
    asked("/hello/one", "");
    traces_pause();
    asked("/hello/untold", SAMPLED);
    const traces_options o = { .endpoint = collector_url(), .service = "other", .database = "sqlite", .sample = 0 };
    ck_assert_int_eq(traces_start(&o), 0);
    asked("/hello/by-chance", "");           /* which is none */
    asked("/fails", SAMPLED);
    end();
    ck_assert_uint_eq(traces_count().sent, 2);
    json_t *const m = collector_next();
    const json_t *const resource = json_object_get(json_array_get(json_object_get(m, "resourceSpans"), 0), "resource");
    ck_assert_str_eq(attribute_of(resource, "service.name"), "other");       /* who sends it when it is sent */
    span_named(m, "GET /hello/:name");
    span_named(m, "GET /fails");
    json_decref(m);
}
END_TEST

START_TEST(an_endpoint_that_is_no_url_leaves_them_as_they_are)
{
    serve(_i, 1);
    ck_assert_int_eq(traces_start(&(traces_options){ .endpoint = "localhost:4318", .database = "sqlite" }), UV_EINVAL);
    asked("/hello/you", "");
    expect_batch_with("GET /hello/:name");
    end();
}
END_TEST

static int next_descriptor(void)
{
    const int fd = dup(STDERR_FILENO);
    close(fd);
    return fd;
}

START_TEST(a_thread_that_cannot_be_started_leaves_nothing_behind)
{
    pthread_attr_t attr;
    size_t usual;
    pthread_getattr_default_np(&attr);
    pthread_attr_getstacksize(&attr, &usual);
    const int before = next_descriptor();
    pthread_attr_setstacksize(&attr, SIZE_MAX / 4);          /* more than there are addresses */
    pthread_setattr_default_np(&attr);
    const int err = traces_start(&(traces_options){ .endpoint = "http://127.0.0.1:1", .service = "shop", .database = "sqlite" });
    pthread_attr_setstacksize(&attr, usual);
    pthread_setattr_default_np(&attr);
    pthread_attr_destroy(&attr);
    ck_assert_int_eq(err, UV_EAGAIN);
    ck_assert(!traces_are_on());
    ck_assert_int_eq(next_descriptor(), before);
    traces_stop();                           /* no-op */
}
END_TEST

Suite *traces_suite(void)
{
    Suite *s = suite_create("traces");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 90);
    tcase_add_loop_test(t, a_request_is_a_span_with_what_the_conventions_say, 0, 2);
    tcase_add_loop_test(t, an_error_of_the_server_is_one_of_its_span, 0, 2);
    tcase_add_loop_test(t, queries_and_calls_are_its_children_and_the_other_server_is_told_the_call_s_id, 0, 2);
    tcase_add_loop_test(t, whoever_has_a_traceparent_decides_and_all_others_by_chance, 0, 2);
    tcase_add_loop_test(t, a_trace_that_begins_here_has_no_parent, 0, 2);
    tcase_add_loop_test(t, of_those_that_begin_here_that_part_is_sent_which_was_asked_for, 0, 2);
    tcase_add_loop_test(t, what_is_left_when_it_stops_is_sent, 0, 2);
    tcase_add_loop_test(t, what_has_gathered_meanwhile_is_one_message, 0, 2);
    tcase_add_test(t, a_collector_that_is_busy_is_asked_again);
    tcase_add_test(t, after_five_tries_a_batch_is_dropped_and_the_next_one_sent);
    tcase_add_test(t, a_collector_that_refuses_a_batch_is_not_asked_again);
    tcase_add_loop_test(t, spans_that_cannot_be_sent_are_dropped_counted_and_told_and_nobody_waits, 0, 2);
    tcase_add_test(t, what_does_not_fit_into_a_batch_is_dropped_and_counted);
    tcase_add_loop_test(t, traces_are_turned_on_and_off_while_requests_come, 0, 2);
    tcase_add_loop_test(t, an_endpoint_that_is_no_url_leaves_them_as_they_are, 0, 2);
    tcase_add_test(t, what_is_no_url_is_refused);
    tcase_add_test(t, a_thread_that_cannot_be_started_leaves_nothing_behind);
    suite_add_tcase(s, t);
    return s;
}
