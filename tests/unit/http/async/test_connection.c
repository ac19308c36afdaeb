/* test_connection.c - a worker's connections: reading requests, time limits, and how a connection ends. */
#include "connection_fixture.h"
#include "server/async/loop.h"
#include "server/http/async/worker.h"
#include "server/base/log.h"
#include "tests/unit/http/serving.h"
#include "tests/unit/suites.h"

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

START_TEST(a_request_is_answered_however_it_is_split)
{
    static const char REQUEST[] = POST("/echo", "5", "12345") GET("/");
    serve();
    for (size_t i = 1; i < sizeof REQUEST - 1; i++) {
        client c = client_new();
        client_send(&c, (text){ REQUEST, i });
        client_send(&c, (text){ REQUEST + i, sizeof REQUEST - 1 - i });
        client_until(&c, "Hello!");
        ck_assert_int_eq(client_count(&c, "HTTP/1.1 200 OK"), 2);
        ck_assert_int_eq(client_count(&c, "\r\n\r\n12345HTTP"), 1);
        client_close(&c);
    }
    serving_stop();
}
END_TEST

START_TEST(a_request_is_answered_when_it_comes_byte_by_byte)
{
    static const char REQUEST[] = GET("/") POST("/echo", "5", "12345") GET("/call");
    serve();
    client c = client_new();
    for (size_t i = 0; i < sizeof REQUEST - 1; i++)
        client_send(&c, (text){ REQUEST + i, 1 });
    client_until(&c, "called");
    ck_assert_int_eq(client_count(&c, "200 OK"), 3);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_client_that_leaves_cancels_what_it_waits_for_a_second_later)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/wait"));
    client_close(&c);
    serving_skip(900);
    ck_assert_int_eq(ended, 0);
    serving_skip(200);
    ck_assert_int_eq(waited, UV_ECANCELED);
    ck_assert_int_eq(serving_connections(), 0);
    serving_stop();
}
END_TEST

START_TEST(a_client_that_breaks_off_cancels_at_once)
{
    const struct linger reset = { .l_onoff = 1 };
    serve();
    client c = client_new();
    client_say(&c, GET("/wait"));
    setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    client_close(&c);
    ck_assert_int_eq(waited, UV_ECANCELED);
    ck_assert_int_eq(serving_connections(), 0);
    serving_stop();
}
END_TEST

START_TEST(a_client_that_says_it_will_send_no_more_gets_its_answers)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/") GET("/wait") GET("/"));
    shutdown(c.fd, SHUT_WR);
    serving_turns();
    promise_settle(gate, 0);
    client_until_end(&c);
    ck_assert_int_eq(client_count(&c, "waited"), 1);
    ck_assert_int_eq(client_count(&c, "Hello!"), 2);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_large_head_leaves_the_stack_to_its_handler)
{
    static char words[70000];
    serving_config.limits.head = 63 * 1024;
    serve();
    client c = client_new();
    char *at = words + sprintf(words, "GET /measure HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i < 62; i++)
        at += sprintf(at, "X-%02d: %01000d\r\n", i, i);
    strcpy(at, "\r\n");
    client_say(&c, words);
    client_until(&c, "deep");
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(json_that_is_nested_deeper_than_a_stack_is_refused)
{
    static char words[6000];
    char *at = words + sprintf(words, "POST /users/1/posts HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                                      "Content-Length: 4000\r\n\r\n[\"\\\"]]]\",");
    serve();
    client c = client_new();
    memset(at, '[', 3991);
    client_say(&c, words);
    client_until(&c, "HTTP/1.1 400 ");
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(what_comes_behind_the_last_request_is_read_and_dropped_and_the_answer_arrives)
{
    serve();
    client c = client_new();
    client_say(&c, "GET /wait HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    client_say(&c, GET("/"));
    promise_settle(gate, 0);
    client_until_end(&c);                    /* our side, and it lingers */
    ck_assert_int_eq(client_count(&c, "Hello!"), 0);
    ck_assert_int_eq(client_count(&c, "waited"), 1);
    ck_assert_int_eq(serving_connections(), 1);
    client_say(&c, GET("/"));
    client_close(&c);
    ck_assert_int_eq(serving_connections(), 0);
    serving_stop();
}
END_TEST

START_TEST(a_client_that_lingers_too_long_is_cut_off)
{
    serve();
    client c = client_new();
    client_say(&c, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n");
    client_until_end(&c);
    ck_assert_int_eq(client_count(&c, "HTTP/1.1 400 "), 1);
    serving_skip(1900);
    ck_assert_int_eq(serving_connections(), 1);
    serving_skip(200);
    ck_assert_int_eq(serving_connections(), 0);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(one_that_was_not_read_from_gets_its_answers_when_they_are_the_last)
{
    static char many[1 << 20];
    serving_config.limits.pipeline = 1;
    serve();
    client c = client_new();
    client_say(&c, GET("/wait"));
    memset(many, '\r', sizeof many);
    for (size_t i = 0; i + 26 <= sizeof many; i += 26)
        memcpy(many + i, "T / HTTP/1.1\r\nHost: a\r\n\r\n", 26);
    client_send(&c, (text){ many, sizeof many });            /* until it is not read from any more */
    worker_here->draining = true;
    connections_drain();
    promise_settle(gate, 0);
    client_until_end(&c);
    ck_assert_int_eq(client_count(&c, "waited"), 1);
    ck_assert_int_eq(client_count(&c, "Connection: close"), 1);
    ck_assert_int_eq(client_count(&c, "HTTP/1.1 "), 1);
    worker_here->draining = false;
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(stopping_ends_each_connection_after_what_it_is_doing)
{
    serve();
    serving_config.timeouts.head = 60000;
    client idle = client_new(), busy = client_new(), mute = client_new();
    client_say(&idle, GET("/"));
    client_say(&busy, GET("/wait"));
    client_until(&idle, "Hello!");
    worker_here->draining = true;
    connections_drain();
    client_say(&busy, GET("/"));             /* too late: the answer before it will say close */
    serving_skip(serving_config.timeouts.drain - 10);
    ck_assert_int_eq(serving_connections(), 3);
    client_forget(&idle);
    client_say(&idle, GET("/"));
    client_until_end(&idle);
    ck_assert_int_eq(client_count(&idle, "Connection: close"), 1);
    ck_assert_int_eq(client_count(&idle, "Hello!"), 1);
    client_say(&mute, GET("/"));
    client_until_end(&mute);
    ck_assert_int_eq(client_count(&mute, "Connection: close"), 1);
    ck_assert_int_eq(serving_connections(), 1);
    promise_settle(gate, 0);
    client_until_end(&busy);
    ck_assert_int_eq(client_count(&busy, "waited"), 1);
    ck_assert_int_eq(client_count(&busy, "Connection: close"), 1);
    ck_assert_int_eq(client_count(&busy, "Hello!"), 0);
    worker_here->draining = false;
    client_close(&idle);
    client_close(&busy);
    client_close(&mute);
    serving_stop();
}
END_TEST

START_TEST(only_those_with_something_under_way_are_late)
{
    serve();
    client idle = client_new(), busy = client_new(), head = client_new(), mute = client_new();
    client_say(&idle, GET("/"));
    client_until(&idle, "Hello!");
    client_say(&busy, GET("/wait"));
    client_say(&head, "GET / HTTP/1.1\r\n");
    worker_here->draining = true;
    ck_assert_int_eq(connections_abort(), 2);
    client_until_end(&idle);
    client_until_end(&mute);
    worker_here->draining = false;
    client_close(&idle);
    client_close(&busy);
    client_close(&head);
    client_close(&mute);
    serving_stop();
}
END_TEST

/* They have been told that they are connected, and may have sent what they want. */
START_TEST(those_whom_the_kernel_has_accepted_when_stopping_are_served)
{
    enum { MANY = 20 };
    serve();
    client c[MANY];
    for (int i = 0; i < MANY; i++) {
        c[i] = client_connecting();
        ck_assert_int_eq(send(c[i].fd, GET("/"), sizeof GET("/") - 1, MSG_NOSIGNAL), sizeof GET("/") - 1);
    }
    worker_here->draining = true;
    acceptor_close(&worker_here->acceptor);
    ck_assert_int_eq(serving_connections(), MANY);
    connections_drain();
    for (int i = 0; i < MANY; i++) {
        client_until_end(&c[i]);
        ck_assert_int_eq(client_count(&c[i], "Hello!"), 1);
        ck_assert_int_eq(client_count(&c[i], "Connection: close"), 1);
        client_close(&c[i]);
    }
    serving_stop();
}
END_TEST

static void ignored(uv_handle_t *h)            { (void)h; }
static void nobody(uv_stream_t *s, int status) { (void)s, (void)status; }

START_TEST(stopping_touches_no_handle_that_is_not_a_connection)
{
    static uv_tcp_t others[2];               /* one that listens; one that has been made and no more */
    const struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    serve();
    client c = client_new();
    client_say(&c, GET("/"));
    client_until(&c, "Hello!");
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(uv_tcp_init(loop_here(), &others[i]), 0);
        others[i].data = &others[i];
    }
    ck_assert_int_eq(uv_tcp_bind(&others[0], (const struct sockaddr *)&a, 0), 0);
    ck_assert_int_eq(uv_listen((uv_stream_t *)&others[0], 1, nobody), 0);
    connections_drain();
    connections_break_off();
    connections_abort();
    for (int i = 0; i < 2; i++) {
        ck_assert(!uv_is_closing((uv_handle_t *)&others[i]));
        uv_close((uv_handle_t *)&others[i], ignored);
    }
    client_close(&c);
    serving_stop();
}
END_TEST

/* What it had asked for at once is looked at when it has gone already: the first write says so, in the middle of that. */
START_TEST(one_that_has_gone_while_its_requests_are_looked_at_is_over)
{
    static const char MANY[] = GET("/page") GET("/page") GET("/page") GET("/page");
    const struct linger reset = { .l_onoff = 1 };
    serving_config.limits.output = 1000;
    serve();
    client c = client_new();
    ck_assert_int_eq(send(c.fd, MANY, sizeof MANY - 1, MSG_NOSIGNAL), sizeof MANY - 1);
    ck_assert_int_eq(setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    client_close(&c);
    ck_assert_int_eq(serving_connections(), 0);
    serving_stop();
}
END_TEST

/* It waits in the kernel, and the loop does not turn in vain meanwhile. */
START_TEST(who_comes_when_the_process_has_no_descriptor_left_is_served_later)
{
    struct rlimit usual, none;
    serve();
    client c = client_connecting();
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &usual), 0);
    none = (struct rlimit){ .rlim_cur = 3, .rlim_max = usual.rlim_max };
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    log_set_level(LOG_ERROR);
    serving_turns();
    ck_assert_int_eq(serving_connections(), 0);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &usual), 0);
    serving_turns();
    ck_assert_int_eq(serving_connections(), 0);
    serving_skip(101);
    ck_assert_int_eq(serving_connections(), 1);
    client_say(&c, GET("/"));
    client_until(&c, "Hello!");
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(one_connection_too_many_gets_503)
{
    serving_config.limits.connections = 1;
    serve();
    client first = client_new(), second = client_new();
    client_until_end(&second);
    ck_assert_int_eq(client_count(&second, "HTTP/1.1 503 "), 1);
    client_say(&first, GET("/"));
    client_until(&first, "Hello!");
    client_close(&second);
    client_close(&first);
    serving_stop();
}
END_TEST

START_TEST(each_wait_for_the_client_has_its_limit)
{
    serve();
    client idle = client_new(), head = client_new(), body = client_new(), mute = client_new();
    client_say(&idle, GET("/"));
    client_until(&idle, "Hello!");
    client_forget(&idle);
    client_say(&head, "GET / HTTP/1.1\r\n");
    client_say(&body, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n123");
    serving_skip(serving_config.timeouts.head + 10);
    client_until_end(&head);
    ck_assert_int_eq(client_count(&head, "HTTP/1.1 408 "), 1);
    client_close(&head);
    client_until_end(&mute);                 /* it has as long for its first byte */
    ck_assert_uint_eq(mute.length, 0);
    client_close(&mute);
    ck_assert_int_eq(serving_connections(), 2);
    serving_skip(serving_config.timeouts.body - serving_config.timeouts.head + 10);
    client_until_end(&body);
    ck_assert_int_eq(client_count(&body, "HTTP/1.1 408 "), 1);
    client_close(&body);
    ck_assert_int_eq(serving_connections(), 1);
    serving_skip(serving_config.timeouts.idle);
    client_until_end(&idle);
    ck_assert_uint_eq(idle.length, 0);
    client_close(&idle);
    serving_stop();
}
END_TEST

START_TEST(a_limit_counts_from_when_its_wait_begins_however_long_a_handler_has_computed)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/compute"));
    client_until(&c, "computed");
    serving_skip(serving_config.timeouts.idle - 500);
    ck_assert_int_eq(serving_connections(), 1);
    serving_skip(510);
    client_until_end(&c);
    client_close(&c);
    serving_stop();
}
END_TEST

Suite *connection_suite(void)
{
    Suite *s = suite_create("connection");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 20);
    tcase_add_test(t, a_request_is_answered_however_it_is_split);
    tcase_add_test(t, a_request_is_answered_when_it_comes_byte_by_byte);
    tcase_add_test(t, a_client_that_leaves_cancels_what_it_waits_for_a_second_later);
    tcase_add_test(t, a_client_that_breaks_off_cancels_at_once);
    tcase_add_test(t, a_client_that_says_it_will_send_no_more_gets_its_answers);
    tcase_add_test(t, a_large_head_leaves_the_stack_to_its_handler);
    tcase_add_test(t, json_that_is_nested_deeper_than_a_stack_is_refused);
    tcase_add_test(t, what_comes_behind_the_last_request_is_read_and_dropped_and_the_answer_arrives);
    tcase_add_test(t, a_client_that_lingers_too_long_is_cut_off);
    tcase_add_test(t, one_that_was_not_read_from_gets_its_answers_when_they_are_the_last);
    tcase_add_test(t, stopping_ends_each_connection_after_what_it_is_doing);
    tcase_add_test(t, only_those_with_something_under_way_are_late);
    tcase_add_test(t, those_whom_the_kernel_has_accepted_when_stopping_are_served);
    tcase_add_test(t, stopping_touches_no_handle_that_is_not_a_connection);
    tcase_add_test(t, one_that_has_gone_while_its_requests_are_looked_at_is_over);
    tcase_add_test(t, who_comes_when_the_process_has_no_descriptor_left_is_served_later);
    tcase_add_test(t, one_connection_too_many_gets_503);
    tcase_add_test(t, each_wait_for_the_client_has_its_limit);
    tcase_add_test(t, a_limit_counts_from_when_its_wait_begins_however_long_a_handler_has_computed);
    suite_add_tcase(s, t);
    return s;
}
