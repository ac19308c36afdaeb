/* test_connection_end.c - how a worker's connections end: by their last request, by their clients, by the server's stop. */
#include "connection_fixture.h"
#include "server/async/loop.h"
#include "server/http/async/connection.h"
#include "tests/unit/http/serving.h"
#include "tests/support/support.h"
#include "tests/unit/suites.h"

#include <netinet/in.h>
#include <sys/socket.h>

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

START_TEST(nor_is_it_when_it_came_with_that_request)
{
    serve();
    client c = client_new();
    client_say(&c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" GET("/"));
    client_until_end(&c);
    ck_assert_int_eq(client_count(&c, "Hello!"), 1);
    ck_assert_int_eq(serving_connections(), 1);              /* there may be more of it */
    client_say(&c, GET("/"));
    client_close(&c);
    ck_assert_int_eq(serving_connections(), 0);
    serving_stop();
}
END_TEST

START_TEST(what_cannot_be_followed_by_another_request_is_told_so)
{
    static const char *const LAST[] = {
        "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx",
    };
    static const char *const STATUS[] = { "HTTP/1.1 400 ", "HTTP/1.1 413 ", "HTTP/1.1 400 " };
    serve();
    for (int i = 0; i < 3; i++) {
        client c = client_new();
        client_say(&c, LAST[i]);
        client_until_end(&c);
        ck_assert_int_eq(client_count(&c, STATUS[i]), 1);
        ck_assert_int_eq(client_count(&c, "Connection: close\r\n"), 1);
        client_close(&c);
    }
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
    enum { MANY = 1 << 20 };
    char *const many = zeros(MANY);
    serving_config.limits.pipeline = 1;
    serve();
    client c = client_new();
    client_say(&c, GET("/wait"));
    memset(many, '\r', MANY);
    for (size_t i = 0; i + 26 <= MANY; i += 26)
        memcpy(many + i, "T / HTTP/1.1\r\nHost: a\r\n\r\n", 26);
    client_send(&c, (text){ many, MANY });            /* until it is not read from any more */
    worker_here->draining = true;
    connections_drain();
    promise_settle(gate, 0);
    client_until_end(&c);
    ck_assert_int_eq(client_count(&c, "waited"), 1);
    ck_assert_int_eq(client_count(&c, "Connection: close"), 1);
    ck_assert_int_eq(client_count(&c, "HTTP/1.1 "), 1);
    ck_assert_int_eq(serving_connections(), 1);              /* it lingers */
    worker_here->draining = false;
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(nor_is_one_reset_whose_requests_could_not_be_looked_at_before_the_last_answer)
{
    serving_config.limits.pipeline = 1;
    serve();
    client c = client_new();
    client_say(&c, GET("/wait") GET("/"));
    connections_drain();
    promise_settle(gate, 0);
    client_until_end(&c);
    ck_assert_int_eq(client_count(&c, "waited"), 1);
    ck_assert_int_eq(client_count(&c, "Hello!"), 0);
    ck_assert_int_eq(serving_connections(), 1);              /* it lingers: there may be more of them */
    client_close(&c);
    ck_assert_int_eq(serving_connections(), 0);
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
    acceptor_close(serving_acceptor());
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

Suite *connection_end_suite(void)
{
    Suite *s = suite_create("connection_end");
    TCase *t = tcase_create("all");
    tcase_add_test(t, what_comes_behind_the_last_request_is_read_and_dropped_and_the_answer_arrives);
    tcase_add_test(t, nor_is_it_when_it_came_with_that_request);
    tcase_add_test(t, what_cannot_be_followed_by_another_request_is_told_so);
    tcase_add_test(t, a_client_that_lingers_too_long_is_cut_off);
    tcase_add_test(t, one_that_was_not_read_from_gets_its_answers_when_they_are_the_last);
    tcase_add_test(t, nor_is_one_reset_whose_requests_could_not_be_looked_at_before_the_last_answer);
    tcase_add_test(t, stopping_ends_each_connection_after_what_it_is_doing);
    tcase_add_test(t, only_those_with_something_under_way_are_late);
    tcase_add_test(t, those_whom_the_kernel_has_accepted_when_stopping_are_served);
    tcase_add_test(t, stopping_touches_no_handle_that_is_not_a_connection);
    tcase_add_test(t, a_client_that_leaves_cancels_what_it_waits_for_a_second_later);
    tcase_add_test(t, a_client_that_breaks_off_cancels_at_once);
    tcase_add_test(t, a_client_that_says_it_will_send_no_more_gets_its_answers);
    tcase_add_test(t, one_that_has_gone_while_its_requests_are_looked_at_is_over);
    suite_add_tcase(s, t);
    return s;
}
