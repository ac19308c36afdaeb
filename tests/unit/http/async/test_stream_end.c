/* test_stream_end.c - a body that ends before its time: by the client, its clock, the handler, or the server. */
#include "stream_fixture.h"
#include "server/http/async/connection.h"
#include "tests/unit/suites.h"

#include <sys/socket.h>

START_TEST(bad_framing_is_an_error_behind_what_was_good)
{
    serve();
    client c = client_new();
    client_say(&c, HEAD("/pull", "Transfer-Encoding: chunked") "3\r\nabc\r\nnonsense\r\n");
    client_until_end(&c);
    expect_pulled("abc");
    ck_assert_int_eq(outcome, HTTP_STATUS(400));
    ck_assert_int_eq(client_count(&c, "HTTP/1.1 400 "), 1);
    ck_assert_int_eq(serving_connections(), 1);              /* it lingers: there may be more */
    client_close(&c);
    c = client_new();                        /* and what is not content stays bounded */
    outcome = 0;
    client_say(&c, HEAD("/pull", "Transfer-Encoding: chunked"));
    for (int i = 0; i < 400 && !outcome; i++)
        client_say(&c, "1;xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\na\r\n");
    client_until_end(&c);
    ck_assert_int_eq(outcome, HTTP_STATUS(431));
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_client_that_stops_half_way_may_read_what_came_of_it)
{
    serve();
    client c = client_new();
    client_say(&c, HEAD("/pull", "Content-Length: 10") "abc");
    shutdown(c.fd, SHUT_WR);
    client_until_end(&c);
    expect_pulled("abc");
    ck_assert_int_eq(outcome, HTTP_STATUS(400));
    ck_assert_int_eq(client_count(&c, "HTTP/1.1 400 "), 1);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_client_that_breaks_off_cancels_the_handler_and_its_read)
{
    const struct linger reset = { .l_onoff = 1 };
    serve();
    client c = client_new();
    client_say(&c, HEAD("/pull", "Content-Length: 10") "abc");
    setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    client_close(&c);
    ck_assert_int_eq(ended, 1);
    ck_assert_int_eq(outcome, UV_ECANCELED);
    ck_assert_int_eq(serving_connections(), 0);
    serving_stop();
}
END_TEST

START_TEST(a_client_is_timed_while_it_is_waited_for)
{
    serve();
    client c = client_new();
    client_say(&c, HEAD("/pull", "Content-Length: 10") "abc");
    serving_skip(serving_config.timeouts.body - 5000);
    ck_assert_int_eq(ended, 0);
    client_say(&c, "d");                     /* a byte now and then gains no time */
    serving_skip(5100);
    client_until_end(&c);
    ck_assert_int_eq(outcome, HTTP_STATUS(408));
    ck_assert_int_eq(client_count(&c, "HTTP/1.1 408 "), 1);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(what_comes_quickly_earns_the_time_that_was_lost)
{
    static char many[160000];
    serve();
    client c = client_new();
    client_say(&c, HEAD("/pull", "Content-Length: 1000000"));
    for (int i = 0; i < 6; i++) {            /* 10,000 ms' worth each time */
        ck_assert_uint_eq(client_send(&c, (text){ many, sizeof many }), sizeof many);
        serving_skip(9000);
    }
    ck_assert_int_eq(ended, 0);
    serving_skip(serving_config.timeouts.body);              /* but no credit */
    ck_assert_int_eq(outcome, HTTP_STATUS(408));
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_handler_that_is_slow_costs_the_client_no_time)
{
    serve();
    client c = client_new();
    client_say(&c, HEAD("/slow", "Content-Length: 6") "abc");
    for (int i = 0; i < 5; i++) {
        serving_skip(serving_config.timeouts.body);
        ck_assert_int_eq(ended, 0);
    }
    let_one_piece();
    expect_pulled("abc");
    serving_skip(serving_config.timeouts.body);
    client_say(&c, "def");
    let_one_piece();
    let_one_piece();
    client_until(&c, "pulled");
    expect_pulled("abcdef");
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_handler_need_not_read_at_all)
{
    static char many[300000];
    serve();
    client c = client_new();                 /* all of it has come: the next request is another */
    client_say(&c, HEAD("/refuse", "Content-Length: 2") "hi" NEXT);
    client_until(&c, "pulled");
    ck_assert_int_eq(client_count(&c, "HTTP/1.1 415 "), 1);
    ck_assert_int_eq(client_count(&c, "Connection: close"), 0);
    client_close(&c);

    c = client_new();                        /* the rest is not waited for, but the answer arrives */
    client_say(&c, HEAD("/one", "Content-Length: 300000") "hi");
    client_until_end(&c);
    ck_assert_int_eq(client_count(&c, "enough"), 1);
    ck_assert_int_eq(client_count(&c, "Connection: close"), 1);
    client_send(&c, (text){ many, sizeof many });
    ck_assert_int_eq(serving_connections(), 1);              /* it lingers */
    serving_skip(2100);
    ck_assert_int_eq(serving_connections(), 0);
    client_close(&c);
    serving_stop();
}
END_TEST

/* It has been told that the connection ends, whatever came of the body after that. */
START_TEST(a_handler_may_read_on_after_its_answer_which_is_the_last)
{
    serve();
    client c = client_new();
    client_say(&c, HEAD("/first", "Content-Length: 6") "abc");
    client_until(&c, "answered");
    ck_assert_int_eq(client_count(&c, "Connection: close"), 1);
    client_say(&c, "def" NEXT);
    client_until_end(&c);
    expect_pulled("abcdef");
    ck_assert_int_eq(outcome, UV_EOF);
    ck_assert_int_eq(began, 0);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(stopping_ends_what_is_still_arriving_in_time_for_an_answer)
{
    serve();
    client c = client_new();
    client_say(&c, HEAD("/pull", "Content-Length: 10") "abc");
    worker_here->draining = true;
    connections_drain();
    client_say(&c, "def");                   /* still welcome */
    expect_pulled("abcdef");
    connections_break_off();
    client_until_end(&c);
    ck_assert_int_eq(outcome, UV_ESHUTDOWN);
    ck_assert_int_eq(client_count(&c, "HTTP/1.1 503 "), 1);
    worker_here->draining = false;
    client_close(&c);
    serving_stop();
}
END_TEST

Suite *stream_end_suite(void)
{
    Suite *s = suite_create("stream_end");
    TCase *t = tcase_create("all");
    tcase_add_test(t, bad_framing_is_an_error_behind_what_was_good);
    tcase_add_test(t, a_client_that_stops_half_way_may_read_what_came_of_it);
    tcase_add_test(t, a_client_that_breaks_off_cancels_the_handler_and_its_read);
    tcase_add_test(t, a_client_is_timed_while_it_is_waited_for);
    tcase_add_test(t, what_comes_quickly_earns_the_time_that_was_lost);
    tcase_add_test(t, a_handler_that_is_slow_costs_the_client_no_time);
    tcase_add_test(t, a_handler_need_not_read_at_all);
    tcase_add_test(t, a_handler_may_read_on_after_its_answer_which_is_the_last);
    tcase_add_test(t, stopping_ends_what_is_still_arriving_in_time_for_an_answer);
    suite_add_tcase(s, t);
    return s;
}
