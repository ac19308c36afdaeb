/* test_loop_db.c - the SQLite driver by the sentences of db.h: rows, order, writes, errors. */
#include "db/sqlite/error.h"
#include "db/sqlite/result.h"
#include "server/async/combine.h"
#include "server/async/task.h"
#include "fixture.h"
#include "server/base/log.h"
#include "tests/unit/suites.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

START_TEST(a_query_returns_rows)
{
    rows r;
    stopwatch watch = { 0 };
    on_loop(2, 10, 0, 0);
    ck_assert_int_eq(outcome_of(db_query(here, &memory, &watch, &r, &POSTS, 1, (value[]){ integer(7) })), 0);
    ck_assert_int_eq(r.count, 10);
    ck_assert_int_eq(r.columns, 4);
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(rows_int(&r, i, 0), 61 + i);
        ck_assert_uint_gt(rows_text(&r, i, 2).length, 300);
    }
    ck_assert_uint_gt(watch.total, 0);
    ck_assert_uint_eq(watch.running, 0);
    ck_assert_int_eq(outcome_of(run(&USER, &r, 999)), 0);
    ck_assert_int_eq(r.count, 0);
    close_it();
}
END_TEST

START_TEST(cells_have_the_types_and_bytes_that_went_in)
{
    rows r;
    char odd[] = "a'b\nKöln";
    on_loop(1, 10, 0, 0);
    promise *p = db_query(here, &memory, NULL, &r, &TYPES, 3,
                          (value[]){ string(TEXT(odd)), integer(INT64_MIN), { .type = VALUE_NULL } });
    memset(odd, 'x', sizeof odd);            /* parameters are copied */
    ck_assert_int_eq(outcome_of(p), 0);
    ck_assert_int_eq(rows_int(&r, 0, 0), INT64_MIN);
    ck_assert(text_equal(rows_text(&r, 0, 1), TEXT("a'b\nKöln")));
    ck_assert(rows_null(&r, 0, 2) && !rows_null(&r, 0, 3) && rows_null(&r, 0, 4));
    ck_assert_uint_eq(rows_text(&r, 0, 2).length, 0);
    ck_assert_uint_eq(rows_text(&r, 0, 3).length, 0);
    ck_assert(text_equal(rows_text(&r, 0, 6), TEXT("1.5")));
    close_it();
}
END_TEST

START_TEST(parameters_are_copied_each_for_itself)
{
    static const statement THREE = { "three", "select $3, $1, $2", true };
    char first[] = "the first", second[] = "the second, longer";
    rows r;
    on_loop(1, 10, 0, 0);
    promise *p = db_query(here, &memory, NULL, &r, &THREE, 3,
                          (value[]){ string(text_of(first)), string(TEXT("")), string(text_of(second)) });
    memset(first, 'x', sizeof first - 1);
    memset(second, 'x', sizeof second - 1);
    ck_assert_int_eq(outcome_of(p), 0);
    ck_assert(text_equal(rows_text(&r, 0, 0), TEXT("the second, longer")));
    ck_assert(text_equal(rows_text(&r, 0, 1), TEXT("the first")));
    ck_assert_uint_eq(rows_text(&r, 0, 2).length, 0);
    close_it();
}
END_TEST

/* More of them than a connection keeps prepared. */
START_TEST(any_number_of_statements_are_each_answered_as_asked)
{
    enum { MANY = 300 };
    static statement many[MANY];
    static char sql[MANY][32];
    rows r;
    for (int i = 0; i < MANY; i++) {
        snprintf(sql[i], sizeof sql[i], "select %d + $1", 1000 * i);
        many[i] = (statement){ "one of many", sql[i], true };
    }
    on_loop(1, 10, 0, 0);
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < MANY; i++) {
            ck_assert_int_eq(outcome_of(run(&many[i], &r, round)), 0);
            ck_assert_int_eq(rows_int(&r, 0, 0), 1000 * i + round);
        }
    close_it();
}
END_TEST

START_TEST(a_statement_that_says_that_it_reads_cannot_write)
{
    static const statement SAYS = { "says", "insert into posts (user_id, title, body, created_at)"
                                            " values ($1, 'odd', 'b', 1)", true };
    rows r;
    on_loop(2, 10, 0, 0);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(outcome_of(run(&SAYS, &r, 1)), UV_EROFS);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'odd'"), 0);
    close_it();
}
END_TEST

START_TEST(rows_may_outlive_their_db)
{
    rows r;
    on_loop(1, 10, 0, 0);
    ck_assert_int_eq(outcome_of(run(&USER, &r, 1)), 0);
    ck_assert_int_eq(outcome_of(db_close(here)), 0);
    db_free(here);
    ck_assert_int_eq(rows_int(&r, 0, 0), 1);
    arena_done(&memory);
    database_close(whole);
}
END_TEST

/* Two counters without end, one reader each: if they did not run side by side, cancelling the first
 * would not be what lets the quick one run. */
START_TEST(two_slow_queries_of_one_turn_run_side_by_side)
{
    int slow = 1, quick = 1;
    rows r, q;
    on_loop(2, 10, 0, 0);
    promise *p = run(&COUNT, &r, FOR_EVER);
    when_settled(p, store, &slow);
    when_settled(run(&USER, &q, 1), store, &quick);
    while (quick == 1)
        uv_run(loop_here(), UV_RUN_ONCE);
    ck_assert_int_eq(quick, 0);
    ck_assert_int_eq(slow, 1);
    promise_cancel(p);
    loop_run();
    ck_assert_int_eq(slow, UV_ECANCELED);
    close_it();
}
END_TEST

START_TEST(many_queries_of_many_turns_all_come_back)
{
    enum { MANY = 500 };
    static int err[MANY];
    static rows r[MANY];
    on_loop(3, MANY, 0, 0);
    for (int i = 0; i < MANY; i++) {
        err[i] = 1;
        when_settled(run(i % 2 ? &POSTS : &USER, &r[i], i % 50 + 1), store, &err[i]);
        if (i % 7 == 0)
            uv_run(loop_here(), UV_RUN_NOWAIT);
    }
    loop_run();
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(err[i], 0);
        ck_assert_int_eq(r[i].count, i % 2 ? 10 : 1);
        if (i % 2 == 0)
            ck_assert_int_eq(rows_int(&r[i], 0, 0), i % 50 + 1);
    }
    close_it();
}
END_TEST

START_TEST(once_it_is_closed_all_is_in_the_file_and_its_log_is_gone)
{
    char log[256];
    rows r;
    on_loop(2, 20, 0, 0);
    snprintf(log, sizeof log, "%s-wal", path);
    ck_assert_int_eq(outcome_of(run(&USER, &r, 1)), 0);
    ck_assert_int_eq(access(log, F_OK), 0);
    close_it();
    ck_assert_int_eq(access(log, F_OK), -1);
}
END_TEST

START_TEST(a_write_is_seen_by_the_next_read)
{
    rows r;
    on_loop(2, 20, 0, 0);
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(outcome_of(add(&r, 3, "new")), 0);
        ck_assert_int_eq(outcome_of(run(&POSTS, &r, 3)), 0);
        ck_assert_int_eq(r.count, 11 + i);
    }
    close_it();
}
END_TEST

/* The reader has two jobs at once and so a snapshot for both; the second holds it open while a write is
 * acknowledged. What is asked after that must not be read from the snapshot. */
START_TEST(a_write_is_seen_by_a_read_behind_others_that_wait)
{
    int quick = 1, slow = 1, late = 1;
    rows q, s, r, w;
    on_loop(1, 20, 0, 0);
    when_settled(run(&POSTS, &q, 3), store, &quick);
    promise *counting = run(&COUNT, &s, FOR_EVER);
    when_settled(counting, store, &slow);
    while (quick == 1)
        uv_run(loop_here(), UV_RUN_ONCE);
    promise *added = add(&w, 3, "new");
    int stored = 1;
    when_settled(added, store, &stored);
    while (stored == 1)
        uv_run(loop_here(), UV_RUN_ONCE);
    ck_assert_int_eq(stored, 0);
    when_settled(run(&POSTS, &r, 3), store, &late);
    uv_run(loop_here(), UV_RUN_NOWAIT);      /* hands it over: it waits behind the counting */
    ck_assert_int_eq(slow, 1);
    promise_cancel(counting);
    loop_run();
    ck_assert_int_eq(slow, UV_ECANCELED);
    ck_assert_int_eq(late, 0);
    ck_assert_int_eq(q.count, 10);
    ck_assert_int_eq(r.count, 11);
    close_it();
}
END_TEST

START_TEST(errors_are_those_of_db_h)
{
    static const struct { int sqlite, ours; } EACH[] = {
        { SQLITE_OK, 0 }, { SQLITE_FULL, UV_ENOSPC }, { SQLITE_READONLY_DBMOVED, UV_EROFS },
        { SQLITE_CANTOPEN_ISDIR, UV_EROFS }, { SQLITE_PERM, UV_EROFS }, { SQLITE_CORRUPT_INDEX, UV_EIO },
        { SQLITE_NOTADB, UV_EIO }, { SQLITE_IOERR_FSYNC, UV_EIO }, { SQLITE_BUSY_SNAPSHOT, UV_EAGAIN },
        { SQLITE_CONSTRAINT_UNIQUE, DB_EQUERY }, { SQLITE_MISMATCH, DB_EQUERY },
    };
    for (size_t i = 0; i < sizeof EACH / sizeof EACH[0]; i++)
        ck_assert_int_eq(sqlite_error_code(EACH[i].sqlite), EACH[i].ours);
}
END_TEST

START_TEST(an_error_that_comes_again_and_again_is_logged_a_few_times)
{
    char log[4096] = "";
    const char *file = files_path("log.txt");
    rows r;
    clock_hold();                            /* a few are those of a second */
    on_loop(1, 10, 0, 0);
    const int fd = open(file, O_CREAT | O_RDWR, 0600), before = dup(STDERR_FILENO);
    dup2(fd, STDERR_FILENO);
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(outcome_of(run(&WRONG, &r, 1)), DB_EQUERY);
    ck_assert_int_eq(outcome_of(add(&r, 4000, "no such user")), DB_EQUERY);
    dup2(before, STDERR_FILENO);
    ck_assert_int_gt(pread(fd, log, sizeof log - 1, 0), 0);
    int times = 0;
    for (const char *at = log; (at = strstr(at, "wrong: near \"nothing\": syntax error")); at++)
        times++;
    ck_assert_int_ge(times, 1);
    ck_assert_int_le(times, LOG_SAME + 1);   /* and how many more there were */
    ck_assert_ptr_nonnull(strstr(log, "add: FOREIGN KEY constraint failed"));
    close_it();
}
END_TEST

START_TEST(a_wrong_statement_is_the_databases_no)
{
    rows r;
    on_loop(1, 10, 0, 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(outcome_of(run(&WRONG, &r, 1)), DB_EQUERY);
    ck_assert_int_eq(outcome_of(add(&r, 4000, "no such user")), DB_EQUERY);
    close_it();
}
END_TEST

static int both(void *arg)                   /* as a handler does it */
{
    rows user, posts;
    (void)arg;
    int err = await(gather(run(&USER, &user, 5), run(&POSTS, &posts, 5)));
    return err ? err : user.count * 100 + posts.count == 110 ? 0 : UV_EINVAL;
}

START_TEST(a_task_gathers_a_user_and_posts)
{
    on_loop(2, 10, 0, 0);
    ck_assert_int_eq(outcome_of(task_start("both", both, NULL)), 0);
    close_it();
}
END_TEST

/* A row of so many bytes. */
static void add_row(sqlite_result *r, sqlite3 *memory_only, int length)
{
    sqlite3_stmt *s;
    ck_assert_int_eq(sqlite3_prepare_v2(memory_only, "select printf('%.*c', ?, 'x')", -1, &s, NULL), SQLITE_OK);
    sqlite3_bind_int(s, 1, length);
    ck_assert_int_eq(sqlite3_step(s), SQLITE_ROW);
    ck_assert_int_eq(sqlite_result_add(r, s, "t"), -1);
    ck_assert_uint_eq(r->used, (size_t)length);
    sqlite3_finalize(s);
}

START_TEST(answers_that_are_large_as_a_rule_do_not_grow_anew)
{
    sqlite_result r = { 0 };
    sqlite3 *none;
    ck_assert_int_eq(sqlite3_open(":memory:", &none), SQLITE_OK);
    add_row(&r, none, 100000);
    const size_t room = r.bytes_room;
    for (int i = 0; i < 500; i++) {          /* one in ten is enough */
        sqlite_result_trim(&r);
        ck_assert(r.count == 0 && r.bytes_room == room);
        add_row(&r, none, i % 10 ? 10 : 100000);
    }
    for (int i = 0; i < 200; i++) {          /* and none is not */
        sqlite_result_trim(&r);
        add_row(&r, none, 10);
    }
    ck_assert_uint_lt(r.bytes_room, room / 4);
    sqlite_result_done(&r);
    sqlite3_close(none);
}
END_TEST

Suite *sqlite_suite(void)
{
    Suite *s = suite_create("sqlite");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_query_returns_rows);
    tcase_add_test(t, cells_have_the_types_and_bytes_that_went_in);
    tcase_add_test(t, parameters_are_copied_each_for_itself);
    tcase_add_test(t, any_number_of_statements_are_each_answered_as_asked);
    tcase_add_test(t, a_statement_that_says_that_it_reads_cannot_write);
    tcase_add_test(t, rows_may_outlive_their_db);
    tcase_add_test(t, two_slow_queries_of_one_turn_run_side_by_side);
    tcase_add_test(t, many_queries_of_many_turns_all_come_back);
    tcase_add_test(t, once_it_is_closed_all_is_in_the_file_and_its_log_is_gone);
    tcase_add_test(t, a_write_is_seen_by_the_next_read);
    tcase_add_test(t, a_write_is_seen_by_a_read_behind_others_that_wait);
    tcase_add_test(t, errors_are_those_of_db_h);
    tcase_add_test(t, an_error_that_comes_again_and_again_is_logged_a_few_times);
    tcase_add_test(t, a_wrong_statement_is_the_databases_no);
    tcase_add_test(t, a_task_gathers_a_user_and_posts);
    tcase_add_test(t, answers_that_are_large_as_a_rule_do_not_grow_anew);
    suite_add_tcase(s, t);
    return s;
}
