/* test_pipeline.c - many requests of one connection: their order, their bounds, their handlers' ends. */
#include "connection_fixture.h"
#include "server/async/scope.h"
#include "tests/unit/http/serving.h"
#include "tests/unit/suites.h"

#include <sys/socket.h>

static char large[300000];                   /* room for more than could come, where nothing may */

START_TEST(answers_come_in_the_order_of_their_requests)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/wait") GET("/") GET("/call"));
    ck_assert_int_eq(began, 1);
    ck_assert_uint_eq(recv(c.fd, large, sizeof large, MSG_DONTWAIT), (size_t)-1);
    promise_settle(gate, 0);
    client_until(&c, "called");
    ck_assert(strstr(c.got, "waited") < strstr(c.got, "Hello!"));
    ck_assert(strstr(c.got, "Hello!") < strstr(c.got, "called"));
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_route_that_answers_at_once_needs_no_task_and_has_its_place_among_the_others)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/answer"));
    client_until(&c, "\r\n\r\n/answer");
    client_forget(&c);
    client_say(&c, GET("/wait") GET("/answer") POST("/answer/echo", "4", "echo") GET("/"));
    ck_assert_int_eq(began, 1);
    ck_assert_uint_eq(recv(c.fd, large, sizeof large, MSG_DONTWAIT), (size_t)-1);
    promise_settle(gate, 0);
    client_until(&c, "Hello!");
    ck_assert(strstr(c.got, "waited") < strstr(c.got, "/answer"));
    ck_assert(strstr(c.got, "/answer") < strstr(c.got, "\r\n\r\necho"));
    ck_assert(strstr(c.got, "\r\n\r\necho") < strstr(c.got, "Hello!"));
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(what_a_route_that_answers_at_once_returns_becomes_an_error_page)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/answer/mute") GET("/answer/failed") GET("/answer"));
    client_until(&c, "\r\n\r\n/answer");
    ck_assert_int_eq(client_count(&c, "HTTP/1.1 500 "), 1);
    ck_assert_int_eq(client_count(&c, "HTTP/1.1 503 "), 1);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(to_await_in_a_route_that_answers_at_once_is_a_bug)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/answer/late"));
    client_until(&c, "HTTP/1.1 ");
}
END_TEST

START_TEST(a_request_that_changes_something_waits_for_those_before_it_and_those_behind_for_it)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/wait") POST("/wait", "0", "") GET("/wait"));
    ck_assert_int_eq(began, 1);
    promise_settle(gate, 0);
    serving_turns();
    ck_assert_int_eq(began, 2);
    promise_settle(gate, 0);
    serving_turns();
    ck_assert_int_eq(began, 3);
    promise_settle(gate, 0);
    serving_turns();
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_handler_that_does_not_answer_gets_500_and_one_that_answers_twice_the_first)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/mute") GET("/twice") GET("/later") GET("/"));
    client_until(&c, "Hello!");
    ck_assert_int_eq(client_count(&c, "HTTP/1.1 500 "), 1);
    ck_assert_int_eq(client_count(&c, "first"), 1);
    ck_assert_int_eq(client_count(&c, "second"), 0);
    ck_assert_int_eq(client_count(&c, "HTTP/1.1 503 "), 1);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_handler_that_is_late_is_cancelled_and_gets_504)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/wait") GET("/"));
    serving_skip(serving_config.timeouts.request - 1000);
    ck_assert_int_eq(ended, 0);
    serving_skip(1100);
    ck_assert_int_eq(ended, 1);
    ck_assert_int_eq(waited, UV_ETIMEDOUT);
    client_until(&c, "Hello!");
    ck_assert_int_eq(client_count(&c, "HTTP/1.1 504 "), 1);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_route_may_have_a_deadline_of_its_own)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/wait-long"));
    serving_skip(serving_config.timeouts.request + 1000);
    ck_assert_int_eq(ended, 0);
    serving_skip(WAIT_LONG - serving_config.timeouts.request);
    ck_assert_int_eq(waited, UV_ETIMEDOUT);
    client_until(&c, "HTTP/1.1 504 ");
    serving_config.timeouts.request = 0;     /* there is no limit: for none */
    client_say(&c, GET("/wait-long"));
    serving_skip(WAIT_LONG + 1000);
    ck_assert_int_eq(ended, 1);
    promise_settle(gate, 0);
    client_until(&c, "waited");
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_promise_that_is_late_is_cancelled_and_gets_504_and_one_that_is_cancelled_before_503)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/promise-at-gate") GET("/"));
    serving_skip(serving_config.timeouts.request - 1000);
    client_read(&c, 1000);
    ck_assert_uint_eq(c.length, 0);
    serving_skip(1100);
    client_until(&c, "Hello!");
    ck_assert_int_eq(client_count(&c, "HTTP/1.1 504 "), 1);
    client_say(&c, GET("/promise-at-gate"));
    promise_settle(gate, UV_ECANCELED);
    client_until(&c, "HTTP/1.1 503 ");
    client_say(&c, GET("/promise-at-gate"));
    promise_settle(gate, 0);
    client_until(&c, "waited");
    serving_skip(serving_config.timeouts.request + 100);     /* its time passes, and is nobody's any more */
    client_say(&c, GET("/"));
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(each_promise_of_a_client_has_its_own_deadline_whatever_else_the_client_does)
{
    serving_config.timeouts.body = 2 * serving_config.timeouts.request;
    serve();
    client c = client_new();
    client_say(&c, GET("/promise-at-gate"));
    serving_skip(serving_config.timeouts.request / 2);
    client_say(&c, GET("/promise-at-gate") "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nec");
    serving_skip(serving_config.timeouts.request / 2 - 100);
    client_read(&c, 1000);
    ck_assert_int_eq(client_count(&c, "HTTP/1.1 504 "), 0);
    serving_skip(200);
    client_until(&c, "HTTP/1.1 504 ");
    serving_skip(serving_config.timeouts.request / 2 - 200);
    client_read(&c, 1000);
    ck_assert_int_eq(client_count(&c, "HTTP/1.1 504 "), 1);
    serving_skip(200);
    client_say(&c, "ho");
    client_until(&c, "echo");
    ck_assert_int_eq(client_count(&c, "HTTP/1.1 504 "), 2);
    serving_skip(serving_config.timeouts.idle - 1000);
    ck_assert_int_eq(serving_connections(), 1);
    serving_skip(1100);
    ck_assert_int_eq(serving_connections(), 0);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_promise_is_cancelled_in_time_although_its_connection_might_have_waited_for_longer)
{
    serving_config.timeouts.idle = 10 * serving_config.timeouts.request;
    serve();
    client c = client_new();
    client_say(&c, GET("/"));
    client_until(&c, "Hello!");
    serving_skip(serving_config.timeouts.head + 100);        /* since when it has that time */
    client_say(&c, GET("/promise-at-gate"));
    serving_skip(serving_config.timeouts.request + 100);
    client_until(&c, "HTTP/1.1 504 ");
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_late_promise_that_takes_its_time_to_end_keeps_its_client)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/promise-that-stays"));
    serving_skip(serving_config.timeouts.request + 100);
    serving_skip(serving_config.timeouts.idle);
    client_read(&c, 1000);
    ck_assert_uint_eq(c.length, 0);
    promise_settle(gate, 0);
    client_until(&c, "HTTP/1.1 504 ");
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(no_more_of_one_client_are_under_way_than_may_be)
{
    serving_config.limits.pipeline = 2;
    serve();
    client c = client_new();
    client_say(&c, GET("/gated") GET("/wait") GET("/wait"));
    promise *const second = gate;
    ck_assert_int_eq(began, 1);
    promise_settle(second_gate, 0);
    serving_turns();
    ck_assert_int_eq(began, 2);
    promise *const third = gate;
    promise_settle(second, 0);
    promise_settle(third, 0);
    serving_turns();
    ck_assert_int_eq(ended, 2);
    client_close(&c);
    serving_stop();
}
END_TEST

/* More came at once than is kept for it. */
START_TEST(a_client_that_was_not_read_from_is_read_from_again_when_all_that_came_is_answered)
{
    enum { MANY = 1000 };
    char *const many = zeros(MANY * sizeof GET("/"));
    for (int i = 0; i < MANY; i++)
        strcpy(many + strlen(many), GET("/"));
    serving_config.limits.pipeline = 1;
    serve();
    ck_assert_uint_gt(strlen(many), serving_config.limits.head);
    client c = client_new();
    client_say(&c, GET("/wait"));
    client_say(&c, many);
    promise_settle(gate, 0);
    while (client_count(&c, "Hello!") < MANY)
        client_until_length(&c, c.length + 1);
    client_say(&c, GET("/answer"));
    client_until(&c, "\r\n\r\n/answer");
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(what_is_done_after_a_handler_has_begun_is_not_done_for_it)
{
    static const char *const WAYS[] = { GET("/wait"), GET("/promise-at-gate"), GET("/call-at-gate") };
    serve();
    client c = client_new();
    client_say(&c, WAYS[_i]);
    ck_assert_ptr_null(scope_entered);
    ck_assert_str_eq(label_name(scope_here()->label), "other");
    promise_settle(gate, 0);
    serving_turns();
    ck_assert_str_eq(label_name(scope_here()->label), "other");
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_handler_that_has_answered_may_take_longer)
{
    client_small_buffer();
    serve();
    client c = client_new();
    client_say(&c, GET("/pieces?length=30000000"));
    for (int i = 0; i < 4; i++) {
        client_read(&c, 1 << 18);
        serving_skip(serving_config.timeouts.request / 2);
    }
    ck_assert_int_eq(ended, 0);
    ck_assert_int_eq(serving_connections(), 1);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_callback_that_is_late_is_nobodys_to_cancel)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/call-at-gate"));
    serving_skip(serving_config.timeouts.request + 100);
    promise_settle(gate, 0);
    client_until(&c, "called");
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_callback_may_be_done_from_anywhere_whatever_waits_behind_it)
{
    static const char *const WAYS[] = { GET("/call-by-task"), GET("/call"), GET("/call-at-gate") };
    serve();
    client c = client_new();
    client_say(&c, WAYS[_i]);
    client_say(&c, POST("/echo", "4", "echo") POST("/call", "0", "") POST("/call", "0", "") GET("/"));
    if (gate)
        promise_settle(gate, 0);
    serving_skip(5);
    client_until(&c, "Hello!");
    ck_assert_int_eq(client_count(&c, "called"), 3);
    ck_assert_int_eq(client_count(&c, "echo"), 1);
    client_close(&c);
    serving_stop();
}
END_TEST

static const char *const FORGET[] = {
    GET("/forget/await"), GET("/forget/promise"), GET("/forget/step"), GET("/forget/callback"), GET("/forget/follower"),
    GET("/forget/answer"),
};

START_TEST(a_request_stays_until_what_its_handler_forgot_has_settled_but_its_answer_leaves)
{
    serve();
    client c = client_new();
    client_say(&c, FORGET[_i]);
    client_until(&c, "forgot");
    ck_assert_int_eq(forgotten.cancels, 1);
    client_say(&c, POST("/echo", "4", "echo"));
    ck_assert_int_eq(client_count(&c, "echo"), 0);
    *forgotten_at = 1;                       /* as what was forgotten might */
    promise_settle(gate, 0);
    client_until(&c, "echo");
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(it_stays_although_its_client_is_gone)
{
    const struct linger reset = { .l_onoff = 1 };
    serve();
    client c = client_new();
    client_say(&c, FORGET[_i]);
    client_until(&c, "forgot");
    setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    client_close(&c);
    ck_assert_int_eq(serving_connections(), 1);
    *forgotten_at = 1;
    promise_settle(gate, UV_ECANCELED);
    serving_turns();
    ck_assert_int_eq(serving_connections(), 0);
    serving_stop();
}
END_TEST

START_TEST(a_body_that_is_waited_for_is_asked_for_in_its_turn)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/wait") "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    ck_assert_int_eq(recv(c.fd, large, sizeof large, MSG_DONTWAIT), -1);
    promise_settle(gate, 0);
    client_until(&c, "100 Continue\r\n\r\n");
    ck_assert(strstr(c.got, "waited") < strstr(c.got, "100 Continue"));
    client_say(&c, "12345");
    client_until(&c, "\r\n\r\n12345");
    client_forget(&c);
    client_say(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n1");
    client_say(&c, "2345");                  /* on its way already: nothing to ask for */
    client_until(&c, "12345");
    ck_assert_int_eq(client_count(&c, "100 Continue"), 0);
    client_close(&c);
    serving_stop();
}
END_TEST

Suite *pipeline_suite(void)
{
    Suite *s = suite_create("pipeline");
    TCase *t = tcase_create("all");
    tcase_add_test(t, answers_come_in_the_order_of_their_requests);
    tcase_add_test(t, a_route_that_answers_at_once_needs_no_task_and_has_its_place_among_the_others);
    tcase_add_test(t, what_a_route_that_answers_at_once_returns_becomes_an_error_page);
    tcase_add_test_raise_signal(t, to_await_in_a_route_that_answers_at_once_is_a_bug, SIGABRT);
    tcase_add_test(t, a_request_that_changes_something_waits_for_those_before_it_and_those_behind_for_it);
    tcase_add_test(t, a_handler_that_does_not_answer_gets_500_and_one_that_answers_twice_the_first);
    tcase_add_test(t, a_handler_that_is_late_is_cancelled_and_gets_504);
    tcase_add_test(t, a_route_may_have_a_deadline_of_its_own);
    tcase_add_test(t, a_promise_that_is_late_is_cancelled_and_gets_504_and_one_that_is_cancelled_before_503);
    tcase_add_test(t, each_promise_of_a_client_has_its_own_deadline_whatever_else_the_client_does);
    tcase_add_test(t, a_promise_is_cancelled_in_time_although_its_connection_might_have_waited_for_longer);
    tcase_add_test(t, a_late_promise_that_takes_its_time_to_end_keeps_its_client);
    tcase_add_test(t, no_more_of_one_client_are_under_way_than_may_be);
    tcase_add_test(t, a_client_that_was_not_read_from_is_read_from_again_when_all_that_came_is_answered);
    tcase_add_loop_test(t, what_is_done_after_a_handler_has_begun_is_not_done_for_it, 0, 3);
    tcase_add_test(t, a_handler_that_has_answered_may_take_longer);
    tcase_add_test(t, a_callback_that_is_late_is_nobodys_to_cancel);
    tcase_add_loop_test(t, a_request_stays_until_what_its_handler_forgot_has_settled_but_its_answer_leaves, 0, 6);
    tcase_add_loop_test(t, it_stays_although_its_client_is_gone, 0, 6);
    tcase_add_loop_test(t, a_callback_may_be_done_from_anywhere_whatever_waits_behind_it, 0, 3);
    tcase_add_test(t, a_body_that_is_waited_for_is_asked_for_in_its_turn);
    suite_add_tcase(s, t);
    return s;
}
