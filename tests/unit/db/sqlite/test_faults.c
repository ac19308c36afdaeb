/* test_faults.c - SQLite on disks and files that are full, read-only, damaged or somebody else's,
 * and a process that is killed. */
#include "db/sqlite/file.h"
#include "tests/support/failing_disk.h"
#include "tests/support/skipped.h"
#include "fixture.h"
#include "tests/support/support.h"
#include "tests/unit/suites.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(a_kill_loses_no_acknowledged_write)
{
    int pipes[2], acknowledged = 0;
    path = files_path("test.db");
    files_make(path, 50);
    ck_assert_int_eq(pipe(pipes), 0);
    const pid_t child = fork();
    if (child == 0) {
        open_it(1, 100, 0, 0);
        here = db_new(whole);
        for (rows r;;) {
            int err = 1;
            if (!promise_take_if_settled(add(&r, 1, "durable"), &err) || err || write(pipes[1], "x", 1) != 1)
                _exit(1);
        }
    }
    close(pipes[1]);
    for (char x; acknowledged < 50 && read(pipes[0], &x, 1) == 1;)
        acknowledged++;
    kill(child, SIGKILL);
    for (char x; read(pipes[0], &x, 1) == 1;)
        acknowledged++;
    waitpid(child, NULL, 0);
    ck_assert_int_ge(acknowledged, 50);
    ck_assert_int_ge(files_ask(path, "select count(*) from posts where title = 'durable'"), acknowledged);
}
END_TEST

static int open_error(const char *address, char *why, size_t size)
{
    database *d;
    options = (database_options){ .url = address, .readers = 1, .line = 1 };
    *why = '\0';
    return database_open(&d, &options, why, size);
}

static int open_file_error(const char *file, char *why, size_t size)
{
    snprintf(url, sizeof url, "sqlite:%s", file);
    int err = open_error(url, why, size);
    ck_assert_msg(strstr(why, file) != NULL, "%s", why);     /* it names the file */
    return err;
}

static void put(const char *file, const char *bytes, size_t length, off_t at)
{
    const int fd = open(file, O_CREAT | O_WRONLY, 0600);
    ck_assert_int_eq(pwrite(fd, bytes, length, at), (ssize_t)length);
    close(fd);
}

/* A disk of a megabyte, seen by this process only; false where that is not allowed. */
static bool tiny_disk(const char *test, const char *folder)
{
    return mkdir(folder, 0700) == 0 && mount_or_skip(test, folder, "size=1m");
}

START_TEST(a_full_disk_acknowledges_nothing_and_the_writer_recovers)
{
    static char large[20000];
    char filler[160];
    rows r;
    int err = 0, stored = 0;
    const char *folder = files_path("disk");
    if (!tiny_disk(__func__, folder))
        return;
    open_at(files_path("disk/test.db"), 1, 10, 0, 0);
    loop_start();
    here = db_new(whole);
    snprintf(filler, sizeof filler, "%s/filler", folder);
    put(filler, large, sizeof large, 0);
    memset(large, 'x', sizeof large - 1);
    while (!err && stored < 100) {
        err = outcome_of(add(&r, 1, large));
        stored += !err;
    }
    ck_assert_int_eq(err, UV_ENOSPC);
    ck_assert_int_eq(outcome_of(run(&POSTS, &r, 1)), 0);     /* the acknowledged ones, and no other */
    ck_assert_int_eq(r.count, 10 + stored);
    ck_assert_int_eq(mount("none", folder, "none", MS_REMOUNT, "size=4m"), 0);
    ck_assert_int_eq(outcome_of(add(&r, 1, large)), 0);
    ck_assert_int_eq(outcome_of(run(&POSTS, &r, 1)), 0);
    ck_assert_int_eq(r.count, 10 + stored + 1);
    close_it();
    umount(folder);
}
END_TEST

START_TEST(a_disk_that_is_full_from_the_start_is_said_in_words)
{
    enum { FILLER = 980 * 1024 };
    char why[512] = "";
    const char *folder = files_path("disk");
    if (!tiny_disk(__func__, folder))
        return;
    put(files_path("disk/filler"), zeros(FILLER), FILLER, 0);
    ck_assert_int_eq(open_file_error(files_path("disk/test.db"), why, sizeof why), UV_ENOSPC);
    ck_assert_ptr_nonnull(strstr(why, "full"));
    umount(folder);
}
END_TEST

START_TEST(a_read_only_disk_is_said_in_words)
{
    char why[512] = "";
    const char *folder = files_path("disk");
    if (!tiny_disk(__func__, folder))
        return;
    files_make(files_path("disk/test.db"), 5);
    files_ask(files_path("disk/theirs.db"), "create table visits (users text)");
    ck_assert_int_eq(mount("none", folder, "none", MS_REMOUNT | MS_RDONLY, ""), 0);
    ck_assert_int_eq(open_file_error(files_path("disk/test.db"), why, sizeof why), UV_EROFS);
    ck_assert_ptr_nonnull(strcasestr(why, "read-only"));
    ck_assert_int_eq(open_file_error(files_path("disk/new.db"), why, sizeof why), UV_EROFS);
    ck_assert_ptr_nonnull(strcasestr(why, "read-only"));
    ck_assert_int_eq(open_file_error(files_path("disk/theirs.db"), why, sizeof why), UV_EEXIST);      /* wherever it is */
    umount(folder);
}
END_TEST

START_TEST(a_file_that_cannot_be_created_whole_is_an_error_and_the_next_attempt_makes_it)
{
    char why[512] = "";
    path = files_path("test.db");
    disk_fail_once(DISK_SYNC, UV_EIO);
    ck_assert_int_eq(sqlite_file_prepare(path, 20, why, sizeof why), UV_EIO);
    ck_assert_msg(strstr(why, path) != NULL, "%s", why);
    files_make(path, 30);
    ck_assert_int_eq(files_ask(path, "select count(*) from users"), 30);
}
END_TEST

/* What was written is in the log, and a crash may bring it back: nobody knows. */
START_TEST(a_commit_that_does_not_reach_the_disk_is_uncertain)
{
    rows r;
    int err[4];
    on_loop(1, 10, 0, 0);
    ck_assert_int_eq(outcome_of(add(&r, 1, "before")), 0);
    disk_fail(DISK_SYNC, UV_EIO);
    ck_assert_int_eq(outcome_of(add(&r, 1, "alone")), ERR_UNCERTAIN);
    sqlite3 *lock = lock_it();
    for (int i = 0; i < 4; i++)              /* the second has an error of its own */
        when_settled(add(&r, i == 1 ? 4000 : 1, "together"), store, &err[i]);
    uv_run(loop_here(), UV_RUN_NOWAIT);
    unlock_it(lock);
    loop_run();
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(err[i], i == 1 ? DB_EQUERY : ERR_UNCERTAIN);
    disk_fail(DISK_SYNC, 0);
    ck_assert_int_eq(outcome_of(add(&r, 1, "after")), 0);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title in ('alone', 'together')"), 0);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title in ('before', 'after')"), 2);
    close_it();
}
END_TEST

START_TEST(a_write_that_the_disk_refuses_is_an_error_and_not_stored)
{
    rows r;
    on_loop(1, 10, 0, 0);
    disk_fail(DISK_WRITE, UV_EIO);
    ck_assert_int_eq(outcome_of(add(&r, 1, "lost")), UV_EIO);
    disk_fail(DISK_WRITE, 0);
    ck_assert_int_eq(outcome_of(add(&r, 1, "after")), 0);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title in ('lost', 'after')"), 1);
    close_it();
}
END_TEST

START_TEST(a_disk_that_becomes_read_only_is_told_as_such)
{
    rows r;
    log_capture();
    on_loop(1, 10, 0, 0);
    ck_assert_int_eq(outcome_of(add(&r, 1, "before")), 0);
    disk_fail(DISK_READ_ONLY, UV_EROFS);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(outcome_of(add(&r, 1, "refused")), UV_EROFS);
    ck_assert_int_eq(outcome_of(run(&USER, &r, 1)), 0);
    ck_assert_int_ge(log_times("its disk has become read-only"), 1);
    disk_fail(DISK_READ_ONLY, 0);
    ck_assert_int_eq(outcome_of(add(&r, 1, "after")), 0);
    ck_assert_int_eq(files_ask(path, "select count(*) from posts where title = 'refused'"), 0);
    close_it();
}
END_TEST

/* What is acknowledged must outlive the process: every commit is on the disk before, of any connection. */
START_TEST(every_acknowledged_write_has_been_synced)
{
    rows r;
    on_loop(1, 10, 0, 0);
    for (int i = 0; i < 5; i++) {
        const int before = disk_calls(DISK_SYNC);
        ck_assert_int_eq(outcome_of(add(&r, 1, "synced")), 0);
        ck_assert_int_gt(disk_calls(DISK_SYNC), before);
    }
    close_it();
}
END_TEST

/* The file itself, another in its place, its log: what is stored there would be gone with the process. */
START_TEST(a_file_that_is_gone_takes_no_more_writes)
{
    char file[160], other[160];
    rows r;
    log_capture();
    on_loop(1, 10, 0, 0);
    ck_assert_int_eq(outcome_of(add(&r, 1, "before")), 0);
    snprintf(file, sizeof file, "%s%s", path, _i == 2 ? "-wal" : "");
    snprintf(other, sizeof other, "%s", files_path("other.db"));
    if (_i == 1)
        files_make(other, 50);
    ck_assert_int_eq(_i == 1 ? rename(other, file) : unlink(file), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(outcome_of(add(&r, 1, "lost")), UV_EROFS);
    ck_assert_int_ge(log_times("has been deleted, moved or replaced while it was in use"), 1);
    ck_assert_int_eq(outcome_of(run(&POSTS, &r, 1)), 0);     /* what was stored before can be read */
    ck_assert_int_eq(r.count, 11);
    close_it();
}
END_TEST

START_TEST(a_file_that_is_gone_is_told_by_who_reads_too)
{
    rows r;
    log_capture();
    on_loop(1, 10, 0, 0);
    unlink(path);
    ck_assert_int_eq(outcome_of(run(&USER, &r, 1)), 0);
    ck_assert_int_ge(log_times("has been deleted, moved or replaced while it was in use"), 1);
    close_it();
}
END_TEST

/* As they were made before tables kept their types. */
START_TEST(an_older_file_is_served_on_and_its_odd_values_are_errors)
{
    static const statement DATED = { "dated", "select id, created_at from posts where user_id = $1", true, "ii" };
    char why[256];
    rows r;
    path = files_path("test.db");
    sqlite3 *s;
    ck_assert_int_eq(sqlite3_open(path, &s), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(s, "create table users (id integer primary key, name text not null, email text not null,"
                                  " created_at bigint not null); create table posts (id integer primary key, user_id bigint not"
                                  " null references users (id), title text not null, body text not null, created_at bigint not"
                                  " null); create index posts_of_user on posts (user_id, id); create table tenk_schema (version"
                                  " integer not null); insert into tenk_schema values (1);"
                                  "insert into users values (1, 'a', 'a@b', 1), (2, 'b', 'b@b', 1);"
                                  "insert into posts values (1, 1, 't', 'b', '1500000000'), (2, 2, 't', 'b', '2026-01-01')",
                                  NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(s);
    snprintf(url, sizeof url, "sqlite:%s", path);
    options = (database_options){ .url = url, .readers = 1, .line = 10 };
    ck_assert_msg(database_open(&whole, &options, why, sizeof why) == 0, "%s", why);
    loop_start();
    here = db_new(whole);
    ck_assert_int_eq(outcome_of(run(&DATED, &r, 1)), 0);
    ck_assert_int_eq(rows_int(&r, 0, 1), 1500000000);
    ck_assert_int_eq(outcome_of(run(&DATED, &r, 2)), DB_EVALUE);
    ck_assert_int_eq(outcome_of(add(&r, 1, "new")), 0);
    close_it();
}
END_TEST

START_TEST(what_cannot_be_opened_is_said_in_words)
{
    char why[512];
    ck_assert_int_eq(open_error("sqlite:", why, sizeof why), UV_EINVAL);
    ck_assert_int_eq(open_error("sqlite://host/x.db", why, sizeof why), UV_EINVAL);
    ck_assert_int_eq(open_error("sqlite::memory:", why, sizeof why), UV_EINVAL);
    ck_assert_ptr_nonnull(strstr(why, "in memory"));
    static const char *const URI[] = { "sqlite:/tmp/x.db?mode=ro", "sqlite:///tmp/x.db?immutable=1", "sqlite:file:/tmp/x.db" };
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(open_error(URI[i], why, sizeof why), UV_EINVAL);
        ck_assert_ptr_nonnull(strstr(why, "?parameters"));
        ck_assert_int_eq(database_check(&options, why, sizeof why), UV_EINVAL);
        ck_assert_int_ne(access(URI[i] + strlen("sqlite:"), F_OK), 0);
    }
    ck_assert_int_eq(open_error("sqlite://u:secret@host/x", why, sizeof why), UV_EINVAL);
    ck_assert_ptr_null(strstr(why, "secret"));
    ck_assert_int_eq(open_file_error("/tmp", why, sizeof why), UV_EROFS);
    ck_assert_int_eq(open_file_error("/nowhere/at/all.db", why, sizeof why), UV_EROFS);
    ck_assert_ptr_nonnull(strstr(why, "No such file"));
    ck_assert_int_eq(open_file_error("/proc/tenk.db", why, sizeof why), UV_EROFS);     /* root cannot write there either */
}
END_TEST

START_TEST(a_file_that_is_no_database_is_left_as_it_is)
{
    static const char WORDS[] = "Dear diary, this is long enough to be taken for a database's first page, and is none. "
                                "It goes on for some more, since the header has a hundred bytes.";
    char why[512], after[sizeof WORDS] = "";
    const char *file = files_path("diary.txt");
    put(file, WORDS, sizeof WORDS, 0);
    ck_assert_int_eq(open_file_error(file, why, sizeof why), UV_EIO);
    ck_assert_ptr_nonnull(strstr(why, "not a SQLite database"));
    const int fd = open(file, O_RDONLY);
    ck_assert_int_eq(read(fd, after, sizeof after), sizeof after);
    ck_assert_str_eq(after, WORDS);
    close(fd);
}
END_TEST

START_TEST(tables_that_somebody_else_made_are_left_alone)
{
    char why[512];
    const char *file = files_path("theirs.db");
    files_ask(file, "create table visits (users text)");
    ck_assert_int_eq(open_file_error(file, why, sizeof why), UV_EEXIST);
    ck_assert_ptr_nonnull(strstr(why, "did not create"));
    ck_assert_int_eq(files_ask(file, "select count(*) from sqlite_master"), 1);
}
END_TEST

START_TEST(a_damaged_page_is_an_input_error)
{
    static const char NOISE[4096] = { 77, 77, 77 };
    rows r;
    path = files_path("test.db");
    files_make(path, 50);
    const int64_t page = files_ask(path, "select rootpage from sqlite_master where name = 'users'");
    put(path, NOISE, sizeof NOISE, (page - 1) * 4096);
    char why[512] = "";
    snprintf(url, sizeof url, "sqlite://%s", path);
    options = (database_options){ .url = url, .readers = 1, .line = 1 };
    ck_assert_msg(database_open(&whole, &options, why, sizeof why) == 0, "%s", why);
    loop_start();
    here = db_new(whole);
    ck_assert_int_eq(outcome_of(run(&USER, &r, 1)), UV_EIO);
    close_it();
}
END_TEST

Suite *sqlite_faults_suite(void)
{
    Suite *s = suite_create("sqlite_faults");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_kill_loses_no_acknowledged_write);
    tcase_add_test(t, a_full_disk_acknowledges_nothing_and_the_writer_recovers);
    tcase_add_test(t, a_disk_that_is_full_from_the_start_is_said_in_words);
    tcase_add_test(t, a_read_only_disk_is_said_in_words);
    tcase_add_test(t, a_file_that_cannot_be_created_whole_is_an_error_and_the_next_attempt_makes_it);
    tcase_add_test(t, a_commit_that_does_not_reach_the_disk_is_uncertain);
    tcase_add_test(t, a_write_that_the_disk_refuses_is_an_error_and_not_stored);
    tcase_add_test(t, a_disk_that_becomes_read_only_is_told_as_such);
    tcase_add_test(t, every_acknowledged_write_has_been_synced);
    tcase_add_loop_test(t, a_file_that_is_gone_takes_no_more_writes, 0, 3);
    tcase_add_test(t, a_file_that_is_gone_is_told_by_who_reads_too);
    tcase_add_test(t, an_older_file_is_served_on_and_its_odd_values_are_errors);
    tcase_add_test(t, what_cannot_be_opened_is_said_in_words);
    tcase_add_test(t, a_file_that_is_no_database_is_left_as_it_is);
    tcase_add_test(t, tables_that_somebody_else_made_are_left_alone);
    tcase_add_test(t, a_damaged_page_is_an_input_error);
    suite_add_tcase(s, t);
    return s;
}
