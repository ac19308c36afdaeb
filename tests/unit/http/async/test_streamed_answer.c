/* test_streamed_answer.c - answers of a length that nobody knows before they end, and how they end. */
#include "connection_fixture.h"
#include "server/http/async/connection.h"
#include "tests/unit/http/serving.h"
#include "tests/unit/suites.h"

#include <errno.h>
#include <sys/socket.h>

#define GET_1_0(path) "GET " path " HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
#define LAST_CHUNK "\r\n0\r\n\r\n"

/* All that there is has been read, and then a reset. */
static bool was_reset(client *c)
{
    char bytes[65536];
    ssize_t n;
    serving_turns();
    do
        n = recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    while (n > 0);
    return n < 0 && errno == ECONNRESET;
}

START_TEST(a_piece_is_there_before_the_next_is_made)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/stream-at-gate"));
    client_until(&c, "\r\n\r\n5\r\nfirst\r\n");
    ck_assert_int_eq(client_count(&c, "Transfer-Encoding: chunked"), 1);
    ck_assert_int_eq(client_count(&c, "Content-Length"), 0);
    promise_settle(gate, 0);
    client_until(&c, "first\r\n6\r\nsecond" LAST_CHUNK);
    client_say(&c, GET("/"));
    client_until(&c, "Hello!");
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_request_behind_a_stream_is_answered_behind_its_end)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/stream-at-gate") GET("/") GET("/stream?length=3") GET("/"));
    client_until(&c, "first\r\n");
    ck_assert_int_eq(client_count(&c, "Hello!"), 0);
    promise_settle(gate, 0);
    client_until(&c, "\r\n3\r\nxxx" LAST_CHUNK);
    client_until(&c, "second" LAST_CHUNK "HTTP/1.1 200 OK");
    client_say(&c, GET("/measure"));
    client_until(&c, "deep");
    ck_assert_int_eq(client_count(&c, "Hello!"), 2);
    client_close(&c);
    serving_stop();
}
END_TEST

/* Whatever it has sent behind it. */
START_TEST(to_http_1_0_nothing_follows_a_stream)
{
    serve();
    client c = client_new();
    client_say(&c, GET_1_0("/") GET_1_0("/stream-at-gate") GET_1_0("/wait") GET_1_0("/"));
    client_until(&c, "first");
    ck_assert_int_eq(client_count(&c, "Connection: keep-alive"), 1);
    ck_assert_int_eq(client_count(&c, "Connection: close"), 1);
    promise_settle(gate, 0);
    client_until_end(&c);
    ck_assert_str_eq(c.got + c.length - strlen("\r\n\r\nfirstsecond"), "\r\n\r\nfirstsecond");
    ck_assert_int_eq(began, 1);              /* and what follows has not been begun */
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_handler_that_fails_midway_leaves_the_last_chunk_out)
{
    log_capture();
    serve();
    for (int i = 0; i < 2; i++) {
        client c = client_new();
        client_say(&c, i ? GET("/stream?length=600000&stop=300000&err=0") GET("/")
                         : GET("/stream?length=600000&stop=300000") GET("/"));
        client_until_end(&c);
        ck_assert_uint_gt(c.length, 300000);
        ck_assert_int_eq(client_count(&c, "\r\n0\r\n"), 0);
        ck_assert_int_eq(client_count(&c, "Hello!"), 0);
        client_close(&c);
    }
    ck_assert_int_eq(log_times("GET /stream: i/o error"), 1);
    ck_assert_int_eq(log_times("GET /stream: the handler did not finish its answer"), 1);
    serving_stop();
}
END_TEST

START_TEST(to_http_1_0_one_that_fails_midway_resets)
{
    serve();
    client c = client_new();
    client_say(&c, GET_1_0("/stream?length=600000&stop=300000"));
    ck_assert_int_eq(ended, 1);
    ck_assert(was_reset(&c));
    ck_assert_int_eq(serving_connections(), 0);
    client_close(&c);
    c = client_new();                        /* before it has had anything, too: that is no whole answer */
    client_say(&c, GET_1_0("/stream?stop=0"));
    ck_assert(was_reset(&c));
    client_close(&c);
    c = client_new();                        /* and if it was the server that had enough of it */
    client_say(&c, GET_1_0("/stream-at-gate"));
    client_until(&c, "first");
    connections_abort();
    ck_assert(was_reset(&c));
    ck_assert_int_eq(waited, UV_ECANCELED);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(to_http_1_0_a_stream_that_its_reader_does_not_take_resets)
{
    client_small_buffer();
    serve();
    client c = client_new();
    client_say(&c, GET_1_0("/stream?length=30000000"));
    ck_assert_int_eq(ended, 0);
    serving_skip(serving_config.timeouts.write + 1000);
    serving_skip(serving_config.timeouts.write + 1000);
    ck_assert_int_eq(serving_connections(), 0);
    ck_assert_int_eq(waited, UV_ECANCELED);
    ck_assert(was_reset(&c));
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_server_that_stops_midway_leaves_the_last_chunk_out)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/stream-at-gate"));
    client_until(&c, "first");
    connections_abort();
    client_until_end(&c);
    ck_assert_int_eq(waited, UV_ECANCELED);
    ck_assert_int_eq(client_count(&c, "\r\n0\r\n"), 0);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_client_that_leaves_cancels_what_its_stream_waits_for)
{
    const struct linger reset = { .l_onoff = 1 };
    serve();
    client c = client_new();
    client_say(&c, GET("/stream-at-gate"));
    client_until(&c, "first");
    setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    client_close(&c);
    ck_assert_int_eq(ended, 1);
    ck_assert_int_eq(waited, UV_ECANCELED);
    ck_assert_int_eq(serving_connections(), 0);
    serving_stop();
}
END_TEST

START_TEST(a_stream_waits_for_its_reader)
{
    client_small_buffer();
    serve();
    client c = client_new();
    client_say(&c, GET("/stream?length=6000000"));
    for (int i = 0; i < 20; i++) {
        ck_assert_uint_gt(serving_worker()->unwritten, 0);
        ck_assert_uint_lt(serving_worker()->unwritten, 310000);              /* one piece */
        client_read(&c, 1 << 16);
    }
    client_until(&c, "x" LAST_CHUNK);
    ck_assert_uint_gt(c.length, 6000000);
    ck_assert_int_eq(ended, 1);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_stream_whose_turn_has_not_come_waits_with_its_first_piece)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/wait") GET("/stream?length=6000000"));
    ck_assert_int_eq(ended, 0);
    promise_settle(gate, 0);
    client_until(&c, "x" LAST_CHUNK);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_stream_has_no_deadline_once_it_has_begun)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/stream-at-gate"));
    serving_skip(2 * serving_config.timeouts.request);
    promise_settle(gate, 0);
    client_until(&c, "second" LAST_CHUNK);
    client_close(&c);
    serving_stop();
}
END_TEST

Suite *streamed_answer_suite(void)
{
    Suite *s = suite_create("streamed_answer");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_piece_is_there_before_the_next_is_made);
    tcase_add_test(t, a_request_behind_a_stream_is_answered_behind_its_end);
    tcase_add_test(t, to_http_1_0_nothing_follows_a_stream);
    tcase_add_test(t, a_handler_that_fails_midway_leaves_the_last_chunk_out);
    tcase_add_test(t, to_http_1_0_one_that_fails_midway_resets);
    tcase_add_test(t, to_http_1_0_a_stream_that_its_reader_does_not_take_resets);
    tcase_add_test(t, a_server_that_stops_midway_leaves_the_last_chunk_out);
    tcase_add_test(t, a_client_that_leaves_cancels_what_its_stream_waits_for);
    tcase_add_test(t, a_stream_waits_for_its_reader);
    tcase_add_test(t, a_stream_whose_turn_has_not_come_waits_with_its_first_piece);
    tcase_add_test(t, a_stream_has_no_deadline_once_it_has_begun);
    suite_add_tcase(s, t);
    return s;
}
