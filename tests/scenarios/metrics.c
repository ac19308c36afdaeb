/* metrics.c - GET /metrics: what was done is counted, once, by the right name, and names are few. */
#include "scenarios.h"

#include "tests/scenarios/support/frames.h"
#include "tests/scenarios/support/postgres.h"
#include "tests/scenarios/support/samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(answers_are_counted_by_method_route_and_status)
{
    server_start("metrics", NULL);
    expect(get("/users/41"), 200, NULL);
    expect(get("/users/42"), 200, NULL);
    expect(get("/users/0"), 404, NULL);
    client *c = client_new();
    client_say(c, "HEAD /users/42 HTTP/1.1\r\nHost: t\r\n\r\n");
    ck_assert_int_eq(client_answer_to_head(c).status, 200);
    client_free(c);
    expect(post("/echo", "text/plain", "hello"), 200, NULL);
    expect_sample("http_requests_total{method=\"GET\",route=\"/users/:id\",status=\"200\"}", 2);
    expect_sample("http_requests_total{method=\"GET\",route=\"/users/:id\",status=\"404\"}", 1);
    expect_sample("http_requests_total{method=\"HEAD\",route=\"/users/:id\",status=\"200\"}", 1);
    expect_sample("http_requests_total{method=\"POST\",route=\"/echo\",status=\"200\"}", 1);
    expect_sample("http_request_duration_seconds_count{method=\"GET\",route=\"/users/:id\"}", 4);
    expect_sample("http_request_duration_seconds_bucket{method=\"GET\",route=\"/users/:id\",le=\"+Inf\"}", 4);
    ck_assert_double_gt(sample("http_request_duration_seconds_sum{method=\"GET\",route=\"/users/:id\"}"), 0);
    server_stop();
}
END_TEST

START_TEST(what_strangers_make_up_is_no_name)
{
    char path[64];
    server_start("metrics", NULL);
    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof path, "/made/up/%d", i);
        expect(get(path), 404, NULL);
    }
    expect(post("/healthz", "text/plain", ""), 405, NULL);
    expect(ask("PROPFIND /made/up HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"), 404, NULL);
    expect(ask("MADE-UP / HTTP/1.1\r\nHost: t\r\n\r\n"), 501, NULL);
    expect(ask("GET / HTTP/1.1\r\nHost: t\r\nHost: u\r\n\r\n"), 400, NULL);
    expect_sample("http_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"}", 20);
    expect_sample("http_requests_total{method=\"POST\",route=\"unmatched\",status=\"405\"}", 1);
    expect_sample("http_requests_total{method=\"other\",route=\"unmatched\",status=\"404\"}", 1);
    expect_sample("http_requests_total{method=\"other\",route=\"unmatched\",status=\"501\"}", 1);
    expect_sample("http_requests_total{method=\"other\",route=\"unmatched\",status=\"400\"}", 1);
    ck_assert_ptr_null(strstr(get("/metrics").body, "made"));
    server_stop();
}
END_TEST

START_TEST(what_goes_on_is_counted_until_it_ends)
{
    server_start("metrics", NULL);
    client *sleeper = client_asking("/sleep?ms=60000"), *stream = client_asking("/events/users/42"), *socket = client_new();
    client_say(socket, "GET /ws/echo HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    ck_assert(eventually(10, sample("websocket_connections") == 1 && sample("event_streams") == 1));
    ck_assert(eventually(10, sample("http_requests_in_flight") == 4));       /* this one, too */
    ck_assert(eventually(10, sample("http_connections") == 4));          /* who asked before is seen to have left */
    expect_sample("topic_subscriptions", 1);
    if (!in_threads_mode())
        ck_assert_double_ge(sample("async_tasks"), 3);
    client_reset(sleeper);
    client_reset(stream);
    client_reset(socket);
    ck_assert(eventually(10, sample("http_requests_in_flight") == 1 && sample("http_connections") == 1));
    expect_sample("websocket_connections", 0);
    expect_sample("websocket_connections_opened_total", 1);
    expect_sample("event_streams", 0);
    expect_sample("event_streams_opened_total", 1);
    ck_assert_double_ge(sample("http_requests_abandoned_total"), 1);
    expect_sample("http_requests_total{method=\"GET\",route=\"/ws/echo\",status=\"101\"}", 1);
    expect_sample("http_request_duration_seconds_count{method=\"GET\",route=\"/ws/echo\"}", -1);
    ck_assert_double_gt(sample("http_sent_bytes_total"), sample("http_received_bytes_total"));
    server_stop();
}
END_TEST

static void queries_are_counted(const char *pool)
{
    char name[64];
    for (int i = 0; i < 5; i++)
        expect(get("/users/42"), 200, NULL);
    expect_sample("db_query_duration_seconds_count{query=\"user_by_id\"}", 5);
    expect_sample("db_query_errors_total{query=\"user_by_id\"}", 0);
    ck_assert_double_ge(sample("db_pool_acquire_duration_seconds_count"), 10);
    snprintf(name, sizeof name, "db_pool_connections{pool=\"%s\"}", pool);
    ck_assert_double_ge(sample(name), 1);
    ck_assert(eventually(10, sample("db_queries_waiting") == 0));           /* the outbox asks now and then */
    server_stop();
}

START_TEST(queries_are_timed_by_their_statement)
{
    server_start("metrics", "TENK_LOG_RECORDER=0", NULL);
    queries_are_counted("shared");
}
END_TEST

START_TEST(queries_to_postgresql_are_timed_by_their_statement)
{
    server_start_on_postgres("metrics", NULL);
    queries_are_counted(in_threads_mode() ? "shared" : "loop 1");
}
END_TEST

/* Blocks once more: a watchdog that had no processor itself does not count that time as the loop's. */
static double blocked_longest(void)
{
    expect(get_as("/patterns/pitfall-sleep", "application/json"), 200, NULL);
    return sample("eventloop_blocked_longest_seconds{method=\"GET\",route=\"/patterns/:name\"}");
}

START_TEST(a_loop_that_was_blocked_is_counted_by_what_blocked_it)
{
    server_start("metrics", "--mode", "async", NULL);
    ck_assert(eventually(10, blocked_longest() >= 0.1));
    ck_assert_double_ge(sample("eventloop_blocked_total{method=\"GET\",route=\"/patterns/:name\"}"), 1);
    ck_assert_double_ge(sample("eventloop_busy_seconds_total{loop=\"1\"}"), 0.1);
    ck_assert_double_ge(sample("eventloop_lag_seconds_sum"), 0.1);
    expect(get_as("/patterns/pitfall-forgotten", "application/json"), 200, NULL);
    ck_assert_double_ge(sample("async_promises_unawaited_total"), 1);
    server_stop();
}
END_TEST

START_TEST(the_process_is_told_of_by_the_names_of_all_programs)
{
    server_start("metrics", NULL);
    client *clients[20];
    const double files = sample("process_open_fds");
    for (int i = 0; i < 20; i++)
        clients[i] = client_new();
    ck_assert(eventually(10, sample("process_open_fds") >= files + 20));
    ck_assert_double_gt(sample("process_resident_memory_bytes"), 1e6);
    ck_assert_double_gt(sample("process_virtual_memory_bytes"), sample("process_resident_memory_bytes"));
    ck_assert_double_gt(sample("process_cpu_seconds_total"), 0);
    ck_assert_double_gt(sample("process_max_fds"), sample("process_open_fds"));
    ck_assert_double_gt(sample("process_start_time_seconds"), 1.6e9);
    ck_assert(strstr(get("/metrics").body, in_threads_mode() ? ",mode=\"threads\"," : ",mode=\"async\","));
    for (int i = 0; i < 20; i++)
        client_free(clients[i]);
    server_stop();
}
END_TEST

START_TEST(jobs_pages_and_refusals_are_counted)
{
    server_start("metrics", "TENK_RENDERING_WHERE=pool", NULL);
    expect(get_as("/users/42", "text/html"), 200, NULL);
    ck_assert_double_ge(sample("executor_tasks_total{executor=\"cpu\"}"), 1);
    ck_assert_double_ge(sample("executor_task_duration_seconds_count{executor=\"cpu\"}"), 1);
    ck_assert_double_ge(sample("rendering_runs_total{workload=\"GET /users/:id\",place=\"pool\"}"), 1);
    expect(get("/static/style.css"), 200, NULL);
    ck_assert_double_ge(sample("executor_tasks_total{executor=\"files\"}"), 1);
    expect_sample("http_requests_refused_total{reason=\"database_wait\"}", 0);
    expect_sample("worker_processes", 0);
    expect_sample("log_lines_dropped_total", 0);
    server_stop();
}
END_TEST

Suite *metrics_suite(void)
{
    Suite *s = suite_create("metrics");
    TCase *t = tcase_create("metrics");
    tcase_add_test(t, answers_are_counted_by_method_route_and_status);
    tcase_add_test(t, what_strangers_make_up_is_no_name);
    tcase_add_test(t, what_goes_on_is_counted_until_it_ends);
    tcase_add_test(t, queries_are_timed_by_their_statement);
    tcase_add_test(t, a_loop_that_was_blocked_is_counted_by_what_blocked_it);
    tcase_add_test(t, the_process_is_told_of_by_the_names_of_all_programs);
    tcase_add_test(t, jobs_pages_and_refusals_are_counted);
    suite_add_tcase(s, t);
    t = postgres_theme(s, "metrics_postgres");
    tcase_add_test(t, queries_to_postgresql_are_timed_by_their_statement);
    return s;
}
