/* test_blocking_db.c - PostgreSQL from blocking threads: what they share, how they wait, how queries end early. */
#include "tests/unit/db/askers.h"
#include "fixture.h"
#include "server/base/blocking_wait.h"
#include "server/base/overload/refusal.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const statement DIVIDE = { "divide", "select 1 / $1", true },
                       TURN = { "turn", "select nextval('turns') where $1 > 0", true };

static int backend(void)
{
    rows r;
    ck_assert_int_eq(now(&BACKEND, &r, 1), 0);
    return (int)rows_int(&r, 0, 0);
}

START_TEST(a_blocking_thread_waits_and_gets_the_same)
{
    rows r;
    open_blocking(cluster_url(server));
    ck_assert_int_eq(now(&THING, &r, 42), 0);
    ck_assert(text_equal(rows_text(&r, 0, 1), TEXT("thing 42")));
    ck_assert_int_eq(now(&DIVIDE, &r, 0), DB_EQUERY);
    options.timeout_ms = 100;
    ck_assert_int_eq(now(&SLEEP, &r, 60000), UV_ETIMEDOUT);
    options.timeout_ms = 0;
    ck_assert_int_eq(now(&ADD, &r, 4000), 0);
    cluster_stop(server);
    ck_assert_int_eq(now(&THING, &r, 1), UV_ECONNREFUSED);
    cluster_start(server);
    while (now(&THING, &r, 4000))
        blocking_wait(-1, 0, deadline_in(1));
    ck_assert_int_eq(r.count, 1);
    finish_blocking();
}
END_TEST

START_TEST(rows_outlive_their_db_and_the_watch_ran)
{
    rows r;
    stopwatch watch = { 0 };
    open_blocking(cluster_socket_url(server));
    ck_assert_int_eq(outcome_now(db_query(here, &scratch, &watch, &r, &THING, 1, (value[]){ integer(42) })), 0);
    ck_assert_int_eq(watch.running, 0);
    ck_assert_uint_gt(watch.total, 0);
    ck_assert_int_eq(outcome_now(db_close(here)), 0);
    db_free(here);
    database_close(base);
    ck_assert(text_equal(rows_text(&r, 0, 1), TEXT("thing 42")));
    arena_done(&scratch);
}
END_TEST

START_TEST(connections_are_made_when_first_needed)
{
    asker slow = { .statement = &SLEEP, .n = 60000 };
    options.connections = 4;
    open_blocking(cluster_url(server));
    ck_assert_str_eq(cluster_ask(server, CONNECTED), "0");
    const int pid = backend();
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(backend(), pid);
    ck_assert_str_eq(cluster_ask(server, CONNECTED), "1");
    asker_start(&slow, base);
    wait_for(SLEEPING, "1");
    ck_assert_int_ne(backend(), pid);
    ck_assert_str_eq(cluster_ask(server, CONNECTED), "2");
    asker_leave(&slow);
    ck_assert_int_eq(asker_end(&slow), UV_ECANCELED);
    finish_blocking();
}
END_TEST

START_TEST(many_threads_share_few_connections)
{
    enum { MANY = 60, EACH = 20 };
    static const statement SAME = { "same", "select $1::int8", true };
    static asker a[MANY];
    options.line = MANY;
    open_blocking(cluster_url(server));
    for (int i = 0; i < MANY; i++) {
        a[i] = (asker){ .statement = &SAME, .n = i, .times = EACH };
        asker_start(&a[i], base);
    }
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(asker_end(&a[i]), 0);
        ck_assert_int_eq(a[i].answer, i);
    }
    ck_assert_int_le(atoi(cluster_ask(server, CONNECTED)), options.connections);
    finish_blocking();
}
END_TEST

/* One thread has the only connection; the others line up one after the other. */
static void behind(asker *first, asker waiting[], int n)
{
    options.connections = 1;
    open_blocking(cluster_url(server));
    *first = (asker){ .statement = &SLEEP, .n = 60000 };
    asker_start(first, base);
    wait_for(SLEEPING, "1");
    for (int i = 0; i < n; i++) {
        asker_start(&waiting[i], base);
        wait_for_waiting(i + 1);
    }
}

START_TEST(who_comes_first_is_served_first)
{
    enum { ALL = 8 };
    asker first, a[ALL] = { 0 };
    cluster_ask(server, "create sequence if not exists turns; grant all on turns to tenk; select setval('turns', 1)");
    for (int i = 0; i < ALL; i++)
        a[i].statement = &TURN;
    for (int i = 0; i < ALL; i++)
        a[i].n = 1;
    behind(&first, a, ALL);
    asker_leave(&first);
    ck_assert_int_eq(asker_end(&first), UV_ECANCELED);
    for (int i = 0; i < ALL; i++) {
        ck_assert_int_eq(asker_end(&a[i]), 0);
        ck_assert_int_eq(a[i].answer, i + 2);
    }
    finish_blocking();
}
END_TEST

START_TEST(a_full_line_refuses_at_once_and_a_long_one_in_time)
{
    asker first, a[2] = { { .statement = &THING, .n = 1 }, { .statement = &THING, .n = 2 } },
          late = { .statement = &ADD, .n = 2000 };
    rows r;
    options.line = 2;
    options.loop_line = 9;                   /* which is of no matter here */
    options.timeout_ms = options.line_timeout_ms = 0;
    behind(&first, a, 2);
    ck_assert_int_eq(now_or_never(&THING, &r, 1), REFUSED(REFUSED_DATABASE_LINE));
    asker_leave(&a[1]);
    ck_assert_int_eq(asker_end(&a[1]), UV_ECANCELED);        /* that makes room for one more */
    options.line_timeout_ms = 50;
    asker_start(&late, base);
    ck_assert_int_eq(asker_end(&late), REFUSED(REFUSED_DATABASE_TIMEOUT));      /* while the first one still has the connection */
    ck_assert_double_ge(late.took, 0.05);
    asker_leave(&first);
    ck_assert_int_eq(asker_end(&first), UV_ECANCELED);
    ck_assert_int_eq(asker_end(&a[0]), 0);
    ck_assert_str_eq(cluster_ask(server, "select count(*) from things where id = 2000"), "0");
    finish_blocking();
}
END_TEST

START_TEST(one_whose_client_is_gone_leaves_the_line_unsent)
{
    asker first, a[2] = { { .statement = &ADD, .n = 2000 }, { .statement = &ADD, .n = 2001 } };
    behind(&first, a, 2);
    asker_leave(&a[0]);
    ck_assert_int_eq(asker_end(&a[0]), UV_ECANCELED);
    wait_for_waiting(1);
    asker_leave(&first);
    ck_assert_int_eq(asker_end(&a[1]), 0);
    ck_assert_int_eq(asker_end(&first), UV_ECANCELED);
    ck_assert_str_eq(cluster_ask(server, "select string_agg(id::text, ' ') from things where id >= 2000"), "2001");
    finish_blocking();
}
END_TEST

START_TEST(one_whose_client_is_gone_is_cancelled_at_the_server_and_the_next_is_not)
{
    options.connections = 1;
    log_capture();
    open_blocking(cluster_url(server));
    const int pid = backend();
    for (int i = 0; i < 5; i++) {
        asker a = { .statement = &SLEEP, .n = 60000 };
        asker_start(&a, base);
        wait_for(SLEEPING, "1");
        asker_leave(&a);
        ck_assert_int_eq(asker_end(&a), UV_ECANCELED);
        ck_assert_int_eq(backend(), pid);    /* the same connection, and its query is not hit */
        wait_for(SLEEPING, "0");
    }
    ck_assert_int_eq(log_times("57014"), 0); /* that was wanted, and is no news */
    finish_blocking();
}
END_TEST

/* The clients leave at about the moment when the answers come: a request that came too late must not hit
 * the query of another thread. */
START_TEST(cancelling_hits_nobody_else_however_it_falls)
{
    enum { ROUNDS = 60, ALL = 4 };
    open_blocking(cluster_url(server));
    for (int round = 0; round < ROUNDS; round++) {
        asker gone[2] = { 0 }, stays[ALL] = { 0 };
        for (int i = 0; i < 2; i++) {
            gone[i] = (asker){ .statement = &SLEEP, .n = 1 + round % 4 };
            asker_start(&gone[i], base);
        }
        for (int i = 0; i < ALL; i++) {
            stays[i] = (asker){ .statement = &SLEEP, .n = 2, .times = 3 };
            asker_start(&stays[i], base);
        }
        blocking_wait(-1, 0, deadline_in((uint64_t)round % 5));
        for (int i = 0; i < 2; i++)
            asker_leave(&gone[i]);
        for (int i = 0; i < ALL; i++)
            ck_assert_int_eq(asker_end(&stays[i]), 0);
        for (int i = 0; i < 2; i++)
            ck_assert(asker_end(&gone[i]) == 0 || gone[i].err == UV_ECANCELED);
    }
    finish_blocking();
}
END_TEST

START_TEST(one_out_of_time_is_cancelled_at_the_server)
{
    rows r;
    options.connections = 1;
    open_blocking(cluster_url(server));
    const int pid = backend();
    for (int i = 0; i < 3; i++) {
        const uint64_t began = uv_hrtime();
        options.timeout_ms = 60;
        ck_assert_int_eq(now(&SLEEP, &r, 60000), UV_ETIMEDOUT);
        ck_assert_uint_ge(uv_hrtime() - began, 60000000);
        options.timeout_ms = 0;
        wait_for(SLEEPING, "0");
        ck_assert_int_eq(backend(), pid);
    }
    finish_blocking();
}
END_TEST

START_TEST(an_error_concerns_only_its_own_query)
{
    static const statement NAMED = { "named", "select count(*) from things where name = $1", true };
    rows r;
    options.connections = 1;
    options.prepare = _i == 0;
    open_blocking(cluster_url(server));
    const int pid = backend();
    for (int round = 0; round < 3; round++) {
        ck_assert_int_eq(now(&DIVIDE, &r, 0), DB_EQUERY);
        ck_assert_int_eq(now(&THING, &r, 7), 0);
        ck_assert_int_eq(rows_int(&r, 0, 0), 7);
        ck_assert_int_eq(now(&ADD, &r, 1), DB_EQUERY);       /* it is there already */
        ck_assert_int_eq(now(&ADD, &r, 2000 + round), 0);
        ck_assert_int_eq(outcome_now(db_query(here, &scratch, NULL, &r, &NAMED, 1,
                                              (value[]){ string(TEXT("\xff\xfe")) })), DB_EQUERY);
        ck_assert_int_eq(outcome_now(db_query(here, &scratch, NULL, &r, &NAMED, 1,
                                              (value[]){ { .type = VALUE_NULL } })), 0);
    }
    ck_assert_int_eq(backend(), pid);
    finish_blocking();
}
END_TEST

START_TEST(a_deadline_ends_a_query_at_the_server_and_the_wait_for_a_connection)
{
    asker slow = { .statement = &SLEEP, .n = 60000 }, waits = { .statement = &THING, .n = 1, .within_ms = 20 },
          late = { .statement = &SLEEP, .n = 60000, .within_ms = 50 };
    rows r;
    options.connections = 1;
    options.timeout_ms = options.line_timeout_ms = 60000;
    open_blocking(cluster_url(server));
    asker_start(&slow, base);
    wait_for(SLEEPING, "1");
    asker_start(&waits, base);
    ck_assert_int_eq(asker_end(&waits), UV_ETIMEDOUT);
    asker_leave(&slow);
    ck_assert_int_eq(asker_end(&slow), UV_ECANCELED);
    asker_start(&late, base);
    ck_assert_int_eq(asker_end(&late), UV_ETIMEDOUT);
    wait_for(SLEEPING, "0");
    ck_assert_int_eq(now(&THING, &r, 1), 0);
    finish_blocking();
}
END_TEST

START_TEST(a_write_that_fails_at_its_commit_fails)
{
    static const statement LATE = { "late", "insert into things values ($1, 'added')", false };
    rows r;
    cluster_ask(server, "alter table things drop constraint things_pkey, "
                        "add constraint late unique (id) deferrable initially deferred");
    open_blocking(cluster_url(server));
    ck_assert_int_eq(now(&LATE, &r, 1), DB_EQUERY);
    ck_assert_int_eq(now(&LATE, &r, 5000), 0);
    ck_assert_str_eq(cluster_ask(server, "select count(*) from things"), "1001");
    finish_blocking();
}
END_TEST

START_TEST(a_statement_is_prepared_once_for_each_kind_of_parameters)
{
    static const statement PREPARED = {
        "prepared", "select count(*) from pg_prepared_statements where name like '%\\_both' and $1 > 0", true
    };
    static const statement BOTH = { "both", "select count(*) from things where id = $1 or name = $2", true };
    rows r;
    options.connections = 1;
    options.prepare = _i == 0;
    open_blocking(cluster_url(server));
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(outcome_now(db_query(here, &scratch, NULL, &r, &BOTH, 2,
                                              (value[]){ integer(8), string(TEXT("thing 9")) })), 0);
        ck_assert_int_eq(rows_int(&r, 0, 0), 2);
        ck_assert_int_eq(outcome_now(db_query(here, &scratch, NULL, &r, &BOTH, 2,
                                              (value[]){ integer(8), { .type = VALUE_NULL } })), 0);
        ck_assert_int_eq(rows_int(&r, 0, 0), 1);
    }
    ck_assert_int_eq(now(&PREPARED, &r, 1), 0);
    ck_assert_int_eq(rows_int(&r, 0, 0), _i == 0 ? 2 : 0);
    finish_blocking();
}
END_TEST

START_TEST(a_table_that_changes_under_a_prepared_statement_goes_unnoticed)
{
    static const statement ALL_OF = { "all_of", "select * from things where id = $1", true };
    rows r;
    options.connections = 1;
    open_blocking(cluster_url(server));
    const int pid = backend();
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(now(&ALL_OF, &r, 1), 0);
        ck_assert_int_eq(r.columns, 2 + i);
        char change[64];
        snprintf(change, sizeof change, "alter table things add column more%d int", i);
        cluster_ask(server, change);
    }
    ck_assert_int_eq(backend(), pid);
    finish_blocking();
}
END_TEST

START_TEST(what_does_not_fit_the_socket_is_sent_and_received_whole)
{
    enum { SIZE = 3000000 };
    static const statement WITH_END = { "with_end", "select $1 || 'end'", true };
    char *big = malloc(SIZE);
    rows r;
    memset(big, 'x', SIZE);
    open_blocking(cluster_url(server));
    ck_assert_int_eq(outcome_now(db_query(here, &scratch, NULL, &r, &WITH_END, 1, (value[]){ string((text){ big, SIZE }) })), 0);
    ck_assert_uint_eq(rows_text(&r, 0, 0).length, SIZE + 3);
    free(big);
    finish_blocking();
}
END_TEST

Suite *postgres_threads_suite(void)
{
    Suite *s = suite_create("postgres_threads");
    TCase *t = tcase_create("threads");
    tcase_add_unchecked_fixture(t, make_server, free_server);
    tcase_add_checked_fixture(t, begin, NULL);
    tcase_add_test(t, a_blocking_thread_waits_and_gets_the_same);
    tcase_add_test(t, rows_outlive_their_db_and_the_watch_ran);
    tcase_add_test(t, connections_are_made_when_first_needed);
    tcase_add_test(t, many_threads_share_few_connections);
    tcase_add_test(t, who_comes_first_is_served_first);
    tcase_add_test(t, a_full_line_refuses_at_once_and_a_long_one_in_time);
    tcase_add_test(t, one_whose_client_is_gone_leaves_the_line_unsent);
    tcase_add_test(t, one_whose_client_is_gone_is_cancelled_at_the_server_and_the_next_is_not);
    tcase_add_test(t, cancelling_hits_nobody_else_however_it_falls);
    tcase_add_test(t, one_out_of_time_is_cancelled_at_the_server);
    tcase_add_test(t, a_deadline_ends_a_query_at_the_server_and_the_wait_for_a_connection);
    tcase_add_loop_test(t, an_error_concerns_only_its_own_query, 0, 2);
    tcase_add_test(t, a_write_that_fails_at_its_commit_fails);
    tcase_add_loop_test(t, a_statement_is_prepared_once_for_each_kind_of_parameters, 0, 2);
    tcase_add_test(t, a_table_that_changes_under_a_prepared_statement_goes_unnoticed);
    tcase_add_test(t, what_does_not_fit_the_socket_is_sent_and_received_whole);
    suite_add_tcase(s, t);
    return s;
}
