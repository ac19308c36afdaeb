/* test_transaction.c - several statements, all or none, on a loop and in a blocking thread: what a later one is left by an
 * earlier, what a failure undoes, what is run again, and what is not known. */
#include "fixture.h"
#include "server/async/timing.h"
#include "server/base/log.h"
#include "tests/support/support.h"
#include "tests/unit/suites.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { BLOCKING = 1, UNPREPARED = 2, WAYS = 4 };             /* of a loop test's _i */

/* Stores nothing if $1 is less than 2000. */
static const statement ADD_KEPT = { "add_kept", "insert into things (id, name) select $1, 'kept' where $1 >= 2000"
                                                " returning id, set_config('tenk.key', cast(id as text), true)", false, "it" },
    NOTE = { "note", "insert into notes (thing, words) select current_setting('tenk.key', true), $1"
                     " where current_setting('tenk.key', true) <> '' returning words", false, "t" },
    GATED_NOTE = { "gated_note", "insert into notes (thing, words) select 'gated', $1 from pg_advisory_xact_lock_shared(1)",
                   false },
    TRIED_NOTE = { "tried_note", "insert into notes (thing, words) select passes_later(), $1", false },
    COUNT_NOTES = { "count_notes", "select count(*) from notes", true, "i" };

static rows out[4];
static value id;

static void begin_transactions(void)
{
    begin();
    cluster_ask(server, "set client_min_messages = error; drop table if exists notes; create table notes(thing text, words text);"
                        "drop sequence if exists tries; create sequence tries;"
                        "create or replace function passes_later() returns text language plpgsql as $$ begin"
                        " if nextval('tries') < 3 then raise exception 'again' using errcode = '40001'; end if; return 'at last';"
                        " end $$;"
                        "grant all on notes to tenk; grant all on sequence tries to tenk");
}

static bool blocks(int way) { return way & BLOCKING; }

static void open_way(int way)
{
    options.prepare = !(way & UNPREPARED);
    (blocks(way) ? open_blocking : open_with)(cluster_url(server));
}

static void close_way(int way) { (blocks(way) ? finish_blocking : finish)(); }

static int outcome_way(int way, promise *p) { return blocks(way) ? outcome_now(p) : outcome_here(p); }

/* A thing, and words about it by that statement. */
static promise *transact(int64_t thing, const statement *second, const char *words)
{
    const value said = string(text_of(words));
    id = integer(thing);
    const db_step steps[] = { { &ADD_KEPT, 1, &id, &out[0] }, { second, 1, &said, &out[1] } };
    return db_transaction(here, &scratch, NULL, 2, steps);
}

static void expect_stored(const char *things, const char *notes)
{
    ck_assert_str_eq(cluster_ask(server, "select count(*) from things where id >= 2000"), things);
    ck_assert_str_eq(cluster_ask(server, "select count(*) from notes"), notes);
}

START_TEST(all_is_stored_and_each_has_its_rows_and_a_later_statement_the_key_of_an_earlier)
{
    const value said = string(TEXT("second words"));
    id = integer(2000);
    const db_step steps[] = { { &ADD_KEPT, 1, &id, &out[0] }, { &NOTE, 1, &said, NULL }, { &NOTE, 1, &said, &out[1] },
                              { &COUNT_NOTES, 0, NULL, &out[2] } };
    open_way(_i);
    for (int i = 0; i < 3; i++) {            /* first not prepared yet, then prepared */
        ck_assert_int_eq(outcome_way(_i, db_transaction(here, &scratch, NULL, 4, steps)), 0);
        ck_assert_int_eq(rows_int(&out[0], 0, 0), 2000 + i);
        ck_assert(text_equal(rows_text(&out[1], 0, 0), TEXT("second words")));
        ck_assert_int_eq(rows_int(&out[2], 0, 0), 2 * (i + 1));
        id.integer++;
    }
    close_way(_i);
    ck_assert_str_eq(cluster_ask(server, "select string_agg(thing, ' ' order by thing) from notes"),
                     "2000 2000 2001 2001 2002 2002");
}
END_TEST

START_TEST(whichever_statement_fails_nothing_is_stored)
{
    log_capture();
    cluster_ask(server, "alter table notes add constraint late unique (words) deferrable initially deferred;"
                        "insert into notes values ('x', 'taken')");
    open_way(_i);
    ck_assert_int_eq(outcome_way(_i, transact(2000, &ADD, "1")), DB_EQUERY);                /* the second: the key is text */
    ck_assert_int_eq(outcome_way(_i, transact(2000, &NOTE, "taken")), DB_EQUERY);           /* the commit */
    ck_assert_int_eq(outcome_way(_i, transact(2000, &NOTE, "fine")), 0);
    ck_assert_int_eq(outcome_way(_i, transact(2000, &NOTE, "also fine")), DB_EQUERY);       /* the first */
    ck_assert_int_eq(outcome_way(_i, transact(2001, &NOTE, "fine, too")), 0);
    close_way(_i);
    expect_stored("2", "3");
}
END_TEST

START_TEST(what_has_stored_nothing_leaves_no_key_not_even_an_older_one)
{
    options.connections = 1;
    open_way(_i);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(outcome_way(_i, transact(1, &NOTE, "of nothing")), 0);
        ck_assert_int_eq(out[0].count + out[1].count, 0);
        ck_assert_int_eq(outcome_way(_i, transact(2000 + i, &NOTE, "of something")), 0);
        ck_assert_int_eq(out[1].count, 1);
    }
    close_way(_i);
    expect_stored("2", "2");
}
END_TEST

START_TEST(what_the_database_undid_for_others_is_run_again_whole)
{
    open_way(_i);
    ck_assert_int_eq(outcome_way(_i, transact(2000, &TRIED_NOTE, "tried")), 0);
    ck_assert_int_eq(rows_int(&out[0], 0, 0), 2000);
    close_way(_i);
    expect_stored("1", "1");
    ck_assert_str_eq(cluster_ask(server, "select last_value from tries"), "3");
}
END_TEST

START_TEST(what_is_always_undone_ends_with_that_and_nothing_is_stored)
{
    log_capture();
    cluster_ask(server, "alter sequence tries minvalue -1000 restart -1000");
    open_way(_i);
    ck_assert_int_eq(outcome_way(_i, transact(2000, &TRIED_NOTE, "tried")), DB_ESERIALIZATION);
    close_way(_i);
    expect_stored("0", "0");
    ck_assert_str_eq(cluster_ask(server, "select last_value from tries"), "-996");           /* five times */
}
END_TEST

/* A plan goes stale, of the second statement alone: it is prepared anew. */
START_TEST(a_plan_that_went_stale_costs_nothing)
{
    open_way(_i);
    ck_assert_int_eq(outcome_way(_i, transact(2000, &NOTE, "before")), 0);
    cluster_ask(server, "alter table notes alter words type varchar(100)");
    ck_assert_int_eq(outcome_way(_i, transact(2001, &NOTE, "after")), 0);
    close_way(_i);
    expect_stored("2", "2");
}
END_TEST

START_TEST(out_of_time_it_is_cancelled_and_nothing_is_stored)
{
    options.timeout_ms = 300;
    options.stop_timeout_ms = 10000;         /* else it would be uncertain, on a busy machine */
    gate_shut();
    open_way(_i);
    ck_assert_int_eq(outcome_way(_i, transact(2000, &GATED_NOTE, "late")), UV_ETIMEDOUT);
    options.timeout_ms = 0;
    gate_open();
    ck_assert_int_eq(outcome_way(_i, transact(2001, &GATED_NOTE, "in time")), 0);
    close_way(_i);
    expect_stored("1", "1");
}
END_TEST

START_TEST(cancelled_it_is_undone_and_what_shares_its_connection_is_not)
{
    int err[3];
    options.connections = 1;
    options.stop_timeout_ms = 10000;
    gate_shut();
    open_way(0);
    wait_for_all();
    promise *first = transact(2000, &GATED_NOTE, "cancelled");
    start(first, &err[0]);
    run_until_at_gate(1);
    start(transact(2001, &NOTE, "good"), &err[1]);
    start(ask(&out[2], &THING, 5), &err[2]);
    promise_cancel(first);
    wait_until_settled(err, 3);
    gate_open();
    ck_assert_int_eq(err[0], UV_ECANCELED);
    ck_assert_int_eq(err[1], 0);
    ck_assert_int_eq(err[2], 0);
    finish();
    expect_stored("1", "1");
}
END_TEST

/* Ends the backend that waits at the gate. */
static void *end_backend(void *arg)
{
    (void)arg;
    wait_at_gate(1);
    cluster_ask(server, "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and not granted");
    return NULL;
}

START_TEST(when_its_backend_is_killed_it_is_uncertain_and_not_run_again)
{
    pthread_t killer;
    log_capture();
    gate_shut();
    open_way(_i);
    ck_assert_int_eq(pthread_create(&killer, NULL, end_backend, NULL), 0);
    ck_assert_int_eq(outcome_way(_i, transact(2000, &GATED_NOTE, "killed")), ERR_UNCERTAIN);
    pthread_join(killer, NULL);
    gate_open();
    ck_assert_int_eq(outcome_way(_i, transact(2001, &NOTE, "on another")), 0);
    close_way(_i);
    expect_stored("1", "1");
    ck_assert_int_eq(log_times("it is not known whether it was stored"), 1);
}
END_TEST

START_TEST(rows_that_are_not_what_is_said_of_them_leave_it_uncertain)
{
    static const statement ODD = { "odd_note", "insert into notes values ('odd', $1) returning words", false, "i" };
    log_capture();
    open_way(_i);
    ck_assert_int_eq(outcome_way(_i, transact(2000, &ODD, "no number")), ERR_UNCERTAIN);     /* it is committed */
    close_way(_i);
    expect_stored("1", "1");
}
END_TEST

START_TEST(many_side_by_side_are_each_whole_or_not_there)
{
    enum { MANY = 60 };
    int err[MANY], good = 0;
    char answer[16];
    log_capture();
    open_way(0);
    for (int i = 0; i < MANY; i++) {         /* every third names a thing that is there already */
        const value said = string(TEXT("side by side")), thing = integer(i % 3 ? 2000 + i : 1);
        const value both[] = { thing };
        static const statement PLAIN = { "plain", "insert into things (id, name) values ($1, 'x')"
                                                  " returning set_config('tenk.key', cast(id as text), true)", false };
        const db_step steps[] = { { &NOTE, 1, &said, NULL }, { &PLAIN, 1, both, NULL }, { &NOTE, 1, &said, NULL } };
        start(db_transaction(here, &scratch, NULL, 3, steps), &err[i]);
    }
    wait_until_settled(err, MANY);
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(err[i], i % 3 ? 0 : DB_EQUERY);
        good += !err[i];
    }
    finish();
    snprintf(answer, sizeof answer, "%d", good);
    expect_stored(answer, answer);
    ck_assert_str_eq(cluster_ask(server, "select count(*) from notes join things on things.id = notes.thing::int"), answer);
}
END_TEST

/* Its server is frozen: it is given up before there is an answer, and then one comes. */
START_TEST(given_up_it_keeps_nothing_of_a_request_that_has_ended)
{
    enum { ROOM = 400 };
    arena request, next;
    rows r;
    const value said = string(TEXT("words"));
    log_capture();
    options.connections = 1;
    open_with(cluster_url(server));
    ck_assert_int_eq(outcome_here(ask(&r, &BACKEND, 1)), 0);
    const int pid = (int)rows_int(&r, 0, 0);
    kill(pid, SIGSTOP);
    options.timeout_ms = 20;
    arena_init(&request, NULL, 0);
    id = integer(2000);
    const db_step steps[] = { { &ADD_KEPT, 1, &id, &out[0] }, { &NOTE, 1, &said, &out[1] } };
    ck_assert_int_eq(outcome_here(db_transaction(here, &request, NULL, 2, steps)), ERR_UNCERTAIN);
    arena_done(&request);
    arena_init(&next, NULL, 0);
    memset(arena_room(&next, ROOM), 0x5a, ROOM);             /* what it had is another's */
    kill(pid, SIGCONT);
    while (connections()->pipeline.queries.count)
        pause_for(1);
    options.timeout_ms = 0;
    ck_assert_int_eq(outcome_here(transact(2001, &NOTE, "afterwards")), 0);
    arena_done(&next);
    finish();
}
END_TEST

Suite *postgres_transaction_suite(void)
{
    Suite *s = suite_create("postgres_transaction");
    TCase *t = tcase_create("all");
    tcase_add_unchecked_fixture(t, make_server, free_server);
    tcase_add_checked_fixture(t, begin_transactions, NULL);
    tcase_add_loop_test(t, all_is_stored_and_each_has_its_rows_and_a_later_statement_the_key_of_an_earlier, 0, WAYS);
    tcase_add_loop_test(t, whichever_statement_fails_nothing_is_stored, 0, WAYS);
    tcase_add_loop_test(t, what_has_stored_nothing_leaves_no_key_not_even_an_older_one, 0, WAYS);
    tcase_add_loop_test(t, what_the_database_undid_for_others_is_run_again_whole, 0, WAYS);
    tcase_add_loop_test(t, what_is_always_undone_ends_with_that_and_nothing_is_stored, 0, 2);
    tcase_add_loop_test(t, a_plan_that_went_stale_costs_nothing, 0, WAYS);
    tcase_add_loop_test(t, out_of_time_it_is_cancelled_and_nothing_is_stored, 0, WAYS);
    tcase_add_test(t, cancelled_it_is_undone_and_what_shares_its_connection_is_not);
    tcase_add_loop_test(t, when_its_backend_is_killed_it_is_uncertain_and_not_run_again, 0, WAYS);
    tcase_add_loop_test(t, rows_that_are_not_what_is_said_of_them_leave_it_uncertain, 0, 2);
    tcase_add_test(t, given_up_it_keeps_nothing_of_a_request_that_has_ended);
    tcase_add_test(t, many_side_by_side_are_each_whole_or_not_there);
    suite_add_tcase(s, t);
    return s;
}
