/* test_pipeline.c - many requests of one connection: their order, their bounds, long answers, slow readers. */
#include "connection_fixture.h"
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

static text requests(int count)              /* for /page, 50 KB each */
{
    static char many[100000];
    size_t length = 0;
    for (int i = 0; i < count; i++)
        length += (size_t)sprintf(many + length, GET("/page"));
    return (text){ many, length };
}

static size_t resident(void)
{
    size_t pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    ck_assert_int_eq(fscanf(f, "%*d %zu", &pages), 1);
    fclose(f);
    return pages * 4096;
}

START_TEST(a_client_that_does_not_read_is_not_read_from)
{
    serve();
    client c = client_new();
    const text many = requests(1000);        /* 50 MB of answers */
    const size_t before = resident();
    client_send(&c, many);
    for (int i = 0; i < 20; i++)
        client_send(&c, many);               /* a GB */
    ck_assert_uint_lt(resident(), before + (16 << 20));
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(it_gets_all_its_answers_when_it_reads_after_all)
{
    serving_config.limits.output = 4096;
    serve();
    client c = client_new();
    ck_assert_uint_eq(client_send(&c, requests(300)), requests(300).length);
    client_until_length(&c, 300 * 50000);
    for (int i = 0; client_count(&c, "200 OK") < 300; i++)
        client_until_length(&c, c.length + 1);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_reader_that_takes_a_little_now_and_then_is_not_cut_off)
{
    client_small_buffer();
    serve();
    client c = client_new();
    client_say(&c, GET("/pieces?length=6000000"));
    for (int i = 0; i < 20; i++) {
        client_read(&c, 1 << 16);
        client_read(&c, 1 << 16);
        serving_skip(serving_config.timeouts.write * 2 / 3);
        ck_assert_int_eq(serving_connections(), 1);
    }
    client_until_length(&c, 6000000);       /* also in many writes, each of which takes its time */
    ck_assert_int_eq(ended, 1);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_reader_that_takes_nothing_is_cut_off_in_time)
{
    client_small_buffer();
    serve();
    client c = client_new();
    client_say(&c, GET("/pieces?length=30000000"));
    serving_skip(serving_config.timeouts.write / 2);
    ck_assert_int_eq(serving_connections(), 1);
    serving_skip(serving_config.timeouts.write + 1000);      /* from the last byte that the kernel could place */
    ck_assert_int_eq(serving_connections(), 0);
    ck_assert_int_eq(ended, 1);              /* its handler has been cancelled */
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_long_answer_that_breaks_off_ends_the_connection_after_those_before_it)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/wait") GET("/pieces?length=600000&stop=0") GET("/"));
    promise_settle(gate, 0);
    client_until_end(&c);
    ck_assert_int_eq(client_count(&c, "waited"), 1);
    ck_assert_int_eq(client_count(&c, "Hello!"), 0);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_piece_makes_room_without_starting_another_request)
{
    serving_config.limits.pipeline = 2;
    serve();
    client c = client_new();
    /* The third waits for room, which the end of the first makes; the second writes before the turn ends. */
    client_say(&c, GET("/call-at-gate") GET("/gated") GET("/"));
    promise_settle(gate, 0);
    promise_settle(second_gate, 0);
    client_until(&c, "Hello!");
    ck_assert_int_eq(client_count(&c, "piece"), 1);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(heads_of_long_answers_come_alone)
{
    serve();
    client c = client_new();
    client_say(&c, "HEAD /pieces?length=600000 HTTP/1.1\r\nHost: a\r\n\r\n" GET("/"));
    client_until(&c, "Hello!");
    ck_assert_int_eq(client_count(&c, "Content-Length: 600000"), 1);
    ck_assert_uint_lt(c.length, 1000);
    client_close(&c);
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

START_TEST(slow_readers_together_hold_no_more_than_all_of_them_may)
{
    enum { ALL = 20, PAGES = 100, PAGE = 51000 };
    static char words[PAGES * sizeof GET("/page")];
    client c[ALL];
    serving_config.limits.outputs = 2 << 20;
    serve();
    client_small_buffer();
    for (int i = 0; i < PAGES; i++)
        strcat(words, GET("/page"));
    for (int i = 0; i < ALL; i++) {
        c[i] = client_new();
        client_say(&c[i], words);
        ck_assert_uint_le(serving_worker()->unwritten, (2 << 20) + ALL * PAGE);      /* and what crosses it */
    }
    ck_assert_uint_gt(serving_worker()->unwritten, 1 << 20);
    client_until_length(&c[ALL - 1], PAGES * (size_t)50000); /* none is lost */
    for (int i = 0; i < ALL; i++)
        client_close(&c[i]);
    serving_turns();
    serving_stop();
    ck_assert_uint_eq(serving_worker()->unwritten, 0);
}
END_TEST

Suite *pipeline_suite(void)
{
    Suite *s = suite_create("pipeline");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 20);
    tcase_add_test(t, answers_come_in_the_order_of_their_requests);
    tcase_add_test(t, a_request_that_changes_something_waits_for_those_before_it_and_those_behind_for_it);
    tcase_add_test(t, a_handler_that_does_not_answer_gets_500_and_one_that_answers_twice_the_first);
    tcase_add_test(t, a_handler_that_is_late_is_cancelled_and_gets_504);
    tcase_add_test(t, a_route_may_have_a_deadline_of_its_own);
    tcase_add_test(t, a_handler_that_has_answered_may_take_longer);
    tcase_add_test(t, a_callback_that_is_late_is_nobodys_to_cancel);
    tcase_add_loop_test(t, a_request_stays_until_what_its_handler_forgot_has_settled_but_its_answer_leaves, 0, 5);
    tcase_add_loop_test(t, it_stays_although_its_client_is_gone, 0, 5);
    tcase_add_loop_test(t, a_callback_may_be_done_from_anywhere_whatever_waits_behind_it, 0, 3);
    tcase_add_test(t, a_client_that_does_not_read_is_not_read_from);
    tcase_add_test(t, it_gets_all_its_answers_when_it_reads_after_all);
    tcase_add_test(t, a_reader_that_takes_a_little_now_and_then_is_not_cut_off);
    tcase_add_test(t, a_reader_that_takes_nothing_is_cut_off_in_time);
    tcase_add_test(t, a_long_answer_that_breaks_off_ends_the_connection_after_those_before_it);
    tcase_add_test(t, a_piece_makes_room_without_starting_another_request);
    tcase_add_test(t, heads_of_long_answers_come_alone);
    tcase_add_test(t, a_body_that_is_waited_for_is_asked_for_in_its_turn);
    tcase_add_test(t, slow_readers_together_hold_no_more_than_all_of_them_may);
    suite_add_tcase(s, t);
    return s;
}
