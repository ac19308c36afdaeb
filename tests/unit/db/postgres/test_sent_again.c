/* test_sent_again.c - what passes by itself: a statement that the server has undone, or has not run, goes
 * again, from a loop and from blocking threads, and is done once. */
#include "fixture.h"
#include "server/base/log.h"
#include "tests/unit/suites.h"
#include "tests/support/failing_libpq.h"
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ON_A_LOOP, BLOCKING, BOTH };             /* each test runs as both */

static bool blocking;

static void open_as(int how)
{
    blocking = how == BLOCKING;
    log_capture();
    log_set_level(LOG_WARNING);
    (blocking ? open_blocking : open_with)(cluster_url(server));
}

static void close_it(void) { (blocking ? finish_blocking : finish)(); }

static int outcome(const statement *s, rows *r, int64_t n)
{
    return blocking ? now(s, r, n) : outcome_here(ask(r, s, n));
}

/* fail($1) raises that state as often as is said, and counts, which no rollback undoes. */
static const statement ADD_OR_FAIL = { "add_or_fail", "insert into things select $1, 'added' where fail()", false },
                       READ_OR_FAIL = { "read_or_fail", "select $1::int8 where fail()", true };

static void fail_times(const char *state, int times)
{
    char sql[640];
    snprintf(sql, sizeof sql,
             "set client_min_messages = error; drop sequence if exists runs; create sequence runs;"
             "grant all on sequence runs to tenk;"
             "create or replace function fail() returns boolean language plpgsql volatile as $$ begin "
             "if nextval('runs') <= %d then raise exception 'not now' using errcode = '%s'; end if; return true; end $$",
             times, state);
    cluster_ask(server, sql);
}

static int runs(void) { return atoi(cluster_ask(server, "select last_value from runs")); }

static const struct { const char *state; int err, most; } STATES[] = {
    { "40001", DB_ESERIALIZATION, PG_MAX_SENDS }, { "40P01", DB_EDEADLOCK, PG_MAX_SENDS },
    { "40000", UV_EAGAIN, PG_MAX_SENDS }, { "55P03", UV_EAGAIN, PG_MAX_SENDS },
    { "53000", UV_EAGAIN, PG_MAX_SENDS }, { "53200", UV_EAGAIN, PG_MAX_SENDS }, { "53400", UV_EAGAIN, PG_MAX_SENDS },
    { "57014", UV_EAGAIN, 2 },
    { "53100", UV_ENOSPC, 1 }, { "58030", UV_EIO, 1 }, { "22012", DB_EQUERY, 1 }, { "40002", DB_EQUERY, 1 },
    { "40003", UV_ECONNRESET, 1 },
};
enum { ALL_STATES = sizeof STATES / sizeof *STATES };

START_TEST(a_statement_that_was_undone_for_what_passes_is_run_again_and_done_once)
{
    const statement *const kinds[] = { &ADD_OR_FAIL, &READ_OR_FAIL };
    rows r;
    fail_times("00000", 0);
    open_as(_i);
    for (int i = 0; i < ALL_STATES; i++)
        for (int k = 0; k < 2; k++) {
            const int most = STATES[i].most;
            fail_times(STATES[i].state, most - 1);
            ck_assert_int_eq(outcome(kinds[k], &r, 2000 + i), 0);
            ck_assert_int_eq(runs(), most);
            fail_times(STATES[i].state, 1000);
            const int err = STATES[i].err;
            ck_assert_int_eq(outcome(kinds[k], &r, 3000 + i), err == UV_ECONNRESET && k == 0 ? ERR_UNCERTAIN : err);
            ck_assert_int_eq(runs(), most);
        }
    ck_assert_int_eq(atoi(cluster_ask(server, "select count(*) from things where id between 2000 and 2999")), ALL_STATES);
    ck_assert_int_eq(atoi(cluster_ask(server, "select count(*) from things where id >= 3000")), 0);
    ck_assert_int_ge(log_times("not now"), 1);
    close_it();
}
END_TEST

/* Its rows have come by then. */
START_TEST(so_is_one_that_its_commit_undoes_and_its_rows_come_once)
{
    static const statement STORE = { "store", "insert into things values ($1, 'added') returning id", false, "i" };
    rows r, stored[2];
    fail_times("40001", 0);
    cluster_ask(server, "create or replace function fail_at_commit() returns trigger language plpgsql as "
                        "$$ begin perform fail(); return null; end $$;"
                        "create constraint trigger fails after insert on things deferrable initially deferred "
                        "for each row execute function fail_at_commit()");
    open_as(_i);
    fail_times("40001", 1);
    ck_assert_int_eq(outcome(&STORE, &r, 2000), 0);
    ck_assert_int_eq(r.count, 1);
    ck_assert_int_eq(rows_int(&r, 0, 0), 2000);
    ck_assert_int_eq(runs(), 2);
    fail_times("40001", 1);
    const value ids[] = { integer(2001), integer(2002) };
    const db_step steps[] = { { &STORE, 1, &ids[0], &stored[0] }, { &STORE, 1, &ids[1], &stored[1] } };
    promise *const both = db_transaction(here, &scratch, NULL, 2, steps);
    ck_assert_int_eq(blocking ? outcome_now(both) : outcome_here(both), 0);
    ck_assert_int_eq(stored[0].count + stored[1].count, 2);
    ck_assert_int_eq(atoi(cluster_ask(server, "select count(*) from things where id >= 2000")), 3);
    fail_times("40001", 1000);
    ck_assert_int_eq(outcome(&STORE, &r, 3000), DB_ESERIALIZATION);
    close_it();
}
END_TEST

/* Two transactions that wait for each other: the server undoes one of them. */
START_TEST(a_deadlock_is_nobodys_error)
{
    static const statement BOTH_WAYS = { "both_ways", "update things set name = 'met' where id in (1, 2) and $1 > 0", false };
    char url[256];
    rows r;
    open_as(_i);
    snprintf(url, sizeof url, "%s user=postgres", cluster_socket_url(server));
    PGconn *other = PQconnectdb(url);
    PQclear(PQexec(other, "set deadlock_timeout = '1h'"));
    PQclear(PQexec(other, "begin; update things set name = 'other' where id = 2"));
    ck_assert_int_eq(PQsendQuery(other,
        "do $$ begin while not exists (select from pg_locks where not granted) loop perform pg_sleep(0.001); end loop; end $$;"
        "update things set name = 'other' where id = 1; commit"), 1);
    const int err = outcome(&BOTH_WAYS, &r, 1);
    for (PGresult *each; (each = PQgetResult(other)); PQclear(each))
        ck_assert_int_ne(PQresultStatus(each), PGRES_FATAL_ERROR);
    ck_assert_int_eq(err, 0);
    ck_assert_str_eq(cluster_ask(server, "select count(*) from things where name = 'met'"), "2");
    PQfinish(other);
    close_it();
}
END_TEST

START_TEST(nobody_sees_that_a_plan_has_gone_stale_not_even_a_write)
{
    static const statement STORE = { "store", "insert into things values ($1, 'added') returning name", false },
                           LOAD = { "load", "select name from things where id = $1", true };
    rows r;
    open_as(_i);
    for (int i = 0; i < 6; i++) {
        ck_assert_int_eq(outcome(&STORE, &r, 2000 + i), 0);
        ck_assert_int_eq(r.count, 1);
        ck_assert_int_eq(outcome(&LOAD, &r, 1), 0);
        ck_assert_int_eq(r.count, 1);
        cluster_ask(server, i % 2 ? "alter table things alter name type text"
                                  : "alter table things alter name type varchar(100)");
    }
    ck_assert_str_eq(cluster_ask(server, "select count(*) from things where name = 'added'"), "6");
    ck_assert_str_eq(log_captured(), "");
    close_it();
}
END_TEST

static void alter_things(void)
{
    static int times;
    cluster_ask(server, times++ % 2 ? "alter table things alter name type text"
                                    : "alter table things alter name type varchar(100)");
}

/* In blocking threads this is between Parse and Bind, whose transactions are two. */
START_TEST(nor_that_it_does_so_whenever_it_has_been_prepared_again)
{
    static const statement STORE = { "store", "insert into things values ($1, 'added') returning name", false },
                           LOAD = { "load", "select name from things where id = $1", true };
    enum { ROUNDS = 3 };
    rows r, loaded;
    open_as(_i);
    libpq_before(LIBPQ_PREPARED, alter_things);
    for (int i = 0; i < ROUNDS; i++) {
        ck_assert_int_eq(outcome(&STORE, &r, 2000 + i), 0);
        ck_assert_int_eq(outcome(&LOAD, &r, 2000 + i), 0);
        ck_assert_int_eq(r.count, 1);
        const value id = integer(3000 + i);
        const db_step steps[] = { { &STORE, 1, &id, &r }, { &LOAD, 1, &id, &loaded } };
        promise *const both = db_transaction(here, &scratch, NULL, 2, steps);
        ck_assert_int_eq(blocking ? outcome_now(both) : outcome_here(both), 0);
        ck_assert_int_eq(loaded.count, 1);
    }
    libpq_before(LIBPQ_PREPARED, NULL);
    ck_assert_str_eq(cluster_ask(server, "select count(*) from things where name = 'added'"), "6");
    ck_assert_str_eq(log_captured(), "");
    close_it();
}
END_TEST

START_TEST(what_the_database_cannot_do_is_its_no_however_it_was_asked)
{
    rows r;
    fail_times("00000", 0);
    options.connections = 1;
    options.prepare = _i < BOTH;
    open_as(_i % BOTH);
    ck_assert_int_eq(outcome(&READ_OR_FAIL, &r, 1), 0);
    if (options.prepare) {                   /* it may be the plan that has gone stale */
        fail_times("0A000", 1);
        ck_assert_int_eq(outcome(&READ_OR_FAIL, &r, 1), 0);
        ck_assert_int_eq(runs(), 2);
    }
    fail_times("0A000", 1000);
    ck_assert_int_eq(outcome(&READ_OR_FAIL, &r, 1), DB_EQUERY);
    ck_assert_int_le(runs(), options.prepare ? 3 : 1);
    close_it();
}
END_TEST

START_TEST(a_statement_that_cannot_be_prepared_is_no_reason_to_prepare_nothing)
{
    static const statement BAD = { "bad", "select nothing from nowhere where $1 = 1", true };
    rows r;
    options.connections = 1;
    open_as(_i);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(outcome(&BAD, &r, 1), DB_EQUERY);
    cluster_ask(server, "create table nowhere (nothing int); grant all on nowhere to tenk");
    ck_assert_int_eq(outcome(&BAD, &r, 1), 0);
    cluster_ask(server, "drop table nowhere");
    ck_assert_int_eq(log_times("[database] prepare = off"), 0);
    ck_assert_int_eq(log_times("postgres: bad: "), 3);
    close_it();
}
END_TEST

/* As behind a pooler that hands out whichever connection is free. */
START_TEST(what_was_prepared_and_is_forgotten_or_is_anothers_runs_unprepared)
{
    static const statement FORGET = { "forget", "deallocate all", false },
                           TAKE = { "take", "do $$ begin for i in 1..20 loop execute format("
                                            "'prepare \"%s_add\" as select 1', i); end loop; end $$", false };
    rows r;
    options.connections = 1;
    open_as(_i % BOTH);
    ck_assert_int_eq(outcome(&THING, &r, 1), 0);
    const statement *disturb = _i < BOTH ? &FORGET : &TAKE, *next = _i < BOTH ? &THING : &ADD;
    ck_assert_int_eq(blocking ? outcome_now(db_query(here, &scratch, NULL, &r, disturb, 0, NULL))
                           : outcome_here(db_query(here, &scratch, NULL, &r, disturb, 0, NULL)), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(outcome(next, &r, 2000 + i), 0);
    ck_assert_int_eq(log_times("[database] prepare = off"), 1);
    ck_assert_int_eq(log_times("26000") + log_times("42P05"), 0);
    close_it();
}
END_TEST

static int backend(void)
{
    rows r;
    ck_assert_int_eq(outcome(&BACKEND, &r, 1), 0);
    return (int)rows_int(&r, 0, 0);
}

/* 25006: a standby says so, and a primary that was made one while its connections live. */
START_TEST(a_server_that_takes_no_writes_any_more_is_left_and_the_write_done_elsewhere)
{
    rows r;
    options.connections = 1;
    fail_times("00000", 0);
    open_as(_i);
    const int before = backend();
    fail_times("25006", 1);
    ck_assert_int_eq(outcome(&ADD_OR_FAIL, &r, 2000), 0);
    ck_assert_int_ne(backend(), before);
    ck_assert_str_eq(cluster_ask(server, "select count(*) from things where id = 2000"), "1");
    fail_times("25006", 1);                  /* a read that writes is not worth it */
    const int after = backend();
    ck_assert_int_eq(outcome(&READ_OR_FAIL, &r, 1), UV_EROFS);
    ck_assert_int_eq(backend(), after);
    close_it();
}
END_TEST

static void take_writes(const char *on)
{
    char sql[128];
    snprintf(sql, sizeof sql, "alter system set default_transaction_read_only = %s", on);
    cluster_ask(server, sql);
    cluster_ask(server, "select pg_reload_conf()");
    wait_for("show default_transaction_read_only", strcmp(on, "on") == 0 ? "on" : "off");
}

/* Each connection tells before it refuses, with the answer to the next read: so there is no write to refuse. */
START_TEST(one_that_says_so_itself_gets_no_write)
{
    rows r;
    options.connections = 1;
    open_as(_i);
    const int before = backend();
    take_writes("on");
    while (pg_role_now(blocking ? blocking_pool()->connections->pg : connections()->pipeline.pg).read_only == false)
        backend();
    ck_assert_int_eq(backend(), before);
    take_writes("off");
    ck_assert_int_eq(outcome(&ADD, &r, 2000), 0);
    ck_assert_int_ne(backend(), before);
    ck_assert_int_eq(log_times("25006"), 0);
    close_it();
}
END_TEST

START_TEST(where_there_are_only_standbys_a_write_is_refused_and_reads_stay_where_they_are)
{
    rows r;
    options.connections = 1;
    take_writes("on");
    open_as(_i);
    const int before = backend();
    ck_assert_int_eq(outcome(&ADD, &r, 2000), UV_EROFS);
    ck_assert_int_eq(backend(), before);
    while (outcome(&ADD, &r, 2000) == UV_EROFS && backend() == before)
        ;                                    /* but it is left after a while: it might lead elsewhere by now */
    ck_assert_int_ne(backend(), before);
    take_writes("off");
    while (outcome(&ADD, &r, 2000))
        ;
    close_it();
}
END_TEST

static void reset_settings(void)
{
    cluster_start(server);
    cluster_ask(server, "alter system reset all");
    cluster_ask(server, "select pg_reload_conf()");
    wait_for("show default_transaction_read_only", "off");
}

Suite *postgres_again_suite(void)
{
    Suite *s = suite_create("postgres_again");
    TCase *t = tcase_create("again");
    tcase_set_tags(t, "faults");             /* the image is built without them */
    tcase_add_unchecked_fixture(t, make_server, free_server);
    tcase_add_checked_fixture(t, reset_settings, NULL);
    tcase_add_checked_fixture(t, begin, NULL);
    tcase_add_loop_test(t, a_statement_that_was_undone_for_what_passes_is_run_again_and_done_once, 0, BOTH);
    tcase_add_loop_test(t, so_is_one_that_its_commit_undoes_and_its_rows_come_once, 0, BOTH);
    tcase_add_loop_test(t, a_deadlock_is_nobodys_error, 0, BOTH);
    tcase_add_loop_test(t, nobody_sees_that_a_plan_has_gone_stale_not_even_a_write, 0, BOTH);
    tcase_add_loop_test(t, nor_that_it_does_so_whenever_it_has_been_prepared_again, 0, BOTH);
    tcase_add_loop_test(t, what_the_database_cannot_do_is_its_no_however_it_was_asked, 0, 2 * BOTH);
    tcase_add_loop_test(t, a_statement_that_cannot_be_prepared_is_no_reason_to_prepare_nothing, 0, BOTH);
    tcase_add_loop_test(t, what_was_prepared_and_is_forgotten_or_is_anothers_runs_unprepared, 0, 2 * BOTH);
    tcase_add_loop_test(t, a_server_that_takes_no_writes_any_more_is_left_and_the_write_done_elsewhere, 0, BOTH);
    tcase_add_loop_test(t, one_that_says_so_itself_gets_no_write, 0, BOTH);
    tcase_add_loop_test(t, where_there_are_only_standbys_a_write_is_refused_and_reads_stay_where_they_are, 0, BOTH);
    suite_add_tcase(s, t);
    return s;
}
