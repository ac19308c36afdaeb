/* test_websocket_either.c - a handler that waits for its client and for a topic, on a loop and in a thread. */
#include "websocket_fixture.h"
#include "server/async/task.h"
#include "server/async/timing.h"
#include "server/http/async/connection.h"
#include "server/http/request.h"
#include "server/http/stop_spread.h"
#include "server/http/websocket/websocket.h"
#include "server/topic/subscription.h"
#include "tests/support/support.h"
#include "tests/unit/suites.h"

#include <sys/socket.h>
#include <unistd.h>

static topic *t;
static char   order[64];                     /* w: a message of the client's, t: one of the topic */
static int    count, outcome;
static uv_sem_t there, gate, ended;          /* the handler is; may go on; has ended */
static bool   gated;

static void has_ended(int err)
{
    outcome = err;
    uv_sem_post(&ended);
}

static async int take_from(int which, websocket *ws, subscription *s)
{
    websocket_message m;
    const topic_message *news;
    int err = which == 0 ? await(websocket_receive(ws, &m)) : await(subscription_receive(s, &news));
    if (err)
        return err;
    order[count++] = which == 0 ? 'w' : 't';
    return await(websocket_send(ws, which == 0 ? m : (websocket_message){ news->bytes, false }));
}

static async int both(request *req)
{
    websocket *ws;
    int which = 1, err = websocket_accept(req, "", &ws);
    subscription *s = topic_subscribe(request_arena(req), t, TOPIC_NEW);
    uv_sem_post(&there);
    if (gated)
        uv_sem_wait(&gate);                  /* of a thread only: until then nothing is looked at */
    while (!err)
        if (!(err = await(either(&which, websocket_source(ws), subscription_source(s)))))
            err = take_from(which, ws, s);
    has_ended(err);
    return err;
}

static async int ticks(request *req)
{
    websocket *ws;
    websocket_message m;
    int which = 0, err = websocket_accept(req, "", &ws);
    while (!err && !(err = await(either(&which, websocket_source(ws), time_source(deadline_in(500)))))) {
        if (which == 0)
            err = await(websocket_receive(ws, &m));
        else
            err = await(websocket_send(ws, (websocket_message){ TEXT("tick"), false }));
    }
    has_ended(err);
    return err;
}

static async int in_time(request *req)
{
    websocket *ws;
    int which = 0, err = websocket_accept(req, "", &ws);
    if (!err)
        err = await(with_timeout(either(&which, websocket_source(ws)), 500));
    has_ended(err);
    return 0;
}

static const route ROUTES_HERE[] = {
    { "GET", "/both", .await = both, .websocket = true },
    { "GET", "/ticks", .await = ticks, .websocket = true },
    { "GET", "/in-time", .await = in_time, .websocket = true },
};
enum { ROUTES_THERE = sizeof ROUTES_HERE / sizeof *ROUTES_HERE };

static void setup(void)
{
    ck_assert_int_eq(topic_open(TEXT("news"), &t), 0);
    uv_sem_init(&there, 0);
    uv_sem_init(&gate, 0);
    uv_sem_init(&ended, 0);
}

static void teardown(void)
{
    topic_close(t);
    topics_done();
}

static void publish(int times)
{
    while (times-- > 0)
        ck_assert_int_eq(topic_publish(t, 0, TEXT(""), TEXT("news")), 0);
}

static bool order_alternates(void)
{
    int i = 1;
    while (i < count && order[i] != order[i - 1])
        i++;
    return i >= count;
}

/* On a loop. */

static void loop_setup(void)
{
    setup();
    serving_start(ROUTES_HERE, ROUTES_THERE);
}

static void loop_teardown(void)
{
    serving_stop();
    ck_assert_uint_eq(topics_look().subscriptions, 0);
    teardown();
}

static bool has_ended_with(int err) { return uv_sem_trywait(&ended) == 0 && outcome == err; }

START_TEST(whichever_comes_is_received)
{
    client c = open_to(OPEN("/both"));
    client_send(&c, TEXT(HI));
    client_until(&c, "\x81\x02hi");
    publish(1);
    client_until(&c, "\x81\x04news");
    client_send(&c, TEXT(CLOSE));
    client_until_end(&c);
    ck_assert(has_ended_with(UV_EOF));
    ck_assert_int_eq(count, 2);
    client_close(&c);
}
END_TEST

START_TEST(what_comes_from_both_at_once_is_all_received_by_turns)
{
    client c = open_to(OPEN("/both"));
    ck_assert_int_eq(send(c.fd, HI HI HI HI, 4 * 8, MSG_NOSIGNAL), 4 * 8);
    publish(4);
    client_until_length(&c, 4 * 4 + 4 * 6);
    ck_assert_int_eq(client_count(&c, "hi"), 4);
    ck_assert_int_eq(client_count(&c, "news"), 4);
    ck_assert_int_eq(count, 8);
    ck_assert(order_alternates());
    client_close(&c);
}
END_TEST

START_TEST(a_client_that_is_gone_ends_the_wait)
{
    client c = open_to(OPEN("/both"));
    client_close(&c);
    serving_turns();
    ck_assert(has_ended_with(UV_ECANCELED));
}
END_TEST

START_TEST(a_server_that_stops_says_so_to_one_that_waits_for_both)
{
    client c = open_to(OPEN("/both"));
    connections_drain();
    connections_stop(STOP_PARTS);
    client_until(&c, "\x88\x02\x03\xe9");
    client_send(&c, TEXT(CLOSE));
    ck_assert(has_ended_with(UV_EOF));
    client_close(&c);
}
END_TEST

START_TEST(topics_that_stop_end_it)
{
    client c = open_to(OPEN("/both"));
    topics_stop();
    client_until(&c, "\x88\x02\x03\xe8");
    ck_assert(has_ended_with(UV_EOF));
    client_close(&c);
}
END_TEST

START_TEST(a_time_that_comes_is_one_of_the_sources)
{
    client c = open_to(OPEN("/ticks"));
    serving_skip(400);
    client_send(&c, TEXT(HI));
    serving_skip(400);
    client_read(&c, 100);
    ck_assert_uint_eq(c.length, 0);
    serving_skip(200);
    client_until(&c, "\x81\x04tick");
    client_close(&c);
}
END_TEST

START_TEST(a_timeout_ends_it)
{
    client c = open_to(OPEN("/in-time"));
    serving_skip(600);
    ck_assert(has_ended_with(UV_ETIMEDOUT));
    client_close(&c);
}
END_TEST

/* In a thread. */

static void thread_setup(void)
{
    setup();
    thread_serving_start(ROUTES_HERE, ROUTES_THERE);
}

static void thread_teardown(void)
{
    thread_serving_stop();
    ck_assert_uint_eq(topics_look().subscriptions, 0);
    teardown();
}

static void thread_has_ended_with(int err)
{
    uv_sem_wait(&ended);
    ck_assert_int_eq(outcome, err);
}

START_TEST(a_thread_receives_whichever_comes)
{
    const int client = thread_open_to(OPEN("/both"));
    uv_sem_wait(&there);
    thread_send(client, TEXT(HI));
    thread_serving_until(client, TEXT("\x81\x02hi"));
    publish(1);
    thread_serving_until(client, TEXT("\x81\x04news"));
    thread_send(client, TEXT(CLOSE));
    thread_serving_until(client, TEXT("\x88\x02\x03\xe8"));
    thread_serving_until_end(client);
    thread_has_ended_with(UV_EOF);
    close(client);
}
END_TEST

START_TEST(a_thread_receives_all_that_came_at_once_by_turns)
{
    gated = true;
    const int client = thread_serving_client();
    thread_send(client, TEXT(OPEN("/both") HI HI HI HI));
    uv_sem_wait(&there);
    publish(4);
    uv_sem_post(&gate);
    char byte;
    thread_read_head(client);
    for (int news = 0; news < 4; news += byte == 's')        /* with which each ends */
        ck_assert_int_eq(recv(client, &byte, 1, 0), 1);
    thread_send(client, TEXT(CLOSE));
    thread_has_ended_with(UV_EOF);
    ck_assert_int_eq(count, 8);
    ck_assert(order_alternates());
    close(client);
}
END_TEST

START_TEST(a_client_that_is_gone_ends_its_threads_wait)
{
    const int client = thread_open_to(OPEN("/both"));
    close(client);
    thread_has_ended_with(UV_ECANCELED);
}
END_TEST

START_TEST(a_silent_client_is_pinged_while_a_thread_waits_for_both)
{
    serving_config.websocket.ping = 5;
    const int client = thread_open_to(OPEN("/both"));
    thread_serving_until(client, TEXT("\x89\0"));
    thread_has_ended_with(UV_ECANCELED);     /* it has not answered */
    close(client);
}
END_TEST

START_TEST(a_server_that_stops_wakes_a_thread_that_waits_for_both)
{
    const int client = thread_open_to(OPEN("/both"));
    uv_sem_wait(&there);
    thread_serving_drain();
    thread_serving_until(client, TEXT("\x88\x02\x03\xe9"));
    thread_send(client, TEXT(CLOSE));
    thread_has_ended_with(UV_EOF);
    close(client);
}
END_TEST

START_TEST(topics_that_stop_wake_a_thread)
{
    const int client = thread_open_to(OPEN("/both"));
    uv_sem_wait(&there);
    topics_stop();
    thread_serving_until(client, TEXT("\x88\x02\x03\xe8"));
    thread_has_ended_with(UV_EOF);
    close(client);
}
END_TEST

START_TEST(a_thread_has_a_time_among_its_sources)
{
    const int client = thread_open_to(OPEN("/ticks"));
    thread_serving_until(client, TEXT("\x81\x04tick"));
    close(client);
    thread_has_ended_with(UV_ECANCELED);
}
END_TEST

Suite *websocket_either_suite(void)
{
    Suite *s = suite_create("websocket_either");
    TCase *c = tcase_create("loop");
    tcase_add_checked_fixture(c, loop_setup, loop_teardown);
    tcase_add_test(c, whichever_comes_is_received);
    tcase_add_test(c, what_comes_from_both_at_once_is_all_received_by_turns);
    tcase_add_test(c, a_client_that_is_gone_ends_the_wait);
    tcase_add_test(c, a_server_that_stops_says_so_to_one_that_waits_for_both);
    tcase_add_test(c, topics_that_stop_end_it);
    tcase_add_test(c, a_time_that_comes_is_one_of_the_sources);
    tcase_add_test(c, a_timeout_ends_it);
    suite_add_tcase(s, c);
    c = tcase_create("threads");
    tcase_add_checked_fixture(c, thread_setup, thread_teardown);
    tcase_add_test(c, a_thread_receives_whichever_comes);
    tcase_add_test(c, a_thread_receives_all_that_came_at_once_by_turns);
    tcase_add_test(c, a_client_that_is_gone_ends_its_threads_wait);
    tcase_add_test(c, a_silent_client_is_pinged_while_a_thread_waits_for_both);
    tcase_add_test(c, a_server_that_stops_wakes_a_thread_that_waits_for_both);
    tcase_add_test(c, topics_that_stop_wake_a_thread);
    tcase_add_test(c, a_thread_has_a_time_among_its_sources);
    suite_add_tcase(s, c);
    return s;
}
