/* test_websocket_styles.c - handlers in await, promise and callback style have the same websockets. */
#include "websocket_serving.h"
#include "server/async/chain.h"
#include "server/base/reserve.h"

/* "fail" is what a step fails at; "wait" it answers when the gate opens, and at "stop" it closes then. */

static fake waits;

static promise *send_hi(void *ws)   { return websocket_send(ws, (websocket_message){ TEXT("hi"), false }); }
static promise *close_now(void *ws) { return websocket_close(ws, 4000, TEXT("")); }

static promise *step(websocket *ws, websocket_message m, void *arg)
{
    ck_assert_ptr_eq(arg, &received);
    received++;
    if (text_equal(m.bytes, TEXT("fail")))
        return promise_settled(UV_EIO);
    if (text_equal(m.bytes, TEXT("wait")))
        return then(gate = fake_new(&waits, UV_ECANCELED), send_hi, ws);
    if (text_equal(m.bytes, TEXT("stop")))
        return then(gate = fake_new(&waits, UV_ECANCELED), close_now, ws);
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
    if (!RESERVE_NOTHING)
        ck_assert_msg(!request_arena(req)->items, "it has its room: thousands are idle at once");
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

static const route ROUTES_HERE[] = {
    { "GET", "/style/0", .await = each_awaited, .websocket = true },
    { "GET", "/style/1", .promise = each_promised, .websocket = true },
    { "GET", "/style/2", .callback = each_called, .websocket = true },
    { "GET", "/style/3", .callback = received_called, .websocket = true },
};

static void serve(void) { serving_start(ROUTES_HERE, sizeof ROUTES_HERE / sizeof *ROUTES_HERE); }

static const char *const STYLES[] = { OPEN("/style/0"), OPEN("/style/1"), OPEN("/style/2"), OPEN("/style/3") };

#define FAIL "\x81\x84\0\0\0\0fail"
#define WAIT "\x81\x84\0\0\0\0wait"
#define STOP "\x81\x84\0\0\0\0stop"

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
    serving_until(ended == 1);
    serving_stop();
}
END_TEST

START_TEST(in_each_style_a_client_that_is_gone_cancels_what_the_handler_waits_for)
{
    serve();
    client c = open_to(STYLES[_i]);
    SEND(&c, HI);
    client_close(&c);
    serving_until(ended == 1);
    ck_assert(outcome == UV_ECANCELED && received == 1);
    c = open_to(STYLES[_i]);
    SEND(&c, WAIT HI);
    close(c.fd);
    c.fd = -1;
    serving_skip(2000);
    ck_assert_int_eq(received, 2);
    ck_assert_int_eq(waits.cancels, _i != 3);
    if (_i == 3)                             /* what a callback's handler waits for cannot be cancelled */
        promise_settle(gate, 0);
    serving_until(ended == 2 && serving_connections() == 0);
    ck_assert(outcome == UV_ECANCELED && received == 2);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(in_each_style_a_message_may_be_answered_with_a_close)
{
    serve();
    client c = open_to(STYLES[_i]);
    SEND(&c, HI STOP);
    expect_bytes(&c, TEXT("\x81\x02hi"));
    promise_settle(gate, 0);
    expect_bytes(&c, TEXT("\x88\x02\x0f\xa0"));
    SEND(&c, CLOSE);
    client_until_end(&c);
    ck_assert(ended == 1 && outcome == UV_EOF && received == 2);
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

/* How much it takes until the server has as much for its client as it may, and leaves unread what comes, is the
 * kernel's matter. */
START_TEST(in_each_style_a_client_that_does_not_read_is_not_read_from)
{
    enum { PAYLOAD = 125, FRAME = 6 + PAYLOAD, FRAMES = 64, MOST = 64 << 20 };
    static char bytes[FRAMES * FRAME];
    for (int i = 0; i < FRAMES; i++)
        memcpy(bytes + i * FRAME, "\x82\xfd\0\0\0", 6);
    serving_config.limits.output = 64 << 10;
    client_small_buffer();
    serve();
    client c = open_to(STYLES[_i]);
    size_t length = 0;
    for (bool full = false; !full;) {
        const size_t at = length % sizeof bytes, rest = sizeof bytes - at, taken = client_send(&c, (text){ bytes + at, rest });
        length += taken;
        ck_assert_uint_lt(length, MOST);
        full = taken < rest && serving_worker()->unwritten > 0 && (size_t)received < length / FRAME;
        if (taken < rest && !full)
            serving_wait();
    }
    client_until_length(&c, length / FRAME * (2 + PAYLOAD));
    ck_assert_uint_eq((size_t)received, length / FRAME);
    client_close(&c);
    serving_until(ended == 1);
    ck_assert_int_eq(outcome, UV_ECANCELED);
    serving_stop();
}
END_TEST

Suite *websocket_styles_suite(void)
{
    enum { EACH = sizeof STYLES / sizeof *STYLES };
    Suite *s = suite_create("websocket_styles");
    TCase *t = tcase_create("each");
    tcase_add_loop_test(t, in_each_style_messages_are_answered_in_order_and_a_close_ends_it, 0, EACH);
    tcase_add_loop_test(t, in_each_style_one_message_is_answered_at_a_time_also_what_came_with_the_handshake, 0, EACH);
    tcase_add_loop_test(t, in_each_style_a_client_that_is_gone_cancels_what_the_handler_waits_for, 0, EACH);
    tcase_add_loop_test(t, in_each_style_a_message_may_be_answered_with_a_close, 0, EACH);
    tcase_add_loop_test(t, in_each_style_a_handler_that_fails_closes_with_1011, 0, EACH);
    tcase_add_loop_test(t, in_each_style_a_server_that_stops_says_so, 0, EACH);
    tcase_add_loop_test(t, in_each_style_a_silent_client_is_pinged_and_gone, 0, EACH);
    tcase_add_loop_test(t, in_each_style_a_client_that_does_not_read_is_not_read_from, 0, EACH);
    suite_add_tcase(s, t);
    return s;
}
