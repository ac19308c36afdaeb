/* test_rows.c - cells of any type in SQLite, from a loop and from a blocking thread, as db.h has them; and what does
 * not fit. The same of PostgreSQL is in postgres/test_rows.c. */
#include "server/base/blocking_wait.h"
#include "tests/unit/db/sqlite/fixture.h"
#include "tests/unit/suites.h"

#include <math.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const statement ALL = {
    .name = "all", .reads = true, .columns = "iifbbIFBttttt",
    .sql = "select $1, '7.0', 0.1, 1, 0, null, null, null, null, 42, -1.5, x'00ff41', 'ä'",
};

static void expect_all(const rows *r)
{
    ck_assert_int_eq(r->count, 1);
    ck_assert_int_eq(r->columns, 13);
    ck_assert(rows_int(r, 0, 0) == INT64_MIN);
    ck_assert_int_eq(rows_int(r, 0, 1), 7);
    ck_assert(rows_double(r, 0, 2) == 0.1);
    ck_assert(rows_bool(r, 0, 3) && !rows_bool(r, 0, 4));
    for (int i = 0; i < 13; i++)
        ck_assert(rows_null(r, 0, i) == (i >= 5 && i <= 8));
    ck_assert_int_eq(rows_int(r, 0, 5), 0);
    ck_assert(rows_double(r, 0, 6) == 0 && !rows_bool(r, 0, 7));
    static const char *const TEXTS[] = { "", "42", "-1.5", "\\x00ff41", "ä" };
    for (int i = 0; i < 5; i++)
        ck_assert(text_equal(rows_text(r, 0, 8 + i), text_of(TEXTS[i])));
}

START_TEST(cells_of_any_type_are_read_as_the_statement_says)
{
    rows r;
    on_loop(1, 10, 0, 0);
    ck_assert_int_eq(outcome_of(run(&ALL, &r, INT64_MIN)), 0);
    expect_all(&r);
    close_it();
}
END_TEST

START_TEST(a_blocking_thread_reads_cells_of_any_type)
{
    rows r;
    open_it(1, 10, 0, 0);
    here = db_new(whole);
    ck_assert_int_eq(outcome_now(run(&ALL, &r, INT64_MIN)), 0);
    expect_all(&r);
    arena_done(&memory);
    ck_assert_int_eq(outcome_now(db_close(here)), 0);
    db_free(here);
    database_close(whole);
}
END_TEST

/* Each is one cell, and the letter that it does not fit. */
static const struct { const char *letter, *sql; } MISFITS[] = {
    { "i", "select '2026-01-01'" }, { "i", "select null" }, { "i", "select 1.5" }, { "i", "select 1e300" },
    { "i", "select x'31'" }, { "i", "select ''" }, { "I", "select 'x'" }, { "f", "select null" }, { "f", "select 'x'" },
    { "f", "select x'00'" }, { "F", "select 'x'" }, { "b", "select 2" }, { "b", "select null" }, { "B", "select 'yes'" },
    { "ii", "select 1" }, { "i", "select 1, 2" }, { "", "select 1" },
};
enum { MISFIT_COUNT = sizeof MISFITS / sizeof *MISFITS };

static statement misfits[MISFIT_COUNT];

static void make_misfits(void)
{
    for (int i = 0; i < MISFIT_COUNT; i++)
        misfits[i] = (statement){ "misfit", MISFITS[i].sql, true, MISFITS[i].letter };
}

START_TEST(what_does_not_fit_is_an_error_and_never_the_end)
{
    rows r;
    make_misfits();
    on_loop(1, 10, 0, 0);
    for (int i = 0; i < MISFIT_COUNT; i++)
        ck_assert_msg(outcome_of(run(&misfits[i], &r, 1)) == DB_EVALUE, "%s: %s", MISFITS[i].letter, MISFITS[i].sql);
    ck_assert_int_eq(outcome_of(run(&ALL, &r, INT64_MIN)), 0);
    close_it();
}
END_TEST

START_TEST(what_does_not_fit_is_an_error_in_a_blocking_thread)
{
    rows r;
    make_misfits();
    open_it(1, 10, 0, 0);
    here = db_new(whole);
    for (int i = 0; i < MISFIT_COUNT; i++)
        ck_assert_int_eq(outcome_now(run(&misfits[i], &r, 1)), DB_EVALUE);
    ck_assert_int_eq(outcome_now(run(&ALL, &r, INT64_MIN)), 0);
    arena_done(&memory);
    ck_assert_int_eq(outcome_now(db_close(here)), 0);
    db_free(here);
    database_close(whole);
}
END_TEST

START_TEST(a_write_whose_row_does_not_fit_is_undone_and_spoils_no_other)
{
    static const statement ODD = {
        .name = "odd", .columns = "i",
        .sql = "insert into posts (user_id, title, body, created_at) values ($1, 'odd', 'b', 1) returning title",
    };
    int odd[2], good[2];
    rows r[4];
    on_loop(1, 10, 0, 0);
    sqlite3 *lock = lock_it();
    for (int i = 0; i < 2; i++) {
        when_settled(run(&ODD, &r[i], 1), store, &odd[i]);
        when_settled(add(&r[2 + i], 1, "good"), store, &good[i]);
    }
    uv_run(loop_here(), UV_RUN_NOWAIT);
    unlock_it(lock);
    loop_run();
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(odd[i], DB_EVALUE);
        ck_assert_int_eq(good[i], 0);
    }
    ck_assert_int_eq(outcome_of(run(&ODD, &r[0], 1)), DB_EVALUE);     /* alone, too */
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'odd'"), 0);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'good'"), 2);
    close_it();
}
END_TEST

START_TEST(a_table_that_changes_under_a_prepared_statement_gives_an_error)
{
    static const statement EVERY = { "every", "select * from users where id = $1", true, "itti" };
    rows r;
    on_loop(1, 10, 0, 0);
    ck_assert_int_eq(outcome_of(run(&EVERY, &r, 1)), 0);
    files_ask(path, "alter table users add column seen integer");
    ck_assert_int_eq(outcome_of(run(&EVERY, &r, 1)), DB_EVALUE);
    files_ask(path, "alter table users drop column seen");
    ck_assert_int_eq(outcome_of(run(&EVERY, &r, 1)), 0);
    close_it();
}
END_TEST

START_TEST(what_a_statement_does_not_say_is_a_text_and_perhaps_a_number)
{
    rows r;
    on_loop(1, 10, 0, 0);
    ck_assert_int_eq(outcome_of(run(&USER, &r, 7)), 0);
    ck_assert_int_eq(rows_int(&r, 0, 0), 7);
    ck_assert(text_equal(rows_text(&r, 0, 0), TEXT("7")));
    ck_assert_int_eq(rows_int(&r, 0, 1), 0);
    close_it();
}
END_TEST

/* Bugs of the program, whatever is in the database. */
static const statement SAYS = { "says", "select id, name from users where id = $1", true, "it" };

START_TEST(reading_by_another_letter_is_a_bug)
{
    rows r;
    on_loop(1, 10, 0, 0);
    ck_assert_int_eq(outcome_of(run(&SAYS, &r, 1)), 0);
    switch (_i) {
    case 0: rows_int(&r, 0, 1); break;
    case 1: rows_text(&r, 0, 0); break;
    case 2: rows_double(&r, 0, 0); break;
    case 3: rows_bool(&r, 0, 0); break;
    }
}
END_TEST

START_TEST(naming_a_cell_that_is_not_there_is_a_bug)
{
    static const int CELLS[][2] = { { 1, 0 }, { -1, 0 }, { 0, 2 }, { 0, -1 } };
    rows r;
    on_loop(1, 10, 0, 0);
    ck_assert_int_eq(outcome_of(run(&SAYS, &r, 1)), 0);
    rows_null(&r, CELLS[_i][0], CELLS[_i][1]);
}
END_TEST

Suite *rows_suite(void)
{
    Suite *s = suite_create("rows");
    TCase *t = tcase_create("all");
    tcase_add_test(t, cells_of_any_type_are_read_as_the_statement_says);
    tcase_add_test(t, a_blocking_thread_reads_cells_of_any_type);
    tcase_add_test(t, what_does_not_fit_is_an_error_and_never_the_end);
    tcase_add_test(t, what_does_not_fit_is_an_error_in_a_blocking_thread);
    tcase_add_test(t, a_write_whose_row_does_not_fit_is_undone_and_spoils_no_other);
    tcase_add_test(t, a_table_that_changes_under_a_prepared_statement_gives_an_error);
    tcase_add_test(t, what_a_statement_does_not_say_is_a_text_and_perhaps_a_number);
    tcase_add_loop_test_raise_signal(t, reading_by_another_letter_is_a_bug, SIGABRT, 0, 4);
    tcase_add_loop_test_raise_signal(t, naming_a_cell_that_is_not_there_is_a_bug, SIGABRT, 0, 4);
    suite_add_tcase(s, t);
    return s;
}
