/* test_identity.c - by what a request is known: taken if it is well-formed, made if not, and the same wherever it is told. */
#include "server/http/identity.h"
#include "server/http/request.h"
#include "server/async/combine.h"
#include "server/async/schedule.h"
#include "server/async/timing.h"
#include "server/base/log.h"
#include "tests/support/support.h"
#include "tests/unit/http/whole_server.h"
#include "tests/unit/suites.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define TRACE "0af7651916cd43dd8448eb211c80319c"

static int tells_headers(request *req)
{
    const char *headers[IDENTITY_HEADERS];
    char span[SPAN_ID];
    const int n = identity_headers(request_arena(req), headers, span);
    return respond(req, 200, "text/plain", text_of(arena_printf(request_arena(req), "%d %s\n%s\n.", n, n ? headers[0] : "",
                                                                n > 1 ? headers[1] : "")));
}

static int tells_headers_later(request *req)
{
    const int err = await(sleep_for(1));
    return err ? err : tells_headers(req);
}

static promise *tells_headers_in_a_promise(request *req)
{
    (void)tells_headers(req);
    return promise_settled(0);
}

static int tells_id(request *req)
{
    const text id = request_id(req);
    return respond(req, 200, "text/plain", text_of(arena_printf(request_arena(req), "%.*s.", (int)id.length, id.at)));
}

static int tells_sql(request *req)
{
    return respond(req, 200, "text/plain", text_of(identity_in_sql(request_arena(req))));
}

static int logs_in_task(void *arg)
{
    const int err = await(sleep_for(1));
    log_warning("%s", (const char *)arg);
    return err;
}

static int logs(request *req)
{
    log_warning("from the handler");
    const int err = await(task_start("part", logs_in_task, "from a task of its"));
    return err ? err : respond(req, 200, "text/plain", TEXT("ok."));
}

static int says_nothing(request *req) { return respond(req, 200, "text/plain", TEXT("ok.")); }
static int fails(request *req)        { (void)req; return HTTP_STATUS(500); }

static const route ROUTES[] = {
    { "GET", "/now", .answer = tells_headers },  { "GET", "/later", .await = tells_headers_later },
    { "GET", "/id", .answer = tells_id },        { "GET", "/sql/:x", .answer = tells_sql },
    { "GET", "/logs", .await = logs },           { "GET", "/fails", .await = fails },
    { "GET", "/silent", .answer = says_nothing }, { "GET", "/promise", .promise = tells_headers_in_a_promise },
};

static void serve(int threads)
{
    whole_server_start(threads ? MODE_THREADS : MODE_ASYNC, ROUTES, sizeof ROUTES / sizeof ROUTES[0], (const char *[]){ NULL });
}

/* All of the answer. */
static const char *asked(const char *path, const char *headers)
{
    char request[2048];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: t\r\nConnection: close\r\n%s\r\n", path, headers);
    const int fd = wire_open(request);
    const char *const all = wire_until_end(fd);
    wire_close(fd);
    return all;
}

static const char *content(const char *all) { return strstr(all, "\r\n\r\n") + 4; }

START_TEST(a_well_formed_id_is_taken_and_any_other_is_made_anew)
{
    static const char *const TAKEN[] = { "a", "AZaz09-._~+/=:@", "7f3c1b1e-8b1e-4c5e-9a43-0d0e8b5a2f11" };
    static const char *const MADE[] = { "", "two words", "quote\"", "semi;colon", "caf\xc3\xa9", "a\tb", "<script>" };
    char header[256], wanted[256], first[64];
    serve(_i);
    for (size_t i = 0; i < sizeof TAKEN / sizeof TAKEN[0]; i++) {
        snprintf(header, sizeof header, "X-Request-Id: %s\r\n", TAKEN[i]);
        snprintf(wanted, sizeof wanted, "%s.", TAKEN[i]);
        ck_assert_str_eq(content(asked("/id", header)), wanted);
    }
    for (size_t i = 0; i < sizeof MADE / sizeof MADE[0]; i++) {
        snprintf(header, sizeof header, "X-Request-Id: %s\r\n", MADE[i]);
        const char *const id = content(asked("/id", header));
        ck_assert_uint_eq(strspn(id, "0123456789abcdef"), 32);
        ck_assert_str_eq(id + 32, ".");
    }
    snprintf(header, sizeof header, "X-Request-Id: %0*d\r\n", REQUEST_ID_MOST, 1);
    ck_assert_uint_eq(strlen(content(asked("/id", header))), REQUEST_ID_MOST + 1);
    snprintf(header, sizeof header, "X-Request-Id: %0*d\r\n", REQUEST_ID_MOST + 1, 1);
    ck_assert_uint_eq(strlen(content(asked("/id", header))), 33);
    snprintf(first, sizeof first, "%s", content(asked("/id", "")));
    ck_assert_str_ne(content(asked("/id", "")), first);         /* each has its own */
    whole_server_stop();
}
END_TEST

START_TEST(another_server_gets_the_same_trace_with_a_new_parent_and_the_same_state)
{
    static const char *const PATHS[] = { "/now", "/later", "/promise" };
    serve(_i);
    for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++)
        for (int sampled = 0; sampled < 2; sampled++) {
            char headers[256], wanted[256], span[17];
            snprintf(headers, sizeof headers, "traceparent: 00-" TRACE "-b7ad6b7169203331-0%d\r\n"
                                              "tracestate: a=1\r\ntracestate: b=2\r\n", sampled);
            const char *const got = content(asked(PATHS[i], headers));
            ck_assert_msg(sscanf(got, "2 traceparent: 00-" TRACE "-%16[0-9a-f]-0", span) == 1, "%s", got);
            ck_assert_str_ne(span, "b7ad6b7169203331");
            snprintf(wanted, sizeof wanted, "-%s-0%d\ntracestate: a=1,b=2\n.", span, sampled);
            ck_assert_ptr_nonnull(strstr(got, wanted));
        }
    whole_server_stop();
}
END_TEST

START_TEST(a_traceparent_that_is_not_well_formed_begins_a_new_trace_without_its_state)
{
    char trace[33], other[33];
    serve(_i);
    const char *got = content(asked("/now", "traceparent: 00-" TRACE "-0000000000000000-01\r\ntracestate: a=1\r\n"));
    ck_assert_msg(sscanf(got, "1 traceparent: 00-%32[0-9a-f]-%*16[0-9a-f]-00", trace) == 1, "%s", got);
    ck_assert_str_ne(trace, TRACE);
    ck_assert_uint_eq(strlen(trace), 32);
    got = content(asked("/now", ""));
    ck_assert_int_eq(sscanf(got, "1 traceparent: 00-%32[0-9a-f]", other), 1);
    ck_assert_str_ne(trace, other);
    whole_server_stop();
}
END_TEST

START_TEST(a_statement_s_comment_says_for_which_route_and_trace_it_is)
{
    serve(_i);
    const char *const got = content(asked("/sql/it's*%2F", "traceparent: 00-" TRACE "-b7ad6b7169203331-01\r\n"
                                                           "tracestate: a='1\r\n"));
    char span[17], wanted[256];
    ck_assert_msg(sscanf(got, " /*application='tenk',route='%%2Fsql%%2F%%3Ax',traceparent='00-" TRACE "-%16[0-9a-f]-01'",
                         span) == 1, "%s", got);
    snprintf(wanted, sizeof wanted, "-%s-01',tracestate='a%%3D%%271'*/", span);
    ck_assert_str_eq(strstr(got, span) - 1, wanted);
    whole_server_stop();
}
END_TEST

START_TEST(what_is_logged_for_a_request_says_so_wherever_that_is)
{
    log_capture();
    log_set_whom(identity_in_log);
    serve(_i);
    log_warning("for nobody");
    asked("/logs", "X-Request-Id: mine-1\r\ntraceparent: 00-" TRACE "-b7ad6b7169203331-01\r\n");
    asked("/fails", "X-Request-Id: mine-2\r\n");
    const char *const all = log_captured();
    ck_assert_ptr_nonnull(strstr(all, "for nobody\n"));
    ck_assert_ptr_nonnull(strstr(all, "from the handler (request mine-1, trace " TRACE ")\n"));
    ck_assert_ptr_nonnull(strstr(all, "from a task of its (request mine-1, trace " TRACE ")\n"));
    ck_assert_ptr_nonnull(strstr(all, "GET /fails: the handler failed (request mine-2, trace "));
    whole_server_stop();
}
END_TEST

START_TEST(an_answer_has_the_id_when_that_is_set_or_the_log_has_it)
{
    log_capture();
    log_set_whom(identity_in_log);
    serve(_i);
    ck_assert_ptr_null(strstr(asked("/silent", "X-Request-Id: mine\r\n"), "X-Request-Id"));
    ck_assert_ptr_nonnull(strstr(asked("/fails", "X-Request-Id: mine\r\n"), "\r\nX-Request-Id: mine\r\n"));
    ck_assert_ptr_nonnull(strstr(asked("/logs", ""), "\r\nX-Request-Id: "));
    identity_answers = true;
    ck_assert_ptr_nonnull(strstr(asked("/silent", "X-Request-Id: mine\r\n"), "\r\nX-Request-Id: mine\r\n"));
    const char *const made = strstr(asked("/nowhere", ""), "\r\nX-Request-Id: ");
    ck_assert_ptr_nonnull(made);
    ck_assert_uint_eq(strspn(made + 16, "0123456789abcdef"), 32);
    whole_server_stop();
}
END_TEST

Suite *identity_suite(void)
{
    Suite *s = suite_create("identity");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, a_well_formed_id_is_taken_and_any_other_is_made_anew, 0, 2);
    tcase_add_loop_test(t, another_server_gets_the_same_trace_with_a_new_parent_and_the_same_state, 0, 2);
    tcase_add_loop_test(t, a_traceparent_that_is_not_well_formed_begins_a_new_trace_without_its_state, 0, 2);
    tcase_add_loop_test(t, a_statement_s_comment_says_for_which_route_and_trace_it_is, 0, 2);
    tcase_add_loop_test(t, what_is_logged_for_a_request_says_so_wherever_that_is, 0, 2);
    tcase_add_loop_test(t, an_answer_has_the_id_when_that_is_set_or_the_log_has_it, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
