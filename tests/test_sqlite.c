/* test_sqlite.c - the SQLite driver by the sentences of db.h: rows, order, writes, errors, bounds. */
#include "db/sqlite.h"
#include "db/sqlite_error.h"
#include "server/async/combine.h"
#include "server/async/task.h"
#include "server/async/timing.h"
#include "sqlite_fixture.h"
#include "suites.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
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

START_TEST(reading_a_text_as_an_integer_is_a_bug)
{
    rows r;
    on_loop(1, 10, 0, 0);
    ck_assert_int_eq(outcome_of(run(&USER, &r, 1)), 0);
    rows_int(&r, 0, 1);
}
END_TEST

START_TEST(naming_a_row_that_is_not_there_is_a_bug)
{
    rows r;
    on_loop(1, 10, 0, 0);
    ck_assert_int_eq(outcome_of(run(&USER, &r, 1)), 0);
    rows_null(&r, 1, 0);
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

/* Another connection holds the lock for writing; what comes meanwhile is one group when it lets go. */
static sqlite3 *lock_it(void)
{
    sqlite3 *s;
    ck_assert_int_eq(sqlite3_open(path, &s), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(s, "begin immediate", NULL, NULL, NULL), SQLITE_OK);
    return s;
}

static void unlock_it(sqlite3 *s)
{
    sqlite3_exec(s, "rollback", NULL, NULL, NULL);
    sqlite3_close(s);
}

START_TEST(waiting_writes_share_a_transaction_and_one_that_fails_spoils_none)
{
    int first = 1, err[10];
    rows r[11];
    on_loop(1, 20, 0, 0);
    sqlite3 *lock = lock_it();
    when_settled(add(&r[10], 1, "first"), store, &first);
    for (int i = 0; i < 5; i++)              /* the writer takes it, and waits for the lock */
        uv_run(loop_here(), UV_RUN_NOWAIT);
    for (int i = 0; i < 10; i++)             /* no user 4000: its foreign key fails */
        when_settled(add(&r[i], i == 4 ? 4000 : 1, "grouped"), store, &err[i]);
    uv_run(loop_here(), UV_RUN_NOWAIT);
    unlock_it(lock);
    loop_run();
    ck_assert_int_eq(first, 0);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(err[i], i == 4 ? DB_EQUERY : 0);
    ck_assert_uint_le(sqlite_commits(whole), 2);
    ck_assert_int_eq(rows_int(&r[9], 0, 0), 501 + 9);        /* the failing one used no id */
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'grouped'"), 9);
    close_it();
}
END_TEST

START_TEST(a_write_that_is_late_spoils_none_of_its_group)
{
    int slow = 1, err[4];
    rows r[5];
    on_loop(1, 20, 300, 0);
    sqlite3 *lock = lock_it();
    when_settled(add(&r[0], 1, "good"), store, &err[0]);
    when_settled(run(&SLOW_ADD, &r[4], FOR_EVER), store, &slow);
    for (int i = 1; i < 4; i++)
        when_settled(add(&r[i], 1, "good"), store, &err[i]);
    uv_run(loop_here(), UV_RUN_NOWAIT);
    unlock_it(lock);
    loop_run();
    ck_assert_int_eq(slow, UV_ETIMEDOUT);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(err[i], 0);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'good'"), 4);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'slow'"), 0);
    close_it();
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

START_TEST(another_program_with_the_lock_delays_a_write_until_its_timeout)
{
    rows r;
    on_loop(1, 20, 50, 0);
    sqlite3 *lock = lock_it();
    ck_assert_int_eq(outcome_of(add(&r, 1, "late")), UV_ETIMEDOUT);
    ck_assert_int_eq(outcome_of(run(&USER, &r, 1)), 0);      /* reading goes on */
    unlock_it(lock);
    ck_assert_int_eq(outcome_of(add(&r, 1, "in time")), 0);
    close_it();
}
END_TEST

START_TEST(a_write_that_waits_for_the_lock_can_be_cancelled)
{
    int gone = 1, stays = 1;
    rows r, q;
    on_loop(1, 20, 0, 0);
    sqlite3 *lock = lock_it();
    promise *p = add(&r, 1, "gone");
    when_settled(p, store, &gone);
    when_settled(add(&q, 1, "stays"), store, &stays);
    uv_run(loop_here(), UV_RUN_NOWAIT);      /* both are handed over at its end */
    promise_cancel(p);
    unlock_it(lock);
    loop_run();
    ck_assert_int_eq(stays, 0);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'gone'"), gone == 0);
    close_it();
}
END_TEST

START_TEST(cancelling_in_line_and_before_the_turn_ends_settles_at_once)
{
    int err[3] = { 1, 1, 1 };
    rows r[3];
    on_loop(1, 10, 0, 0);
    promise *running = run(&COUNT, &r[0], FOR_EVER);
    when_settled(running, store, &err[0]);
    uv_run(loop_here(), UV_RUN_NOWAIT);
    promise *in_line = run(&USER, &r[1], 1);
    when_settled(in_line, store, &err[1]);
    uv_run(loop_here(), UV_RUN_NOWAIT);
    promise *gathered = run(&USER, &r[2], 1);
    when_settled(gathered, store, &err[2]);
    promise_cancel(gathered);
    promise_cancel(in_line);
    loop_run_ready();
    ck_assert_int_eq(err[2], UV_ECANCELED);
    ck_assert_int_eq(err[1], UV_ECANCELED);
    ck_assert_int_eq(err[0], 1);
    promise_cancel(running);
    loop_run();
    ck_assert_int_eq(err[0], UV_ECANCELED);
    ck_assert_int_eq(outcome_of(run(&USER, &r[0], 1)), 0);   /* the reader is free again */
    close_it();
}
END_TEST

START_TEST(a_query_that_runs_too_long_is_stopped)
{
    rows r;
    on_loop(1, 10, 30, 0);
    ck_assert_int_eq(outcome_of(run(&COUNT, &r, FOR_EVER)), UV_ETIMEDOUT);
    ck_assert_int_eq(outcome_of(run(&USER, &r, 1)), 0);
    ck_assert_int_eq(outcome_of(with_timeout(run(&COUNT, &r, FOR_EVER), 5)), UV_ETIMEDOUT);
    close_it();
}
END_TEST

START_TEST(a_full_line_refuses_at_once_and_a_long_wait_ends)
{
    int err[4] = { 1, 1, 1, 1 };
    rows r[4];
    on_loop(1, 2, 0, 20);
    promise *running = run(&COUNT, &r[0], FOR_EVER);
    when_settled(running, store, &err[0]);
    uv_run(loop_here(), UV_RUN_NOWAIT);      /* handed over */
    for (int i = 1; i < 3; i++)
        when_settled(run(&USER, &r[i], 1), store, &err[i]);
    int refused = 0;
    for (int i = 0, e; i < 3; i++) {         /* more than the line and the reader could ever hold */
        promise *p = run(&USER, &r[3], 1);
        if (promise_take_if_settled(p, &e)) {
            ck_assert_int_eq(e, UV_EAGAIN);
            refused++;
        } else
            when_settled(p, store, &err[3]);
    }
    ck_assert_int_ge(refused, 2);
    while (err[1] == 1 || err[2] == 1)
        uv_run(loop_here(), UV_RUN_NOWAIT);
    ck_assert_int_eq(err[1], UV_EAGAIN);
    ck_assert_int_eq(err[2], UV_EAGAIN);
    ck_assert_int_eq(err[0], 1);             /* what runs is not in line */
    promise_cancel(running);
    loop_run();
    close_it();
}
END_TEST

START_TEST(closing_cancels_and_drains)
{
    int err[4] = { 1, 1, 1, 1 };
    rows r[4];
    on_loop(1, 10, 0, 0);
    when_settled(run(&COUNT, &r[0], FOR_EVER), store, &err[0]);
    when_settled(run(&USER, &r[1], 1), store, &err[1]);
    uv_run(loop_here(), UV_RUN_NOWAIT);
    when_settled(run(&USER, &r[2], 1), store, &err[2]);
    ck_assert_int_eq(outcome_of(db_close(here)), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(err[i], UV_ECANCELED);
    when_settled(run(&USER, &r[3], 1), store, &err[3]);
    loop_run();
    ck_assert_int_eq(err[3], UV_ECANCELED);
    db_free(here);
    database_close(whole);
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

START_TEST(an_error_that_comes_again_and_again_is_logged_once)
{
    char log[4096] = "";
    const char *file = files_path("log.txt");
    rows r;
    on_loop(1, 10, 0, 0);
    const int fd = open(file, O_CREAT | O_RDWR, 0600), before = dup(STDERR_FILENO);
    dup2(fd, STDERR_FILENO);
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(outcome_of(run(&WRONG, &r, 1)), DB_EQUERY);
    ck_assert_int_eq(outcome_of(add(&r, 4000, "no such user")), DB_EQUERY);
    dup2(before, STDERR_FILENO);
    ck_assert_int_gt(pread(fd, log, sizeof log - 1, 0), 0);
    const char *first = strstr(log, "wrong: near \"nothing\": syntax error");
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_null(strstr(first + 1, "wrong:"));
    ck_assert_ptr_nonnull(strstr(first, "add: FOREIGN KEY constraint failed"));
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

static void *one_loop(void *arg)
{
    enum { EACH = 60 };
    int err[EACH], *good = arg;
    rows r[EACH];
    arena mine = { 0 };
    loop_start();
    db *own = db_new(whole);
    for (int i = 0; i < EACH; i++) {
        err[i] = 1;
        promise *p = i % 3 ? db_query(own, &mine, NULL, &r[i], &POSTS, 1, (value[]){ integer(2) })
                           : db_query(own, &mine, NULL, &r[i], &ADD, 2, (value[]){ integer(1), string(TEXT("t")) });
        when_settled(p, store, &err[i]);
        if (i % 10 == 0)
            uv_run(loop_here(), UV_RUN_NOWAIT);
    }
    loop_run();
    for (int i = 0; i < EACH; i++)
        *good += err[i] == 0 && r[i].count == (i % 3 ? 10 : 1);
    arena_done(&mine);
    when_settled(db_close(own), store, &err[0]);
    loop_run();
    db_free(own);
    loop_done();
    arena_trim();
    return NULL;
}

static void *plain(void *arg)
{
    arena mine = { 0 };
    int *good = arg, err = 1;
    rows r;
    db *own = db_new(whole);
    for (int i = 0; i < 60; i++) {
        promise *p = i % 3 ? db_query(own, &mine, NULL, &r, &POSTS, 1, (value[]){ integer(2) })
                           : db_query(own, &mine, NULL, &r, &ADD, 2, (value[]){ integer(1), string(TEXT("t")) });
        const bool settled = promise_take_if_settled(p, &err);
        *good += settled && err == 0 && r.count == (i % 3 ? 10 : 1);
    }
    if (!promise_take_if_settled(db_close(own), &err) || err)
        *good = -1;
    arena_done(&mine);
    db_free(own);
    arena_trim();
    return NULL;
}

static void in_four_threads(void *(*fn)(void *))
{
    pthread_t threads[4];
    int good[4] = { 0 };
    open_it(2, 1000, 0, 0);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, fn, &good[i]);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(good[i], 60);
    }
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 't'"), 80);
    database_close(whole);
}

START_TEST(several_loops_share_the_workers)          { in_four_threads(one_loop); }
END_TEST
START_TEST(in_plain_threads_a_query_has_settled)     { in_four_threads(plain); }
END_TEST

START_TEST(a_plain_thread_does_not_wait_for_ever)
{
    rows r;
    int err = 1;
    open_it(1, 10, 30, 10);
    here = db_new(whole);
    ck_assert(promise_take_if_settled(run(&COUNT, &r, FOR_EVER), &err));
    ck_assert_int_eq(err, UV_ETIMEDOUT);
    ck_assert(promise_take_if_settled(run(&USER, &r, 1), &err));
    ck_assert_int_eq(err, 0);
    ck_assert(promise_take_if_settled(db_close(here), &err));
    db_free(here);
    arena_done(&memory);
    database_close(whole);
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

Suite *sqlite_suite(void)
{
    Suite *s = suite_create("sqlite");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 30);
    tcase_add_test(t, a_query_returns_rows);
    tcase_add_test(t, cells_have_the_types_and_bytes_that_went_in);
    tcase_add_test_raise_signal(t, reading_a_text_as_an_integer_is_a_bug, SIGABRT);
    tcase_add_test_raise_signal(t, naming_a_row_that_is_not_there_is_a_bug, SIGABRT);
    tcase_add_test(t, rows_may_outlive_their_db);
    tcase_add_test(t, two_slow_queries_of_one_turn_run_side_by_side);
    tcase_add_test(t, many_queries_of_many_turns_all_come_back);
    tcase_add_test(t, waiting_writes_share_a_transaction_and_one_that_fails_spoils_none);
    tcase_add_test(t, a_write_that_is_late_spoils_none_of_its_group);
    tcase_add_test(t, a_write_is_seen_by_the_next_read);
    tcase_add_test(t, a_write_is_seen_by_a_read_behind_others_that_wait);
    tcase_add_test(t, another_program_with_the_lock_delays_a_write_until_its_timeout);
    tcase_add_test(t, a_write_that_waits_for_the_lock_can_be_cancelled);
    tcase_add_test(t, cancelling_in_line_and_before_the_turn_ends_settles_at_once);
    tcase_add_test(t, a_query_that_runs_too_long_is_stopped);
    tcase_add_test(t, a_full_line_refuses_at_once_and_a_long_wait_ends);
    tcase_add_test(t, closing_cancels_and_drains);
    tcase_add_test(t, errors_are_those_of_db_h);
    tcase_add_test(t, an_error_that_comes_again_and_again_is_logged_once);
    tcase_add_test(t, a_wrong_statement_is_the_databases_no);
    tcase_add_test(t, several_loops_share_the_workers);
    tcase_add_test(t, in_plain_threads_a_query_has_settled);
    tcase_add_test(t, a_plain_thread_does_not_wait_for_ever);
    tcase_add_test(t, a_task_gathers_a_user_and_posts);
    suite_add_tcase(s, t);
    return s;
}
