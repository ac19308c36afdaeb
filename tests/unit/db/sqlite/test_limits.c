/* test_limits.c - the SQLite driver by the sentences of db.h: how queries end early, bounds, threads. */
#include "server/async/task.h"
#include "server/async/timing.h"
#include "server/base/block.h"
#include "server/base/overload/refusal.h"
#include "fixture.h"
#include "tests/unit/suites.h"

#include <pthread.h>
#include <sys/stat.h>

enum { PATIENCE = 1000000 };                 /* milliseconds: no machine is so slow */

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
    int err[3] = { 1, 1, 1 };
    rows r[4];
    on_loop(1, 2, 0, PATIENCE);
    until_idle(true, 1);
    promise *running = run(&COUNT, &r[0], FOR_EVER);
    when_settled(running, store, &err[0]);
    until_idle(true, 0);                     /* the reader has it */
    for (int i = 1; i < 3; i++)
        when_settled(run(&USER, &r[i], 1), store, &err[i]);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(outcome_now(run(&USER, &r[3], 1)), REFUSED(REFUSED_DATABASE_LINE));
    uv_run(loop_here(), UV_RUN_NOWAIT);
    clock_skip(PATIENCE);
    while (err[1] == 1 || err[2] == 1)
        uv_run(loop_here(), UV_RUN_NOWAIT);
    ck_assert_int_eq(err[1], REFUSED(REFUSED_DATABASE_TIMEOUT));
    ck_assert_int_eq(err[2], REFUSED(REFUSED_DATABASE_TIMEOUT));
    ck_assert_int_eq(err[0], 1);             /* what runs does not wait */
    promise_cancel(running);
    loop_run();
    close_it();
}
END_TEST

START_TEST(who_comes_later_waits_as_long_as_who_came_first)
{
    int counting = 1, first = 1, second = 1;
    rows r[3];
    on_loop(1, 10, 0, PATIENCE);
    until_idle(true, 1);
    promise *running = run(&COUNT, &r[0], FOR_EVER);
    when_settled(running, store, &counting);
    until_idle(true, 0);
    when_settled(run(&USER, &r[1], 1), store, &first);
    uv_run(loop_here(), UV_RUN_NOWAIT);
    clock_skip(PATIENCE * 4 / 10);
    when_settled(run(&USER, &r[2], 1), store, &second);
    uv_run(loop_here(), UV_RUN_NOWAIT);
    clock_skip(PATIENCE * 65 / 100);
    while (first == 1)
        uv_run(loop_here(), UV_RUN_NOWAIT);
    ck_assert_int_eq(first, REFUSED(REFUSED_DATABASE_TIMEOUT));
    ck_assert_int_eq(second, 1);
    clock_skip(PATIENCE * 4 / 10);
    while (second == 1)
        uv_run(loop_here(), UV_RUN_NOWAIT);
    ck_assert_int_eq(second, REFUSED(REFUSED_DATABASE_TIMEOUT));
    promise_cancel(running);
    loop_run();
    ck_assert_int_eq(counting, UV_ECANCELED);
    close_it();
}
END_TEST

static rows forgotten;

static int forget_a_query(void *arg)
{
    promise *kept = run(&USER, &forgotten, 1);
    (void)kept, (void)arg;
    return 0;
}

START_TEST(a_query_that_its_task_forgot_writes_nothing_when_that_has_ended)
{
    const rows before = { 0 };
    on_loop(1, 2, 0, 0);
    ck_assert_int_eq(outcome_of(task_start("t", forget_a_query, NULL)), 0);
    ck_assert_mem_eq(&forgotten, &before, sizeof forgotten);
    close_it();
}
END_TEST

START_TEST(closing_cancels_and_drains)
{
    int err[4] = { 1, 1, 1, 1 }, gone = 1;
    rows r[4];
    on_loop(1, 10, 0, 0);
    when_settled(run(&COUNT, &r[0], FOR_EVER), store, &err[0]);
    when_settled(run(&USER, &r[1], 1), store, &err[1]);
    promise *newest = run(&USER, &r[2], 1);
    when_settled(newest, store, &gone);
    uv_run(loop_here(), UV_RUN_NOWAIT);
    promise_cancel(newest);                  /* the next one comes behind the others all the same */
    loop_run_ready();
    ck_assert_int_eq(gone, UV_ECANCELED);
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

/* A reader whose query is cancelled is free again before all that waited behind it have been told. */
START_TEST(closing_begins_nothing_that_waits)
{
    enum { WAITING = 5000 };
    int err[WAITING], counting = 1;
    rows r;
    on_loop(1, WAITING, 0, 0);
    until_idle(true, 1);
    when_settled(run(&COUNT, &r, FOR_EVER), store, &counting);
    until_idle(true, 0);                     /* the reader has it */
    for (int i = 0; i < WAITING; i++) {
        err[i] = 1;
        when_settled(run(&USER, &r, 1), store, &err[i]);
    }
    uv_run(loop_here(), UV_RUN_NOWAIT);
    close_it();
    ck_assert_int_eq(counting, UV_ECANCELED);
    for (int i = 0; i < WAITING; i++)
        ck_assert_int_eq(err[i], UV_ECANCELED);
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
    block_trim();
    return NULL;
}

static void *blocking(void *arg)
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
    block_trim();
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
START_TEST(in_blocking_threads_a_query_has_settled)     { in_four_threads(blocking); }
END_TEST

START_TEST(a_blocking_thread_does_not_wait_for_ever)
{
    rows r;
    int err = 1;
    open_it(1, 10, 30, 10);
    here = db_new(whole);
    ck_assert_int_eq(outcome_now(run(&COUNT, &r, FOR_EVER)), UV_ETIMEDOUT);
    ck_assert_int_eq(outcome_now(run(&USER, &r, 1)), 0);
    ck_assert(promise_take_if_settled(db_close(here), &err));
    db_free(here);
    arena_done(&memory);
    database_close(whole);
}
END_TEST

/* SQLite's own word for it: KiB, below zero. */
START_TEST(each_reader_has_its_share_of_the_cache)
{
    static const statement SHARE = { "share", "select cache_size from pragma_cache_size", true, "i" };
    rows r;
    on_loop(2, 10, 0, 0);
    ck_assert_int_eq(outcome_of(run(&SHARE, &r, 0)), 0);
    ck_assert_int_eq(rows_int(&r, 0, 0), -CACHE / 1024 / 2);
    close_it();
    loop_done();
    open_it(4, 10, 0, 0);
    here = db_new(whole);                    /* of a blocking thread */
    ck_assert_int_eq(outcome_now(run(&SHARE, &r, 0)), 0);
    ck_assert_int_eq(rows_int(&r, 0, 0), -CACHE / 1024 / 4);
    int err = 1;
    ck_assert(promise_take_if_settled(db_close(here), &err));
    db_free(here);
    arena_done(&memory);
    database_close(whole);
}
END_TEST

static int log_pages(void)
{
    enum { FRAME = 24 + 4096 };              /* bytes of a page in the log */
    char log[160];
    struct stat s;
    snprintf(log, sizeof log, "%s-wal", path);
    ck_assert_int_eq(stat(log, &s), 0);
    return (int)(s.st_size / FRAME);
}

START_TEST(the_log_is_copied_into_the_file_when_it_has_4000_pages)
{
    static const statement LARGE = { "large", "insert into posts (user_id, title, body, created_at)"
                                              " values (1, 'large', hex(zeroblob($1)), 1)", false };
    enum { BYTES = 1 << 20, PAGES = 2 * BYTES / 4096 };
    rows r;
    on_loop(1, 10, 0, 0);
    for (int pages = 0; pages + PAGES < 3900; pages += PAGES)
        ck_assert_int_eq(outcome_of(run(&LARGE, &r, BYTES)), 0);
    ck_assert_int_gt(log_pages(), 3500);
    for (int i = 0; i < 4; i++)              /* after the next one it begins anew */
        ck_assert_int_eq(outcome_of(run(&LARGE, &r, BYTES)), 0);
    ck_assert_int_lt(log_pages(), 4000 + 2 * PAGES);
    close_it();
}
END_TEST

Suite *sqlite_limits_suite(void)
{
    Suite *s = suite_create("sqlite_limits");
    TCase *t = tcase_create("all");
    tcase_add_test(t, cancelling_in_line_and_before_the_turn_ends_settles_at_once);
    tcase_add_test(t, a_query_that_runs_too_long_is_stopped);
    tcase_add_test(t, a_full_line_refuses_at_once_and_a_long_wait_ends);
    tcase_add_test(t, who_comes_later_waits_as_long_as_who_came_first);
    tcase_add_test(t, a_query_that_its_task_forgot_writes_nothing_when_that_has_ended);
    tcase_add_test(t, closing_cancels_and_drains);
    tcase_add_test(t, closing_begins_nothing_that_waits);
    tcase_add_test(t, several_loops_share_the_workers);
    tcase_add_test(t, in_blocking_threads_a_query_has_settled);
    tcase_add_test(t, a_blocking_thread_does_not_wait_for_ever);
    tcase_add_test(t, each_reader_has_its_share_of_the_cache);
    tcase_add_test(t, the_log_is_copied_into_the_file_when_it_has_4000_pages);
    suite_add_tcase(s, t);
    return s;
}
