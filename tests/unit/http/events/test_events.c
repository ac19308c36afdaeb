/* test_events.c - what a handler is told of its client, and what that is sent, on a loop. */
#include "server/http/events/events.h"
#include "server/http/events/events_internal.h"
#include "server/http/async/connection.h"
#include "server/http/client_socket.h"
#include "server/http/stop_spread.h"
#include "server/async/chain.h"
#include "server/async/task.h"
#include "server/async/timing.h"
#include "server/http/request.h"
#include "tests/support/support.h"
#include "tests/unit/http/serving.h"
#include "tests/unit/suites.h"

#include <check.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define GET(path, more) "GET " path " HTTP/1.1\r\nHost: a\r\n" more "\r\n"

static int      began, ended, outcome, sent, last_sent;
static int64_t  last_id;
static int      given;                       /* what /sends returns */
static request *here;                        /* of /waits, /callback */
static fake     gate;

static text number_text(int n)
{
    static char digits[TEXT_DIGITS];
    return text_number((uint64_t)n, digits);
}

/* Three, and the end. */
static async int sends(request *req)
{
    int err = respond_events(req);
    for (int i = 1; i <= 3 && !err; i++)
        err = await(event_send(req, (event){ .id = number_text(i), .event = TEXT("n"), .data = TEXT("a\nb") }));
    outcome = err;
    return err ? err : given;
}

/* None, until it is told to end; then one more. */
static async int waits(request *req)
{
    here = req;
    outcome = respond_events(req);
    began++;
    if (outcome)
        return outcome;
    ck_assert_uint_eq(request_deadline(req), NO_DEADLINE);
    ck_assert_int_eq(respond(req, 200, NULL, TEXT("")), UV_EALREADY);
    ck_assert_int_eq(respond_events(req), UV_EALREADY);
    outcome = await(fake_new(&gate, UV_ECANCELED));
    last_sent = await(event_send(req, (event){ .data = TEXT("last words") }));
    ended++;
    return outcome;
}

/* Once it has been told that the server stops, it ends as /sends does. */
static async int fails_at_the_end(request *req)
{
    outcome = respond_events(req);
    if (!outcome)
        outcome = await(fake_new(&gate, UV_ECANCELED));
    ended++;
    return given;
}

static async int floods(request *req)
{
    static char bytes[100000];
    memset(bytes, 'x', sizeof bytes);
    outcome = respond_events(req);
    while (!outcome && !(outcome = await(event_send(req, (event){ .data = { bytes, sizeof bytes } }))))
        sent++;
    ended++;
    return outcome;
}

static async int ticks(request *req)
{
    outcome = respond_events(req);
    while (!outcome && !(outcome = await(sleep_for(10000))))
        outcome = await(event_send(req, (event){ .data = TEXT("tick") }));
    ended++;
    return outcome;
}

static async int refused(request *req)
{
    int err = respond_events(req);
    if (!err && await(event_send(req, (event){ .id = TEXT("1\n\ndata: forged"), .data = TEXT("a") })) != UV_EINVAL)
        err = UV_EIO;
    return err ? err : await(event_send(req, (event){ .data = TEXT("b") }));
}

static async int resumes(request *req)
{
    last_id = -1;
    outcome = request_last_event_id(req, &last_id);
    return outcome ? outcome : respond_nothing(req, 204);
}

static promise *when_sent(void *arg)
{
    sent++;
    return sent < 3 ? then(event_send(arg, (event){ .data = TEXT("p") }), when_sent, arg) : promise_settled(0);
}

static promise *by_promise(request *req)
{
    sent = 0;
    const int err = respond_events(req);
    return err ? promise_settled(err) : then(event_send(req, (event){ .data = TEXT("p") }), when_sent, req);
}

static promise *waits_by_promise(request *req)
{
    const int err = respond_events(req);
    began++;
    return err ? promise_settled(err) : sleep_for(86400000);
}

static void (*done_here)(int err, void *arg);
static void *done_arg;

static void by_callback(request *req, void (*done)(int, void *), void *arg)
{
    outcome = respond_events(req);
    here = req;
    done_here = done;
    done_arg = arg;
}

static promise *send_much(request *req)
{
    static char bytes[100000];
    memset(bytes, 'x', sizeof bytes);
    return event_send(req, (event){ .data = { bytes, sizeof bytes } });
}

static void on_much_sent(int err, void *req)
{
    outcome = err;
    sent++;
    if (!err)
        when_settled(send_much(req), on_much_sent, req);
    else
        done_here(err, done_arg);
}

static void floods_by_callback(request *req, void (*done)(int, void *), void *arg)
{
    by_callback(req, done, arg);
    when_settled(send_much(req), on_much_sent, req);
}

/* Has more to do when its client has all. */
static async int stays(request *req)
{
    outcome = respond_events(req);
    respond_end(req);
    began++;
    return await(fake_new(&gate, UV_ECANCELED));
}

static async int late(request *req) { return respond(req, 200, "text/plain", TEXT("Hello!")); }

static const route ROUTES_HERE[] = {
    { "GET", "/floods/callback", .callback = floods_by_callback },
    { "GET", "/sends", .await = sends },           { "GET", "/waits", .await = waits },
    { "GET", "/floods", .await = floods },         { "GET", "/ticks", .await = ticks },
    { "GET", "/refused", .await = refused },       { "GET", "/resumes", .await = resumes },
    { "GET", "/promise", .promise = by_promise },  { "GET", "/waits-by-promise", .promise = waits_by_promise },
    { "GET", "/callback", .callback = by_callback }, { "GET", "/fails-at-the-end", .await = fails_at_the_end },
    { "GET", "/stays", .await = stays },           { "GET", "/", .await = late },
};

static void serve(void) { serving_start(ROUTES_HERE, sizeof ROUTES_HERE / sizeof *ROUTES_HERE); }

#define LAST_CHUNK "0\r\n\r\n"

START_TEST(events_are_pieces_of_an_answer_that_ends_with_its_handler)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/sends", "") GET("/", ""));
    client_until(&c, "Hello!");
    ck_assert_msg(client_count(&c, "HTTP/1.1 200 OK\r\n") == 2 && client_count(&c, "Content-Type: text/event-stream\r\n") == 1 &&
                      client_count(&c, "Cache-Control: no-store\r\n") == 1 &&
                      client_count(&c, "X-Accel-Buffering: no\r\n") == 1 && client_count(&c, "Content-Length: 6") == 1,
                  "%s", c.got);
    ck_assert_msg(client_count(&c, "\r\n\r\nd\r\nretry: 3000\n\n\r\n"
                                   "20\r\nid: 1\nevent: n\ndata: a\ndata: b\n\n\r\n20\r\nid: 2\n") == 1, "%s", c.got);
    ck_assert_int_eq(client_count(&c, "id: 3\nevent: n\ndata: a\ndata: b\n\n\r\n" LAST_CHUNK "HTTP/1.1 200"), 1);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(the_beginning_is_sent_before_there_is_an_event)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/waits", ""));
    client_until(&c, "retry: 3000\n\n");
    promise_settle(gate.promise, 0);
    client_until(&c, LAST_CHUNK);
    ck_assert(outcome == 0 && last_sent == 0 && client_count(&c, "data: last words\n\n") == 1);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(head_gets_the_head_alone_and_the_handler_ends)
{
    log_capture();
    serve();
    client c = client_new();
    client_say(&c, "HEAD /waits HTTP/1.1\r\nHost: a\r\n\r\n" GET("/", ""));
    client_until(&c, "Hello!");
    ck_assert_int_eq(client_count(&c, "Content-Type: text/event-stream\r\n"), 1);
    ck_assert_int_eq(client_count(&c, "retry"), 0);
    ck_assert_int_eq(outcome, UV_EOF);
    ck_assert_int_eq(log_times("error"), 0);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(to_http_1_0_the_end_of_the_connection_is_the_end)
{
    serve();
    client c = client_new();
    client_say(&c, "GET /sends HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    client_until_end(&c);
    ck_assert_str_eq(strstr(c.got, "\r\n\r\n"), "\r\n\r\nretry: 3000\n\nid: 1\nevent: n\ndata: a\ndata: b\n\n"
                                                "id: 2\nevent: n\ndata: a\ndata: b\n\nid: 3\nevent: n\ndata: a\ndata: b\n\n");
    ck_assert_int_eq(client_count(&c, "Connection: close\r\n"), 1);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_handler_that_fails_breaks_the_answer_off)
{
    log_capture();
    serve();
    for (int i = 0; i < 2; i++) {
        client c = client_new();
        given = i ? UV_EOF : UV_EIO;
        client_say(&c, GET("/sends", ""));
        if (i)
            client_until(&c, LAST_CHUNK);
        else
            client_until_end(&c);
        ck_assert_int_eq(client_count(&c, LAST_CHUNK), i);
        client_close(&c);
    }
    ck_assert_int_eq(log_times("GET /sends: i/o error"), 1);
    ck_assert_int_eq(log_times("GET /sends"), 1);
    serving_stop();
}
END_TEST

START_TEST(an_event_that_would_be_read_otherwise_is_not_sent)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/refused", ""));
    client_until(&c, LAST_CHUNK);
    ck_assert(client_count(&c, "forged") == 0 && client_count(&c, "data: b\n\n") == 1);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(promises_and_callbacks_send_events_too)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/promise", ""));
    client_until(&c, LAST_CHUNK);
    ck_assert_int_eq(client_count(&c, "data: p\n\n"), 3);
    client_forget(&c);
    client_say(&c, GET("/callback", ""));
    client_until(&c, "retry");
    when_settled(event_send(here, (event){ .data = TEXT("c") }), done_here, done_arg);
    client_until(&c, LAST_CHUNK);
    ck_assert_int_eq(client_count(&c, "data: c\n\n"), 1);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_silent_stream_has_a_heartbeat_and_one_that_is_not_has_none)
{
    serve();
    client silent = client_new(), busy = client_new();
    client_say(&silent, GET("/waits", ""));
    client_say(&busy, GET("/ticks", ""));
    client_until(&silent, "retry");
    client_until(&busy, "retry");
    for (int i = 0; i < 12; i++)             /* a minute */
        serving_skip(5001);
    client_read(&silent, 4096);
    client_read(&busy, 4096);
    ck_assert_int_eq(client_count(&silent, "3\r\n:\n\n\r\n"), 4);
    ck_assert_int_eq(client_count(&busy, "tick"), 6);
    ck_assert_int_eq(client_count(&busy, ":\n\n"), 0);
    client_close(&silent);
    client_close(&busy);
    serving_stop();
}
END_TEST

START_TEST(a_heartbeat_is_for_the_answer_that_is_sent_now)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/waits", "") GET("/waits-by-promise", ""));
    client_until(&c, "retry");
    ck_assert_int_eq(began, 2);
    serving_skip(15001);
    client_until(&c, ":\n\n");
    ck_assert_int_eq(client_count(&c, "HTTP/1.1"), 1);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(an_answer_that_has_ended_has_no_heartbeat)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/stays", "") GET("/", ""));
    client_until(&c, LAST_CHUNK);
    serving_skip(15001);
    promise_settle(gate.promise, 0);
    client_until(&c, "Hello!");
    ck_assert_int_eq(client_count(&c, ":\n\n"), 0);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_client_that_leaves_cancels_the_handler)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/waits", ""));
    client_until(&c, "retry");
    client_close(&c);
    serving_skip(HALF_CLOSE_TIMEOUT + 1);
    ck_assert(ended == 1 && outcome == UV_ECANCELED && last_sent == UV_ECANCELED);
    ck_assert_int_eq(serving_connections(), 0);
    serving_stop();
}
END_TEST

START_TEST(a_client_that_does_not_read_makes_the_handler_wait_and_is_gone)
{
    client_small_buffer();
    serve();
    client c = client_new();
    client_say(&c, GET("/floods", ""));
    serving_turns();
    const int before = sent;
    ck_assert_uint_lt(serving_worker()->unwritten, serving_config.limits.output + 110000);
    serving_turns();
    ck_assert_int_eq(sent, before);
    serving_skip(serving_config.timeouts.write + 1000);
    serving_skip(serving_config.timeouts.write + 1000);
    ck_assert(ended == 1 && outcome == UV_ECANCELED);
    ck_assert_int_eq(serving_connections(), 0);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(the_last_id_is_that_of_the_header_or_else_of_the_query)
{
    static const struct { const char *request; int err; int64_t id; } cases[] = {
        { GET("/resumes", "Last-Event-ID: 42\r\n"), 0, 42 },
        { GET("/resumes?last-event-id=7", "Last-Event-ID: 42\r\n"), 0, 42 },
        { GET("/resumes?last-event-id=7", ""), 0, 7 },
        { GET("/resumes?last-event-id=7", "Last-Event-ID: \r\n"), 0, 7 },
        { GET("/resumes", "Last-Event-ID: 9223372036854775807\r\n"), 0, INT64_MAX },
        { GET("/resumes", ""), 0, -1 },
        { GET("/resumes", "Last-Event-ID: 9223372036854775808\r\n"), E_BAD_REQUEST, -1 },
        { GET("/resumes", "Last-Event-ID: 4 2\r\n"), E_BAD_REQUEST, -1 },
        { GET("/resumes?last-event-id=", ""), E_BAD_REQUEST, -1 },
        { GET("/resumes?last-event-id=0x7", ""), E_BAD_REQUEST, -1 },
    };
    serve();
    client c = client_new();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        client_forget(&c);
        client_say(&c, cases[i].request);
        client_until(&c, cases[i].err ? "HTTP/1.1 400" : "HTTP/1.1 204");
        ck_assert_msg(outcome == cases[i].err && last_id == cases[i].id, "%s: %d", cases[i].request, outcome);
    }
    client_close(&c);
    serving_stop();
}
END_TEST

static long told_to_come_back_after(const client *c)
{
    const char *at = strstr(c->got, "retry: ");
    at = at ? strstr(at + 1, "retry: ") : NULL;
    return at ? atol(at + strlen("retry: ")) : -1;
}

START_TEST(a_server_that_stops_lets_the_handler_say_its_last_and_tells_when_to_come_back)
{
    log_capture();
    serve();
    client c = client_new();
    client_say(&c, GET("/waits", ""));
    client_until(&c, "retry");
    connections_drain();
    serving_turns();
    ck_assert_int_eq(ended, 0);
    connections_stop(STOP_PARTS);
    connections_stop(STOP_PARTS);
    client_until_end(&c);
    ck_assert(ended == 1 && outcome == UV_ECANCELED && last_sent == UV_EOF);
    const char *const last = strstr(c.got, "data: last words\n\n\r\n");
    ck_assert(last && strstr(last, "retry: ") && strstr(last, LAST_CHUNK));
    ck_assert(told_to_come_back_after(&c) >= 3000 && told_to_come_back_after(&c) <= 13000);
    ck_assert_int_eq(log_times("error"), 0);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(one_that_fails_then_is_logged_and_its_client_told_all_the_same)
{
    log_capture();
    serve();
    client c = client_new();
    client_say(&c, GET("/fails-at-the-end", ""));
    client_until(&c, "retry");
    given = UV_EIO;
    connections_stop(STOP_PARTS);
    client_until_end(&c);
    ck_assert(told_to_come_back_after(&c) >= 3000 && client_count(&c, LAST_CHUNK) == 1);
    ck_assert_int_eq(log_times("GET /fails-at-the-end: i/o error"), 1);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(one_that_cannot_be_cancelled_learns_it_with_its_next_event)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/callback", ""));
    client_until(&c, "retry");
    connections_stop(STOP_PARTS);
    serving_turns();
    promise *p = event_send(here, (event){ .data = TEXT("c") });
    int err = 0;
    ck_assert(promise_take_if_settled(p, &err) && err == UV_EOF);
    done_here(err, done_arg);
    client_until_end(&c);
    ck_assert(strstr(strstr(c.got, "data: c\n\n"), "retry: "));
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(that_a_handler_was_cancelled_is_an_error_but_not_where_the_server_stops)
{
    serve();
    client c = client_new();
    client_say(&c, GET("/callback", ""));
    client_until(&c, "retry");
    ck_assert_int_eq(events_end(here, UV_ECANCELED), UV_ECANCELED);
    connections_stop(STOP_PARTS);
    ck_assert_int_eq(events_end(here, UV_ECANCELED), 0);
    done_here(0, done_arg);
    client_until_end(&c);
    ck_assert_int_eq(client_count(&c, LAST_CHUNK), 1);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(one_in_callback_style_that_waits_for_room_is_told_that_the_server_stops)
{
    client_small_buffer();
    serve();
    client c = client_new();
    client_say(&c, GET("/floods/callback", ""));
    serving_turns();
    const int before = sent;
    serving_turns();
    ck_assert_int_eq(sent, before);
    connections_stop(STOP_PARTS);
    serving_turns();
    ck_assert_int_eq(sent, before + 1);
    ck_assert_int_eq(outcome, UV_ECANCELED);
    client_until_end(&c);
    ck_assert_int_eq(client_count(&c, LAST_CHUNK), 1);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(one_that_sends_on_though_the_server_stops_is_not_held_more_of_than_there_is_room_for)
{
    int err = 0, told = 0;
    client_small_buffer();
    serve();
    client c = client_new();
    client_say(&c, GET("/callback", ""));
    serving_turns();
    connections_stop(STOP_PARTS);
    for (int i = 0; i < 1000; i++) {
        ck_assert(promise_take_if_settled(send_much(here), &err));
        told += err == UV_EOF;
        if (i % 100 == 0)
            serving_turns();
    }
    ck_assert_int_eq(err, UV_ECANCELED);
    ck_assert_int_ge(told, 1);
    ck_assert_uint_lt(serving_worker()->unwritten, serving_config.limits.output + 210000);
    done_here(err, done_arg);
    client_until_end(&c);
    ck_assert_int_eq(client_count(&c, LAST_CHUNK), 1);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(who_comes_when_the_server_stops_is_told_when_to_come_back)
{
    serve();
    client c = client_new();
    serving_worker()->draining = true;
    client_say(&c, GET("/waits", ""));
    client_until_end(&c);
    ck_assert_int_eq(outcome, UV_EOF);
    ck_assert(client_count(&c, "retry: ") == 1 && client_count(&c, LAST_CHUNK) == 1);
    ck_assert_int_ge(atol(strstr(c.got, "retry: ") + 7), 3000);
    client_close(&c);
    acceptor_close(serving_acceptor());
    serving_stop();
}
END_TEST

START_TEST(thousands_are_told_at_times_of_their_own_and_come_back_at_times_of_their_own)
{
    enum { MANY = 300 };
    static client c[MANY];
    long times[MANY], least = LONG_MAX, most = 0;
    int told[4] = { 0 };
    serve();
    for (int i = 0; i < MANY; i++) {
        c[i] = client_new();
        client_say(&c[i], GET("/waits-by-promise", ""));
        client_until(&c[i], "retry");
    }
    clock_tick(1);                           /* no two of them in the same moment */
    for (int part = 1; part <= 4; part++) {
        int over = 0;
        connections_stop(part * STOP_PARTS / 4);
        serving_turns();
        for (int i = 0; i < MANY; i++) {
            client_read(&c[i], 4096);
            over += client_count(&c[i], LAST_CHUNK);
        }
        told[part - 1] = over;
    }
    ck_assert_int_eq(told[3], MANY);
    for (int part = 1; part <= 4; part++) {
        const int more = told[part - 1] - (part > 1 ? told[part - 2] : 0);
        ck_assert_msg(more > MANY / 8 && more < MANY / 2, "part %d: %d", part, more);
    }
    for (int i = 0; i < MANY; i++) {
        times[i] = told_to_come_back_after(&c[i]);
        least = times[i] < least ? times[i] : least;
        most = times[i] > most ? times[i] : most;
        client_close(&c[i]);
    }
    ck_assert(least >= 3000 && least < 5000 && most > 11000 && most <= 13000);
    serving_stop();
}
END_TEST

Suite *events_suite(void)
{
    Suite *s = suite_create("events");
    TCase *t = tcase_create("all");
    tcase_add_test(t, events_are_pieces_of_an_answer_that_ends_with_its_handler);
    tcase_add_test(t, the_beginning_is_sent_before_there_is_an_event);
    tcase_add_test(t, head_gets_the_head_alone_and_the_handler_ends);
    tcase_add_test(t, to_http_1_0_the_end_of_the_connection_is_the_end);
    tcase_add_test(t, a_handler_that_fails_breaks_the_answer_off);
    tcase_add_test(t, an_event_that_would_be_read_otherwise_is_not_sent);
    tcase_add_test(t, promises_and_callbacks_send_events_too);
    tcase_add_test(t, a_silent_stream_has_a_heartbeat_and_one_that_is_not_has_none);
    tcase_add_test(t, a_heartbeat_is_for_the_answer_that_is_sent_now);
    tcase_add_test(t, an_answer_that_has_ended_has_no_heartbeat);
    tcase_add_test(t, a_client_that_leaves_cancels_the_handler);
    tcase_add_test(t, a_client_that_does_not_read_makes_the_handler_wait_and_is_gone);
    tcase_add_test(t, the_last_id_is_that_of_the_header_or_else_of_the_query);
    tcase_add_test(t, a_server_that_stops_lets_the_handler_say_its_last_and_tells_when_to_come_back);
    tcase_add_test(t, one_that_fails_then_is_logged_and_its_client_told_all_the_same);
    tcase_add_test(t, one_that_cannot_be_cancelled_learns_it_with_its_next_event);
    tcase_add_test(t, that_a_handler_was_cancelled_is_an_error_but_not_where_the_server_stops);
    tcase_add_test(t, one_in_callback_style_that_waits_for_room_is_told_that_the_server_stops);
    tcase_add_test(t, one_that_sends_on_though_the_server_stops_is_not_held_more_of_than_there_is_room_for);
    tcase_add_test(t, who_comes_when_the_server_stops_is_told_when_to_come_back);
    tcase_add_test(t, thousands_are_told_at_times_of_their_own_and_come_back_at_times_of_their_own);
    suite_add_tcase(s, t);
    return s;
}
