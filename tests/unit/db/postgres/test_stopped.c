/* test_stopped.c - the PostgreSQL driver stops what is out of time, or not wanted any more, and nothing else: a
 * cancel request names a connection, not a query. */
#include "tests/support/failing_libpq.h"
#include "fixture.h"
#include "server/async/combine.h"
#include "server/async/loop.h"
#include "server/async/timing.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <signal.h>

static const statement DIVIDE = { "divide", "select 1 / $1", true };

START_TEST(one_out_of_time_is_cancelled_at_the_server_and_its_neighbours_are_answered)
{
    enum { ALL = 6 };
    rows r[ALL];
    int err[ALL];
    options.connections = 1;
    open_with(cluster_url(server));
    wait_for_all();
    options.timeout_ms = 50;
    start(ask(&r[0], &SLEEP, 60000), &err[0]);
    pause_for(1);                            /* it is sent, and its time runs; that of the others does not */
    options.timeout_ms = 0;
    for (int i = 1; i < ALL; i++)
        start(i == 3 ? ask(&r[i], &ADD, 3000) : ask(&r[i], &THING, i), &err[i]);
    wait_until_settled(err, ALL);
    ck_assert_int_eq(err[0], UV_ETIMEDOUT);
    for (int i = 1; i < ALL; i++)
        ck_assert_int_eq(err[i], 0);
    wait_for(SLEEPING, "0");
    ck_assert_str_eq(cluster_ask(server, "select count(*) from things where id = 3000"), "1");
    finish();
}
END_TEST

/* A cancel request names a connection: a late one hits whoever runs there then. */
START_TEST(a_write_that_is_hit_in_anothers_place_is_run_once_all_the_same)
{
    rows r;
    int late, hit;
    options.connections = 1;
    open_with(cluster_url(server));
    wait_for_all();
    gate_shut();
    options.timeout_ms = 50;
    start(ask(&r, &SLEEP, 60000), &late);
    pause_for(1);
    options.timeout_ms = 0;
    start(ask(&r, &GATED_ADD, 3000), &hit);
    wait_until_settled(&late, 1);
    ck_assert_int_eq(late, UV_ETIMEDOUT);
    run_until_at_gate(1);                    /* the request may have to be made once more */
    options.timeout_ms = 1;                  /* it has run for longer, but its own clock does not: nobody meant it */
    if (connections()->pipeline.held)                  /* else a second request has hit it already, and it has gone again */
        cluster_ask(server, "select pg_cancel_backend(pid) from pg_locks where locktype = 'advisory' and not granted");
    ck_assert_int_eq(hit, 1);
    while (hit == 1 && connections()->pipeline.held)   /* until it has been told, and nothing else runs there */
        pause_for(1);
    ck_assert_int_eq(hit, 1);
    options.timeout_ms = 0;
    gate_open();
    wait_until_settled(&hit, 1);
    ck_assert_int_eq(hit, 0);
    ck_assert_str_eq(cluster_ask(server, "select count(*) from things where id = 3000"), "1");
    finish();
}
END_TEST

START_TEST(one_that_nobody_wants_any_more_is_cancelled_at_the_server)
{
    rows a, b, c;
    open_with(cluster_url(server));
    wait_for_all();
    ck_assert_int_eq(outcome_here(with_timeout(gather(ask(&a, &SLEEP, 60000), ask(&b, &SLEEP, 60000),
                                                    ask(&c, &SLEEP, 60000)), 20)), UV_ETIMEDOUT);
    wait_for(SLEEPING, "0");
    ck_assert_int_eq(outcome_here(gather(ask(&a, &SLEEP, 60000), ask(&b, &DIVIDE, 0))), DB_EQUERY);
    wait_for(SLEEPING, "0");
    ck_assert_int_eq(outcome_here(ask(&a, &THING, 1)), 0);
    finish();
}
END_TEST

START_TEST(one_behind_others_is_stopped_without_them)
{
    rows r[2];
    int head, behind;
    options.connections = 1;
    open_with(cluster_url(server));
    wait_for_all();
    gate_shut();
    start(ask(&r[0], &GATED, 7), &head);
    promise *p = ask(&r[1], &THING, 1);
    start(p, &behind);
    pause_for(1);
    wait_at_gate(1);
    promise_cancel(p);
    ck_assert_ptr_null(connections()->cancel);                /* it would hit the other */
    ck_assert(!connections()->pipeline.held);
    gate_open();
    wait_until_settled(&head, 1);
    wait_until_settled(&behind, 1);
    ck_assert_int_eq(head, 0);
    ck_assert_int_eq(rows_int(&r[0], 0, 0), 7);
    ck_assert(behind == UV_ECANCELED || behind == 0);        /* a success that comes all the same is one */
    finish();
}
END_TEST

START_TEST(one_whose_time_was_up_says_so_whoever_cancels_it_later)
{
    rows r;
    int err;
    options.connections = 1;
    open_with(cluster_url(server));
    ck_assert_int_eq(outcome_here(ask(&r, &BACKEND, 1)), 0);
    const int pid = (int)rows_int(&r, 0, 0);
    kill(pid, SIGSTOP);                      /* so that it is not stopped at once */
    options.timeout_ms = 20;
    promise *p = ask(&r, &THING, 1);
    start(p, &err);
    while (err == 1 && !(connections()->pipeline.queries.first && connections()->pipeline.queries.first->verdict))
        pause_for(1);
    if (err == 1)
        promise_cancel(p);
    wait_until_settled(&err, 1);
    ck_assert_int_eq(err, UV_ETIMEDOUT);
    kill(pid, SIGCONT);
    finish();
}
END_TEST

/* The server has answered, but the request may still be on its way: nothing is sent there until that is known. */
START_TEST(a_connection_waits_for_its_cancel_request_and_then_takes_who_waits)
{
    rows r;
    int late, next;
    options.connections = 1;
    open_with(cluster_url(server));
    wait_for_all();
    options.timeout_ms = 50;
    libpq_hold_cancel(true);
    start(ask(&r, &SLEEP, 60000), &late);
    wait_until_settled(&late, 1);
    ck_assert_int_eq(late, UV_ETIMEDOUT);
    options.timeout_ms = 0;
    start(ask(&r, &THING, 7), &next);
    pause_for(1);
    libpq_hold_cancel(false);
    wait_until_settled(&next, 1);
    ck_assert_int_eq(next, 0);
    ck_assert_int_eq(rows_int(&r, 0, 0), 7);
    finish();
}
END_TEST

START_TEST(closing_cancels_what_is_left_at_the_server)
{
    rows r[4];
    int err[4];
    options.pipeline_depth = 1;
    open_with(cluster_url(server));
    wait_for_all();
    for (int i = 0; i < 4; i++)
        start(ask(&r[i], &SLEEP, 60000), &err[i]);
    pause_for(1);
    wait_for(SLEEPING, "2");
    finish();
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(err[i], UV_ECANCELED);
    wait_for(SLEEPING, "0");
}
END_TEST

START_TEST(once_closing_has_begun_each_query_is_cancelled)
{
    rows r[2];
    int err;
    open_with(cluster_url(server));
    wait_for_all();
    start(ask(&r[0], &SLEEP, 60000), &err);
    pause_for(1);
    promise *closed = db_close(here);
    ck_assert_int_eq(outcome_now(ask(&r[1], &THING, 1)), UV_ECANCELED);
    finish_after(closed);
    ck_assert_int_eq(err, UV_ECANCELED);
}
END_TEST

Suite *postgres_stopped_suite(void)
{
    Suite *s = suite_create("postgres_stopped");
    TCase *t = tcase_create("stopped");
    tcase_add_unchecked_fixture(t, make_server, free_server);
    tcase_add_checked_fixture(t, begin, NULL);
    tcase_add_test(t, one_out_of_time_is_cancelled_at_the_server_and_its_neighbours_are_answered);
    tcase_add_test(t, a_write_that_is_hit_in_anothers_place_is_run_once_all_the_same);
    tcase_add_test(t, one_that_nobody_wants_any_more_is_cancelled_at_the_server);
    tcase_add_test(t, one_behind_others_is_stopped_without_them);
    tcase_add_test(t, one_whose_time_was_up_says_so_whoever_cancels_it_later);
    tcase_add_test(t, a_connection_waits_for_its_cancel_request_and_then_takes_who_waits);
    tcase_add_test(t, closing_cancels_what_is_left_at_the_server);
    tcase_add_test(t, once_closing_has_begun_each_query_is_cancelled);
    suite_add_tcase(s, t);
    return s;
}
