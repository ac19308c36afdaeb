/* test_websocket_follow.c - a client that is sent what is published, on a loop and by a thread. */
#include "websocket_fixture.h"
#include "server/async/task.h"
#include "server/base/machine.h"
#include "server/base/memory.h"
#include "server/http/async/connection.h"
#include "server/http/request.h"
#include "server/http/stop_spread.h"
#include "server/http/websocket/follow.h"
#include "tests/support/support.h"
#include "tests/unit/suites.h"

#include <stdatomic.h>
#include <unistd.h>

enum { KEEP = 64, LARGE = 60000 };

static topic *t;
static atomic_int outcome;
static uv_sem_t ended, there, go;
static subscription *last;                   /* of the handler that began last */

static promise *answer(websocket *ws, websocket_message m, void *arg)
{
    (void)arg;
    if (text_equal(m.bytes, TEXT("no")))
        websocket_follow(ws, NULL);
    if (text_equal(m.bytes, TEXT("hold"))) {
        uv_sem_post(&there);
        uv_sem_wait(&go);
    }
    return websocket_send(ws, m);
}

static async int follows(request *req)
{
    websocket *ws;
    int err = websocket_accept(req, "", &ws);
    last = topic_subscribe(request_arena(req), t, TOPIC_NEW);
    websocket_follow(ws, last);
    uv_sem_post(&there);
    if (!err)
        err = await(websocket_each(ws, answer, NULL));
    outcome = err;
    uv_sem_post(&ended);
    return err;
}

static promise *follows_promise(request *req)
{
    websocket *ws;
    const int err = websocket_accept(req, "", &ws);
    websocket_follow(ws, topic_subscribe(request_arena(req), t, TOPIC_NEW));
    return err ? promise_settled(err) : websocket_each(ws, answer, NULL);
}

/* Once its client has said something it receives by itself. */
static async int follows_and_receives(request *req)
{
    websocket *ws;
    websocket_message said;
    const topic_message *m;
    int err = websocket_accept(req, "", &ws);
    subscription *s = topic_subscribe(request_arena(req), t, TOPIC_NEW);
    websocket_follow(ws, s);
    if (!err)
        err = await(websocket_receive(ws, &said));
    websocket_follow(ws, NULL);
    while (!err && !(err = await(subscription_receive(s, &m))))
        err = await(websocket_send(ws, (websocket_message){ m->event, false }));
    return err;
}

static atomic_int made;

static text event_and_bytes(const topic_message *m)
{
    char *const both = mem_alloc(m->event.length + m->bytes.length);
    memcpy(both, m->event.at, m->event.length);
    memcpy(both + m->event.length, m->bytes.at, m->bytes.length);
    const text form = websocket_form((text){ both, m->event.length + m->bytes.length });
    mem_free(both);
    made++;
    return form;
}

static async int sends_forms(request *req)
{
    websocket *ws;
    const topic_message *m;
    int err = websocket_accept(req, "", &ws);
    subscription *s = topic_subscribe(request_arena(req), t, TOPIC_NEW);
    uv_sem_post(&there);
    while (!err && !(err = await(subscription_receive(s, &m))))
        err = await(websocket_send_form(ws, m, event_and_bytes));
    outcome = err;
    return err;
}

static const route ROUTES_HERE[] = {
    { "GET", "/forms", .await = sends_forms, .websocket = true },
    { "GET", "/await", .await = follows, .websocket = true },
    { "GET", "/promise", .promise = follows_promise, .websocket = true },
    { "GET", "/receives", .await = follows_and_receives, .websocket = true },
};

static void publish(text bytes) { ck_assert_int_eq(topic_publish(t, 0, TEXT("event"), bytes), 0); }

static void setup(void)
{
    topics_configure(&(topic_options){ .keep = KEEP, .most = 10, .bytes = 64 << 20 });
    ck_assert_int_eq(topic_open(TEXT("news"), &t), 0);
    uv_sem_init(&ended, 0);
    uv_sem_init(&there, 0);
    uv_sem_init(&go, 0);
}

static void teardown(void)
{
    ck_assert_uint_eq(topics_look().subscriptions, 0);
    topic_close(t);
    topics_done();
}

static void loop_setup(void)
{
    setup();
    serving_start(ROUTES_HERE, sizeof ROUTES_HERE / sizeof *ROUTES_HERE);
}

static void loop_teardown(void)
{
    serving_stop();
    teardown();
}

START_TEST(what_is_published_is_sent_as_text_to_each_who_follows)
{
    client c[] = { open_to(OPEN("/await")), open_to(OPEN("/promise")), open_to(OPEN("/await")) };
    publish(TEXT("one"));
    publish(TEXT("two"));
    for (int i = 0; i < 3; i++) {
        client_until_length(&c[i], 10);
        ck_assert_mem_eq(c[i].got, "\x81\x03one\x81\x03two", 10);
        client_close(&c[i]);
    }
    serving_turns();
    ck_assert_uint_eq(topics_look().subscriptions, 0);
}
END_TEST

START_TEST(meanwhile_the_handler_receives_and_sends)
{
    client c = open_to(OPEN("/await"));
    client_send(&c, TEXT(HI));
    client_until(&c, "\x81\x02hi");
    publish(TEXT("one"));
    client_until(&c, "\x81\x03one");
    client_send(&c, TEXT(CLOSE));
    client_until_end(&c);
    ck_assert_int_eq(outcome, UV_EOF);
    publish(TEXT("two"));
    serving_turns();
    client_close(&c);
}
END_TEST

START_TEST(whoever_follows_no_more_is_sent_no_more)
{
    client c = open_to(OPEN("/await"));
    client_send(&c, TEXT("\x81\x82\0\0\0\0no"));
    client_until(&c, "\x81\x02no");
    publish(TEXT("one"));
    client_send(&c, TEXT(HI));
    client_until(&c, "\x81\x02hi");
    ck_assert_int_eq(client_count(&c, "one"), 0);
    client_close(&c);
}
END_TEST

START_TEST(whoever_follows_no_more_may_receive)
{
    client c = open_to(OPEN("/receives"));
    publish(TEXT("one"));
    client_until(&c, "\x81\x03one");
    client_send(&c, TEXT(HI));
    serving_turns();
    publish(TEXT("two"));
    client_until(&c, "\x81\x05" "event");
    ck_assert_int_eq(client_count(&c, "two"), 0);
    client_close(&c);
}
END_TEST

START_TEST(after_a_close_nothing_is_sent)
{
    client c = open_to(OPEN("/await"));
    connections_drain();
    connections_stop(STOP_PARTS);
    client_until(&c, "\x88\x02\x03\xe9");
    publish(TEXT("one"));
    client_send(&c, TEXT(CLOSE));
    client_until_end(&c);
    ck_assert_int_eq(client_count(&c, "one"), 0);
    client_close(&c);
}
END_TEST

static void publish_large(int count)
{
    char *bytes = mem_alloc(LARGE);
    memset(bytes, 'x', LARGE);
    for (int i = 0; i < count; i++) {
        publish((text){ bytes, LARGE });
        serving_turns();
    }
    mem_free(bytes);
}

START_TEST(a_client_that_does_not_read_lags_behind_and_the_others_do_not)
{
    enum { MANY = 400 };
    serving_config.limits.output = 256 << 10;
    client quick = open_to(OPEN("/promise"));
    client_small_buffer();
    client slow = open_to(OPEN("/await"));
    for (int i = 0; i < MANY; i++) {
        publish_large(1);
        client_until_length(&quick, LARGE);
        client_forget(&quick);
    }
    ck_assert_uint_lt(serving_worker()->unwritten, 4u << 20);
    publish(TEXT("last"));
    client_until(&slow, "\x81\x04last");     /* when it reads, it goes on by itself, with what is kept */
    ck_assert_uint_ge(subscription_dropped(last), MANY / 4);
    client_close(&slow);
    client_close(&quick);
}
END_TEST

START_TEST(a_client_that_does_not_read_is_closed_if_the_topic_says_so)
{
    serving_config.limits.output = 256 << 10;
    topic_set_policy(t, TOPIC_DISCONNECT);
    client_small_buffer();
    client slow = open_to(OPEN("/await"));
    publish_large(400);
    ck_assert_uint_eq(topics_look().disconnected, 1);
    serving_skip(31000);                     /* it does not read the Close, either */
    serving_skip(31000);
    ck_assert_int_eq(uv_sem_trywait(&ended), 0);
    ck_assert_int_eq(outcome, UV_ECANCELED);
    ck_assert_int_eq(serving_connections(), 0);
    client_close(&slow);
}
END_TEST

START_TEST(a_client_that_was_too_slow_is_told_so)
{
    serving_config.limits.output = 256 << 10;
    topic_set_policy(t, TOPIC_DISCONNECT);
    client_small_buffer();
    client slow = open_to(OPEN("/await"));
    publish_large(400);
    client_until(&slow, "\x88\x0a\x03\xf5too slow");
    client_send(&slow, TEXT(CLOSE));         /* perhaps too late: it has two seconds, of which its reading takes some */
    client_until_end(&slow);
    client_close(&slow);
}
END_TEST

START_TEST(topics_that_stop_leave_the_websocket_open)
{
    client c = open_to(OPEN("/await"));
    publish(TEXT("one"));
    topics_stop();
    client_until(&c, "\x81\x03one");
    client_send(&c, TEXT(HI));
    client_until(&c, "\x81\x02hi");
    client_close(&c);
}
END_TEST

START_TEST(what_a_handler_makes_of_a_message_it_makes_once_for_all)
{
    enum { CLIENTS = 5, LONG = 3000 };
    static char bytes[LONG], expected[4 + 5 + LONG];
    client c[CLIENTS];
    memset(bytes, 'y', LONG);
    memcpy(mempcpy(expected, "\x81\x7e\x0b\xbd" "event", 9), bytes, LONG);
    for (int i = 0; i < CLIENTS; i++)
        c[i] = open_to(OPEN("/forms"));
    publish(TEXT("one"));
    publish((text){ bytes, LONG });
    for (int i = 0; i < CLIENTS; i++) {
        client_until_length(&c[i], 10 + sizeof expected);
        ck_assert_mem_eq(c[i].got, "\x81\x08" "eventone", 10);
        ck_assert_mem_eq(c[i].got + 10, expected, sizeof expected);
        client_close(&c[i]);
    }
    ck_assert_int_eq(made, 2);
}
END_TEST

START_TEST(a_form_is_compressed_for_a_client_whose_messages_are)
{
    static char bytes[3000];
    serving_config.websocket.compression = true;
    client plain = open_to(OPEN("/forms"));
    client packed = open_to(OPEN_WITH("/forms", "Sec-WebSocket-Extensions: permessage-deflate\r\n"));
    memset(bytes, 'y', sizeof bytes);
    publish((text){ bytes, sizeof bytes });
    client_until_length(&plain, 4 + 5 + sizeof bytes);
    client_until_length(&packed, 2);
    ck_assert_int_eq((unsigned char)packed.got[0], 0xc1);
    ck_assert_int_lt(packed.got[1], 126);
    client_close(&plain);
    client_close(&packed);
}
END_TEST

START_TEST(a_form_for_a_client_that_is_gone_is_none)
{
    client c = open_to(OPEN("/forms"));
    client_close(&c);
    serving_turns();
    publish(TEXT("one"));
    serving_turns();
    ck_assert_int_eq(outcome, UV_ECANCELED);
}
END_TEST

START_TEST(hundreds_follow)
{
    enum { MOST = 1000, ELSE = 100 };
    static client c[MOST];
    const int room = (machine_open_files() - ELSE) / 2;    /* both ends are here; some builders of images allow 1024 files */
    const int many = room < MOST ? room : MOST;
    serving_config.limits.connections = many + 10;
    for (int i = 0; i < many; i++)
        c[i] = open_to(OPEN("/promise"));
    for (int i = 0; i < 3; i++)
        publish(TEXT("one"));
    for (int i = 0; i < many; i++) {
        client_until_length(&c[i], 15);
        client_close(&c[i]);
    }
}
END_TEST

/* By threads. */

START_TEST(threads_share_forms_too)
{
    enum { LONG = 3000 };
    static char expected[4 + 5 + LONG];
    int clients[3];
    memset(mempcpy(expected, "\x81\x7e\x0b\xbd" "event", 9), 'y', LONG);
    for (int i = 0; i < 3; i++) {
        clients[i] = thread_open_to(OPEN("/forms"));
        uv_sem_wait(&there);
    }
    publish((text){ expected + 9, LONG });
    publish(TEXT("one"));
    for (int i = 0; i < 3; i++) {
        thread_serving_until(clients[i], (text){ expected, sizeof expected });
        thread_serving_until(clients[i], TEXT("\x81\x08" "eventone"));
        close(clients[i]);
    }
}
END_TEST

static void thread_setup(void)
{
    setup();
    thread_serving_start(ROUTES_HERE, sizeof ROUTES_HERE / sizeof *ROUTES_HERE);
}

static void thread_teardown(void)
{
    thread_serving_stop();
    teardown();
}

START_TEST(threads_send_what_is_published_while_their_handlers_receive)
{
    int clients[4];
    for (int i = 0; i < 4; i++) {
        clients[i] = thread_open_to(OPEN("/await"));
        uv_sem_wait(&there);
    }
    publish(TEXT("one"));
    publish(TEXT("two"));
    for (int i = 0; i < 4; i++) {
        thread_serving_until(clients[i], TEXT("\x81\x03one\x81\x03two"));
        thread_send(clients[i], TEXT(HI));
        thread_serving_until(clients[i], TEXT("\x81\x02hi"));
    }
    publish(TEXT("three"));
    for (int i = 0; i < 4; i++) {
        thread_serving_until(clients[i], TEXT("\x81\x05three"));
        thread_send(clients[i], TEXT(CLOSE));
        thread_serving_until(clients[i], TEXT("\x88\x02\x03\xe8"));
        uv_sem_wait(&ended);
        close(clients[i]);
    }
}
END_TEST

START_TEST(a_thread_sends_all_of_many_in_order)
{
    const int client = thread_open_to(OPEN("/await"));
    uv_sem_wait(&there);
    char bytes[12];
    for (int i = 0; i < 40 * KEEP; i++) {
        snprintf(bytes, sizeof bytes, "%05d", i);
        publish(text_of(bytes));
        if (i % (KEEP / 2) == 0) {           /* so that it has had all before */
            char frame[7];
            do
                ck_assert_int_eq(recv(client, frame, 7, MSG_WAITALL), 7);
            while (memcmp(frame + 2, bytes, 5) != 0);
        }
    }
    close(client);
    uv_sem_wait(&ended);
    ck_assert_int_eq(outcome, UV_ECANCELED);
}
END_TEST

START_TEST(a_thread_sends_all_that_came_while_its_handler_did_something_else)
{
    enum { MANY = 4 * KEEP };
    topics_configure(&(topic_options){ .keep = MANY, .most = 10, .bytes = 64 << 20 });
    const int client = thread_open_to(OPEN("/await"));
    uv_sem_wait(&there);
    thread_send(client, TEXT("\x81\x84\0\0\0\0hold"));
    uv_sem_wait(&there);
    for (int i = 0; i < MANY; i++)
        publish(TEXT("x"));
    uv_sem_post(&go);
    thread_serving_until(client, TEXT("\x81\x04hold"));
    for (int i = 0; i < MANY; i++)
        thread_serving_until(client, TEXT("\x81\x01x"));
    close(client);
    uv_sem_wait(&ended);
}
END_TEST

Suite *websocket_follow_suite(void)
{
    Suite *s = suite_create("websocket_follow");
    TCase *c = tcase_create("loop");
    tcase_add_checked_fixture(c, loop_setup, loop_teardown);
    tcase_add_test(c, what_is_published_is_sent_as_text_to_each_who_follows);
    tcase_add_test(c, meanwhile_the_handler_receives_and_sends);
    tcase_add_test(c, whoever_follows_no_more_is_sent_no_more);
    tcase_add_test(c, whoever_follows_no_more_may_receive);
    tcase_add_test(c, after_a_close_nothing_is_sent);
    tcase_add_test(c, a_client_that_does_not_read_lags_behind_and_the_others_do_not);
    tcase_add_test(c, a_client_that_does_not_read_is_closed_if_the_topic_says_so);
    tcase_add_test(c, a_client_that_was_too_slow_is_told_so);
    tcase_add_test(c, topics_that_stop_leave_the_websocket_open);
    tcase_add_test(c, what_a_handler_makes_of_a_message_it_makes_once_for_all);
    tcase_add_test(c, a_form_is_compressed_for_a_client_whose_messages_are);
    tcase_add_test(c, a_form_for_a_client_that_is_gone_is_none);
    tcase_add_test(c, hundreds_follow);
    suite_add_tcase(s, c);
    c = tcase_create("threads");
    tcase_add_checked_fixture(c, thread_setup, thread_teardown);
    tcase_add_test(c, threads_send_what_is_published_while_their_handlers_receive);
    tcase_add_test(c, a_thread_sends_all_of_many_in_order);
    tcase_add_test(c, a_thread_sends_all_that_came_while_its_handler_did_something_else);
    tcase_add_test(c, threads_share_forms_too);
    suite_add_tcase(s, c);
    return s;
}
