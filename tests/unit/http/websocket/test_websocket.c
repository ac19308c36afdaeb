/* test_websocket.c - what a handler is told by its websocket, and what its client. */
#include "server/http/websocket/websocket.h"
#include "server/http/async/connection.h"
#include "server/http/stop_spread.h"
#include "server/async/task.h"
#include "server/async/chain.h"
#include "server/async/timing.h"
#include "server/http/request.h"
#include "tests/support/support.h"
#include "tests/unit/http/serving.h"
#include "tests/unit/suites.h"

#include <check.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OPEN(path) "GET " path " HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
                   "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
/* The mask is of zeros. */
#define HI    "\x81\x82\0\0\0\0hi"
#define CLOSE "\x88\x85\0\0\0\0\x0f\xa1why"

static int     began, ended, outcome, code, received, sent;
static char    reason[128];
static promise *gate;                        /* what /slow waits for before each message */
static int     given;                        /* what /ends returns */

static async int receive_all(websocket *ws, bool answers)
{
    websocket_message m;
    while (!(outcome = await(websocket_receive(ws, &m)))) {
        received++;
        if (answers && (outcome = await(websocket_send(ws, m))))
            break;
        sent += answers;
    }
    code = websocket_close_code(ws);
    snprintf(reason, sizeof reason, "%.*s", (int)websocket_close_reason(ws).length, websocket_close_reason(ws).at);
    ended++;
    return outcome;
}

static async int open_websocket(request *req, websocket **ws)
{
    const int err = websocket_accept(req, "", ws);
    ck_assert_int_eq(err, 0);
    began++;
    ck_assert_uint_eq(request_deadline(req), NO_DEADLINE);
    ck_assert_int_eq(respond(req, 200, NULL, TEXT("")), UV_EALREADY);
    ck_assert_int_eq(websocket_accept(req, "", ws), UV_EALREADY);
    ck_assert_int_eq(websocket_close_code(*ws), 0);
    return 0;
}

static async int echoes(request *req)
{
    websocket *ws;
    return open_websocket(req, &ws) ? UV_EIO : receive_all(ws, true);
}

static async int ends(request *req)
{
    websocket *ws;
    return open_websocket(req, &ws) ? UV_EIO : given;
}

static async int closes(request *req)
{
    static char bytes[WEBSOCKET_REASON + 1];
    websocket *ws;
    open_websocket(req, &ws);
    ck_assert_int_eq(await(websocket_close(ws, WEBSOCKET_NO_CODE, TEXT(""))), UV_EINVAL);
    ck_assert_int_eq(await(websocket_close(ws, 999, TEXT(""))), UV_EINVAL);
    ck_assert_int_eq(await(websocket_close(ws, 4000, (text){ bytes, sizeof bytes })), UV_EINVAL);
    ck_assert_int_eq(await(websocket_close(ws, 4000, TEXT("enough"))), 0);
    ck_assert_int_eq(await(websocket_close(ws, 4001, TEXT("again"))), 0);
    ck_assert_int_eq(await(websocket_send(ws, (websocket_message){ TEXT("late"), false })), UV_EOF);
    return receive_all(ws, false);
}

static async int slow(request *req)
{
    static fake f;
    websocket *ws;
    websocket_message m;
    open_websocket(req, &ws);
    do {
        outcome = await(gate = fake_new(&f, UV_ECANCELED));
        gate = NULL;
        if (!outcome && !(outcome = await(websocket_receive(ws, &m))))
            received++;
    } while (!outcome);
    ended++;
    return outcome;
}

static async int answers(request *req)
{
    static fake f;
    websocket *ws;
    websocket_message m;
    open_websocket(req, &ws);
    while (!(outcome = await(websocket_receive(ws, &m)))) {
        ck_assert_int_eq(await(gate = fake_new(&f, UV_ECANCELED)), 0);
        ck_assert_int_eq(await(websocket_send(ws, m)), 0);
    }
    code = websocket_close_code(ws);
    return outcome;
}

static async int floods(request *req)
{
    static char bytes[100000];
    websocket *ws;
    open_websocket(req, &ws);
    while (!(outcome = await(websocket_send(ws, (websocket_message){ { bytes, sizeof bytes }, true }))))
        sent++;
    ended++;
    return outcome;
}

/* The other styles: "fail" is what a step fails at, and "wait" it answers when the gate opens. */

static promise *send_hi(void *ws) { return websocket_send(ws, (websocket_message){ TEXT("hi"), false }); }

static promise *step(websocket *ws, websocket_message m, void *arg)
{
    static fake f;
    ck_assert_ptr_eq(arg, &received);
    received++;
    if (text_equal(m.bytes, TEXT("fail")))
        return promise_settled(UV_EIO);
    if (text_equal(m.bytes, TEXT("wait")))
        return then(gate = fake_new(&f, UV_ECANCELED), send_hi, ws);
    return websocket_send(ws, m);
}

static void has_ended(int err, websocket *ws)
{
    outcome = err;
    code = websocket_close_code(ws);
    ended++;
}

static async int each_awaited(request *req)
{
    websocket *ws;
    open_websocket(req, &ws);
    has_ended(await(websocket_each(ws, step, &received)), ws);
    return outcome;
}

static promise *promise_has_ended(void *ws)
{
    has_ended(websocket_close_code(ws) ? UV_EOF : UV_ECANCELED, ws);
    return promise_settled(0);
}

static promise *each_promised(request *req)
{
    websocket *ws;
    open_websocket(req, &ws);
    ck_assert_str_eq(websocket_protocol(ws).at, "");
    return finally(websocket_each(ws, step, &received), promise_has_ended, ws);
}

typedef struct call { websocket *ws; websocket_message m; void (*done)(int, void *); void *arg; } call;

static call *call_new(request *req, void (*done)(int err, void *arg), void *arg)
{
    call *c = request_alloc(req, sizeof *c);
    *c = (call){ .done = done, .arg = arg };
    open_websocket(req, &c->ws);
    return c;
}

static void call_ended(int err, void *arg)
{
    const call *c = arg;
    has_ended(err, c->ws);
    c->done(err, c->arg);
}

static void each_called(request *req, void (*done)(int err, void *arg), void *arg)
{
    call *c = call_new(req, done, arg);
    when_settled(websocket_each(c->ws, step, &received), call_ended, c);
}

/* Without websocket_each: a callback for each thing that happens. */
static void on_received(int err, void *arg);

static void on_answered(int err, void *arg)
{
    call *c = arg;
    if (err)
        call_ended(err, c);
    else
        when_settled(websocket_receive(c->ws, &c->m), on_received, c);
}

static void on_received(int err, void *arg)
{
    call *c = arg;
    if (err)
        call_ended(err, c);
    else
        when_settled(step(c->ws, c->m, &received), on_answered, c);
}

static void received_called(request *req, void (*done)(int err, void *arg), void *arg)
{
    on_answered(0, call_new(req, done, arg));
}

static async int refuses(request *req) { return respond_problem(req, 403, "Not you."); }

static const route ROUTES_HERE[] = {
    { "GET", "/echo", .await = echoes, .websocket = true },   { "GET", "/ends", .await = ends, .websocket = true },
    { "GET", "/closes", .await = closes, .websocket = true }, { "GET", "/slow", .await = slow, .websocket = true },
    { "GET", "/floods", .await = floods, .websocket = true }, { "GET", "/no", .await = refuses, .websocket = true },
    { "GET", "/answers", .await = answers, .websocket = true },
    { "GET", "/style/0", .await = each_awaited, .websocket = true },
    { "GET", "/style/1", .promise = each_promised, .websocket = true },
    { "GET", "/style/2", .callback = each_called, .websocket = true },
    { "GET", "/style/3", .callback = received_called, .websocket = true },
};

static void serve(void) { serving_start(ROUTES_HERE, sizeof ROUTES_HERE / sizeof *ROUTES_HERE); }

#define SEND(c, literal) client_send((c), TEXT(literal))

static client open_to(const char *words)
{
    client c = client_new();
    setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));        /* each SEND is seen at once */
    client_say(&c, words);
    client_until(&c, "\r\n\r\n");
    ck_assert_int_eq(client_count(&c, "HTTP/1.1 101 "), 1);
    const size_t head = (size_t)(strstr(c.got, "\r\n\r\n") + 4 - c.got);
    memmove(c.got, c.got + head, c.length - head + 1);       /* what comes right behind it are frames */
    c.length -= head;
    return c;
}

static void expect_bytes(client *c, text t)
{
    client_until_length(c, t.length);
    ck_assert_uint_eq(c->length, t.length);
    ck_assert_mem_eq(c->got, t.at, t.length);
    client_forget(c);
}

START_TEST(a_close_is_told_to_the_handler_with_its_code_and_reason)
{
    serve();
    client c = open_to(OPEN("/echo"));
    SEND(&c, HI HI CLOSE);
    expect_bytes(&c, TEXT("\x81\x02hi\x81\x02hi\x88\x05\x0f\xa1why"));
    client_until_end(&c);
    ck_assert(ended == 1 && outcome == UV_EOF && code == 4001 && strcmp(reason, "why") == 0 && received == 2);
    client_close(&c);
    c = open_to(OPEN("/echo"));
    SEND(&c, "\x88\x80\0\0\0\0");
    ck_assert(ended == 2 && outcome == UV_EOF && code == WEBSOCKET_NO_CODE && strcmp(reason, "") == 0);
    client_close(&c);
    c = open_to(OPEN("/echo"));
    SEND(&c, "\x81\x02hi");                  /* not masked */
    ck_assert(ended == 3 && outcome == UV_EOF && code == WEBSOCKET_PROTOCOL_ERROR && received == 2);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_handler_that_ends_closes_by_what_it_returns)
{
    static const struct { int given; text close; } CASES[] = {
        { 0, { "\x88\x02\x03\xe8", 4 } }, { UV_EOF, { "\x88\x02\x03\xe8", 4 } }, { HTTP_STATUS(404), { "\x88\x02\x03\xf3", 4 } },
    };
    serve();
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        given = CASES[i].given;
        client c = open_to(OPEN("/ends"));
        expect_bytes(&c, CASES[i].close);
        client_until_end(&c);
        client_close(&c);
    }
    serving_turns();
    ck_assert_int_eq(serving_connections(), 0);
    serving_stop();
}
END_TEST

START_TEST(a_handler_that_closes_receives_what_was_sent_before_the_client_knew)
{
    serve();
    client c = open_to(OPEN("/closes"));
    expect_bytes(&c, TEXT("\x88\x08\x0f\xa0" "enough"));
    SEND(&c, HI "\x89\x80\0\0\0\0");
    ck_assert(received == 1 && ended == 0);
    SEND(&c, CLOSE);
    ck_assert(ended == 1 && outcome == UV_EOF && code == 4001);
    client_until_end(&c);
    ck_assert_uint_eq(c.length, 0);
    client_close(&c);
    serving_stop();
}
END_TEST

/* Its handler answers the message before, and may do so for long. */
START_TEST(what_ends_it_is_said_when_the_handler_has_done_with_the_last_message)
{
    static const text ENDS[] = { { "\x83\x80\0\0\0\0", 6 }, { "\x88\x82\0\0\0\0\x03\xea", 8 } };
    serve();
    for (size_t i = 0; i < sizeof ENDS / sizeof *ENDS; i++) {
        client c = open_to(OPEN("/answers"));
        SEND(&c, HI);
        client_send(&c, ENDS[i]);
        SEND(&c, "\x89\x80\0\0\0\0");
        client_read(&c, 100);
        ck_assert_uint_eq(c.length, 0);
        promise_settle(gate, 0);
        expect_bytes(&c, TEXT("\x81\x02hi\x88\x02\x03\xea"));
        ck_assert(outcome == UV_EOF && code == WEBSOCKET_PROTOCOL_ERROR);
        client_until_end(&c);
        client_close(&c);
    }
    serving_stop();
}
END_TEST

START_TEST(for_the_answer_to_a_close_there_are_two_seconds)
{
    serve();
    client c = open_to(OPEN("/closes"));
    expect_bytes(&c, TEXT("\x88\x08\x0f\xa0" "enough"));
    serving_skip(1900);
    SEND(&c, HI);
    ck_assert_int_eq(ended, 0);
    serving_skip(200);
    ck_assert(ended == 1 && outcome == UV_ECANCELED && code == 0);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_client_that_is_gone_cancels_the_handler)
{
    serve();
    client c = open_to(OPEN("/echo"));
    SEND(&c, HI "\x81\x85");                 /* and half a frame */
    client_close(&c);
    serving_turns();
    ck_assert(ended == 1 && outcome == UV_ECANCELED && received == 1);
    ck_assert_int_eq(serving_connections(), 0);
    serving_stop();
}
END_TEST

START_TEST(a_silent_client_is_pinged_and_is_gone_after_as_long_again)
{
    serve();
    client c = open_to(OPEN("/echo"));
    serving_skip(29000);
    client_read(&c, 100);
    ck_assert_uint_eq(c.length, 0);
    serving_skip(2000);
    expect_bytes(&c, TEXT("\x89\0"));
    SEND(&c, "\x8a\x80\0\0\0\0");
    serving_skip(29000);
    ck_assert_int_eq(ended, 0);
    serving_skip(2000);
    expect_bytes(&c, TEXT("\x89\0"));
    serving_skip(31000);
    ck_assert(ended == 1 && outcome == UV_ECANCELED);
    client_until_end(&c);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_handler_that_does_not_receive_keeps_its_client_waiting_and_not_gone)
{
    enum { HEAD = 8, LENGTH = 60000, MANY = 16 << 20 };
    char *const many = zeros(MANY);
    serve();
    client c = open_to(OPEN("/slow"));
    for (size_t i = 0; i + HEAD + LENGTH <= MANY; i += HEAD + LENGTH)
        memcpy(many + i, "\x82\xfe\xea\x60\0\0\0\0", HEAD);
    ck_assert_uint_lt(client_send(&c, (text){ many, MANY }), MANY);
    serving_skip(61000);
    ck_assert(ended == 0 && received == 0);
    for (int i = 0; i < 3; i++) {
        promise_settle(gate, 0);
        serving_turns();
    }
    ck_assert_int_eq(received, 3);
    client_close(&c);
    while (gate) {
        promise_settle(gate, 0);
        serving_turns();
    }
    ck_assert(ended == 1 && outcome == UV_ECANCELED);
    serving_stop();
}
END_TEST

START_TEST(a_handler_sends_no_more_than_its_client_takes)
{
    serving_config.limits.output = 1 << 20;
    client_small_buffer();
    serve();
    client c = open_to(OPEN("/floods"));
    serving_turns();
    const int before = sent;
    ck_assert_int_lt(before, 100);
    client_until_length(&c, 8 << 20);
    ck_assert_int_gt(sent, before + 40);
    ck_assert_int_lt(sent, before + 200);
    serving_skip(31000);                     /* it takes nothing any more */
    serving_skip(31000);
    ck_assert(ended == 1 && outcome == UV_ECANCELED);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_handler_may_refuse_and_another_request_follow)
{
    serve();
    client c = client_new();
    client_say(&c, OPEN("/no") OPEN("/no"));
    client_until(&c, "Not you.");
    serving_turns();
    client_read(&c, 4096);
    ck_assert_int_eq(client_count(&c, "HTTP/1.1 403 "), 2);
    client_say(&c, OPEN("/echo"));
    client_until(&c, "HTTP/1.1 101 ");
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_server_that_stops_says_so)
{
    serve();
    client c = open_to(OPEN("/echo")), silent = open_to(OPEN("/echo"));
    connections_drain();
    connections_stop(STOP_PARTS);
    expect_bytes(&c, TEXT("\x88\x02\x03\xe9"));
    SEND(&c, "\x88\x82\0\0\0\0\x03\xe9");
    ck_assert(ended == 1 && outcome == UV_EOF && code == WEBSOCKET_GOING_AWAY);
    client_until_end(&c);
    ck_assert_uint_eq(c.length, 0);
    connections_break_off();
    serving_turns();
    ck_assert(ended == 2 && outcome == UV_ECANCELED);
    client_close(&c);
    client_close(&silent);
    serving_stop();
}
END_TEST

static const char *const STYLES[] = { OPEN("/style/0"), OPEN("/style/1"), OPEN("/style/2"), OPEN("/style/3") };

#define FAIL "\x81\x84\0\0\0\0fail"
#define WAIT "\x81\x84\0\0\0\0wait"

START_TEST(in_each_style_messages_are_answered_in_order_and_a_close_ends_it)
{
    serve();
    client c = open_to(STYLES[_i]);
    SEND(&c, HI HI WAIT HI CLOSE);
    expect_bytes(&c, TEXT("\x81\x02hi\x81\x02hi"));
    ck_assert(received == 3 && ended == 0);
    promise_settle(gate, 0);
    expect_bytes(&c, TEXT("\x81\x02hi\x81\x02hi\x88\x05\x0f\xa1why"));
    client_until_end(&c);
    ck_assert(ended == 1 && outcome == UV_EOF && code == 4001 && received == 4);
    client_close(&c);
    c = client_new();                        /* all of it right behind the handshake */
    client_say(&c, STYLES[_i]);
    SEND(&c, HI CLOSE);
    client_until(&c, "\x81\x02hi\x88\x05\x0f\xa1why");
    client_until_end(&c);
    ck_assert(ended == 2 && outcome == UV_EOF);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(in_each_style_one_message_is_answered_at_a_time_also_what_came_with_the_handshake)
{
    char all[512];
    const size_t length = strlen(STYLES[_i]);
    serve();
    client c = client_new();
    memcpy(all, STYLES[_i], length);
    memcpy(all + length, WAIT HI, sizeof WAIT HI - 1);
    client_send(&c, (text){ all, length + sizeof WAIT HI - 1 });
    ck_assert_int_eq(received, 1);
    promise_settle(gate, 0);
    client_until(&c, "\x81\x02hi\x81\x02hi");
    ck_assert_int_eq(received, 2);
    client_close(&c);
    ck_assert_int_eq(ended, 1);
    serving_stop();
}
END_TEST

START_TEST(in_each_style_a_client_that_is_gone_cancels_what_the_handler_waits_for)
{
    serve();
    client c = open_to(STYLES[_i]);
    SEND(&c, HI);
    client_close(&c);
    ck_assert(ended == 1 && outcome == UV_ECANCELED && received == 1);
    c = open_to(STYLES[_i]);
    SEND(&c, WAIT HI);
    close(c.fd);
    c.fd = -1;
    serving_skip(2000);
    ck_assert_int_eq(received, 2);
    if (_i == 3)                             /* what a callback's handler waits for cannot be cancelled */
        promise_settle(gate, 0);
    serving_turns();
    ck_assert(ended == 2 && outcome == UV_ECANCELED && received == 2);
    ck_assert_int_eq(serving_connections(), 0);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(in_each_style_a_handler_that_fails_closes_with_1011)
{
    serve();
    client c = open_to(STYLES[_i]);
    SEND(&c, HI FAIL HI);
    expect_bytes(&c, TEXT("\x81\x02hi\x88\x02\x03\xf3"));
    client_until_end(&c);
    ck_assert(ended == 1 && received == 2);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(in_each_style_a_server_that_stops_says_so)
{
    serve();
    client c = open_to(STYLES[_i]), silent = open_to(STYLES[_i]);
    connections_drain();
    connections_stop(STOP_PARTS);
    expect_bytes(&c, TEXT("\x88\x02\x03\xe9"));
    SEND(&c, "\x88\x82\0\0\0\0\x03\xe9");
    ck_assert(ended == 1 && outcome == UV_EOF && code == WEBSOCKET_GOING_AWAY);
    client_until_end(&c);
    connections_break_off();
    serving_turns();
    ck_assert(ended == 2 && outcome == UV_ECANCELED);
    client_close(&c);
    client_close(&silent);
    serving_stop();
}
END_TEST

START_TEST(in_each_style_a_silent_client_is_pinged_and_gone)
{
    serve();
    client c = open_to(STYLES[_i]);
    serving_skip(31000);
    expect_bytes(&c, TEXT("\x89\0"));
    serving_skip(31000);
    ck_assert(ended == 1 && outcome == UV_ECANCELED);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(in_each_style_a_client_that_does_not_read_is_not_read_from)
{
    static char bytes[6 + 125];
    memcpy(bytes, "\x82\xfd\0\0\0", 6);
    serving_config.limits.output = 64 << 10;
    client_small_buffer();
    serve();
    client c = open_to(STYLES[_i]);
    size_t n = 0;
    for (size_t i = 0; i < 200000 && n == i; i++)
        n += client_send(&c, (text){ bytes, sizeof bytes }) == sizeof bytes;
    ck_assert_uint_lt(n, 200000);
    const int before = received;
    client_until_length(&c, 1 << 20);
    ck_assert_int_gt(received, before);
    client_close(&c);
    ck_assert(ended == 1 && outcome == UV_ECANCELED);
    serving_stop();
}
END_TEST

Suite *websocket_suite(void)
{
    Suite *s = suite_create("websocket");
    TCase *t = tcase_create("websocket");
    tcase_add_test(t, a_close_is_told_to_the_handler_with_its_code_and_reason);
    tcase_add_test(t, a_handler_that_ends_closes_by_what_it_returns);
    tcase_add_test(t, a_handler_that_closes_receives_what_was_sent_before_the_client_knew);
    tcase_add_test(t, what_ends_it_is_said_when_the_handler_has_done_with_the_last_message);
    tcase_add_test(t, for_the_answer_to_a_close_there_are_two_seconds);
    tcase_add_test(t, a_client_that_is_gone_cancels_the_handler);
    tcase_add_test(t, a_silent_client_is_pinged_and_is_gone_after_as_long_again);
    tcase_add_test(t, a_handler_that_does_not_receive_keeps_its_client_waiting_and_not_gone);
    tcase_add_test(t, a_handler_sends_no_more_than_its_client_takes);
    tcase_add_test(t, a_handler_may_refuse_and_another_request_follow);
    tcase_add_test(t, a_server_that_stops_says_so);
    enum { EACH = sizeof STYLES / sizeof *STYLES };
    tcase_add_loop_test(t, in_each_style_messages_are_answered_in_order_and_a_close_ends_it, 0, EACH);
    tcase_add_loop_test(t, in_each_style_one_message_is_answered_at_a_time_also_what_came_with_the_handshake, 0, EACH);
    tcase_add_loop_test(t, in_each_style_a_client_that_is_gone_cancels_what_the_handler_waits_for, 0, EACH);
    tcase_add_loop_test(t, in_each_style_a_handler_that_fails_closes_with_1011, 0, EACH);
    tcase_add_loop_test(t, in_each_style_a_server_that_stops_says_so, 0, EACH);
    tcase_add_loop_test(t, in_each_style_a_silent_client_is_pinged_and_gone, 0, EACH);
    tcase_add_loop_test(t, in_each_style_a_client_that_does_not_read_is_not_read_from, 0, EACH);
    suite_add_tcase(s, t);
    return s;
}
