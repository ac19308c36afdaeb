/* test_websocket.c - what a handler is told by its websocket, and what its client. */
#include "websocket_serving.h"

static int  sent, given;                       /* what /ends returns */
static char reason[128];

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

/* Its client goes on after its Close, and that is not read when the connection ends. */
static int its_client;

static async int is_told_more(request *req)
{
    websocket *ws;
    open_websocket(req, &ws);
    const int err = receive_all(ws, false);
    ck_assert_int_eq(send(its_client, HI, sizeof HI - 1, MSG_NOSIGNAL), sizeof HI - 1);
    return err;
}

static async int ends_slowly(request *req)
{
    static fake f;
    websocket *ws;
    open_websocket(req, &ws);
    receive_all(ws, false);
    return outcome = await(gate = fake_new(&f, UV_ECANCELED));
}

static async int refuses(request *req) { return respond_problem(req, 403, "Not you."); }

static const route ROUTES_HERE[] = {
    { "GET", "/echo", .await = echoes, .websocket = true },   { "GET", "/ends", .await = ends, .websocket = true },
    { "GET", "/closes", .await = closes, .websocket = true }, { "GET", "/slow", .await = slow, .websocket = true },
    { "GET", "/floods", .await = floods, .websocket = true }, { "GET", "/no", .await = refuses, .websocket = true },
    { "GET", "/answers", .await = answers, .websocket = true }, { "GET", "/more", .await = is_told_more, .websocket = true },
    { "GET", "/ends-slowly", .await = ends_slowly, .websocket = true },
};

static void serve(void) { serving_start(ROUTES_HERE, sizeof ROUTES_HERE / sizeof *ROUTES_HERE); }

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

START_TEST(a_close_that_comes_in_parts_is_told_with_its_code)
{
    serve();
    client c = open_to(OPEN("/echo"));
    SEND(&c, "\x88\x82\0\0\0\0\x03");
    SEND(&c, "\xf4");
    expect_bytes(&c, TEXT("\x88\x02\x03\xf4"));
    client_until_end(&c);
    ck_assert(ended == 1 && outcome == UV_EOF && code == 1012);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(what_looks_like_a_close_within_a_message_is_a_part_of_it)
{
    serve();
    client c = open_to(OPEN("/echo"));
    SEND(&c, "\x82\x89\0\0\0\0-");
    SEND(&c, "\x88\x82\0\0\0\0\x03\xf4");
    expect_bytes(&c, TEXT("\x82\x09-\x88\x82\0\0\0\0\x03\xf4"));
    client_close(&c);
    serving_stop();
}
END_TEST

/* Two seconds are for the answer to our Close. */
START_TEST(a_handler_may_take_its_time_to_end_after_its_clients_close)
{
    serve();
    client c = open_to(OPEN("/ends-slowly"));
    SEND(&c, CLOSE);
    expect_bytes(&c, TEXT("\x88\x05\x0f\xa1why"));
    ck_assert(ended == 1 && outcome == UV_EOF);
    serving_skip(3000);
    promise_settle(gate, 0);
    client_until_end(&c);
    ck_assert_int_eq(outcome, 0);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_client_that_sends_on_after_its_close_is_not_reset)
{
    char byte;
    serve();
    client c = open_to(OPEN("/more"));
    its_client = c.fd;
    SEND(&c, CLOSE);
    expect_bytes(&c, TEXT("\x88\x05\x0f\xa1why"));
    ck_assert_int_eq(recv(c.fd, &byte, 1, 0), 0);
    client_close(&c);
    ck_assert_int_eq(serving_connections(), 0);
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
    while (!ended)                           /* it takes nothing any more; what the kernel still passes on is soon all */
        serving_skip(31000);
    ck_assert_int_eq(outcome, UV_ECANCELED);
    client_close(&c);
    serving_stop();
}
END_TEST

static void hold_little(void *visited, void *arg)
{
    (void)arg;
    ck_assert_int_eq(setsockopt(((connection *)visited)->fd, SOL_SOCKET, SO_SNDBUF, &(int){ 4096 }, sizeof(int)), 0);
}

/* As the answers to requests, the pongs that follow have as long as any. */
START_TEST(what_a_client_has_taken_earns_what_follows_its_time_anew)
{
    enum { PING = 6 + 125, MANY = 40000 };
    char *const many = zeros(MANY * PING);
    for (int i = 0; i < MANY; i++)
        memcpy(many + i * PING, "\x89\xfd\0\0\0", 6);
    serving_config.limits.output = 4096;
    client_small_buffer();
    serve();
    client c = open_to(OPEN("/echo"));
    poller_each(&serving_worker()->poller, hold_little, NULL);       /* so that these pongs do not all fit */
    size_t said = client_send(&c, (text){ many, MANY * PING });      /* until it is not read from any more */
    serving_skip(serving_config.timeouts.write / 4);         /* by when it has got what the kernel has taken */
    serving_skip(serving_config.timeouts.write * 2 / 3);
    for (size_t left = SIZE_MAX; serving_worker()->unwritten <= left;) {     /* it is more again when others follow */
        ck_assert_uint_lt(said += client_send(&c, (text){ many + said, MANY * PING - said }), MANY * PING);
        left = serving_worker()->unwritten;
        client_read(&c, 512);
    }
    serving_skip(serving_config.timeouts.write - 1000);
    ck_assert_int_eq(serving_connections(), 1);
    while (serving_connections() > 0)
        serving_skip(2000);
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

Suite *websocket_suite(void)
{
    Suite *s = suite_create("websocket");
    TCase *t = tcase_create("websocket");
    tcase_add_test(t, a_close_is_told_to_the_handler_with_its_code_and_reason);
    tcase_add_test(t, a_close_that_comes_in_parts_is_told_with_its_code);
    tcase_add_test(t, what_looks_like_a_close_within_a_message_is_a_part_of_it);
    tcase_add_test(t, a_handler_may_take_its_time_to_end_after_its_clients_close);
    tcase_add_test(t, a_client_that_sends_on_after_its_close_is_not_reset);
    tcase_add_test(t, a_handler_that_ends_closes_by_what_it_returns);
    tcase_add_test(t, a_handler_that_closes_receives_what_was_sent_before_the_client_knew);
    tcase_add_test(t, what_ends_it_is_said_when_the_handler_has_done_with_the_last_message);
    tcase_add_test(t, for_the_answer_to_a_close_there_are_two_seconds);
    tcase_add_test(t, a_client_that_is_gone_cancels_the_handler);
    tcase_add_test(t, a_silent_client_is_pinged_and_is_gone_after_as_long_again);
    tcase_add_test(t, a_handler_that_does_not_receive_keeps_its_client_waiting_and_not_gone);
    tcase_add_test(t, a_handler_sends_no_more_than_its_client_takes);
    tcase_add_test(t, what_a_client_has_taken_earns_what_follows_its_time_anew);
    tcase_add_test(t, a_handler_may_refuse_and_another_request_follow);
    tcase_add_test(t, a_server_that_stops_says_so);
    suite_add_tcase(s, t);
    return s;
}
