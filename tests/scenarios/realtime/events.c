/* events.c - GET /countdown: server-sent events, one a second, and how they end. */
#include "tests/scenarios/scenarios.h"
#include "tests/scenarios/support/events.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GET(path, more) "GET " path " HTTP/1.1\r\nHost: t\r\n" more "\r\n"

static void with_events(void) { server_start("events", "TENK_EVENTS_HEARTBEAT=100ms", "TENK_EVENTS_RETRY=1234ms", NULL); }

static client *counting(const char *request)
{
    client *c = client_new();
    client_say(c, request);
    return c;
}

START_TEST(a_countdown_is_an_event_a_second_and_then_the_end)
{
    client *c = counting(GET("/countdown?from=2", ""));
    const double begun = now_s();
    const char *came = events_until(c, "data: 1\n\n");
    ck_assert_msg(strstr(came, "HTTP/1.1 200 OK\r\n") && strstr(came, "Content-Type: text/event-stream\r\n") &&
                      strstr(came, "Cache-Control: no-store\r\n") && strstr(came, "\nretry: 1234\n\n") && strstr(came, "id: 1\n"),
                  "%s", came);
    came = events_until(c, LAST_CHUNK);
    ck_assert(strstr(came, "id: 0\ndata: 0\n\n") && !strstr(came, "retry"));
    ck_assert_int_ge(occurrences(came, "\r\n:\n\n"), 2);     /* of ten, on a machine that has time */
    ck_assert_double_ge(now_s() - begun, 0.99);
    client_say(c, GET("/json", ""));
    ck_assert_int_eq(client_answer(c).status, 200);
    client_free(c);
}
END_TEST

START_TEST(who_comes_back_goes_on_where_it_was)
{
    client *c = counting(GET("/countdown?from=9", "Last-Event-ID: 1\r\n"));
    const char *came = events_until(c, LAST_CHUNK);
    ck_assert(strstr(came, "id: 0\ndata: 0\n\n") && occurrences(came, "data: ") == 1);
    client_free(c);
    c = counting(GET("/countdown?last-event-id=1", ""));
    ck_assert_int_eq(occurrences(events_until(c, LAST_CHUNK), "data: "), 1);
    client_free(c);
    expect(ask(GET("/countdown", "Last-Event-ID: 0\r\n")), 204, NULL);
    expect_problem(ask(GET("/countdown", "Last-Event-ID: x\r\n")), 400);
    expect_problem(get("/countdown?from=-1"), 400);
    expect_problem(get("/countdown?from=3601"), 400);
}
END_TEST

START_TEST(head_and_http_1_0_get_what_they_can)
{
    client *c = counting("HEAD /countdown HTTP/1.1\r\nHost: t\r\n\r\n");
    const answer a = client_answer_to_head(c);
    expect(a, 200, "text/event-stream");
    client_say(c, GET("/json", ""));
    ck_assert_int_eq(client_answer(c).status, 200);
    client_free(c);
    c = counting("GET /countdown?from=1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const char *all = client_rest(c);
    ck_assert_msg(strstr(all, "\r\n\r\nretry: 1234\n\nid: 0\ndata: 0\n\n") && strstr(all, "Connection: close\r\n"), "%s", all);
    client_free(c);
}
END_TEST

START_TEST(a_client_that_leaves_is_noticed_though_nothing_is_sent)
{
    const int before = server_descriptors();
    client *left = counting(GET("/countdown?from=3600", "")), *reset = counting(GET("/countdown?from=3600", ""));
    events_until(left, "data: 3599\n\n");
    events_until(reset, "data: 3599\n\n");
    client_free(left);
    client_reset(reset);
    ck_assert(eventually(10, server_descriptors() <= before));
}
END_TEST

START_TEST(a_topic_is_listened_to_by_its_name)
{
    client *c = counting(GET("/events/users/42", ""));
    const char *came = events_until(c, ":\n\n");            /* the first heartbeat */
    ck_assert(strstr(came, "HTTP/1.1 200 OK\r\n") && strstr(came, "\nretry: 1234\n\n"));
    client_free(c);
    expect_problem(get("/events/users/x"), 404);
    expect_problem(get("/events/secrets/1"), 404);
    expect_problem(get("/events/users"), 400);
    expect_problem(get("/events/users/4%0a2"), 400);
    expect_problem(ask(GET("/events/users/42", "Last-Event-ID: x\r\n")), 400);
    expect_problem(ask(GET("/events/users/42", "Last-Event-ID: -2\r\n")), 400);
    expect(ask("HEAD /events/users/42 HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"), 200, "text/event-stream");
}
END_TEST

/* Of each what the server said last: in 3 s, and as much more as it has to drain, at most. */
static void expect_told_to_come_back(client *c)
{
    const char *came = events_until(c, LAST_CHUNK);
    const long retry = events_retry(came);
    ck_assert_msg(retry >= 3000 && retry <= 13000, "%ld: %s", retry, came);
    ck_assert(client_closed(c));
}

START_TEST(a_server_that_stops_tells_each_client_when_to_come_back)
{
    enum { MANY = 60 };
    client *c[MANY];
    server_start("events-stop", "TENK_TIMEOUTS_DRAIN=10s", "--workers", "2", NULL);
    for (int i = 0; i < MANY; i++) {
        c[i] = counting(GET("/countdown?from=3600", ""));
        events_until(c[i], "data: 3599\n\n");
    }
    const double signalled = now_s();
    server_signal(SIGTERM);
    for (int i = 0; i < MANY; i++) {
        expect_told_to_come_back(c[i]);
        client_free(c[i]);
    }
    ck_assert_int_eq(server_wait(), 0);
    ck_assert_double_lt(now_s() - signalled, 10);            /* none was cut off */
    ck_assert(!server_log_has("not done in time") && !server_log_has("error"));
}
END_TEST

START_TEST(to_http_1_0_a_stop_is_no_reset)
{
    server_start("events-stop", "TENK_TIMEOUTS_DRAIN=2s", NULL);
    client *c = counting("GET /countdown?from=3600 HTTP/1.0\r\n\r\n");
    events_until(c, "data: 3599\n\n");
    server_signal(SIGTERM);
    ck_assert_int_ge(events_retry(client_rest(c)), 3000);
    client_free(c);
    ck_assert_int_eq(server_wait(), 0);
}
END_TEST

START_TEST(a_stop_without_time_is_one_too)
{
    server_start("events-stop", "TENK_TIMEOUTS_DRAIN=0", NULL);
    client *c = counting(GET("/countdown?from=3600", ""));
    events_until(c, "data: 3599\n\n");
    server_signal(SIGTERM);
    client_drain(c);
    client_free(c);
    server_wait();
}
END_TEST

Suite *events_suite(void)
{
    Suite *s = suite_create("events");
    TCase *t = theme(s, "countdown", with_events);
    tcase_add_test(t, a_countdown_is_an_event_a_second_and_then_the_end);
    tcase_add_test(t, who_comes_back_goes_on_where_it_was);
    tcase_add_test(t, head_and_http_1_0_get_what_they_can);
    tcase_add_test(t, a_client_that_leaves_is_noticed_though_nothing_is_sent);
    tcase_add_test(t, a_topic_is_listened_to_by_its_name);
    t = theme(s, "stop", NULL);
    tcase_add_test(t, a_server_that_stops_tells_each_client_when_to_come_back);
    tcase_add_test(t, to_http_1_0_a_stop_is_no_reset);
    tcase_add_test(t, a_stop_without_time_is_one_too);
    return s;
}
