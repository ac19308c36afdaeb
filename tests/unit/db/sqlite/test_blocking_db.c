/* test_blocking_db.c - SQLite from blocking threads: they read by themselves, wait for the writer, and for
 * neither longer than they may. */
#include "tests/unit/db/askers.h"
#include "server/base/deadline.h"
#include "server/base/blocking_wait.h"
#include "server/base/overload/refusal.h"
#include "fixture.h"
#include "tests/unit/suites.h"

#include <string.h>
#include <time.h>

static void in_thread(int readers, int line, uint64_t timeout_ms, uint64_t line_timeout_ms)
{
    open_it(readers, line, timeout_ms, line_timeout_ms);
    here = db_new(whole);
}

static void close_blocking(void)
{
    ck_assert_int_eq(outcome_now(db_close(here)), 0);
    db_free(here);
    arena_done(&memory);
    database_close(whole);
}

static void wait_for_readers(int waiting)
{
    while (resource_pool_waiting(&((sqlite_database *)whole)->pool->readers) != waiting)
        sched_yield();
}

static void wait_for_writes(int waiting)
{
    while (atomic_load(&((sqlite_database *)whole)->pool->waiting) != waiting)
        sched_yield();
}

static void wait_until_it_reads(void)        /* somebody has the only connection */
{
    resource_pool *l = &((sqlite_database *)whole)->pool->readers;
    for (resource *one; (one = resource_pool_try_acquire(l)); sched_yield())
        resource_pool_release(l, one);
}

static void give_to_the_writer(asker *a)     /* which waits for the lock with it */
{
    until_idle(false, 1);
    asker_start(a, whole);
    until_idle(false, 0);
}

static int now_or_never(promise *(*ask)(rows *), rows *r)    /* UV_ETIMEDOUT where it would have to wait */
{
    blocking_limit(uv_hrtime());
    const int err = outcome_now(ask(r));
    blocking_limit(NO_DEADLINE);
    return err;
}

static promise *read_one(rows *r)  { return run(&USER, r, 1); }
static promise *write_one(rows *r) { return add(r, 1, "one too many"); }

static double seconds_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

START_TEST(a_read_runs_in_the_thread_that_asks)
{
    rows r;
    in_thread(1, 10, 0, 0);
    const double own = seconds_of(CLOCK_THREAD_CPUTIME_ID), all = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    ck_assert_int_eq(outcome_now(run(&COUNT, &r, 1000000)), 0);
    ck_assert_int_eq(rows_int(&r, 0, 0), 1000000);
    ck_assert_double_gt(seconds_of(CLOCK_THREAD_CPUTIME_ID) - own, (seconds_of(CLOCK_PROCESS_CPUTIME_ID) - all) / 2);
    close_blocking();
}
END_TEST

START_TEST(cells_have_the_types_and_bytes_that_went_in)
{
    rows r;
    in_thread(1, 10, 0, 0);
    ck_assert_int_eq(outcome_now(db_query(here, &memory, NULL, &r, &TYPES, 3,
                                          (value[]){ string(TEXT("a'b\nKöln")), integer(INT64_MIN),
                                                     { .type = VALUE_NULL } })), 0);
    ck_assert_int_eq(rows_int(&r, 0, 0), INT64_MIN);
    ck_assert(text_equal(rows_text(&r, 0, 1), TEXT("a'b\nKöln")));
    ck_assert(rows_null(&r, 0, 2) && !rows_null(&r, 0, 3) && rows_null(&r, 0, 4));
    ck_assert_int_eq(outcome_now(run(&WRONG, &r, 1)), DB_EQUERY);
    close_blocking();
}
END_TEST

START_TEST(rows_outlive_their_db_and_the_watch_ran)
{
    rows r, w;
    stopwatch watch = { 0 };
    in_thread(1, 10, 0, 0);
    ck_assert_int_eq(outcome_now(db_query(here, &memory, &watch, &r, &POSTS, 1, (value[]){ integer(7) })), 0);
    ck_assert_int_eq(outcome_now(add(&w, 1, "kept")), 0);
    ck_assert_int_eq(watch.running, 0);
    ck_assert_uint_gt(watch.total, 0);
    ck_assert_int_eq(outcome_now(db_close(here)), 0);
    db_free(here);
    database_close(whole);
    ck_assert_int_eq(r.count, 10);
    ck_assert_int_eq(rows_int(&r, 9, 0), 70);
    ck_assert_int_gt(rows_int(&w, 0, 0), 500);
    arena_done(&memory);
}
END_TEST

START_TEST(connections_are_opened_when_first_needed)
{
    asker a = { .statement = &USER, .n = 1, .times = 10 };
    in_thread(4, 10, 0, 0);
    const int before = files_opened(path);
    for (int i = 0; i < 5; i++) {
        asker_start(&a, whole);
        ck_assert_int_eq(asker_end(&a), 0);
        ck_assert_int_eq(files_opened(path), before + 1);
    }
    close_blocking();
}
END_TEST

START_TEST(none_is_opened_to_another_file_in_its_place)
{
    char other[160], moved[160];
    rows r;
    in_thread(1, 10, 0, 50);
    snprintf(other, sizeof other, "%s", files_path("other.db"));
    snprintf(moved, sizeof moved, "%s", files_path("moved.db"));
    files_make(other, 50);
    ck_assert(rename(path, moved) == 0 && rename(other, path) == 0);
    for (int i = 0; i < 2; i++)              /* and the place of the one that was not is free again */
        ck_assert_int_eq(outcome_now(run(&USER, &r, 1)), UV_EIO);
    ck_assert_int_eq(rename(moved, path), 0);
    ck_assert_int_eq(outcome_now(run(&USER, &r, 1)), 0);
    close_blocking();
}
END_TEST

START_TEST(a_read_sees_every_write_that_was_acknowledged)
{
    static const statement TITLED = { "titled", "select count(*) from posts where title = 'seen' and $1 > 0", true };
    rows r, w;
    in_thread(2, 10, 0, 0);
    for (int i = 0; i < 50; i++) {
        ck_assert_int_eq(outcome_now(add(&w, 1, "seen")), 0);
        ck_assert_int_eq(outcome_now(run(&TITLED, &r, 1)), 0);
        ck_assert_int_eq(rows_int(&r, 0, 0), i + 1);
    }
    close_blocking();
}
END_TEST

START_TEST(a_full_line_of_readers_refuses_at_once_and_a_long_one_in_time)
{
    asker slow = { .statement = &COUNT, .n = FOR_EVER },
          a[2] = { { .statement = &USER, .n = 1 }, { .statement = &USER, .n = 1 } },
          late = a[0];
    rows r;
    in_thread(1, 2, 0, 0);
    asker_start(&slow, whole);
    wait_until_it_reads();
    for (int i = 0; i < 2; i++) {
        asker_start(&a[i], whole);
        wait_for_readers(i + 1);
    }
    ck_assert_int_eq(now_or_never(read_one, &r), REFUSED(REFUSED_DATABASE_LINE));
    asker_leave(&a[1]);
    ck_assert_int_eq(asker_end(&a[1]), UV_ECANCELED);        /* that makes room for one more */
    options.line_timeout_ms = 50;
    asker_start(&late, whole);
    ck_assert_int_eq(asker_end(&late), REFUSED(REFUSED_DATABASE_TIMEOUT));      /* while the first one still reads */
    ck_assert_double_ge(late.took, 0.05);
    asker_leave(&slow);
    ck_assert_int_eq(asker_end(&slow), UV_ECANCELED);
    ck_assert_int_eq(asker_end(&a[0]), 0);
    close_blocking();
}
END_TEST

START_TEST(a_read_ends_with_its_client_and_the_next_one_does_not)
{
    asker slow = { .statement = &COUNT, .n = FOR_EVER },
          waits[2] = { { .statement = &USER, .n = 1 }, { .statement = &USER, .n = 2 } };
    in_thread(1, 10, 0, 0);
    asker_start(&slow, whole);
    wait_until_it_reads();
    for (int i = 0; i < 2; i++) {
        asker_start(&waits[i], whole);
        wait_for_readers(i + 1);
    }
    asker_leave(&waits[0]);
    ck_assert_int_eq(asker_end(&waits[0]), UV_ECANCELED);    /* it waited */
    asker_leave(&slow);
    ck_assert_int_eq(asker_end(&slow), UV_ECANCELED);
    ck_assert_int_eq(asker_end(&waits[1]), 0);
    close_blocking();
}
END_TEST

START_TEST(a_read_that_runs_too_long_is_stopped)
{
    rows r;
    in_thread(1, 10, 30, 0);
    const uint64_t start = uv_hrtime();
    ck_assert_int_eq(outcome_now(run(&COUNT, &r, FOR_EVER)), UV_ETIMEDOUT);
    ck_assert_uint_ge(uv_hrtime() - start, 30000000);
    ck_assert_int_eq(outcome_now(run(&USER, &r, 1)), 0);
    close_blocking();
}
END_TEST

START_TEST(a_deadline_ends_a_read_and_the_wait_for_a_connection)
{
    asker slow = { .statement = &COUNT, .n = FOR_EVER },
          waits = { .statement = &USER, .n = 1, .within_ms = 20 }, late = { .statement = &COUNT, .n = FOR_EVER, .within_ms = 20 };
    in_thread(1, 10, 60000, 60000);
    asker_start(&slow, whole);
    wait_until_it_reads();
    asker_start(&waits, whole);
    ck_assert_int_eq(asker_end(&waits), UV_ETIMEDOUT);
    asker_leave(&slow);
    ck_assert_int_eq(asker_end(&slow), UV_ECANCELED);
    asker_start(&late, whole);
    ck_assert_int_eq(asker_end(&late), UV_ETIMEDOUT);
    ck_assert_double_ge(waits.took, 0.02);
    ck_assert_double_ge(late.took, 0.02);
    close_blocking();
}
END_TEST

START_TEST(a_deadline_ends_a_write_in_line_and_one_that_the_writer_has)
{
    asker first = { .statement = &ADD, .n = 1, .title = "late", .within_ms = 1000 },
          waits = { .statement = &ADD, .n = 1, .title = "late", .within_ms = 20 };
    rows r;
    in_thread(1, 10, 60000, 60000);
    sqlite3 *lock = lock_it();
    give_to_the_writer(&first);
    asker_start(&waits, whole);
    ck_assert_int_eq(asker_end(&waits), UV_ETIMEDOUT);
    ck_assert_int_eq(asker_end(&first), UV_ETIMEDOUT);
    unlock_it(lock);
    ck_assert_int_eq(outcome_now(add(&r, 1, "in time")), 0);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'late'"), 0);
    close_blocking();
}
END_TEST

START_TEST(a_write_leaves_with_its_client_and_spoils_no_other)
{
    asker a[4];
    in_thread(1, 10, 0, 0);
    sqlite3 *lock = lock_it();
    for (int i = 0; i < 4; i++)
        a[i] = (asker){ .statement = &ADD, .n = 1, .title = i < 2 ? "gone" : "stays" };
    give_to_the_writer(&a[0]);
    for (int i = 1; i < 4; i++) {
        asker_start(&a[i], whole);
        wait_for_writes(i);
    }
    asker_leave(&a[0]);
    asker_leave(&a[1]);
    ck_assert_int_eq(asker_end(&a[1]), UV_ECANCELED);
    ck_assert_int_eq(asker_end(&a[0]), UV_ECANCELED);
    unlock_it(lock);
    ck_assert_int_eq(asker_end(&a[2]), 0);
    ck_assert_int_eq(asker_end(&a[3]), 0);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'gone'"), 0);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'stays'"), 2);
    close_blocking();
}
END_TEST

START_TEST(writes_that_leave_while_the_writer_has_them_wait_for_nobody)
{
    asker a[5];
    in_thread(1, 10, 0, 0);
    sqlite3 *lock = lock_it();
    for (int i = 0; i < 5; i++)
        a[i] = (asker){ .statement = &ADD, .n = 1, .title = i < 3 ? "gone" : "stays" };
    give_to_the_writer(&a[0]);
    for (int i = 1; i < 5; i++) {
        asker_start(&a[i], whole);
        wait_for_writes(i);
    }
    asker_leave(&a[0]);
    ck_assert_int_eq(asker_end(&a[0]), UV_ECANCELED);        /* now it has the others, as one group */
    wait_for_writes(0);
    asker_leave(&a[1]);
    ck_assert_int_eq(asker_end(&a[1]), UV_ECANCELED);
    asker_leave(&a[2]);
    ck_assert_int_eq(asker_end(&a[2]), UV_ECANCELED);
    unlock_it(lock);
    ck_assert_int_eq(asker_end(&a[3]), 0);
    ck_assert_int_eq(asker_end(&a[4]), 0);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'gone'"), 0);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'stays'"), 2);
    close_blocking();
}
END_TEST

START_TEST(a_full_line_of_writes_refuses_at_once)
{
    asker first = { .statement = &ADD, .n = 1, .title = "first" }, a[3];
    rows r;
    in_thread(1, 2, 0, 0);
    sqlite3 *lock = lock_it();
    give_to_the_writer(&first);
    for (int i = 0; i < 3; i++) {
        if (i == 2) {                        /* one that leaves makes room for one more */
            asker_leave(&a[1]);
            ck_assert_int_eq(asker_end(&a[1]), UV_ECANCELED);
        }
        a[i] = (asker){ .statement = &ADD, .n = 1, .title = "waits" };
        asker_start(&a[i], whole);
        wait_for_writes(i < 2 ? i + 1 : 2);
    }
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(now_or_never(write_one, &r), REFUSED(REFUSED_DATABASE_LINE));
    ck_assert_int_eq(outcome_now(run(&USER, &r, 1)), 0);     /* reading goes on */
    unlock_it(lock);
    ck_assert_int_eq(asker_end(&first), 0);
    ck_assert_int_eq(asker_end(&a[0]), 0);
    ck_assert_int_eq(asker_end(&a[2]), 0);
    ck_assert_int_eq(outcome_now(add(&r, 1, "after")), 0);   /* who was refused takes no place */
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'one too many'"), 0);
    close_blocking();
}
END_TEST

START_TEST(a_write_too_long_in_line_is_refused_but_not_one_that_the_writer_has)
{
    asker first = { .statement = &ADD, .n = 1, .title = "first" }, late = { .statement = &ADD, .n = 1, .title = "late" };
    in_thread(1, 2, 0, 50);
    sqlite3 *lock = lock_it();
    give_to_the_writer(&first);
    asker_start(&late, whole);
    ck_assert_int_eq(asker_end(&late), REFUSED(REFUSED_DATABASE_TIMEOUT));
    ck_assert_double_ge(late.took, 0.05);
    unlock_it(lock);
    ck_assert_int_eq(asker_end(&first), 0);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title <> 'first' and body = 'b'"), 0);
    close_blocking();
}
END_TEST

START_TEST(many_threads_read_and_write_at_once)
{
    enum { MANY = 40, EACH = 10 };
    static asker a[MANY];
    in_thread(2, MANY, 0, 0);
    for (int i = 0; i < MANY; i++) {
        a[i] = i % 4 ? (asker){ .statement = &COUNT, .n = 100 + i, .times = EACH }
                     : (asker){ .statement = &ADD, .n = 1, .title = "many", .times = EACH };
        asker_start(&a[i], whole);
    }
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(asker_end(&a[i]), 0);
        ck_assert(i % 4 == 0 || a[i].answer == 100 + i);
    }
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'many'"), MANY / 4 * EACH);
    close_blocking();
}
END_TEST

Suite *sqlite_threads_suite(void)
{
    Suite *s = suite_create("sqlite_threads");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_read_runs_in_the_thread_that_asks);
    tcase_add_test(t, cells_have_the_types_and_bytes_that_went_in);
    tcase_add_test(t, rows_outlive_their_db_and_the_watch_ran);
    tcase_add_test(t, connections_are_opened_when_first_needed);
    tcase_add_test(t, none_is_opened_to_another_file_in_its_place);
    tcase_add_test(t, a_read_sees_every_write_that_was_acknowledged);
    tcase_add_test(t, a_full_line_of_readers_refuses_at_once_and_a_long_one_in_time);
    tcase_add_test(t, a_read_ends_with_its_client_and_the_next_one_does_not);
    tcase_add_test(t, a_read_that_runs_too_long_is_stopped);
    tcase_add_test(t, a_deadline_ends_a_read_and_the_wait_for_a_connection);
    tcase_add_test(t, a_deadline_ends_a_write_in_line_and_one_that_the_writer_has);
    tcase_add_test(t, a_write_leaves_with_its_client_and_spoils_no_other);
    tcase_add_test(t, writes_that_leave_while_the_writer_has_them_wait_for_nobody);
    tcase_add_test(t, a_full_line_of_writes_refuses_at_once);
    tcase_add_test(t, a_write_too_long_in_line_is_refused_but_not_one_that_the_writer_has);
    tcase_add_test(t, many_threads_read_and_write_at_once);
    suite_add_tcase(s, t);
    return s;
}
