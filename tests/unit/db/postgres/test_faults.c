/* test_faults.c - the PostgreSQL driver while things break: nothing hangs, no write is lost or
 * done twice, and all is well again soon after. */
#include "fixture.h"
#include "tests/support/relay.h"
#include "server/async/combine.h"
#include "server/async/loop.h"
#include "server/async/timing.h"
#include "server/base/overload/refusal.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int backend(void)
{
    rows r;
    ck_assert_int_eq(outcome_here(ask(&r, &BACKEND, 1)), 0);
    return (int)rows_int(&r, 0, 0);
}

static void until_it_answers(void)
{
    rows r;
    while (outcome_here(ask(&r, &THING, 1)))
        pause_for(1);
}

static int backend_of_first(void)
{
    const PGconn *pg = connections()->pipeline.pg;
    return pg ? PQbackendPID(pg) : 0;
}

static void have_it_sent(promise *p, int *err)
{
    start(p, err);
    pause_for(1);
}

START_TEST(reads_do_not_notice_that_their_backends_are_killed)
{
    rows r[4];
    int err;
    open_with(cluster_url(server));
    wait_for_all();
    const int before = backend();
    gate_shut();
    have_it_sent(gather(ask(&r[0], &GATED, 1), ask(&r[1], &GATED, 2), ask(&r[2], &GATED, 3), ask(&r[3], &THING, 4)), &err);
    wait_at_gate(options.connections);
    terminate_all();
    gate_open();
    wait_until_settled(&err, 1);
    ck_assert_int_eq(err, 0);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(rows_int(&r[i], 0, 0), i + 1);
    ck_assert_int_ne(backend(), before);
    terminate_all();                         /* and while they are idle */
    ck_assert_int_eq(outcome_here(ask(&r[0], &THING, 5)), 0);
    for (int i = 0; i < options.connections; i++)
        ck_assert(connections()[i].pipeline.load == 0);
    ck_assert(((pg_database *)base)->target.prepare);  /* what was prepared there was prepared anew */
    finish();
}
END_TEST

/* One of them has just been made, and we do not know that yet, nor that it has broken. */
START_TEST(a_read_goes_again_only_where_the_connection_was_begun_after_its_own_had_broken)
{
    rows r;
    open_with(cluster_url(server));
    wait_for_all();
    terminate(backend());
    while (strcmp(cluster_ask(server, CONNECTED), "2") != 0)
        uv_run(loop_here(), UV_RUN_NOWAIT);
    terminate_all();
    ck_assert_int_eq(outcome_here(ask(&r, &THING, 5)), 0);
    finish();
}
END_TEST

START_TEST(a_write_whose_backend_is_killed_is_not_sent_again)
{
    rows a, b;
    int written;
    open_with(cluster_url(server));
    wait_for_all();
    gate_shut();
    have_it_sent(ask(&a, &GATED_ADD, 2000), &written);
    wait_at_gate(1);
    terminate_all();
    ck_assert_int_eq(outcome_here(ask(&b, &THING, 1)), 0);
    wait_until_settled(&written, 1);
    ck_assert_int_eq(written, ERR_UNCERTAIN);
    gate_open();
    ck_assert_str_eq(cluster_ask(server, "select count(*) from things where id = 2000"), "0");
    ck_assert_int_eq(outcome_here(ask(&a, &GATED_ADD, 2000)), 0);
    finish();
}
END_TEST

/* A commit waits for a standby that is not there; who gives up waiting does not know what a failover will keep. */
START_TEST(a_write_that_gives_up_waiting_for_its_standby_is_uncertain)
{
    rows r;
    int err;
    wait_for_a_standby();
    options.timeout_ms = 3600000;
    open_with(cluster_url(server));
    wait_for_all();
    have_it_sent(ask(&r, &ADD, 2000), &err);
    wait_for("select count(*) from pg_stat_activity where wait_event = 'SyncRep'", "1");
    clock_skip(options.timeout_ms);
    wait_until_settled(&err, 1);
    ck_assert_int_eq(err, ERR_UNCERTAIN);
    finish();
    cluster_ask(server, "alter system reset all");
    cluster_stop(server);
    cluster_start(server);
    ck_assert_str_eq(cluster_ask(server, "select count(*) from things where id = 2000"), "1");
}
END_TEST

/* A server says that it hangs up before it does. */
START_TEST(a_connection_whose_end_has_been_announced_takes_no_write)
{
    rows r;
    options.connections = 1;
    open_with(relayed_url());
    ck_assert_int_eq(outcome_here(ask(&r, &ADD, 2000)), 0);
    terminate_all();
    while (relay_hung_up() == 0)
        poll(NULL, 0, 1);                    /* without the loop, which would hang up first */
    pause_for(5);                            /* and the loop has read what was said before */
    ck_assert_int_eq(outcome_here(ask(&r, &ADD, 2001)), 0);
    finish();
    relay_end();
}
END_TEST

START_TEST(a_server_that_stops_and_comes_back_is_found_again)
{
    rows r[3];
    int read, written;
    options.timeout_ms = options.line_timeout_ms = 0;        /* so that nothing but the server's end is one for them */
    open_with(cluster_url(server));
    wait_for_all();
    have_it_sent(ask(&r[0], &SLEEP, 60000), &read);
    have_it_sent(ask(&r[1], &SLEEP_AND_ADD, 2000), &written);
    wait_for(SLEEPING, "2");
    if (_i == 0)
        cluster_stop(server);
    else
        cluster_crash(server);
    wait_until_settled(&read, 1);
    wait_until_settled(&written, 1);
    ck_assert_int_eq(read, UV_ECONNRESET);
    ck_assert_int_eq(written, ERR_UNCERTAIN);
    for (int i = 0; i < 100; i++) {          /* at once, while the driver tries to connect */
        ck_assert_int_eq(outcome_now(ask(&r[2], &THING, 1)), UV_ECONNREFUSED);
        pause_for(1);
    }
    cluster_start(server);
    until_it_answers();
    wait_for_all();
    ck_assert_str_eq(cluster_ask(server, "select count(*) from things where id = 2000"), "0");
    finish();
}
END_TEST

static struct { int acknowledged, refused, uncertain, under_way; bool stop; } load;
static rows nowhere;

static void add_more(int err, void *arg)
{
    static int id = 10000;
    (void)arg;
    if (err == 0)
        load.acknowledged++;
    else if (err == UV_ECONNREFUSED || err == UV_ECONNRESET)
        load.refused++;
    else if (err == ERR_UNCERTAIN)
        load.uncertain++;
    else if (err < 0)
        ck_abort_msg("%s", uv_strerror(err));
    load.under_way--;
    if (load.stop)
        return;
    load.under_way++;
    when_settled(ask(&nowhere, &ADD, id++), add_more, NULL);
}

static void kick(int err, void *arg)         /* a writer that was refused waits a little */
{
    (void)err;
    add_more(1, arg);
}

START_TEST(every_acknowledged_write_is_there_after_the_server_crashed_under_load)
{
    open_with(cluster_url(server));
    wait_for_all();
    for (int i = 0; i < 8; i++) {
        load.under_way++;
        when_settled(sleep_for(1), kick, NULL);
    }
    for (int round = 0; round < 2; round++) {
        for (const int from = load.acknowledged; load.acknowledged < from + 20;)
            pause_for(1);
        load.stop = true;                    /* what is under way still is */
        cluster_crash(server);
        while (load.under_way)
            pause_for(1);
        cluster_start(server);
        until_it_answers();
        load.stop = false;
        for (int i = 0; i < 8; i++) {
            load.under_way++;
            add_more(1, NULL);
        }
    }
    load.stop = true;
    while (load.under_way)
        pause_for(1);
    const int there = atoi(cluster_ask(server, "select count(*) from things where name = 'added'"));
    ck_assert_int_ge(there, load.acknowledged);
    ck_assert_int_le(there, load.acknowledged + load.uncertain);
    finish();
}
END_TEST

START_TEST(a_backend_that_answers_nothing_any_more_is_given_up)
{
    rows r[2];
    int written;
    options.connections = 1;
    open_with(cluster_url(server));
    const int pid = backend();
    kill(pid, SIGSTOP);                      /* until the end: whoever waited for it would do so for ever */
    options.timeout_ms = 100;
    start(ask(&r[1], &ADD, 2000), &written);
    ck_assert_int_eq(outcome_here(ask(&r[0], &THING, 1)), UV_ETIMEDOUT);
    wait_until_settled(&written, 1);
    ck_assert_int_eq(written, ERR_UNCERTAIN);                /* it may be done yet */
    ck_assert_int_eq(backend_of_first(), pid);               /* nobody has waited for it to be given up */
    options.timeout_ms = 0;
    ck_assert_int_eq(outcome_here(ask(&r[0], &THING, 1)), 0);  /* on another connection */
    ck_assert_int_ne(backend(), pid);
    kill(pid, SIGCONT);
    finish();
}
END_TEST

/* Neither does its end, for which one that connects at that moment would wait for ever, too. */
START_TEST(a_server_that_is_frozen_delays_nobody_for_long)
{
    rows r;
    options.connections = 1;
    options.connect_timeout_ms = 0;
    open_with(cluster_url(server));
    wait_for_all();
    const pid_t postmaster = cluster_pid(server);
    const int pid = backend();
    kill(postmaster, SIGSTOP);               /* takes no cancel requests and no connections */
    kill(pid, SIGSTOP);
    options.timeout_ms = 50;
    ck_assert_int_eq(outcome_here(ask(&r, &SLEEP, 60000)), UV_ETIMEDOUT);
    options.line_timeout_ms = 200;
    ck_assert_int_eq(outcome_here(ask(&r, &THING, 1)), REFUSED(REFUSED_DATABASE_TIMEOUT));
    finish();
    kill(pid, SIGCONT);
    kill(postmaster, SIGCONT);
}
END_TEST

Suite *postgres_faults_suite(void)
{
    Suite *s = suite_create("postgres_faults");
    TCase *t = tcase_create("faults");
    tcase_set_tags(t, "faults");             /* the image is built without them */
    tcase_add_unchecked_fixture(t, make_server, free_server);
    tcase_add_checked_fixture(t, begin, NULL);
    tcase_add_test(t, reads_do_not_notice_that_their_backends_are_killed);
    tcase_add_test(t, a_read_goes_again_only_where_the_connection_was_begun_after_its_own_had_broken);
    tcase_add_test(t, a_write_whose_backend_is_killed_is_not_sent_again);
    tcase_add_test(t, a_write_that_gives_up_waiting_for_its_standby_is_uncertain);
    tcase_add_test(t, a_connection_whose_end_has_been_announced_takes_no_write);
    tcase_add_loop_test(t, a_server_that_stops_and_comes_back_is_found_again, 0, 2);
    tcase_add_test(t, every_acknowledged_write_is_there_after_the_server_crashed_under_load);
    tcase_add_test(t, a_backend_that_answers_nothing_any_more_is_given_up);
    tcase_add_test(t, a_server_that_is_frozen_delays_nobody_for_long);
    suite_add_tcase(s, t);
    return s;
}
