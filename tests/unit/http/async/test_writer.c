/* test_writer.c - long answers, and clients that are slow to take them, or do not. */
#include "connection_fixture.h"
#include "tests/unit/http/serving.h"
#include "tests/unit/suites.h"

#include <sys/socket.h>

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

/* Nobody can cancel it; but what it waits for ends. */
START_TEST(a_callback_hears_that_its_client_takes_no_more_pieces)
{
    const struct linger reset = { .l_onoff = 1 };
    client_small_buffer();
    serve();
    client c = client_new();
    client_say(&c, GET("/call-pieces"));
    ck_assert_int_eq(ended, 0);
    setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    client_close(&c);
    ck_assert_int_eq(ended, 1);
    ck_assert_int_eq(waited, UV_ECANCELED);
    ck_assert_int_eq(serving_connections(), 0);
    serving_stop();
}
END_TEST

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

/* However many are here by then: in one write go only so many chunks. */
START_TEST(it_gets_all_its_answers_when_it_reads_after_all)
{
    serving_config.limits.output = _i ? 8 << 20 : 4096;
    serve();
    client c = client_new();
    ck_assert_uint_eq(client_send(&c, requests(300)), requests(300).length);
    client_until_length(&c, 300 * 50000);
    while (client_count(&c, "200 OK") < 300)
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

/* When it has taken all, and more answers follow at once, those have as long as any. */
START_TEST(what_a_reader_has_taken_earns_what_follows_its_time_anew)
{
    client_small_buffer();
    serving_config.limits.output = 4096;
    serving_config.limits.pipeline = 300;    /* or it would wait for its next turn in between */
    serve();
    client c = client_new();
    client_send(&c, requests(300));
    serving_skip(serving_config.timeouts.write * 2 / 3);
    for (const size_t before = serving_worker()->unwritten; serving_worker()->unwritten == before;)
        client_read(&c, 4096);
    serving_skip(serving_config.timeouts.write - 1000);
    ck_assert_int_eq(serving_connections(), 1);
    serving_skip(2000);
    ck_assert_int_eq(serving_connections(), 0);
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

Suite *writer_suite(void)
{
    Suite *s = suite_create("writer");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_callback_hears_that_its_client_takes_no_more_pieces);
    tcase_add_test(t, a_client_that_does_not_read_is_not_read_from);
    tcase_add_loop_test(t, it_gets_all_its_answers_when_it_reads_after_all, 0, 2);
    tcase_add_test(t, a_reader_that_takes_a_little_now_and_then_is_not_cut_off);
    tcase_add_test(t, what_a_reader_has_taken_earns_what_follows_its_time_anew);
    tcase_add_test(t, a_reader_that_takes_nothing_is_cut_off_in_time);
    tcase_add_test(t, a_long_answer_that_breaks_off_ends_the_connection_after_those_before_it);
    tcase_add_test(t, a_piece_makes_room_without_starting_another_request);
    tcase_add_test(t, heads_of_long_answers_come_alone);
    tcase_add_test(t, slow_readers_together_hold_no_more_than_all_of_them_may);
    suite_add_tcase(s, t);
    return s;
}
