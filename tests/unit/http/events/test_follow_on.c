/* test_follow_on.c - what is awaited before a client that follows a topic goes on, and what may happen meanwhile, on a loop. */
#include "server/http/events/events.h"
#include "server/async/loop.h"
#include "server/async/task.h"
#include "server/http/client_socket.h"
#include "server/http/request.h"
#include "server/topic/subscription.h"
#include "tests/support/support.h"
#include "tests/unit/http/serving.h"
#include "tests/unit/suites.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define LAST_CHUNK "0\r\n\r\n"

enum { MANY = 128, OUTPUT = 64 << 10 };      /* messages that are kept; [limits] output */

static topic *news;
static int    asked, ended, outcome;
static bool   stays;                         /* the handler, when it follows no more */
static fake   gate, later;                   /* what is awaited to go on; what a handler that stays waits for */
static subscription *followed;

static promise *await_gate(request *req, subscription *s)
{
    (void)req, (void)s;
    asked++;
    return fake_new(&gate, UV_ECANCELED);
}

static async int follows(request *req)
{
    subscription *const s = followed = topic_subscribe(request_arena(req), news, TOPIC_NEW);
    int err = respond_events(req);
    if (!err)
        err = outcome = await(events_follow_on(req, s, await_gate, true));
    if (stays)
        err = await(fake_new(&later, UV_ECANCELED));
    ended++;
    return err;
}

static const route ROUTES_HERE[] = { { "GET", "/", .await = follows } };

static void publish(const char *data) { ck_assert_int_eq(topic_publish(news, 0, TEXT("n"), text_of(data)), 0); }

static void setup(void)
{
    topics_configure(&(topic_options){ .keep = MANY, .most = 4, .bytes = 8 << 20 });
    ck_assert_int_eq(topic_open(TEXT("news"), &news), 0);
    outcome = 1;
    serving_config.limits.output = OUTPUT;
    serving_start(ROUTES_HERE, sizeof ROUTES_HERE / sizeof *ROUTES_HERE);
}

static void teardown(void)
{
    serving_stop();
    topic_close(news);
    topics_done();
    ck_assert_uint_eq(topics_look().subscriptions, 0);
}

/* A client for whom the gate is awaited. */
static client waiting(void)
{
    client c = client_new();
    client_say(&c, GET);
    client_until(&c, "\nretry: ");
    ck_assert_int_eq(asked, 1);
    return c;
}

static void leave(client *c)
{
    client_close(c);
    serving_skip(HALF_CLOSE_TIMEOUT + 1);
    ck_assert_int_eq(serving_connections(), 0);
}

START_TEST(what_is_published_meanwhile_is_sent_when_it_goes_on)
{
    client c = waiting();
    publish("one");
    publish("two");
    serving_turns();
    client_read(&c, 4096);
    ck_assert(client_count(&c, "data: ") == 0 && asked == 1);
    promise_settle(gate.promise, 0);
    client_until(&c, "data: two\n\n");
    ck_assert_int_eq(client_count(&c, "data: one\n\n"), 1);
    leave(&c);
    ck_assert(ended == 1 && outcome == UV_ECANCELED);
}
END_TEST

START_TEST(it_settles_with_what_kept_it_from_going_on_and_its_answer_breaks_off)
{
    log_capture();
    client c = waiting();
    promise_settle(gate.promise, UV_EIO);
    client_until_end(&c);
    ck_assert(ended == 1 && outcome == UV_EIO);
    ck_assert_int_eq(client_count(&c, LAST_CHUNK), 0);
    client_close(&c);
}
END_TEST

START_TEST(a_client_that_leaves_cancels_what_is_awaited)
{
    client c = waiting();
    leave(&c);
    ck_assert_int_eq(gate.cancels, 1);
    ck_assert(ended == 1 && outcome == UV_ECANCELED);
}
END_TEST

START_TEST(a_handler_that_has_followed_may_do_more_until_its_client_leaves)
{
    stays = true;
    client c = waiting();
    promise_settle(gate.promise, UV_EIO);
    serving_turns();
    ck_assert(outcome == UV_EIO && ended == 0);
    ck_assert_uint_eq(topics_look().subscriptions, 0);
    publish("one");
    leave(&c);
    ck_assert(ended == 1 && later.cancels == 1);
}
END_TEST

static int64_t sent_before;                  /* the id of what was sent last, when it was another's turn for the first time */

static void on_turn_of_another(void *arg)
{
    (void)arg;
    if (!sent_before)
        sent_before = subscription_last(followed);
}

START_TEST(others_have_their_turn_before_one_is_sent_all_of_much)
{
    arena a = { 0 };
    client c = waiting();
    subscription *other = topic_subscribe(&a, news, TOPIC_NEW);
    subscription_on_news(other, on_turn_of_another, NULL);
    promise_settle(gate.promise, 0);
    serving_turns();
    for (int i = 1; i <= MANY; i++)
        ck_assert_int_eq(topic_publish(news, i, TEXT("n"), TEXT("x")), 0);
    client_until(&c, "id: 128\n");
    ck_assert(sent_before > 0 && sent_before < MANY);
    arena_done(&a);
    leave(&c);
}
END_TEST

static client gone;

/* With something that it has not read: what is sent to it fails at once. */
static void on_leave(ready *r)
{
    (void)r;
    close(gone.fd);
}

START_TEST(a_client_may_be_found_gone_while_it_is_sent_to)
{
    char *const much = zeros(4 * OUTPUT);
    ready leaves = { .run = on_leave };
    gone = waiting();
    promise_settle(gate.promise, 0);
    publish("unread");
    serving_turns();
    memset(much, 'x', 4 * OUTPUT - 1);
    loop_immediate(&leaves);
    publish(much);                           /* its turn comes behind that */
    serving_turns();
    ck_assert_int_eq(serving_connections(), 0);
    ck_assert(ended == 1 && outcome == UV_ECANCELED);
    free(gone.got);
}
END_TEST

Suite *follow_on_suite(void)
{
    Suite *s = suite_create("follow_on");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, what_is_published_meanwhile_is_sent_when_it_goes_on);
    tcase_add_test(t, it_settles_with_what_kept_it_from_going_on_and_its_answer_breaks_off);
    tcase_add_test(t, a_client_that_leaves_cancels_what_is_awaited);
    tcase_add_test(t, a_handler_that_has_followed_may_do_more_until_its_client_leaves);
    tcase_add_test(t, others_have_their_turn_before_one_is_sent_all_of_much);
    tcase_add_test(t, a_client_may_be_found_gone_while_it_is_sent_to);
    suite_add_tcase(s, t);
    return s;
}
