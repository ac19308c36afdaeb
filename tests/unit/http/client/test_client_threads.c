/* test_client_threads.c - asking other servers from blocking threads, each for a client of its own that may leave. */
#include "server/base/blocking_wait.h"
#include "server/http/client/client.h"
#include "server/base/block.h"
#include "server/base/memory.h"
#include "tests/support/peer.h"
#include "server/base/overload/refusal.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

enum { MANY = 12 };

static struct asker {
    pthread_t   thread;
    const char *url;
    uint64_t    timeout_ms, deadline_ms;     /* 0: none */
    int         client, peer;                /* its client's connection, and that client */
    atomic_int  err;                         /* 1: it waits */
    int         status;
} askers[MANY];

static http_client_options options = {
    .connections = 3, .line = MANY, .timeout_ms = 10000, .connect_timeout_ms = 5000, .size = 1000,
};

static void setup(void)
{
    peer_start();
    http_client_configure(&options);
}

static void teardown(void)
{
    http_client_done();
    peer_stop();
}

static void configure(int connections, int line)
{
    options.connections = connections;
    options.line = line;
    http_client_configure(&options);
}

static void *serve(void *arg)
{
    struct asker *me = arg;
    arena a = { 0 };
    http_answer got = { 0 };
    blocking_follow(me->client, 0);
    blocking_limit(me->deadline_ms ? deadline_in(me->deadline_ms) : NO_DEADLINE);
    const int err = outcome_now(http_fetch(&a, &(http_call){ .url = me->url, .timeout_ms = me->timeout_ms }, &got));
    if (!err)
        ck_assert(text_equal(got.body, TEXT("hello")) || got.body.length == 1000);
    me->status = got.status;
    arena_done(&a);
    block_trim();
    pool_done_all();
    atomic_store(&me->err, err);
    return NULL;
}

static void start_by(int i, const char *url, uint64_t timeout_ms, uint64_t deadline_ms)
{
    struct asker *me = &askers[i];
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    *me = (struct asker){ .url = url, .timeout_ms = timeout_ms, .deadline_ms = deadline_ms,
                          .client = ends[0], .peer = ends[1], .err = 1 };
    ck_assert_int_eq(pthread_create(&me->thread, NULL, serve, me), 0);
}

static void start(int i, const char *url, uint64_t timeout_ms) { start_by(i, url, timeout_ms, 0); }

static void leave(int i)
{
    close(askers[i].peer);
    askers[i].peer = -1;
}

static int end(int i)
{
    pthread_join(askers[i].thread, NULL);
    close(askers[i].client);
    if (askers[i].peer >= 0)
        close(askers[i].peer);
    return askers[i].err;
}

static int ask(const char *url, uint64_t timeout_ms)
{
    start(0, url, timeout_ms);
    return end(0);
}

static void until(int (*count)(void), int n)
{
    while (count() != n)
        usleep(100);
}

START_TEST(it_blocks_until_the_answer_is_there)
{
    ck_assert_int_eq(ask(peer_url("/hello"), 0), 0);
    ck_assert_int_eq(askers[0].status, 200);
    ck_assert_int_eq(ask(peer_url_at("http://some.test", "/hello"), 0), 0);
}
END_TEST

START_TEST(what_goes_wrong_is_told_as_on_a_loop)
{
    ck_assert_int_eq(ask(peer_url("/half"), 0), UV_ECONNRESET);
    ck_assert_int_eq(ask(peer_url("/reset"), 0), UV_ECONNRESET);
    ck_assert_int_eq(ask(peer_url("/nonsense"), 0), UV_EPROTO);
    ck_assert_int_eq(ask(peer_url("/big/1001"), 0), UV_E2BIG);
    ck_assert_int_eq(ask(peer_url("/endless"), 0), UV_E2BIG);
    ck_assert_int_eq(ask("http://127.0.0.1:1/", 0), UV_ECONNREFUSED);
    ck_assert_int_eq(ask(peer_url_at("http://none.test", "/"), 0), UV_EAI_NONAME);
    ck_assert_int_eq(ask("ftp://127.0.0.1/", 0), UV_EINVAL);
    ck_assert_int_eq(ask(peer_url("/big/1000"), 0), 0);
}
END_TEST

START_TEST(one_that_retires_keeps_no_connection_and_asks_as_before)
{
    ck_assert_int_eq(ask(peer_url("/hello"), 0) | ask(peer_url("/hello"), 0), 0);
    ck_assert_int_eq(peer_connections(), 1);
    http_client_retire();
    ck_assert_int_eq(ask(peer_url("/hello"), 0) | ask(peer_url("/hello"), 0), 0);
    ck_assert_int_eq(peer_connections(), 3);
}
END_TEST

START_TEST(it_waits_for_so_long_and_no_longer)
{
    ck_assert_int_eq(ask(peer_url("/gate"), 5), UV_ETIMEDOUT);
    ck_assert_int_eq(ask(peer_url("/drip"), 5), UV_ETIMEDOUT);
    ck_assert_int_eq(ask(peer_deaf_url(), 5), UV_ETIMEDOUT);
    until(peer_waiting, 0);
}
END_TEST

START_TEST(all_threads_share_the_connections_that_are_kept)
{
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(ask(peer_url("/hello"), 0), 0);
    ck_assert_int_eq(peer_connections(), 1);
}
END_TEST

START_TEST(never_more_than_so_many_are_under_way_and_all_have_their_turn)
{
    const char *url = peer_url("/gate");
    for (int i = 0; i < MANY; i++)
        start(i, url, 0);
    until(peer_waiting, 3);
    peer_open(MANY);
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(end(i), 0);
    ck_assert_int_eq(peer_most(), 3);
    ck_assert_int_eq(peer_connections(), 3);
}
END_TEST

static void ask_while_another_asks(int line, int err)
{
    configure(1, line);
    start(1, peer_url("/gate"), 0);
    until(peer_waiting, 1);
    ck_assert_int_eq(ask(peer_url("/hello"), 5), err);
    peer_open(1);
    ck_assert_int_eq(end(1), 0);
    ck_assert_int_eq(peer_requests(), 1);
}

START_TEST(all_threads_together_have_as_much_as_so_many_loops)
{
    options.loops = 3;
    configure(1, 0);
    const char *const url = peer_url("/gate");
    for (int i = 1; i <= 3; i++)
        start(i, url, 0);
    until(peer_waiting, 3);
    ck_assert_int_eq(ask(peer_url("/hello"), 0), REFUSED(REFUSED_OUTGOING_LINE));
    peer_open(3);
    for (int i = 1; i <= 3; i++)
        ck_assert_int_eq(end(i), 0);
}
END_TEST

START_TEST(a_full_line_refuses_at_once) { ask_while_another_asks(0, REFUSED(REFUSED_OUTGOING_LINE)); }
END_TEST

START_TEST(the_time_in_line_counts) { ask_while_another_asks(1, UV_ETIMEDOUT); }
END_TEST

START_TEST(a_client_that_leaves_ends_it_wherever_it_is)
{
    configure(2, 4);
    start(1, peer_url("/gate"), 0);
    start(2, peer_url("/drip"), 0);
    until(peer_waiting, 2);
    start(3, peer_url("/hello"), 0);
    leave(3);                                /* in line, or on the way there */
    ck_assert_int_eq(end(3), UV_ECANCELED);
    leave(1);
    leave(2);
    ck_assert_int_eq(end(1), UV_ECANCELED);
    ck_assert_int_eq(end(2), UV_ECANCELED);
    until(peer_waiting, 0);
    start(1, peer_deaf_url(), 0);
    leave(1);
    ck_assert_int_eq(end(1), UV_ECANCELED);
    ck_assert_int_eq(ask(peer_url("/hello"), 0), 0);
}
END_TEST

START_TEST(who_leaves_while_a_name_is_looked_up_keeps_the_place_until_that_has_ended)
{
    configure(1, 0);
    start(1, peer_url_at("http://slow.test", "/hello"), 0);
    until(peer_look_ups, 1);
    leave(1);
    ck_assert_int_eq(ask(peer_url("/hello"), 0), REFUSED(REFUSED_OUTGOING_LINE));
    peer_answer_look_ups();
    ck_assert_int_eq(end(1), UV_ECANCELED);
    ck_assert_int_eq(ask(peer_url("/hello"), 0), 0);
}
END_TEST

START_TEST(a_deadline_ends_it_and_is_what_is_told_though_a_name_is_looked_up)
{
    configure(1, 0);
    start_by(1, peer_url_at("http://slow.test", "/hello"), 0, 5);
    ck_assert_int_eq(end(1), UV_ETIMEDOUT);
    peer_answer_look_ups();
    until(peer_look_ups, 0);
    start_by(1, peer_url("/gate"), 0, 5);
    ck_assert_int_eq(end(1), UV_ETIMEDOUT);
    ck_assert_int_eq(ask(peer_url("/hello"), 0), 0);
}
END_TEST

Suite *client_threads_suite(void)
{
    Suite *s = suite_create("client_threads");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, it_blocks_until_the_answer_is_there);
    tcase_add_test(t, what_goes_wrong_is_told_as_on_a_loop);
    tcase_add_test(t, one_that_retires_keeps_no_connection_and_asks_as_before);
    tcase_add_test(t, it_waits_for_so_long_and_no_longer);
    tcase_add_test(t, all_threads_share_the_connections_that_are_kept);
    tcase_add_test(t, never_more_than_so_many_are_under_way_and_all_have_their_turn);
    tcase_add_test(t, all_threads_together_have_as_much_as_so_many_loops);
    tcase_add_test(t, a_full_line_refuses_at_once);
    tcase_add_test(t, the_time_in_line_counts);
    tcase_add_test(t, a_client_that_leaves_ends_it_wherever_it_is);
    tcase_add_test(t, who_leaves_while_a_name_is_looked_up_keeps_the_place_until_that_has_ended);
    tcase_add_test(t, a_deadline_ends_it_and_is_what_is_told_though_a_name_is_looked_up);
    suite_add_tcase(s, t);
    return s;
}
