/* test_lost.c - a connection is lost: what goes again, how often, in which order and where, from a loop and from
 * blocking threads; and how the others and the next ones come up. */
#include "tests/unit/db/askers.h"
#include "fixture.h"
#include "server/async/loop.h"
#include "server/base/blocking_wait.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

enum { ON_A_LOOP, BLOCKING, BOTH };             /* some tests run as both */

/* The rows are written, and the server says so together with its end: but it had not committed them. */
START_TEST(a_write_whose_commit_is_broken_off_is_not_acknowledged)
{
    asker a = { .statement = &ADD, .n = 2000 };
    rows r;
    int err;
    cluster_ask(server, "set client_min_messages = error; create or replace function wait() returns trigger language plpgsql as"
                        " $$ begin perform pg_advisory_xact_lock_shared(1); return null; end $$;"
                        "create constraint trigger wait after insert on things deferrable initially deferred"
                        " for each row execute function wait()");
    (_i == BLOCKING ? open_blocking : open_with)(cluster_url(server));
    if (_i == ON_A_LOOP)
        wait_for_all();
    gate_shut();
    if (_i == BLOCKING) {
        asker_start(&a, base);
    } else {
        start(ask(&r, &ADD, 2000), &err);
        pause_for(1);
    }
    wait_at_gate(1);
    terminate_all();
    if (_i == ON_A_LOOP)
        wait_until_settled(&err, 1);
    else
        err = asker_end(&a);
    ck_assert_int_eq(err, ERR_UNCERTAIN);
    gate_open();
    ck_assert_str_eq(cluster_ask(server, "select count(*) from things where id = 2000"), "0");
    (_i == BLOCKING ? finish_blocking : finish)();
}
END_TEST

START_TEST(a_read_goes_again_only_once)
{
    rows r;
    int err;
    open_with(cluster_url(server));
    wait_for_all();
    gate_shut();
    start(ask(&r, &GATED, 1), &err);
    pause_for(1);
    wait_at_gate(1);
    terminate_all();
    run_until_at_gate(1);                    /* again */
    terminate_all();
    wait_until_settled(&err, 1);
    ck_assert_int_eq(err, UV_ECONNRESET);
    gate_open();
    finish();
}
END_TEST

START_TEST(what_goes_again_goes_before_all_others_and_in_its_order)
{
    static const statement TURN = { "turn", "select nextval('turns') from pg_advisory_xact_lock_shared(1) where $1 > 0", true };
    enum { ALL = 4 };
    rows r[ALL];
    int err[ALL];
    cluster_ask(server, "set client_min_messages = error; create sequence if not exists turns; grant all on turns to tenk");
    options.connections = 1;
    options.pipeline_depth = 2;
    open_with(cluster_url(server));
    wait_for_all();
    gate_shut();
    for (int i = 0; i < ALL; i++)
        start(ask(&r[i], &TURN, 1), &err[i]);
    pause_for(1);
    wait_at_gate(1);
    ck_assert_int_eq(((pg_pool *)here)->queue.count, 2);      /* the others have been sent */
    terminate_all();
    gate_open();
    wait_until_settled(err, ALL);
    for (int i = 0; i < ALL; i++) {
        ck_assert_int_eq(err[i], 0);
        ck_assert(i == 0 || rows_int(&r[i], 0, 0) > rows_int(&r[i - 1], 0, 0));
    }
    finish();
}
END_TEST

/* Two connections to one that takes no writes any more, and does not say so by itself; the next leads elsewhere. The
 * other one answers meanwhile: that it is alive says nothing of where it leads. */
START_TEST(a_write_that_was_refused_goes_only_where_it_has_connected_since)
{
    static const statement ADD_IF_NEW = { "add_if_new", "insert into things select $1, 'added' where is_new()", false };
    char sql[640];
    rows r, w;
    int read, written;
    open_with(cluster_url(server));
    wait_for_all();
    snprintf(sql, sizeof sql, "set client_min_messages = error; drop sequence if exists runs; create sequence runs;"
             "grant all on sequence runs to tenk;"
             "create or replace function is_new() returns boolean language plpgsql volatile as $$ begin perform nextval('runs');"
             " if (select backend_start from pg_stat_activity where pid = pg_backend_pid()) < '%s' then"
             " raise exception 'old' using errcode = '25006'; end if; return true; end $$",
             cluster_ask(server, "select clock_timestamp()"));
    cluster_ask(server, sql);
    gate_shut();
    start(ask(&r, &GATED, 1), &read);
    pause_for(1);
    wait_at_gate(1);
    const int reads = connections()[0].pipeline.queries.first ? 0 : 1;
    const pg_connection *other = &connections()[reads], *refuses = &connections()[1 - reads];
    start(ask(&w, &ADD_IF_NEW, 2000), &written);
    while (refuses->state == PG_CONNECTION_UP)
        uv_run(loop_here(), UV_RUN_NOWAIT);
    gate_open();
    poll(&(struct pollfd){ PQsocket(other->pipeline.pg), POLLIN, 0 }, 1, -1);
    wait_until_settled(&read, 1);
    wait_until_settled(&written, 1);
    ck_assert_int_eq(read, 0);
    ck_assert_int_eq(written, 0);
    ck_assert_str_eq(cluster_ask(server, "select last_value from runs"), "2");
    finish();
}
END_TEST

START_TEST(a_connection_that_never_lasts_is_made_ever_more_rarely)
{
    rows r;
    options.connections = 1;
    open_with(cluster_url(server));
    while (connections()->backoff < 200) {
        while (outcome_here(ask(&r, &THING, 1)))
            pause_for(1);
        terminate_all();
    }
    finish();
}
END_TEST

static void all_idle(int n)                  /* so many connections of blocking threads are up */
{
    asker a[8];
    gate_shut();
    for (int i = 0; i < n; i++) {
        a[i] = (asker){ .statement = &GATED, .n = i };
        asker_start(&a[i], base);
    }
    wait_at_gate(n);
    gate_open();
    for (int i = 0; i < n; i++)
        ck_assert_int_eq(asker_end(&a[i]), 0);
}

START_TEST(where_one_is_lost_the_idle_ones_that_have_broken_too_are_found)
{
    asker a = { .statement = &GATED_ADD, .n = 2000 };
    options.connections = 4;
    open_blocking(cluster_url(server));
    all_idle(4);
    gate_shut();
    asker_start(&a, base);
    wait_at_gate(1);
    cluster_ask(server, "select count(pg_terminate_backend(pid)) from pg_stat_activity "
                        "where application_name = 'tenk' and state = 'idle'");
    wait_for(CONNECTED, "1");                /* the idle ones first: they have broken when it is looked at them */
    terminate_all();
    ck_assert_int_eq(asker_end(&a), ERR_UNCERTAIN);          /* it does not ask another */
    gate_open();
    wait_for(CONNECTED, "4");
    finish_blocking();
}
END_TEST

START_TEST(once_one_has_connected_the_others_do_not_wait)
{
    rows r;
    open_blocking(cluster_url(server));
    ck_assert_int_eq(now(&THING, &r, 1), 0);
    pg_blocking_pool *p = blocking_pool();
    uint64_t waits = 0, left = 1;
    cluster_stop(server);
    while (waits < 200) {
        ck_assert_int_eq(now(&THING, &r, 1), UV_ECONNREFUSED);
        uv_mutex_lock(&p->lock);
        waits = p->backoff;
        uv_mutex_unlock(&p->lock);
        blocking_wait(-1, 0, deadline_in(1));
    }
    cluster_start(server);
    while (now(&THING, &r, 1))
        blocking_wait(-1, 0, deadline_in(1));
    uv_mutex_lock(&p->lock);
    left = p->next_attempt;
    uv_mutex_unlock(&p->lock);
    ck_assert_uint_eq(left, 0);
    all_idle(options.connections);           /* and who has to wait for one is not refused */
    finish_blocking();
}
END_TEST

/* It has waited for a connection long ago: now its own time counts. */
START_TEST(a_read_that_goes_again_has_the_time_that_it_had_at_first)
{
    asker a = { .statement = &GATED, .n = 7 };
    options.connections = 1;
    options.timeout_ms = 3600000;
    open_blocking(cluster_url(server));
    gate_shut();
    asker_start(&a, base);
    wait_at_gate(1);
    clock_skip(2 * options.line_timeout_ms);
    terminate_all();
    wait_at_gate(1);                         /* again */
    gate_open();
    ck_assert_int_eq(asker_end(&a), 0);
    ck_assert_int_eq(a.answer, 7);
    finish_blocking();
}
END_TEST

Suite *postgres_lost_suite(void)
{
    Suite *s = suite_create("postgres_lost");
    TCase *t = tcase_create("lost");
    tcase_set_tags(t, "faults");             /* the image is built without them */
    tcase_add_unchecked_fixture(t, make_server, free_server);
    tcase_add_checked_fixture(t, begin, NULL);
    tcase_add_loop_test(t, a_write_whose_commit_is_broken_off_is_not_acknowledged, 0, BOTH);
    tcase_add_test(t, a_read_goes_again_only_once);
    tcase_add_test(t, what_goes_again_goes_before_all_others_and_in_its_order);
    tcase_add_test(t, a_write_that_was_refused_goes_only_where_it_has_connected_since);
    tcase_add_test(t, a_connection_that_never_lasts_is_made_ever_more_rarely);
    tcase_add_test(t, where_one_is_lost_the_idle_ones_that_have_broken_too_are_found);
    tcase_add_test(t, once_one_has_connected_the_others_do_not_wait);
    tcase_add_test(t, a_read_that_goes_again_has_the_time_that_it_had_at_first);
    suite_add_tcase(s, t);
    return s;
}
