/* test_sqlite_faults.c - SQLite on disks and files that are full, read-only, damaged or somebody else's,
 * and a process that is killed. */
#include "sqlite_fixture.h"
#include "suites.h"

#include <fcntl.h>
#include <sched.h>
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
static bool tiny_disk(const char *folder)
{
    return mkdir(folder, 0700) == 0 &&
           (unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) &&
           mount("none", "/", "none", MS_REC | MS_PRIVATE, "") == 0 &&
           mount("tmpfs", folder, "tmpfs", 0, "size=1m") == 0;
}

START_TEST(a_full_disk_acknowledges_nothing_and_the_writer_recovers)
{
    static char large[20000];
    char filler[160];
    rows r;
    int err = 0, stored = 0;
    const char *folder = files_path("disk");
    if (!tiny_disk(folder))
        return;                              /* no namespaces here: another machine tests it */
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
    static char filler[980 * 1024];
    char why[512] = "";
    const char *folder = files_path("disk");
    if (!tiny_disk(folder))
        return;
    put(files_path("disk/filler"), filler, sizeof filler, 0);
    ck_assert_int_eq(open_file_error(files_path("disk/test.db"), why, sizeof why), UV_ENOSPC);
    ck_assert_ptr_nonnull(strstr(why, "full"));
    umount(folder);
}
END_TEST

START_TEST(a_read_only_disk_is_said_in_words)
{
    char why[512] = "";
    const char *folder = files_path("disk");
    if (!tiny_disk(folder))
        return;
    files_make(files_path("disk/test.db"), 5);
    ck_assert_int_eq(mount("none", folder, "none", MS_REMOUNT | MS_RDONLY, ""), 0);
    ck_assert_int_eq(open_file_error(files_path("disk/test.db"), why, sizeof why), UV_EROFS);
    ck_assert_int_eq(open_file_error(files_path("disk/new.db"), why, sizeof why), UV_EROFS);
    umount(folder);
}
END_TEST

START_TEST(what_cannot_be_opened_is_said_in_words)
{
    char why[512];
    ck_assert_int_eq(open_error("sqlite:", why, sizeof why), UV_EINVAL);
    ck_assert_int_eq(open_error("sqlite://host/x.db", why, sizeof why), UV_EINVAL);
    ck_assert_int_eq(open_error("sqlite::memory:", why, sizeof why), UV_EINVAL);
    ck_assert_ptr_nonnull(strstr(why, "in memory"));
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
    Suite *s = suite_create("sqlite faults");
    TCase *t = tcase_create("all");
    tcase_set_timeout(t, 30);
    tcase_add_test(t, a_kill_loses_no_acknowledged_write);
    tcase_add_test(t, a_full_disk_acknowledges_nothing_and_the_writer_recovers);
    tcase_add_test(t, a_disk_that_is_full_from_the_start_is_said_in_words);
    tcase_add_test(t, a_read_only_disk_is_said_in_words);
    tcase_add_test(t, what_cannot_be_opened_is_said_in_words);
    tcase_add_test(t, a_file_that_is_no_database_is_left_as_it_is);
    tcase_add_test(t, tables_that_somebody_else_made_are_left_alone);
    tcase_add_test(t, a_damaged_page_is_an_input_error);
    suite_add_tcase(s, t);
    return s;
}
    static const char *const URI[] = { "sqlite:/tmp/x.db?mode=ro", "sqlite:///tmp/x.db?immutable=1", "sqlite:file:/tmp/x.db" };
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(open_error(URI[i], why, sizeof why), UV_EINVAL);
        ck_assert_ptr_nonnull(strstr(why, "?parameters"));
        ck_assert_int_eq(database_check(&options, why, sizeof why), UV_EINVAL);
        ck_assert_int_ne(access(URI[i] + strlen("sqlite:"), F_OK), 0);
    }
    ck_assert_int_eq(open_error("sqlite://u:secret@host/x", why, sizeof why), UV_EINVAL);
    ck_assert_ptr_null(strstr(why, "secret"));
