/* test_blocking_faults.c - PostgreSQL from blocking threads while things break: nobody waits for a
 * server that is not there, no write is lost or done twice, and all is well again soon after. */
#include "tests/unit/db/askers.h"
#include "fixture.h"
#include "tests/support/loopback.h"
#include "tests/support/relay.h"
#include "server/base/blocking_wait.h"
#include "server/base/block.h"
#include "server/base/memory.h"
#include "server/base/overload/refusal.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int backend(void)
{
    rows r;
    ck_assert_int_eq(now(&BACKEND, &r, 1), 0);
    return (int)rows_int(&r, 0, 0);
}

static int later(const statement *s, rows *r, int64_t n)     /* than what would be beside one that met silence */
{
    int err;
    while ((err = now(s, r, n)) == UV_ETIMEDOUT)
        ;
    return err;
}

static asker *all_at_the_gate(asker a[], int n)              /* each on a connection of its own */
{
    gate_shut();
    for (int i = 0; i < n; i++) {
        a[i] = (asker){ .statement = &GATED, .n = i };
        asker_start(&a[i], base);
    }
    wait_at_gate(n);
    return a;
}

static void until_it_answers(void)
{
    rows r;
    while (now(&THING, &r, 1))
        blocking_wait(-1, 0, deadline_in(1));
}

START_TEST(reads_do_not_notice_that_their_backends_are_killed)
{
    enum { ALL = 4 };
    asker a[ALL];
    options.connections = ALL;
    open_blocking(cluster_url(server));
    all_at_the_gate(a, ALL);
    terminate_all();
    gate_open();
    for (int i = 0; i < ALL; i++) {
        ck_assert_int_eq(asker_end(&a[i]), 0);
        ck_assert_int_eq(a[i].answer, i);
    }
    const int before = backend();
    terminate_all();                         /* and while they are idle */
    ck_assert_int_ne(backend(), before);
    finish_blocking();
}
END_TEST

START_TEST(a_read_goes_again_only_once)
{
    asker a;
    open_blocking(cluster_url(server));
    all_at_the_gate(&a, 1);
    terminate_all();
    wait_at_gate(1);                         /* again */
    terminate_all();
    ck_assert_int_eq(asker_end(&a), UV_ECONNRESET);
    gate_open();
    finish_blocking();
}
END_TEST

START_TEST(a_write_whose_backend_is_killed_is_not_sent_again)
{
    asker a = { .statement = &GATED_ADD, .n = 2000 };
    rows r;
    open_blocking(cluster_url(server));
    gate_shut();
    asker_start(&a, base);
    wait_at_gate(1);
    terminate_all();
    ck_assert_int_eq(asker_end(&a), ERR_UNCERTAIN);
    gate_open();
    ck_assert_str_eq(cluster_ask(server, "select count(*) from things where id = 2000"), "0");
    ck_assert_int_eq(now(&GATED_ADD, &r, 2000), 0);
    finish_blocking();
}
END_TEST

/* What was to be executed never left. */
START_TEST(a_write_whose_connections_break_while_it_is_prepared_is_known_not_to_be_stored)
{
    asker a = { .statement = &ADD, .n = 2000 };
    const bool twice = _i == 1;
    open_blocking(cluster_url(server));
    things_lock();
    asker_start(&a, base);
    for (int i = 0; i <= _i; i++) {
        wait_for_things(1);
        terminate_all();
    }
    if (twice)
        ck_assert_int_eq(asker_end(&a), UV_EAGAIN);
    things_unlock();
    if (!twice)
        ck_assert_int_eq(asker_end(&a), 0);
    ck_assert_str_eq(cluster_ask(server, "select count(*) from things where id = 2000"), twice ? "0" : "1");
    finish_blocking();
}
END_TEST

/* It was not sent on any of them: so it may go to another. */
START_TEST(a_write_does_not_notice_that_idle_connections_have_broken)
{
    asker a[4];
    rows r;
    options.connections = 4;
    open_blocking(cluster_url(server));
    all_at_the_gate(a, 4);
    gate_open();
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(asker_end(&a[i]), 0);
    for (int i = 0; i < 10; i++) {
        terminate_all();
        ck_assert_int_eq(now(&ADD, &r, 2000 + i), 0);
    }
    finish_blocking();
}
END_TEST

/* A server says that it hangs up before it does. */
START_TEST(a_connection_whose_end_has_been_announced_takes_no_write)
{
    rows r;
    options.connections = 1;
    open_blocking(relayed_url());
    ck_assert_int_eq(now(&ADD, &r, 2000), 0);
    terminate_all();
    while (relay_hung_up() == 0)
        blocking_wait(-1, 0, deadline_in(1));
    ck_assert_int_eq(now(&ADD, &r, 2001), 0);
    finish_blocking();
    relay_end();
}
END_TEST

/* A commit waits for a standby that is not there; who gives up waiting does not know what a failover will keep. */
START_TEST(a_write_that_gives_up_waiting_for_its_standby_is_uncertain)
{
    rows r;
    wait_for_a_standby();
    options.timeout_ms = 1000;               /* by when it waits on a busy machine, too */
    open_blocking(cluster_url(server));
    ck_assert_int_eq(now(&ADD, &r, 2000), ERR_UNCERTAIN);
    finish_blocking();
    cluster_ask(server, "alter system reset all");
    cluster_stop(server);
    cluster_start(server);
    ck_assert_str_eq(cluster_ask(server, "select count(*) from things where id = 2000"), "1");
}
END_TEST

START_TEST(a_server_that_stops_and_comes_back_is_found_again)
{
    asker read = { .statement = &SLEEP, .n = 60000 }, write = { .statement = &SLEEP_AND_ADD, .n = 2000 }, waits[3];
    rows r;
    options.timeout_ms = options.line_timeout_ms = 0;        /* so that nothing but the server's end is one for them */
    open_blocking(cluster_url(server));
    asker_start(&read, base);
    asker_start(&write, base);
    wait_for(SLEEPING, "2");
    for (int i = 0; i < 3; i++) {
        waits[i] = (asker){ .statement = &THING, .n = 1 };
        asker_start(&waits[i], base);
    }
    wait_for_waiting(3);
    if (_i == 0)
        cluster_stop(server);
    else
        cluster_crash(server);
    ck_assert_int_eq(asker_end(&read), UV_ECONNRESET);
    ck_assert_int_eq(asker_end(&write), ERR_UNCERTAIN);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(asker_end(&waits[i]), UV_ECONNREFUSED);
    for (int i = 0; i < 100; i++)            /* at once, while the connector tries */
        ck_assert_int_eq(now_or_never(&THING, &r, 1), UV_ECONNREFUSED);
    cluster_start(server);
    until_it_answers();
    ck_assert_str_eq(cluster_ask(server, "select count(*) from things where id = 2000"), "0");
    finish_blocking();
}
END_TEST

static struct { atomic_int acknowledged, uncertain, next; atomic_bool stop; } load;

static void *write_on(void *arg)
{
    arena mine = { 0 };
    (void)arg;
    db *own = db_new(base);
    while (!load.stop) {
        rows r;
        const int err = outcome_now(db_query(own, &mine, NULL, &r, &ADD, 1, (value[]){ integer(load.next++) }));
        arena_done(&mine);
        load.acknowledged += err == 0;
        load.uncertain += err == ERR_UNCERTAIN;
        if (err == UV_ECONNREFUSED)
            blocking_wait(-1, 0, deadline_in(1));
        else if (err && err != UV_ECONNRESET && err != ERR_UNCERTAIN)
            ck_abort_msg("%s", uv_strerror(err));
    }
    ck_assert_int_eq(outcome_now(db_close(own)), 0);
    db_free(own);
    block_trim();
    pool_done_all();
    return NULL;
}

static void wait_for_writes(int more)
{
    for (const int from = load.acknowledged; load.acknowledged < from + more;)
        blocking_wait(-1, 0, deadline_in(1));
}

START_TEST(every_acknowledged_write_is_there_after_the_server_crashed_under_load)
{
    enum { WRITERS = 8 };
    pthread_t writers[WRITERS];
    open_blocking(cluster_url(server));
    load.next = 10000;
    for (int i = 0; i < WRITERS; i++)
        pthread_create(&writers[i], NULL, write_on, NULL);
    for (int round = 0; round < 2; round++) {
        wait_for_writes(20);
        cluster_crash(server);
        cluster_start(server);
    }
    wait_for_writes(20);
    load.stop = true;
    for (int i = 0; i < WRITERS; i++)
        pthread_join(writers[i], NULL);
    const int there = atoi(cluster_ask(server, "select count(*) from things where name = 'added'"));
    ck_assert_int_ge(there, load.acknowledged);
    ck_assert_int_le(there, load.acknowledged + load.uncertain);
    finish_blocking();
}
END_TEST

/* Of what is asked next, whether it was taken for one that was asked beside the other; who asks milliseconds later was not. */
static bool give_up_a_silent_backend(int what, int64_t n)
{
    rows r;
    const int pid = backend();
    if (what == 2)
        ck_assert_int_eq(now(&ADD, &r, n + 1), 0);
    kill(pid, SIGSTOP);                      /* until the end: whoever waited for it would do so for ever */
    options.timeout_ms = 100;
    /* A write that it would only have prepared has not run; one that it was asked to run may yet. */
    ck_assert_int_eq(now(what == 0 ? &THING : &ADD, &r, what == 0 ? 1 : n), what == 2 ? ERR_UNCERTAIN : UV_ETIMEDOUT);
    options.timeout_ms = 0;
    const int beside = now(&THING, &r, 1);
    ck_assert_int_eq(later(&THING, &r, 1), 0);               /* on another connection */
    ck_assert_int_ne(backend(), pid);
    kill(pid, SIGCONT);
    return beside == UV_ETIMEDOUT;
}

START_TEST(a_backend_that_answers_nothing_any_more_is_given_up)
{
    enum { MANY = 5 };                       /* a busy machine may take the milliseconds */
    int again = 0;
    options.connections = 1;
    open_blocking(cluster_url(server));
    while (!give_up_a_silent_backend(_i, 2000 + 2 * again))
        ck_assert_int_lt(++again, MANY);
    finish_blocking();
}
END_TEST

/* Neither does its end, for which one that connects at that moment would wait for ever, too. */
START_TEST(a_server_that_is_frozen_delays_nobody_for_long)
{
    rows r;
    options.connections = 1;
    options.connect_timeout_ms = 0;
    open_blocking(cluster_url(server));
    const pid_t postmaster = cluster_pid(server);
    const int pid = backend();
    kill(postmaster, SIGSTOP);               /* takes no cancel requests and no connections */
    kill(pid, SIGSTOP);
    options.timeout_ms = 50;
    ck_assert_int_eq(now(&SLEEP, &r, 60000), UV_ETIMEDOUT);
    options.line_timeout_ms = 200;
    ck_assert_int_eq(later(&THING, &r, 1), REFUSED(REFUSED_DATABASE_TIMEOUT));
    finish_blocking();
    kill(pid, SIGCONT);
    kill(postmaster, SIGCONT);
}
END_TEST

START_TEST(where_nobody_answers_no_thread_waits_for_the_connect_timeout)
{
    enum { ALL = 16 };
    asker a[ALL];
    char url[128];
    int port;
    rows r;
    loopback_listen(16, &port);
    snprintf(url, sizeof url, "postgresql://tenk@127.0.0.1:%d/tenk", port);
    options.line_timeout_ms = 50;
    options.connect_timeout_ms = 0;          /* never */
    open_blocking(url);
    for (int i = 0; i < ALL; i++) {
        a[i] = (asker){ .statement = &THING, .n = 1 };
        asker_start(&a[i], base);
    }
    for (int i = 0; i < ALL; i++)
        ck_assert_int_eq(asker_end(&a[i]), REFUSED(REFUSED_DATABASE_TIMEOUT));
    finish_blocking();                          /* nor does the end */

    options.line_timeout_ms = 0;
    options.connect_timeout_ms = 50;
    open_blocking(url);
    ck_assert_int_eq(now(&THING, &r, 1), UV_ECONNREFUSED);   /* once that is known */
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(now_or_never(&THING, &r, 1), UV_ECONNREFUSED);
    finish_blocking();
}
END_TEST

START_TEST(of_several_hosts_one_that_lives_is_found_and_then_tried_first)
{
    asker a;
    char url[256];
    int deaf;
    rows r;
    loopback_listen(16, &deaf);
    options.connect_timeout_ms = 1000;
    snprintf(url, sizeof url, "postgresql://tenk@127.0.0.1:%d,localhost:%d/tenk?target_session_attrs=%s",
             _i == 0 ? 2 : deaf, cluster_port(server), "read-write");
    open_blocking(url);
    until_it_answers();
    options.connect_timeout_ms = 0;          /* for ever, if the other one were tried first */
    all_at_the_gate(&a, 1);
    ck_assert_int_eq(now(&THING, &r, 1), 0); /* on a second connection */
    gate_open();
    ck_assert_int_eq(asker_end(&a), 0);
    finish_blocking();
}
END_TEST

/* Some connections are better than none: those who wait get them, one after the other. */
START_TEST(a_server_that_takes_fewer_connections_serves_all_the_same)
{
    enum { ALL = 6 };
    asker a[ALL];
    open_blocking(cluster_url(server));
    backend();                               /* one is up, and another one will not be */
    cluster_ask(server, "alter role tenk connection limit 1");
    for (int i = 0; i < ALL; i++) {
        a[i] = (asker){ .statement = &SLEEP, .n = 20 };
        asker_start(&a[i], base);
    }
    for (int i = 0; i < ALL; i++)
        ck_assert_int_eq(asker_end(&a[i]), 0);
    cluster_ask(server, "alter role tenk connection limit -1");
    finish_blocking();
}
END_TEST

Suite *postgres_threads_faults_suite(void)
{
    Suite *s = suite_create("postgres_threads_faults");
    TCase *t = tcase_create("faults");
    tcase_set_tags(t, "faults");             /* the image is built without them */
    tcase_add_unchecked_fixture(t, make_server, free_server);
    tcase_add_checked_fixture(t, begin, NULL);
    tcase_add_test(t, reads_do_not_notice_that_their_backends_are_killed);
    tcase_add_test(t, a_read_goes_again_only_once);
    tcase_add_test(t, a_write_whose_backend_is_killed_is_not_sent_again);
    tcase_add_loop_test(t, a_write_whose_connections_break_while_it_is_prepared_is_known_not_to_be_stored, 0, 2);
    tcase_add_test(t, a_write_that_gives_up_waiting_for_its_standby_is_uncertain);
    tcase_add_test(t, a_write_does_not_notice_that_idle_connections_have_broken);
    tcase_add_test(t, a_connection_whose_end_has_been_announced_takes_no_write);
    tcase_add_loop_test(t, a_server_that_stops_and_comes_back_is_found_again, 0, 2);
    tcase_add_test(t, every_acknowledged_write_is_there_after_the_server_crashed_under_load);
    tcase_add_loop_test(t, a_backend_that_answers_nothing_any_more_is_given_up, 0, 3);
    tcase_add_test(t, a_server_that_is_frozen_delays_nobody_for_long);
    tcase_add_test(t, where_nobody_answers_no_thread_waits_for_the_connect_timeout);
    tcase_add_loop_test(t, of_several_hosts_one_that_lives_is_found_and_then_tried_first, 0, 2);
    tcase_add_test(t, a_server_that_takes_fewer_connections_serves_all_the_same);
    suite_add_tcase(s, t);
    return s;
}
