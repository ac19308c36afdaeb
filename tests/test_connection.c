/* test_connection.c - a worker's connections: reader, pipeline, writer, their bounds and their ends. */
#include "handlers/handlers.h"
#include "server/async/task.h"
#include "server/async/timing.h"
#include "server/http/request.h"
#include "serving.h"
#include "suites.h"
#include "support.h"

#include <stdlib.h>
#include <sys/socket.h>

static promise *gate, *second_gate;          /* what wait and gated pieces wait for */
static int      waited, began, ended;        /* how wait ended; handlers of slow, and their ends */
static char     large[300000];

static int hello(request *req) { return respond(req, 200, "text/plain", TEXT("Hello!")); }
static int mute(request *req)  { (void)req; return 0; }

static int twice(request *req)
{
    respond(req, 200, "text/plain", TEXT("first"));
    ck_assert_int_eq(respond(req, 200, "text/plain", TEXT("second")), UV_EALREADY);
    return 0;
}

static int wait_for_gate(request *req)
{
    static fake f;
    began++;
    waited = await(gate = fake_new(&f, UV_ECANCELED));
    gate = NULL;
    ended++;
    return waited ? waited : respond(req, 200, "text/plain", TEXT("waited"));
}

static int page(request *req)
{
    memset(large, 'x', sizeof large);
    return respond(req, 200, "text/plain", (text){ large, 50000 });
}

/* In pieces: as many bytes as the query says, and the number that it breaks off after. */
static int pieces(request *req)
{
    int64_t length = 0, stop = -1;
    request_query_int(req, "length", &length);
    request_query_int(req, "stop", &stop);
    memset(large, 'x', sizeof large);
    int err = respond_begin(req, 200, "text/plain", (uint64_t)length);
    for (int64_t left = length; !err && left > 0; left -= (int64_t)sizeof large) {
        if (stop >= 0 && length - left >= stop)
            return UV_EIO;
        err = await(respond_piece(req, (text){ large, left < (int64_t)sizeof large ? (size_t)left : sizeof large }));
    }
    ended++;
    return err;
}

static int gated(request *req)
{
    static fake f;
    await(second_gate = fake_new(&f, UV_ECANCELED));
    respond_begin(req, 200, "text/plain", 5);
    return await(respond_piece(req, TEXT("piece")));
}

static int echo_back(request *req)
{
    return respond(req, 200, "text/plain", request_body(req));
}

static int measure(request *req)             /* uses some of its stack */
{
    volatile char frame[8192];
    memset((char *)frame, 1, sizeof frame);
    return respond(req, 200, "text/plain", text_of(frame[8191] ? "deep" : ""));
}

static promise *later(request *req)
{
    (void)req;
    return promise_settled(UV_EAGAIN);
}

static void call(request *req, void (*done)(int err, void *arg), void *arg)
{
    done(respond(req, 200, "text/plain", TEXT("called")), arg);
}

static struct { request *req; void (*done)(int err, void *arg); void *arg; } caller;

static void call_now(int err, void *arg)
{
    (void)arg;
    caller.done(err ? err : respond(caller.req, 200, "text/plain", TEXT("called")), caller.arg);
}

static void call_at_gate(request *req, void (*done)(int err, void *arg), void *arg)
{
    static fake f;
    caller.req = req, caller.done = done, caller.arg = arg;
    when_settled(gate = fake_new(&f, UV_ECANCELED), call_now, NULL);
}

static const route ROUTES_HERE[] = {
    { "GET", "/", .await = hello },       { "GET", "/mute", .await = mute },      { "GET", "/twice", .await = twice },
    { "GET", "/wait", .await = wait_for_gate }, { "POST", "/wait", .await = wait_for_gate },
    { "GET", "/page", .await = page },     { "GET", "/gated", .await = gated },
    { "POST", "/users/:id/posts", .await = post_new },
    { "GET", "/pieces", .await = pieces }, { "POST", "/echo", .await = echo_back },    { "GET", "/measure", .await = measure },
    { "GET", "/later", .promise = later }, { "GET", "/call", .callback = call },
    { "GET", "/call-at-gate", .callback = call_at_gate },
};

static void start(void) { serving_start(ROUTES_HERE, sizeof ROUTES_HERE / sizeof *ROUTES_HERE); }

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST(path, length, body) "POST " path " HTTP/1.1\r\nHost: a\r\nContent-Length: " length "\r\n\r\n" body

START_TEST(a_request_is_answered_however_it_is_split)
{
    static const char REQUEST[] = POST("/echo", "5", "12345") GET("/");
    start();
    for (size_t i = 1; i < sizeof REQUEST - 1; i++) {
        client c = client_new();
        client_send(&c, (text){ REQUEST, i });
        client_send(&c, (text){ REQUEST + i, sizeof REQUEST - 1 - i });
        client_until(&c, "Hello!");
        ck_assert_int_eq(client_count(&c, "HTTP/1.1 200 OK"), 2);
        ck_assert_int_eq(client_count(&c, "\r\n\r\n12345HTTP"), 1);
        client_close(&c);
    }
    serving_stop();
}
END_TEST

START_TEST(a_request_is_answered_when_it_comes_byte_by_byte)
{
    static const char REQUEST[] = GET("/") POST("/echo", "5", "12345") GET("/call");
    start();
    client c = client_new();
    for (size_t i = 0; i < sizeof REQUEST - 1; i++)
        client_send(&c, (text){ REQUEST + i, 1 });
    client_until(&c, "called");
    ck_assert_int_eq(client_count(&c, "200 OK"), 3);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(answers_come_in_the_order_of_their_requests)
{
    start();
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
    start();
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
    start();
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

static void skip(uint64_t ms)
{
    clock_skip(ms);
    serving_turns();
}

START_TEST(a_client_that_leaves_cancels_what_it_waits_for_a_second_later)
{
    start();
    client c = client_new();
    client_say(&c, GET("/wait"));
    client_close(&c);
    skip(900);
    ck_assert_int_eq(ended, 0);
    skip(200);
    ck_assert_int_eq(waited, UV_ECANCELED);
    ck_assert_int_eq(serving_connections(), 0);
    serving_stop();
}
END_TEST

START_TEST(a_client_that_breaks_off_cancels_at_once)
{
    const struct linger reset = { .l_onoff = 1 };
    start();
    client c = client_new();
    client_say(&c, GET("/wait"));
    setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    client_close(&c);
    ck_assert_int_eq(waited, UV_ECANCELED);
    ck_assert_int_eq(serving_connections(), 0);
    serving_stop();
}
END_TEST

START_TEST(a_client_that_says_it_will_send_no_more_gets_its_answers)
{
    start();
    client c = client_new();
    client_say(&c, GET("/") GET("/wait") GET("/"));
    shutdown(c.fd, SHUT_WR);
    serving_turns();
    promise_settle(gate, 0);
    client_until_end(&c);
    ck_assert_int_eq(client_count(&c, "waited"), 1);
    ck_assert_int_eq(client_count(&c, "Hello!"), 2);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_large_head_leaves_the_stack_to_its_handler)
{
    static char words[70000];
    serving_config.limits.head = 63 * 1024;
    start();
    client c = client_new();
    char *at = words + sprintf(words, "GET /measure HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i < 62; i++)
        at += sprintf(at, "X-%02d: %01000d\r\n", i, i);
    strcpy(at, "\r\n");
    client_say(&c, words);
    client_until(&c, "deep");
    client_close(&c);
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
    start();
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
    start();
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
    start();
    client c = client_new();
    client_say(&c, GET("/pieces?length=6000000"));
    for (int i = 0; i < 20; i++) {
        client_read(&c, 1 << 16);
        client_read(&c, 1 << 16);
        skip(serving_config.timeouts.write * 2 / 3);
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
    start();
    client c = client_new();
    client_say(&c, GET("/pieces?length=30000000"));
    skip(serving_config.timeouts.write / 2);
    ck_assert_int_eq(serving_connections(), 1);
    skip(serving_config.timeouts.write + 1000);              /* from the last byte that the kernel could place */
    ck_assert_int_eq(serving_connections(), 0);
    ck_assert_int_eq(ended, 1);              /* its handler has been cancelled */
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(a_long_answer_that_breaks_off_ends_the_connection_after_those_before_it)
{
    start();
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
    start();
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

START_TEST(json_that_is_nested_deeper_than_a_stack_is_refused)
{
    static char words[6000];
    char *at = words + sprintf(words, "POST /users/1/posts HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                                      "Content-Length: 4000\r\n\r\n[\"\\\"]]]\",");
    start();
    client c = client_new();
    memset(at, '[', 3991);
    client_say(&c, words);
    client_until(&c, "HTTP/1.1 400 ");
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(heads_of_long_answers_come_alone)
{
    start();
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
    start();
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

START_TEST(what_comes_behind_the_last_request_is_read_and_dropped_and_the_answer_arrives)
{
    start();
    client c = client_new();
    client_say(&c, "GET /wait HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    client_say(&c, GET("/"));
    promise_settle(gate, 0);
    client_until_end(&c);                    /* our side, and it lingers */
    ck_assert_int_eq(client_count(&c, "Hello!"), 0);
    ck_assert_int_eq(client_count(&c, "waited"), 1);
    ck_assert_int_eq(serving_connections(), 1);
    client_say(&c, GET("/"));
    client_close(&c);
    ck_assert_int_eq(serving_connections(), 0);
    serving_stop();
}
END_TEST

START_TEST(a_client_that_lingers_too_long_is_cut_off)
{
    start();
    client c = client_new();
    client_say(&c, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n");
    client_until_end(&c);
    ck_assert_int_eq(client_count(&c, "HTTP/1.1 400 "), 1);
    skip(1900);
    ck_assert_int_eq(serving_connections(), 1);
    skip(200);
    ck_assert_int_eq(serving_connections(), 0);
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(one_that_was_not_read_from_gets_its_answers_when_they_are_the_last)
{
    static char many[1 << 20];
    serving_config.limits.pipeline = 1;
    start();
    client c = client_new();
    client_say(&c, GET("/wait"));
    memset(many, '\r', sizeof many);
    for (size_t i = 0; i + 26 <= sizeof many; i += 26)
        memcpy(many + i, "T / HTTP/1.1\r\nHost: a\r\n\r\n", 26);
    client_send(&c, (text){ many, sizeof many });            /* until it is not read from any more */
    worker_here->draining = true;
    connections_drain();
    promise_settle(gate, 0);
    client_until_end(&c);
    ck_assert_int_eq(client_count(&c, "waited"), 1);
    ck_assert_int_eq(client_count(&c, "Connection: close"), 1);
    ck_assert_int_eq(client_count(&c, "HTTP/1.1 "), 1);
    worker_here->draining = false;
    client_close(&c);
    serving_stop();
}
END_TEST

START_TEST(stopping_ends_each_connection_after_what_it_is_doing)
{
    start();
    client idle = client_new(), busy = client_new();
    client_say(&idle, GET("/"));
    client_say(&busy, GET("/wait"));
    client_until(&idle, "Hello!");
    worker_here->draining = true;
    connections_drain();
    client_say(&busy, GET("/"));             /* too late: the answer before it will say close */
    skip(150);
    client_until_end(&idle);
    ck_assert_int_eq(serving_connections(), 1);
    promise_settle(gate, 0);
    client_until_end(&busy);
    ck_assert_int_eq(client_count(&busy, "waited"), 1);
    ck_assert_int_eq(client_count(&busy, "Connection: close"), 1);
    ck_assert_int_eq(client_count(&busy, "Hello!"), 0);
    client_close(&idle);
    client_close(&busy);
    serving_stop();
}
END_TEST

START_TEST(one_connection_too_many_gets_503)
{
    serving_config.limits.connections = 1;
    start();
    client first = client_new(), second = client_new();
    client_until_end(&second);
    ck_assert_int_eq(client_count(&second, "HTTP/1.1 503 "), 1);
    client_say(&first, GET("/"));
    client_until(&first, "Hello!");
    client_close(&second);
    client_close(&first);
    serving_stop();
}
END_TEST

START_TEST(each_wait_for_the_client_has_its_limit)
{
    start();
    client idle = client_new(), head = client_new(), body = client_new();
    client_say(&head, "GET / HTTP/1.1\r\n");
    client_say(&body, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n123");
    skip(serving_config.timeouts.head + 10);
    client_until_end(&head);
    ck_assert_int_eq(client_count(&head, "HTTP/1.1 408 "), 1);
    client_close(&head);
    skip(serving_config.timeouts.body - serving_config.timeouts.head + 10);
    client_until_end(&body);
    ck_assert_int_eq(client_count(&body, "HTTP/1.1 408 "), 1);
    client_close(&body);
    ck_assert_int_eq(serving_connections(), 1);
    skip(serving_config.timeouts.idle);
    client_until_end(&idle);
    ck_assert_uint_eq(idle.length, 0);
    client_close(&idle);
    serving_stop();
}
END_TEST

Suite *connection_suite(void)
{
    Suite *s = suite_create("connection");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 20);
    tcase_add_test(t, a_request_is_answered_however_it_is_split);
    tcase_add_test(t, a_request_is_answered_when_it_comes_byte_by_byte);
    tcase_add_test(t, answers_come_in_the_order_of_their_requests);
    tcase_add_test(t, a_request_that_changes_something_waits_for_those_before_it_and_those_behind_for_it);
    tcase_add_test(t, a_handler_that_does_not_answer_gets_500_and_one_that_answers_twice_the_first);
    tcase_add_test(t, a_client_that_leaves_cancels_what_it_waits_for_a_second_later);
    tcase_add_test(t, a_client_that_breaks_off_cancels_at_once);
    tcase_add_test(t, a_client_that_says_it_will_send_no_more_gets_its_answers);
    tcase_add_test(t, a_large_head_leaves_the_stack_to_its_handler);
    tcase_add_test(t, a_client_that_does_not_read_is_not_read_from);
    tcase_add_test(t, it_gets_all_its_answers_when_it_reads_after_all);
    tcase_add_test(t, a_reader_that_takes_a_little_now_and_then_is_not_cut_off);
    tcase_add_test(t, a_reader_that_takes_nothing_is_cut_off_in_time);
    tcase_add_test(t, a_long_answer_that_breaks_off_ends_the_connection_after_those_before_it);
    tcase_add_test(t, a_piece_makes_room_without_starting_another_request);
    tcase_add_test(t, json_that_is_nested_deeper_than_a_stack_is_refused);
    tcase_add_test(t, heads_of_long_answers_come_alone);
    tcase_add_test(t, a_body_that_is_waited_for_is_asked_for_in_its_turn);
    tcase_add_test(t, what_comes_behind_the_last_request_is_read_and_dropped_and_the_answer_arrives);
    tcase_add_test(t, a_client_that_lingers_too_long_is_cut_off);
    tcase_add_test(t, one_that_was_not_read_from_gets_its_answers_when_they_are_the_last);
    tcase_add_test(t, stopping_ends_each_connection_after_what_it_is_doing);
    tcase_add_test(t, one_connection_too_many_gets_503);
    tcase_add_test(t, each_wait_for_the_client_has_its_limit);
    suite_add_tcase(s, t);
    return s;
}
