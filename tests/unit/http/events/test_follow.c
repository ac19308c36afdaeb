/* test_follow.c - a topic's messages to clients, in both modes, published from another thread than those that serve. */
#include "server/http/events/events.h"
#include "server/async/loop.h"
#include "server/async/task.h"
#include "server/async/timing.h"
#include "server/http/request.h"
#include "server/topic/subscription.h"
#include "tests/support/support.h"
#include "tests/unit/http/whole_server.h"
#include "tests/unit/suites.h"

#include <check.h>
#include <inttypes.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GET(path, more) "GET " path " HTTP/1.1\r\nHost: a\r\n" more "\r\n"
#define LAST_CHUNK "0\r\n\r\n"

static topic     *news;
static atomic_int outcome;                   /* of the last that ended */
static uv_sem_t   ended;                     /* posted for each */

static void on_request_ended(void *arg)
{
    (void)arg;
    uv_sem_post(&ended);
}

static promise *by_promise(request *req)
{
    int64_t after = TOPIC_NEW;
    int err = request_last_event_id(req, &after);
    subscription *s = topic_subscribe(request_arena(req), news, after);      /* before its client is told that it has begun */
    arena_defer(request_arena(req), on_request_ended, NULL);
    if (!err)
        err = respond_events(req);
    return err ? promise_settled(err) : events_follow(req, s);
}

static async int by_task(request *req)
{
    const int err = await(by_promise(req));
    outcome = err;
    return err;
}

typedef struct waiting { void (*done)(int err, void *arg); void *arg; } waiting;

static void on_settled(int err, void *arg)
{
    const waiting *w = arg;
    outcome = err;
    w->done(err, w->arg);
}

static void by_callback(request *req, void (*done)(int err, void *arg), void *arg)
{
    waiting *w = request_alloc(req, sizeof *w);
    *w = (waiting){ done, arg };
    when_settled(by_promise(req), on_settled, w);
}

static atomic_int behind;                    /* how often one was */

static async int begins_again(void *arg)
{
    subscription *s = arg;
    const int err = await(sleep_for(1));
    if (!err)
        subscription_again(s, subscription_last(s));
    return err;
}

static promise *begin_again(request *req, subscription *s)
{
    (void)req;
    behind++;
    return loop_here() ? task_start("again", begins_again, s) : promise_settled(begins_again(s));
}

static promise *give_up(request *req, subscription *s)
{
    (void)req, (void)s;
    behind++;
    return promise_settled(UV_EIO);
}

static promise *follow_on(request *req, events_again *again)
{
    int64_t at_first = 0;
    subscription *s = topic_subscribe(request_arena(req), news, 0);
    request_query_int(req, "behind", &at_first);
    arena_defer(request_arena(req), on_request_ended, NULL);
    const int err = respond_events(req);
    return err ? promise_settled(err) : events_follow_on(req, s, again, at_first);
}

static promise *by_going_on(request *req)   { return follow_on(req, begin_again); }
static promise *until_it_is_not(request *req) { return follow_on(req, give_up); }

static const route ROUTES_HERE[] = {
    { "GET", "/on", .promise = by_going_on, .events = true }, { "GET", "/until", .promise = until_it_is_not, .events = true },
    { "GET", "/promise", .promise = by_promise, .events = true }, { "GET", "/task", .await = by_task },
    { "GET", "/callback", .callback = by_callback },
};

enum { KEEP = 128, DRAIN = 4000 };

static void begin_with(mode in, const char *const settings[])
{
    topics_configure(&(topic_options){ .keep = KEEP, .most = 4, .bytes = 64 << 20 });
    log_capture();                           /* that it stops is no news */
    ck_assert_int_eq(topic_open(TEXT("news"), &news), 0);
    uv_sem_init(&ended, 0);
    whole_server_start(in, ROUTES_HERE, sizeof ROUTES_HERE / sizeof *ROUTES_HERE, settings);
}

static void begin(int in) { begin_with((mode)in, (const char *const[]){ "TENK_TIMEOUTS_DRAIN=4s", NULL }); }

static void end(void)
{
    whole_server_stop();
    topic_close(news);
    topics_done();
    ck_assert_uint_eq(topics_look().subscriptions, 0);
    uv_sem_destroy(&ended);
}

static void publish(int64_t id, const char *data) { ck_assert_int_eq(topic_publish(news, id, TEXT("n"), text_of(data)), 0); }

static void publish_numbers(int from, int to)
{
    char number[16];
    for (int i = from; i < to; i++) {
        snprintf(number, sizeof number, "%d", i);
        publish(i, number);
    }
}

/* Its client has had what begins a stream: it is subscribed. */
static int listening_by(int fd)
{
    wire_until(fd, "\nretry: 3000\n\n");
    return fd;
}

static int listening(const char *request) { return listening_by(wire_open(request)); }

/* The kernel takes some MiB for it, whatever it reads, and the topic keeps 8: less than is published. However slow the machine
 * is, a client that does not read is there. */
static int slow_one(void) { return listening_by(wire_open_small(GET("/promise", ""))); }

static void begin_patiently(int in)
{
    begin_with((mode)in, (const char *const[]){ "TENK_TIMEOUTS_DRAIN=4s", "TENK_TIMEOUTS_WRITE=5m", NULL });
}

static const char *style(int i)
{
    static const char *const requests[] = { GET("/promise", ""), GET("/task", ""), GET("/callback", "") };
    return requests[i % 3];
}

/* The ids in what has come, each one more than that before: the first is from. Returns the next. */
static int expect_ids(const char *came, int from)
{
    for (const char *at = came; (at = strstr(at, "id: ")); at++, from++)
        ck_assert_msg(atoi(at + 4) == from, "%d, and it should be %d, in\n%.300s", atoi(at + 4), from,
                      at > came + 100 ? at - 100 : came);
    return from;
}

START_TEST(each_client_gets_each_message_once_and_in_order)
{
    enum { MANY = 100 };
    int fds[9];
    begin(_i);
    for (int i = 0; i < 9; i++)
        fds[i] = listening(style(i));
    publish_numbers(1, MANY);
    publish(MANY, "two\nlines \xf0\x9f\x8c\x8d");
    for (int i = 0; i < 9; i++) {
        const char *came = wire_until(fds[i], "id: 100\nevent: n\ndata: two\ndata: lines \xf0\x9f\x8c\x8d\n\n");
        ck_assert_int_eq(expect_ids(came, 1), MANY + 1);
        wire_close(fds[i]);
    }
    end();
}
END_TEST

START_TEST(to_http_1_0_it_is_the_same_without_chunks)
{
    begin(_i);
    const int fd = listening("GET /promise HTTP/1.0\r\n\r\n");
    publish_numbers(1, 3);
    const char *came = wire_until(fd, "id: 2\nevent: n\ndata: 2\n\n");
    ck_assert_str_eq(came, "id: 1\nevent: n\ndata: 1\n\nid: 2\nevent: n\ndata: 2\n\n");
    whole_server_ask_to_stop();
    ck_assert_ptr_nonnull(strstr(wire_until_end(fd), "retry: "));
    wire_close(fd);
    end();
}
END_TEST

/* A long one is not copied for each. */
START_TEST(long_messages_come_whole_and_in_order_among_short_ones)
{
    enum { LONG = 5000, MANY = 20 };
    static char data[LONG + 1];
    static const char *const requests[] = { GET("/promise", ""), "GET /promise HTTP/1.0\r\n\r\n" };
    begin(_i);
    int fds[6];
    for (int i = 0; i < 6; i++)
        fds[i] = listening(requests[i % 2]);
    memset(data, 'x', LONG);
    for (int i = 1; i < MANY; i++)
        publish(i, i % 3 ? data : "short");
    publish(MANY, "last");
    for (int i = 0; i < 6; i++) {
        const char *came = wire_until(fds[i], "data: last\n\n"), *at = came;
        ck_assert_int_eq(expect_ids(came, 1), MANY + 1);
        for (int n = 1; n < MANY; n++) {
            at = strstr(at, "data: ") + strlen("data: ");
            ck_assert_uint_eq(strspn(at, "xshort"), n % 3 ? LONG : 5);
            ck_assert_mem_eq(at + (n % 3 ? LONG : 5), i % 2 ? "\n\n" : "\n\n\r\n", i % 2 ? 2 : 4);
        }
        wire_close(fds[i]);
    }
    end();
}
END_TEST

START_TEST(what_no_client_would_read_as_it_is_is_passed_over)
{
    begin(_i);
    const int fd = listening(GET("/promise", ""));
    ck_assert_int_eq(topic_publish(news, 1, TEXT("a\ndata: forged"), TEXT("x")), 0);
    publish(2, "");
    ck_assert_ptr_null(strstr(wire_until(fd, "id: 2\nevent: n\ndata: \n\n"), "forged"));
    wire_close(fd);
    end();
}
END_TEST

START_TEST(who_comes_back_misses_nothing_and_gets_nothing_twice)
{
    char request[128] = GET("/promise", "");
    int next = 1;
    begin(_i);
    for (int round = 0; round < 10; round++) {
        const int fd = listening(request), last = 10 * round + 5;
        char part[32];
        publish_numbers(10 * round + 1, last + 1);
        snprintf(part, sizeof part, "data: %d\n\n", last);
        next = expect_ids(wire_until(fd, part), next);
        ck_assert_int_eq(next, last + 1);
        wire_close(fd);
        publish_numbers(last + 1, last + 6); /* while it is away */
        snprintf(request, sizeof request, GET("/promise", "Last-Event-ID: %d\r\n"), last);
    }
    const int fd = listening(request);
    ck_assert_int_eq(expect_ids(wire_until(fd, "data: 100\n\n"), next), 101);
    wire_close(fd);
    end();
}
END_TEST

START_TEST(a_client_that_leaves_ends_it_though_nothing_is_published)
{
    begin(_i);
    for (int i = 0; i < 3; i++) {
        wire_close(listening(style(i)));
        uv_sem_wait(&ended);
    }
    ck_assert_int_eq(outcome, UV_ECANCELED);
    end();
}
END_TEST

static void publish_sized(size_t size, int from, int to)
{
    static char data[1 << 16];
    memset(data, 'x', size - 1);
    data[size - 1] = '\0';
    for (int i = from; i < to; i++)
        publish(i, data);
}

/* Enough that the kernel takes no more of it. */
static void publish_much(int from, int to) { publish_sized(1 << 16, from, to); }

/* A little at a time, so that it keeps up, and nobody would notice the other one. */
static void publish_much_with(int reader, int from, int to)
{
    char part[32];
    for (int i = from; i < to; i++) {
        publish_much(i, i + 1);
        snprintf(part, sizeof part, "id: %d\n", i);
        wire_until(reader, part);
    }
}

START_TEST(a_client_that_does_not_read_misses_the_oldest_and_the_others_notice_nothing)
{
    enum { MANY = 400 };
    begin_patiently(_i);
    const int slow = slow_one(), other = listening(GET("/promise", ""));
    publish_much_with(other, 1, MANY);
    publish(MANY, "last");
    wire_until(other, "data: last\n\n");
    const char *came = wire_until(slow, "data: last\n\n");
    int before = 0, missed = 0;
    for (const char *at = came; (at = strstr(at, "id: ")); at++) {
        const int id = atoi(at + 4);
        ck_assert_int_gt(id, before);
        missed += id - before - 1;
        before = id;
    }
    ck_assert_int_gt(missed, 0);
    ck_assert_uint_gt(topics_look().dropped, 0);
    wire_close(slow);
    wire_close(other);
    end();
}
END_TEST

START_TEST(where_the_topic_disconnects_its_answer_ends_and_it_may_come_again)
{
    enum { MANY = 400 };
    begin_patiently(_i);
    topic_set_policy(news, TOPIC_DISCONNECT);
    const int slow = slow_one(), other = listening(GET("/promise", ""));
    publish_much_with(other, 1, MANY);
    publish(MANY, "last");
    wire_until(other, "data: last\n\n");
    while (_i == MODE_ASYNC && topics_look().disconnected == 0)      /* though it has read nothing */
        uv_sleep(1);
    const char *came = wire_until(slow, "\r\n" LAST_CHUNK);
    ck_assert_ptr_null(strstr(came, "data: last\n\n"));
    wire_close(slow);
    wire_close(other);
    end();
}
END_TEST

/* The last of the ids in what has come that have no gap between them. */
static int ids_without_gap(const char *came)
{
    int count = 0, before = 0;
    for (const char *at = came; (at = strstr(at, "id: ")); at++) {
        const int id = atoi(at + 4);
        ck_assert_int_gt(id, before);
        count = id == before + 1 ? count + 1 : 1;
        before = id;
    }
    return count;
}

/* While nothing is read, more is published than the kernel takes, some 4 MiB, and the topic keeps, half a MiB. */
START_TEST(one_that_goes_on_has_what_is_kept_when_it_does_and_its_answer_does_not_end)
{
    enum { MANY = 2000, SIZE = 4096 };
    static const char *const requests[] = { GET("/on", ""), GET("/on?behind=1", "") };
    begin_patiently(_i);
    topic_set_policy(news, TOPIC_DISCONNECT);
    for (int i = 0; i < 2; i++) {
        const int first = 1 + i * MANY;
        behind = 0;
        const int fd = listening_by(wire_open_small(requests[i]));
        publish(first, "first");
        wire_until(fd, "data: first\n\n");
        ck_assert_int_ge(behind, i);
        publish_sized(SIZE, first + 1, first + MANY - 1);
        publish(first + MANY - 1, "last");
        ck_assert_int_ge(ids_without_gap(wire_until(fd, "data: last\n\n")), KEEP);
        ck_assert_int_gt(behind, i);
        wire_close(fd);
        uv_sem_wait(&ended);
    }
    end();
}
END_TEST

START_TEST(one_that_cannot_go_on_ends)
{
    begin(_i);
    const int fd = wire_open(GET("/until?behind=1", ""));
    ck_assert_ptr_null(strstr(wire_until_end(fd), LAST_CHUNK));
    uv_sem_wait(&ended);
    ck_assert_int_eq(behind, 1);
    wire_close(fd);
    end();
}
END_TEST

START_TEST(a_client_that_leaves_ends_also_what_it_goes_on_with)
{
    begin(_i);
    for (int i = 0; i < 5; i++) {
        wire_close(wire_open(GET("/on?behind=1", "")));
        uv_sem_wait(&ended);
    }
    end();
}
END_TEST

START_TEST(a_server_that_stops_ends_it_and_says_when_to_come_back)
{
    enum { MANY = 60 };
    int fds[MANY];
    begin(_i);
    for (int i = 0; i < MANY; i++)
        fds[i] = listening(style(i));
    publish_numbers(1, 2);
    for (int i = 0; i < MANY; i++)
        wire_until(fds[i], "data: 1\n\n");
    whole_server_ask_to_stop();
    for (int i = 0; i < MANY; i++) {
        const char *came = wire_until_end(fds[i]), *retry = strstr(came, "retry: ");
        ck_assert_msg(retry && strstr(came, LAST_CHUNK), "%s", came);
        ck_assert(atoi(retry + 7) >= 3000 && atoi(retry + 7) <= 3000 + DRAIN);
        uv_sem_wait(&ended);
        wire_close(fds[i]);
    }
    ck_assert_int_eq(outcome, UV_ECANCELED);
    end();
}
END_TEST

START_TEST(thousands_get_all_that_is_published_meanwhile)
{
    enum { CLIENTS = 400, MANY = 1000 };
    static int fds[CLIENTS];
    begin_with(MODE_ASYNC, (const char *const[]){ "TENK_TIMEOUTS_DRAIN=4s", NULL });
    for (int i = 0; i < CLIENTS; i++)
        fds[i] = listening(GET("/promise", ""));
    for (int i = 1; i <= MANY; i += KEEP / 2) {              /* never more than is kept */
        char part[32];
        const int last = i + KEEP / 2 <= MANY ? i + KEEP / 2 : MANY + 1;
        publish_numbers(i, last);
        snprintf(part, sizeof part, "data: %d\n\n", last - 1);
        for (int c = 0; c < CLIENTS; c++)
            ck_assert_int_eq(expect_ids(wire_until(fds[c], part), i), last);
    }
    for (int i = 0; i < CLIENTS; i++)
        wire_close(fds[i]);
    end();
}
END_TEST

Suite *follow_suite(void)
{
    Suite *s = suite_create("follow");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, each_client_gets_each_message_once_and_in_order, MODE_ASYNC, MODE_THREADS + 1);
    tcase_add_loop_test(t, to_http_1_0_it_is_the_same_without_chunks, MODE_ASYNC, MODE_THREADS + 1);
    tcase_add_loop_test(t, long_messages_come_whole_and_in_order_among_short_ones, MODE_ASYNC, MODE_THREADS + 1);
    tcase_add_loop_test(t, what_no_client_would_read_as_it_is_is_passed_over, MODE_ASYNC, MODE_THREADS + 1);
    tcase_add_loop_test(t, who_comes_back_misses_nothing_and_gets_nothing_twice, MODE_ASYNC, MODE_THREADS + 1);
    tcase_add_loop_test(t, a_client_that_leaves_ends_it_though_nothing_is_published, MODE_ASYNC, MODE_THREADS + 1);
    tcase_add_loop_test(t, a_client_that_does_not_read_misses_the_oldest_and_the_others_notice_nothing, MODE_ASYNC,
                        MODE_THREADS + 1);
    tcase_add_loop_test(t, where_the_topic_disconnects_its_answer_ends_and_it_may_come_again, MODE_ASYNC, MODE_THREADS + 1);
    tcase_add_loop_test(t, one_that_goes_on_has_what_is_kept_when_it_does_and_its_answer_does_not_end, MODE_ASYNC,
                        MODE_THREADS + 1);
    tcase_add_loop_test(t, one_that_cannot_go_on_ends, MODE_ASYNC, MODE_THREADS + 1);
    tcase_add_loop_test(t, a_client_that_leaves_ends_also_what_it_goes_on_with, MODE_ASYNC, MODE_THREADS + 1);
    tcase_add_loop_test(t, a_server_that_stops_ends_it_and_says_when_to_come_back, MODE_ASYNC, MODE_THREADS + 1);
    tcase_add_test(t, thousands_get_all_that_is_published_meanwhile);
    suite_add_tcase(s, t);
    return s;
}
