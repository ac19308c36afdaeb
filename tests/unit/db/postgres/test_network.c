/* test_network.c - the PostgreSQL driver and what is between it and the server: hosts that say nothing,
 * connections that break, poolers with less room than is wanted. */
#include "tests/unit/db/askers.h"
#include "fixture.h"
#include "tests/support/granted.h"
#include "tests/support/pooler.h"
#include "tests/support/loopback.h"
#include "tests/support/relay.h"
#include "server/async/loop.h"
#include "server/base/log.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { ON_A_LOOP, BLOCKING, BOTH };             /* most tests run as both */

static PGconn *connection(bool blocking)
{
    return blocking ? blocking_pool()->connections[options.connections - 1].pg : connections()->pipeline.pg;
}

static int outcome(bool blocking, const statement *s, rows *r, int64_t n)
{
    return blocking ? now(s, r, n) : outcome_here(ask(r, s, n));
}

static void expect_socket(const PGconn *pg, int level, int option, int expected)
{
    int is = 0;
    socklen_t size = sizeof is;
    ck_assert_int_eq(getsockopt(PQsocket(pg), level, option, &is, &size), 0);
    ck_assert_int_eq(is, expected);
}

/* The kernel tells when a server is gone without a word: within seconds, sooner where another host is at hand,
 * and as the URL wants it. */
START_TEST(a_server_that_is_gone_without_a_word_is_left_within_seconds)
{
    static const struct { const char *hosts, *more; int acknowledged_ms, idle_s; } CASES[] = {
        { "127.0.0.1:%d", "", 3000, 1 }, { "127.0.0.1:%d,127.0.0.1:1", "", 1000, 1 },
        { "127.0.0.1:%d", "&tcp_user_timeout=7000&keepalives_idle=9", 7000, 9 },
    };
    const bool blocking = _i % BOTH;
    const int i = _i / BOTH;
    char format[256], url[256];
    rows r;
    snprintf(format, sizeof format, "postgresql://tenk@%s/tenk?sslmode=disable%s", CASES[i].hosts, CASES[i].more);
    snprintf(url, sizeof url, format, cluster_port(server));
    options.connections = 1;
    (blocking ? open_blocking : open_with)(url);
    ck_assert_int_eq(outcome(blocking, &THING, &r, 1), 0);
    const PGconn *pg = connection(blocking);
    expect_socket(pg, IPPROTO_TCP, TCP_USER_TIMEOUT, CASES[i].acknowledged_ms);
    expect_socket(pg, SOL_SOCKET, SO_KEEPALIVE, 1);
    expect_socket(pg, IPPROTO_TCP, TCP_KEEPIDLE, CASES[i].idle_s);
    expect_socket(pg, IPPROTO_TCP, TCP_KEEPINTVL, 1);
    expect_socket(pg, IPPROTO_TCP, TCP_KEEPCNT, 3);
    (blocking ? finish_blocking : finish)();
}
END_TEST

/* Its packets are lost, and nothing but the kernel's own patience ends what waits for it: 3 seconds, and 1 where there is
 * another host. A read is then asked there, and else fails once nobody could be connected to. */
START_TEST(whoever_waits_for_a_server_that_has_vanished_is_told_within_seconds)
{
    const bool blocking = _i % BOTH, reads = _i / BOTH % 2, another = _i / BOTH / 2;
    char url[256];
    rows r;
    const int port = relay_to(cluster_port(server));
    if (another)
        snprintf(url, sizeof url, "postgresql://tenk@127.0.0.1:%d,127.0.0.1:%d/tenk?sslmode=disable&gssencmode=disable", port,
                 cluster_port(server));
    else
        snprintf(url, sizeof url, "postgresql://tenk@127.0.0.1:%d/tenk?sslmode=disable&gssencmode=disable", port);
    options.connections = 1;
    options.timeout_ms = 0;
    options.line_timeout_ms = 60000;
    options.connect_timeout_ms = 1000;
    (blocking ? open_blocking : open_with)(url);
    ck_assert_int_eq(outcome(blocking, &THING, &r, 1), 0);
    ck_assert_int_eq(outcome(blocking, &ADD, &r, 2000), 0);
    relay_vanish();
    const double before = granted_s();
    const int err = outcome(blocking, reads ? &THING : &ADD, &r, reads ? 1 : 2001);
    const double seconds = granted_s() - before;
    ck_assert_int_eq(err, !reads ? ERR_UNCERTAIN : another ? 0 : UV_ECONNRESET);
    ck_assert_double_lt(seconds, another ? 3 : 6);
    relay_appear();
    while (outcome(blocking, &THING, &r, 1))
        if (!blocking)
            pause_for(1);
    ck_assert_str_eq(cluster_ask(server, "select count(*) from things where id = 2001"), "0");
    (blocking ? finish_blocking : finish)();
    relay_end();
}
END_TEST

/* Nobody asks it anything, and the kernel finds out by itself. */
START_TEST(an_idle_connection_to_a_server_that_has_vanished_costs_nobody_an_answer)
{
    const bool blocking = _i == BLOCKING;
    char url[256];
    rows r;
    snprintf(url, sizeof url, "postgresql://tenk@127.0.0.1:%d,127.0.0.1:%d/tenk?sslmode=disable&gssencmode=disable",
             relay_to(cluster_port(server)), cluster_port(server));
    options.connections = 1;
    (blocking ? open_blocking : open_with)(url);
    ck_assert_int_eq(outcome(blocking, &THING, &r, 1), 0);
    struct pollfd on = { PQsocket(connection(blocking)), POLLIN, 0 };
    relay_vanish();
    ck_assert_msg(poll(&on, 1, 6000) == 1, "the kernel still holds it");
    if (!blocking)
        pause_for(1);                        /* its loop looks, as that of a server always does */
    int err;                                 /* on a busy machine the other server takes longer than it is given at first */
    while ((err = outcome(blocking, &ADD, &r, 2000)) == UV_ECONNREFUSED)
        if (!blocking)
            pause_for(1);
    ck_assert_int_eq(err, 0);
    ck_assert_str_eq(cluster_ask(server, "select count(*) from things where id = 2000"), "1");
    relay_appear();
    (blocking ? finish_blocking : finish)();
    relay_end();
}
END_TEST

START_TEST(of_two_hosts_the_silent_one_is_not_given_the_whole_connect_timeout)
{
    char url[256];
    int deaf;
    rows r;
    loopback_listen(16, &deaf);
    options.connect_timeout_ms = options.line_timeout_ms = 3600000;
    snprintf(url, sizeof url, "postgresql://tenk@127.0.0.1:%d,127.0.0.1:%d/tenk", deaf, cluster_port(server));
    (_i == BLOCKING ? open_blocking : open_with)(url);
    while (outcome(_i == BLOCKING, &THING, &r, 1))
        if (_i == ON_A_LOOP)
            pause_for(1);
    (_i == BLOCKING ? finish_blocking : finish)();
}
END_TEST

/* Slow servers are reached all the same, where there are several of them. */
START_TEST(each_host_is_given_more_time_than_the_one_before_up_to_the_connect_timeout)
{
    database_options o = { .connect_timeout_ms = 5000 };
    const pg_target one = { .options = &o, .count = 1 }, two = { .options = &o, .count = 2 };
    ck_assert_uint_eq(pg_target_connect_timeout(&one, 0), 5000);
    ck_assert_uint_eq(pg_target_connect_timeout(&two, 0), 1000);
    ck_assert_uint_eq(pg_target_connect_timeout(&two, 1), 2000);
    ck_assert_uint_eq(pg_target_connect_timeout(&two, 2), 4000);
    ck_assert_uint_eq(pg_target_connect_timeout(&two, 3), 5000);
    ck_assert_uint_eq(pg_target_connect_timeout(&two, 1000), 5000);
    o.connect_timeout_ms = 500;
    ck_assert_uint_eq(pg_target_connect_timeout(&two, 0), 500);
    o.connect_timeout_ms = 0;
    ck_assert_uint_eq(pg_target_connect_timeout(&one, 0), 0);
    ck_assert_uint_eq(pg_target_connect_timeout(&two, 1000), 32000);
}
END_TEST

START_TEST(the_log_has_libpqs_words_for_a_connection_that_was_reset)
{
    rows r;
    options.connections = 1;
    log_capture();
    log_set_level(LOG_WARNING);
    (_i == BLOCKING ? open_blocking : open_with)(relayed_url());
    ck_assert_int_eq(outcome(_i == BLOCKING, &THING, &r, 1), 0);
    struct pollfd on = { PQsocket(connection(_i == BLOCKING)), POLLIN, 0 };
    relay_reset();
    poll(&on, 1, -1);
    while (_i == ON_A_LOOP && !log_times("lost"))
        pause_for(1);
    ck_assert_int_eq(outcome(_i == BLOCKING, &ADD, &r, 2000), 0);
    (_i == BLOCKING ? finish_blocking : finish)();
    relay_end();
    const char *log = log_captured();
    ck_assert_msg(strstr(log, "server closed the connection unexpectedly"), "%s", log);
    ck_assert_ptr_null(strstr(log, "bad file descriptor"));
}
END_TEST

/* A server, or a pooler, that has no room for one more is not asked for it all the time. */
START_TEST(a_connection_that_is_refused_while_others_serve_is_tried_ever_more_rarely)
{
    rows r;
    cluster_ask(server, "alter role tenk connection limit 1");
    open_with(cluster_url(server));
    const pg_connection *both = connections();
    while (outcome_here(ask(&r, &THING, 1)))                 /* both at once may be one too many, each for the other */
        pause_for(1);
    while (both[0].backoff <= 500 && both[1].backoff <= 500)
        ck_assert_int_eq(outcome_here(ask(&r, &THING, 1)), 0);
    cluster_ask(server, "alter role tenk connection limit -1");
    wait_for_all();
    finish();

    uint64_t backoff = 0;
    for (int i = 0; i < 20; i++)
        ck_assert_uint_le(pg_backoff(&backoff, true, true), 10000);
    ck_assert_uint_ge(pg_backoff(&backoff, true, true), 5000);
    ck_assert_uint_le(pg_backoff(&backoff, true, false), 500);               /* once none serves any more */
}
END_TEST

static const char *pooled_url(int servers)
{
    static char url[128];
    snprintf(url, sizeof url, "postgresql://tenk@127.0.0.1:%d/tenk?sslmode=disable&gssencmode=disable",
             pooler_to(cluster_port(server), servers));
    return url;
}

START_TEST(no_query_waits_for_a_connection_behind_which_a_pooler_has_no_server)
{
    enum { ALL = 12 };
    rows r[ALL];
    int err[ALL];
    asker a[ALL];
    options.connections = 4;
    options.connect_timeout_ms = 2000;       /* for which those that get no server hold nobody up */
    options.timeout_ms = options.line_timeout_ms = 0;        /* one that waited there would do so for ever */
    (_i == BLOCKING ? open_blocking : open_with)(pooled_url(2));
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < ALL; i++) {
            a[i] = (asker){ .statement = i % 2 ? &THING : &SLEEP, .n = 5 };
            if (_i == BLOCKING)
                asker_start(&a[i], base);
            else
                start(ask(&r[i], a[i].statement, 5), &err[i]);
        }
        if (_i == ON_A_LOOP)
            wait_until_settled(err, ALL);
        for (int i = 0; i < ALL; i++)
            ck_assert_int_eq(_i == BLOCKING ? asker_end(&a[i]) : err[i], 0);
    }
    (_i == BLOCKING ? finish_blocking : finish)();
    pooler_end();
}
END_TEST

START_TEST(a_pooler_that_takes_no_startup_parameters_is_told_from_a_server)
{
    char why[256];
    pg_reason_copy_of_connect("FATAL:  unsupported startup parameter: options\n", why, sizeof why);
    ck_assert_str_eq(why, "FATAL:  unsupported startup parameter: options (a pooler's: [database] prepare = off sends it none)");
    pg_reason_copy_of_connect("FATAL:  unsupported startup parameter in options: statement_timeout\n", why, sizeof why);
    ck_assert_ptr_nonnull(strstr(why, "[database] prepare = off"));
    pg_reason_copy_of_connect("FATAL:  no\n", why, sizeof why);
    ck_assert_str_eq(why, "FATAL:  no");
}
END_TEST

static void begin_unlimited(void)
{
    cluster_start(server);
    cluster_ask(server, "alter role tenk connection limit -1");
    begin();
}

Suite *postgres_network_suite(void)
{
    Suite *s = suite_create("postgres_network");
    TCase *t = tcase_create("network");
    tcase_set_tags(t, "faults");             /* the image is built without them */
    tcase_add_unchecked_fixture(t, make_server, free_server);
    tcase_add_checked_fixture(t, begin_unlimited, NULL);
    tcase_add_loop_test(t, a_server_that_is_gone_without_a_word_is_left_within_seconds, 0, 3 * BOTH);
    tcase_add_loop_test(t, whoever_waits_for_a_server_that_has_vanished_is_told_within_seconds, 0, 4 * BOTH);
    tcase_add_loop_test(t, an_idle_connection_to_a_server_that_has_vanished_costs_nobody_an_answer, 0, BOTH);
    tcase_add_loop_test(t, of_two_hosts_the_silent_one_is_not_given_the_whole_connect_timeout, 0, BOTH);
    tcase_add_test(t, each_host_is_given_more_time_than_the_one_before_up_to_the_connect_timeout);
    tcase_add_loop_test(t, the_log_has_libpqs_words_for_a_connection_that_was_reset, 0, BOTH);
    tcase_add_test(t, a_connection_that_is_refused_while_others_serve_is_tried_ever_more_rarely);
    tcase_add_loop_test(t, no_query_waits_for_a_connection_behind_which_a_pooler_has_no_server, 0, BOTH);
    tcase_add_test(t, a_pooler_that_takes_no_startup_parameters_is_told_from_a_server);
    suite_add_tcase(s, t);
    return s;
}
