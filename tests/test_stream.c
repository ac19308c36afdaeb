/* test_stream.c - a body that its handler pulls: what it gets, when the client is read from and timed, and how
 * either of them may stop early. */
#include "server/async/task.h"
#include "server/http/request.h"
#include "serving.h"
#include "suites.h"
#include "support.h"

#include <stdio.h>
#include <sys/socket.h>

static char    pulled[1024];                 /* the beginning of what the handler has got */
static size_t  length;
static int     began, ended, outcome;        /* of handlers; how the last one's reading ended */
static promise *gate;                        /* what /slow waits for before each piece */

static void pull_piece(text piece)
{
    ck_assert_uint_gt(piece.length, 0);
    for (size_t i = 0; i < piece.length && length + i < sizeof pulled; i++)
        pulled[length + i] = piece.at[i];
    length += piece.length;
}

static async int pull(request *req)
{
    text piece;
    began++;
    while (!(outcome = request_read(req, &piece)))
        pull_piece(piece);
    ended++;
    ck_assert_int_eq(request_read(req, &piece), outcome);    /* it stays so */
    return outcome == UV_EOF ? respond(req, 200, "text/plain", TEXT("pulled")) : outcome;
}

static async int slow(request *req)
{
    static fake f;
    text piece;
    began++;
    do {
        outcome = await(gate = fake_new(&f, UV_ECANCELED));
        gate = NULL;
        if (!outcome)
            outcome = request_read(req, &piece);
        if (!outcome)
            pull_piece(piece);
    } while (!outcome);
    ended++;
    return outcome == UV_EOF ? respond(req, 200, "text/plain", TEXT("pulled")) : outcome;
}

static async int one_piece(request *req)
{
    text piece;
    outcome = request_read(req, &piece);
    return respond(req, 200, "text/plain", TEXT("enough"));
}

static int refuse(request *req) { return respond_problem(req, 415, "Nothing is read."); }

static int whole(request *req)               /* the same function, where the body is gathered */
{
    return pull(req);
}

static const route ROUTES_HERE[] = {
    { "POST", "/pull", .await = pull, .streams = true }, { "POST", "/slow", .await = slow, .streams = true },
    { "POST", "/one", .await = one_piece, .streams = true }, { "POST", "/refuse", .await = refuse, .streams = true },
    { "POST", "/whole", .await = whole }, { "GET", "/pull", .await = pull, .streams = true },
};

static void serve(void) { serving_start(ROUTES_HERE, sizeof ROUTES_HERE / sizeof *ROUTES_HERE); }

#define HEAD(path, header) "POST " path " HTTP/1.1\r\nHost: a\r\n" header "\r\n\r\n"
#define NEXT "GET /pull HTTP/1.1\r\nHost: a\r\n\r\n"

static void skip(uint64_t ms)
{
    clock_skip(ms);
    serving_turns();
}

static void let_one_piece(void)
{
    promise *p = gate;
    ck_assert_ptr_nonnull(p);
    promise_settle(p, 0);
    serving_turns();
}

static void expect_pulled(const char *words)
{
    ck_assert_msg(length == strlen(words) && memcmp(pulled, words, length) == 0, "%zu: %.20s", length, pulled);
}

START_TEST(the_handler_gets_the_body_however_it_is_framed_and_split)
{
    static const struct { const char *bytes; int more; } WAYS[] = {
        { HEAD("/pull", "Content-Length: 10") "0123456789" NEXT, 1 },
        { HEAD("/pull", "Transfer-Encoding: chunked") "4\r\n0123\r\n1;x=y\r\n4\r\n5\r\n56789\r\n0\r\nT: x\r\n\r\n" NEXT, 1 },
        { HEAD("/whole", "Content-Length: 10") "0123456789" NEXT, 1 },
        { HEAD("/pull", "Content-Length: 10\r\nConnection: close") "0123456789", 0 },
    };
    serve();
    for (size_t i = 0; i < sizeof WAYS / sizeof *WAYS; i++)
        for (size_t split = 1; split < strlen(WAYS[i].bytes); split++) {
            client c = client_new();
            length = 0;
            client_send(&c, (text){ WAYS[i].bytes, split });
            client_say(&c, WAYS[i].bytes + split);
            client_until(&c, "pulled");
            expect_pulled("0123456789");
            ck_assert_int_eq(client_count(&c, "200 OK"), 1 + WAYS[i].more);
            client_close(&c);
        }
    serving_stop();
}
END_TEST

START_TEST(it_starts_with_the_head_and_a_body_that_is_not_there_ends_at_once)
{
    serve();
    client c = client_new();
    client_say(&c, HEAD("/pull", "Content-Length: 3"));
    ck_assert_int_eq(began, 1);
    client_say(&c, "a");
    expect_pulled("a");
    client_say(&c, "bc");
    expect_pulled("abc");
    client_until(&c, "pulled");
    client_say(&c, HEAD("/pull", "Content-Length: 0") HEAD("/pull", "X: y"));
    ck_assert_int_eq(ended, 3);
    ck_assert_int_eq(outcome, UV_EOF);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_body_may_be_larger_than_the_limit_of_those_that_are_gathered)
{
    static char many[300000];
    serving_config.limits.body = 1000;
    serve();
    client c = client_new();
    memset(many, 'x', sizeof many);
    client_say(&c, HEAD("/pull", "Content-Length: 300000"));
    ck_assert_uint_eq(client_send(&c, (text){ many, sizeof many }), sizeof many);
    client_until(&c, "pulled");
    ck_assert_uint_eq(length, sizeof many);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(what_the_handler_does_not_take_stays_with_the_client)
{
    static char many[16 << 20];
    serve();
    client c = client_new();
    client_say(&c, HEAD("/slow", "Content-Length: 16777216"));
    const size_t sent = client_send(&c, (text){ many, sizeof many });
    ck_assert_uint_lt(sent, sizeof many);    /* the kernel's buffers are full, and ours */
    ck_assert_uint_eq(client_send(&c, (text){ many, sizeof many }), 0);
    for (int i = 0; i < 10; i++)
        let_one_piece();
    ck_assert_uint_gt(length, 10000);
    ck_assert_uint_gt(client_send(&c, (text){ many, sizeof many }), 0);
    client_close(&c);
    while (gate)
        let_one_piece();
    ck_assert_int_lt(outcome, 0);
    serving_stop();
}
END_TEST

START_TEST(an_expectant_client_is_told_to_continue_when_the_handler_reads)
{
    serve();
    client c = client_new();
    client_say(&c, HEAD("/slow", "Expect: 100-continue\r\nContent-Length: 2"));
    ck_assert_int_eq(began, 1);
    client_read(&c, 1);
    ck_assert_uint_eq(c.length, 0);
    let_one_piece();
    client_until(&c, "100 Continue\r\n\r\n");
    client_say(&c, "hi");
    let_one_piece();
    client_until(&c, "pulled");
    ck_assert_int_eq(client_count(&c, "100 Continue"), 1);
    client_say(&c, HEAD("/pull", "Expect: 100-continue\r\nContent-Length: 2") "hi");
    serving_turns();
    client_until(&c, "pulled");
    ck_assert_int_eq(client_count(&c, "100 Continue"), 1);
    client_close(&c);

    client refused = client_new();           /* and not at all when it does not */
    client_say(&refused, HEAD("/refuse", "Expect: 100-continue\r\nContent-Length: 2"));
    client_until_end(&refused);
    ck_assert_int_eq(client_count(&refused, "HTTP/1.1 415 "), 1);
    ck_assert_int_eq(client_count(&refused, "HTTP/1.1 "), 1);
    client_close(&refused);
    serving_stop();
}
END_TEST

START_TEST(bad_framing_is_an_error_behind_what_was_good)
{
    serve();
    client c = client_new();
    client_say(&c, HEAD("/pull", "Transfer-Encoding: chunked") "3\r\nabc\r\nnonsense\r\n");
    client_until_end(&c);
    expect_pulled("abc");
    ck_assert_int_eq(outcome, HTTP_STATUS(400));
    ck_assert_int_eq(client_count(&c, "HTTP/1.1 400 "), 1);
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
    skip(serving_config.timeouts.body - 5000);
    ck_assert_int_eq(ended, 0);
    client_say(&c, "d");                     /* a byte now and then gains no time */
    skip(5100);
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
        skip(9000);
    }
    ck_assert_int_eq(ended, 0);
    skip(serving_config.timeouts.body);      /* but no credit */
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
        skip(serving_config.timeouts.body);
        ck_assert_int_eq(ended, 0);
    }
    let_one_piece();
    expect_pulled("abc");
    skip(serving_config.timeouts.body);
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
    skip(2100);
    ck_assert_int_eq(serving_connections(), 0);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(requests_behind_it_wait)
{
    serve();
    client c = client_new();
    client_say(&c, HEAD("/slow", "Content-Length: 3") "abc" HEAD("/pull", "Content-Length: 3") "def" NEXT);
    ck_assert_int_eq(began, 1);
    let_one_piece();
    expect_pulled("abc");
    ck_assert_int_eq(began, 1);
    let_one_piece();
    client_until(&c, "pulled");
    expect_pulled("abcdef");
    ck_assert_int_eq(began, 3);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(one_behind_a_slow_request_waits_with_its_body)
{
    serve();
    client c = client_new();
    client_say(&c, HEAD("/slow", "Content-Length: 0") HEAD("/slow", "Content-Length: 6") "abc");
    ck_assert_int_eq(began, 1);
    client_say(&c, "def");
    let_one_piece();
    ck_assert_int_eq(began, 2);
    while (gate)
        let_one_piece();
    expect_pulled("abcdef");
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

Suite *stream_suite(void)
{
    Suite *s = suite_create("stream");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 20);
    tcase_add_test(t, the_handler_gets_the_body_however_it_is_framed_and_split);
    tcase_add_test(t, it_starts_with_the_head_and_a_body_that_is_not_there_ends_at_once);
    tcase_add_test(t, a_body_may_be_larger_than_the_limit_of_those_that_are_gathered);
    tcase_add_test(t, what_the_handler_does_not_take_stays_with_the_client);
    tcase_add_test(t, an_expectant_client_is_told_to_continue_when_the_handler_reads);
    tcase_add_test(t, bad_framing_is_an_error_behind_what_was_good);
    tcase_add_test(t, a_client_that_stops_half_way_may_read_what_came_of_it);
    tcase_add_test(t, a_client_that_breaks_off_cancels_the_handler_and_its_read);
    tcase_add_test(t, a_client_is_timed_while_it_is_waited_for);
    tcase_add_test(t, what_comes_quickly_earns_the_time_that_was_lost);
    tcase_add_test(t, a_handler_that_is_slow_costs_the_client_no_time);
    tcase_add_test(t, a_handler_need_not_read_at_all);
    tcase_add_test(t, requests_behind_it_wait);
    tcase_add_test(t, one_behind_a_slow_request_waits_with_its_body);
    tcase_add_test(t, stopping_ends_what_is_still_arriving_in_time_for_an_answer);
    suite_add_tcase(s, t);
    return s;
}
