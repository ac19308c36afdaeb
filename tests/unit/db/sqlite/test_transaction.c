/* test_transaction.c - several statements of SQLite's writer, all or none, alone and in a group with others. */
#include "fixture.h"
#include "tests/unit/suites.h"

static const statement KEPT = { "kept", "insert into posts (user_id, title, body, created_at) select id, $2, 'b', 1 from users"
                                        " where id = $1 returning id, set_config('tenk.key', cast(id as text), true)",
                                false, "it" },
    TELL = { "tell", "insert into users (name, email, created_at) select $1 || current_setting('tenk.key', true), '', 1"
                     " where current_setting('tenk.key', true) <> '' returning name", false, "t" },
    STRAY = { "stray", "insert into posts (user_id, title, body, created_at) values (4000, $1, 'b', 1)", false },
    ODD = { "odd", "insert into users (name, email, created_at) values ($1, '', 1) returning name", false, "i" },
    SLOW = { "slow", "insert into users (name, email, created_at) with recursive n(i) as (select 1 union all select i + 1 from n"
                     " where i < 2000000000) select $1, '', max(i) from n", false };

/* In SQLite's own words: two statements, of which OWN_ODD fails in the second. */
static const statement OWN = { .name = "own", .sql = "this is for the other database", .columns = "it",
        .sqlite = "insert into posts (user_id, title, body, created_at) values ($1, $2, 'b', 1);"
                  "select last_insert_rowid(), $2 where changes() = 1" },
    OWN_ODD = { .name = "own odd", .sql = "the same", .columns = "i",
        .sqlite = "insert into posts (user_id, title, body, created_at) values ($1, $2, 'b', 1); select $2" };

static rows out[2];

static promise *transact(int64_t user, const char *title, const statement *second)
{
    const value post[] = { integer(user), string(text_of(title)) }, words = string(TEXT("of "));
    const db_step steps[] = { { &KEPT, 2, post, &out[0] }, { second, 1, &words, &out[1] } };
    return db_transaction(here, &memory, NULL, 2, steps);
}

/* On a loop, or as a blocking thread. */
static void open_way(bool blocking, uint64_t timeout_ms)
{
    if (!blocking) {
        on_loop(1, 20, timeout_ms, 0);
        return;
    }
    open_it(1, 20, timeout_ms, 0);
    here = db_new(whole);
}

START_TEST(all_is_stored_and_a_later_statement_has_the_key_of_an_earlier)
{
    open_way(_i, 0);
    for (int i = 0; i < 3; i++) {
        char name[16];
        snprintf(name, sizeof name, "of %d", 501 + i);
        ck_assert_int_eq(outcome_way(_i, transact(1, "mine", &TELL)), 0);
        ck_assert_int_eq(rows_int(&out[0], 0, 0), 501 + i);
        ck_assert(text_equal(rows_text(&out[1], 0, 0), text_of(name)));
    }
    close_way(_i);
    ck_assert_int_eq(files_ask(path, "select count(*) from users where name like 'of 50_'"), 3);
}
END_TEST

START_TEST(whichever_statement_fails_nothing_is_stored)
{
    static const statement WRONG_NAME = { "wrong name", "select set_config('other', $1, true)", false };
    log_capture();
    open_way(_i, 200);
    ck_assert_int_eq(outcome_way(_i, transact(1, "mine", &STRAY)), DB_EQUERY);
    ck_assert_int_eq(outcome_way(_i, transact(1, "mine", &WRONG)), DB_EQUERY);
    ck_assert_int_eq(outcome_way(_i, transact(1, "mine", &WRONG_NAME)), DB_EQUERY);
    ck_assert_int_eq(outcome_way(_i, transact(1, "mine", &ODD)), DB_EVALUE);
    ck_assert_int_eq(outcome_way(_i, transact(1, "mine", &SLOW)), UV_ETIMEDOUT);
    ck_assert_int_eq(outcome_way(_i, transact(1, "the only one", &TELL)), 0);
    ck_assert_int_eq(rows_int(&out[0], 0, 0), 501);
    close_way(_i);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'mine'"), 0);
    ck_assert_int_eq(files_ask(path, "select count(*) from users"), 51);
}
END_TEST

START_TEST(what_has_stored_nothing_leaves_no_key_not_even_an_older_one)
{
    open_way(_i, 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(outcome_way(_i, transact(4000, "of nobody", &TELL)), 0);
        ck_assert_int_eq(out[0].count + out[1].count, 0);
        ck_assert_int_eq(outcome_way(_i, transact(1, "mine", &TELL)), 0);
    }
    close_way(_i);
    ck_assert_int_eq(files_ask(path, "select count(*) from users"), 52);
}
END_TEST

START_TEST(in_a_group_one_that_fails_is_undone_whole_and_spoils_none)
{
    enum { ALL = 10 };
    static const statement *const FAILING[] = { &STRAY, &ODD };
    int err[ALL];
    log_capture();
    on_loop(1, 20, 0, 0);
    sqlite3 *lock = lock_it();
    for (int i = 0; i < ALL; i++)
        when_settled(transact(1, i % 3 ? "good" : "bad", i % 3 ? &TELL : FAILING[_i]), store, &err[i]);
    uv_run(loop_here(), UV_RUN_NOWAIT);
    unlock_it(lock);
    loop_run();
    for (int i = 0; i < ALL; i++)
        ck_assert_int_eq(err[i], i % 3 ? 0 : _i ? DB_EVALUE : DB_EQUERY);
    ck_assert_uint_le(sqlite_workers_commits(((sqlite_database *)whole)->workers), 2);
    close_it();
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'good'"), 6);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'bad'"), 0);
    ck_assert_int_eq(files_ask(path, "select count(*) from users u join posts p on u.name = 'of ' || p.id"
                                     " where title = 'good'"), 6);
}
END_TEST

START_TEST(of_two_statements_in_sqlites_own_words_the_last_brings_the_rows)
{
    log_capture();
    open_way(_i, 0);
    for (int i = 0; i < 2; i++) {
        rows r;
        const value mine[] = { integer(1), string(TEXT("mine")) }, odd[] = { integer(1), string(TEXT("odd")) },
                    nobodys[] = { integer(4000), string(TEXT("nobody's")) };
        ck_assert_int_eq(outcome_way(_i, db_query(here, &memory, NULL, &r, &OWN, 2, mine)), 0);
        ck_assert_int_eq(r.count, 1);
        ck_assert_int_eq(rows_int(&r, 0, 0), 501 + i);
        ck_assert(text_equal(rows_text(&r, 0, 1), TEXT("mine")));
        ck_assert_int_eq(outcome_way(_i, db_query(here, &memory, NULL, &r, &OWN_ODD, 2, odd)), DB_EVALUE);
        ck_assert_int_eq(outcome_way(_i, db_query(here, &memory, NULL, &r, &OWN, 2, nobodys)), DB_EQUERY);
    }
    close_way(_i);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title in ('odd', 'nobody''s')"), 0);
}
END_TEST

START_TEST(two_statements_of_which_the_second_fails_are_undone_and_spoil_none_of_their_group)
{
    enum { ALL = 10 };
    int err[ALL];
    rows r[ALL];
    log_capture();
    on_loop(1, 20, 0, 0);
    sqlite3 *lock = lock_it();
    for (int i = 0; i < ALL; i++) {
        const value post[] = { integer(1), string(i % 3 ? TEXT("good") : TEXT("bad")) };
        when_settled(db_query(here, &memory, NULL, &r[i], i % 3 ? &OWN : &OWN_ODD, 2, post), store, &err[i]);
    }
    uv_run(loop_here(), UV_RUN_NOWAIT);
    unlock_it(lock);
    loop_run();
    for (int i = 0; i < ALL; i++)
        ck_assert_int_eq(err[i], i % 3 ? 0 : DB_EVALUE);
    close_it();
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'good'"), 6);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'bad'"), 0);
}
END_TEST

START_TEST(cancelled_while_it_runs_it_is_undone_whole_and_spoils_none_of_its_group)
{
    int slow = 1, err[2];
    on_loop(1, 20, 0, 0);
    sqlite3 *lock = lock_it();
    when_settled(transact(1, "good", &TELL), store, &err[0]);
    promise *stopped = transact(1, "stopped", &SLOW);
    when_settled(stopped, store, &slow);
    when_settled(transact(1, "good", &TELL), store, &err[1]);
    uv_run(loop_here(), UV_RUN_NOWAIT);
    unlock_it(lock);
    until_idle(false, 0);
    promise_cancel(stopped);
    loop_run();
    ck_assert_int_eq(slow, UV_ECANCELED);
    ck_assert_int_eq(err[0], 0);
    ck_assert_int_eq(err[1], 0);
    close_it();
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'stopped'"), 0);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'good'"), 2);
    ck_assert_int_eq(files_ask(path, "select count(*) from users"), 52);
}
END_TEST

Suite *sqlite_transaction_suite(void)
{
    Suite *s = suite_create("sqlite_transaction");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, all_is_stored_and_a_later_statement_has_the_key_of_an_earlier, 0, 2);
    tcase_add_loop_test(t, whichever_statement_fails_nothing_is_stored, 0, 2);
    tcase_add_loop_test(t, what_has_stored_nothing_leaves_no_key_not_even_an_older_one, 0, 2);
    tcase_add_loop_test(t, in_a_group_one_that_fails_is_undone_whole_and_spoils_none, 0, 2);
    tcase_add_loop_test(t, of_two_statements_in_sqlites_own_words_the_last_brings_the_rows, 0, 2);
    tcase_add_test(t, two_statements_of_which_the_second_fails_are_undone_and_spoil_none_of_their_group);
    tcase_add_test(t, cancelled_while_it_runs_it_is_undone_whole_and_spoils_none_of_its_group);
    suite_add_tcase(s, t);
    return s;
}
