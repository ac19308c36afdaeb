/* test_writer.c - SQLite's one writer: what it runs together, and how one of a group ends without the others. */
#include "fixture.h"
#include "tests/unit/suites.h"

#include <sys/stat.h>

/* $1 rows of a kilobyte: more than a few thousand do not fit the cache, and the log grows before it is committed. */
static const statement BIG_ADD = { "big add", "insert into posts (user_id, title, body, created_at) with recursive n(i) as"
                                   " (select 1 union all select i + 1 from n where i < $1)"
                                   " select 1, 'big', printf('%.1000c', 'x'), 1 from n", false };

static void until_the_log_is_larger(int64_t bytes)
{
    char log[160];
    struct stat is = { 0 };
    snprintf(log, sizeof log, "%s-wal", path);
    while (is.st_size <= bytes) {
        if (stat(log, &is))
            is.st_size = 0;
        sched_yield();
    }
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
    ck_assert_uint_le(sqlite_workers_commits(((sqlite_database *)whole)->workers), 2);
    ck_assert_int_eq(rows_int(&r[9], 0, 0), 501 + 9);        /* the failing one used no id */
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'grouped'"), 9);
    close_it();
}
END_TEST

START_TEST(what_has_failed_as_a_whole_is_not_committed)
{
    rows r;
    on_loop(1, 20, 0, 0);
    ck_assert_int_eq(outcome_of(add(&r, 4000, "no such user")), DB_EQUERY);
    ck_assert_uint_eq(sqlite_workers_commits(((sqlite_database *)whole)->workers), 0);
    ck_assert_int_eq(outcome_of(add(&r, 1, "good")), 0);
    ck_assert_uint_eq(sqlite_workers_commits(((sqlite_database *)whole)->workers), 1);
    close_it();
}
END_TEST

/* It has written when its rows come: so all of its group is undone, and the others are run again. */
START_TEST(a_write_whose_rows_are_not_what_it_says_is_undone_and_spoils_none_of_its_group)
{
    static const statement ODD = { "odd", "insert into posts (user_id, title, body, created_at) values ($1, 'odd', 'b', 1)"
                                          " returning title", false, "i" };
    int odd = 1, err[4];
    rows r[5];
    log_capture();
    on_loop(1, 20, 0, 0);
    sqlite3 *lock = lock_it();
    when_settled(add(&r[0], 1, "good"), store, &err[0]);
    when_settled(add(&r[1], 1, "good"), store, &err[1]);
    when_settled(run(&ODD, &r[4], 1), store, &odd);
    when_settled(add(&r[2], 4000, "no such user"), store, &err[2]);
    when_settled(add(&r[3], 1, "good"), store, &err[3]);
    uv_run(loop_here(), UV_RUN_NOWAIT);
    unlock_it(lock);
    loop_run();
    ck_assert_int_eq(odd, DB_EVALUE);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(err[i], i == 2 ? DB_EQUERY : 0);
    ck_assert_int_eq(rows_int(&r[3], 0, 0), 501 + 2);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'good'"), 3);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'odd'"), 0);
    close_it();
}
END_TEST

/* A statement of several rows, which fails in the middle: those before are no more than tried. */
START_TEST(a_write_of_several_rows_that_fails_in_the_middle_leaves_none)
{
    static const statement SEVERAL = { "several", "insert into posts (user_id, title, body, created_at) values"
                                       " (1, 'several', 'b', 1), (1, 'several', 'b', 1), ($1, 'several', 'b', 1)", false };
    int err[3];
    rows r[3];
    on_loop(1, 20, 0, 0);
    sqlite3 *lock = lock_it();
    when_settled(add(&r[0], 1, "good"), store, &err[0]);
    when_settled(run(&SEVERAL, &r[1], 4000), store, &err[1]);
    when_settled(add(&r[2], 1, "good"), store, &err[2]);
    uv_run(loop_here(), UV_RUN_NOWAIT);
    unlock_it(lock);
    loop_run();
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(err[i], i == 1 ? DB_EQUERY : 0);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'good'"), 2);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'several'"), 0);
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
    for (int i = 0; i < 4; i++)              /* of the run that was kept alone */
        ck_assert_int_eq(r[i].count, 1);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'good'"), 4);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'slow'"), 0);
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

/* UV_EAGAIN: it was not executed, and may be tried again. */
START_TEST(another_program_with_the_lock_is_not_waited_for_without_end)
{
    int err[2];
    rows r;
    on_loop(1, 20, 0, 0);
    until_idle(false, 1);
    sqlite3 *lock = lock_it();
    const uint64_t before = uv_hrtime();
    for (int i = 0; i < 2; i++)
        when_settled(add(&r, 1, "late"), store, &err[i]);
    until_idle(false, 0);
    for (err[0] = err[1] = 1; err[0] == 1 || err[1] == 1; uv_run(loop_here(), UV_RUN_NOWAIT))
        clock_skip(500);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(err[i], UV_EAGAIN);
    ck_assert_uint_ge(uv_hrtime() - before, 5000000000);
    unlock_it(lock);
    ck_assert_int_eq(outcome_of(add(&r, 1, "in time")), 0);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'late'"), 0);
    close_it();
}
END_TEST

START_TEST(one_that_is_cancelled_before_its_group_has_begun_waits_for_nobody)
{
    int gone = 1, stays = 1;
    rows r, q;
    on_loop(1, 20, 0, 0);
    until_idle(false, 1);
    sqlite3 *lock = lock_it();
    promise *p = add(&r, 1, "gone");
    when_settled(p, store, &gone);
    when_settled(add(&q, 1, "stays"), store, &stays);
    until_idle(false, 0);                    /* it has both */
    promise_cancel(p);
    while (gone == 1)
        uv_run(loop_here(), UV_RUN_ONCE);
    ck_assert_int_eq(gone, UV_ECANCELED);
    ck_assert_int_eq(stays, 1);
    unlock_it(lock);
    loop_run();
    ck_assert_int_eq(stays, 0);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'gone'"), 0);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'stays'"), 1);
    close_it();
}
END_TEST

START_TEST(cancelling_one_of_a_group_does_not_stop_the_one_that_runs)
{
    enum { MANY = 24000 };
    int big = 1, gone = 1;
    rows r, q;
    on_loop(1, 20, 0, 0);
    until_idle(false, 1);
    when_settled(run(&BIG_ADD, &r, MANY), store, &big);
    promise *p = add(&q, 1, "gone");
    when_settled(p, store, &gone);
    until_idle(false, 0);
    until_the_log_is_larger(1 << 20);        /* the first one has begun */
    promise_cancel(p);
    loop_run();
    ck_assert_int_eq(big, 0);
    ck_assert(gone == UV_ECANCELED || gone == 0);            /* 0, if the machine was quicker than we */
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'big'"), MANY);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'gone'"), gone == 0);
    close_it();
}
END_TEST

/* It is cancelled while another of its group runs, which is then interrupted, and SQLite undoes all of it. */
START_TEST(one_that_the_database_has_refused_says_so_whatever_comes_later)
{
    int refused = 1, big = 1;
    rows r, q;
    on_loop(1, 20, 0, 0);
    until_idle(false, 1);
    promise *bad = add(&r, 4000, "no such user"), *endless = run(&BIG_ADD, &q, FOR_EVER);
    when_settled(bad, store, &refused);
    when_settled(endless, store, &big);
    until_idle(false, 0);
    until_the_log_is_larger(1 << 20);        /* the second one has begun */
    promise_cancel(bad);
    promise_cancel(endless);
    loop_run();
    ck_assert_int_eq(refused, DB_EQUERY);
    ck_assert_int_eq(big, UV_ECANCELED);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'big'"), 0);
    close_it();
}
END_TEST

Suite *sqlite_writer_suite(void)
{
    Suite *s = suite_create("sqlite_writer");
    TCase *t = tcase_create("all");
    tcase_add_test(t, waiting_writes_share_a_transaction_and_one_that_fails_spoils_none);
    tcase_add_test(t, what_has_failed_as_a_whole_is_not_committed);
    tcase_add_test(t, a_write_whose_rows_are_not_what_it_says_is_undone_and_spoils_none_of_its_group);
    tcase_add_test(t, a_write_of_several_rows_that_fails_in_the_middle_leaves_none);
    tcase_add_test(t, a_write_that_is_late_spoils_none_of_its_group);
    tcase_add_test(t, another_program_with_the_lock_delays_a_write_until_its_timeout);
    tcase_add_test(t, another_program_with_the_lock_is_not_waited_for_without_end);
    tcase_add_test(t, one_that_is_cancelled_before_its_group_has_begun_waits_for_nobody);
    tcase_add_test(t, cancelling_one_of_a_group_does_not_stop_the_one_that_runs);
    tcase_add_test(t, one_that_the_database_has_refused_says_so_whatever_comes_later);
    suite_add_tcase(s, t);
    return s;
}
