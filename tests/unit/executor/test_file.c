/* test_file.c - whole files, read and written: from a loop, and from a blocking thread, where all is done at once. */
#include "tests/support/failing_disk.h"
#include "server/executor/file.h"
#include "server/async/loop.h"
#include "server/base/blocking_wait.h"
#include "server/executor/thread_pool.h"
#include "server/base/overload/refusal.h"
#include "tests/support/skipped.h"
#include "tests/unit/suites.h"
#include "tests/support/support.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LARGE = 3 * 1024 * 1024 + 17 };

static char  folder[] = "/tmp/tenk-test-XXXXXX";
static arena a;
static text  got;

static void make_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(mkdir("in", 0700) | mkfifo("fifo", 0600), 0);
}

static void remove_folder(void)
{
    arena_done(&a);
    ck_assert_int_eq(system("rm -r \"$PWD\""), 0);
}

static void setup_loop(void)
{
    make_folder();
    ck_assert_int_eq(loop_start(), 0);
}

static void teardown_loop(void)
{
    ck_assert_int_eq(loop_done(), 0);
    remove_folder();
}

static int outcome(promise *p) { return loop_here() ? outcome_of(p) : outcome_now(p); }

static int read_file(const char *path, size_t max)     { return outcome(file_read(path, &a, max, &got)); }
static int write_file(const char *path, const char *s) { return outcome(file_write(path, text_of(s))); }

static int entries(const char *path)
{
    DIR *d = opendir(path);
    int n = -2;                              /* . and .. */
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

START_TEST(what_was_written_is_read)
{
    char *const large = zeros(LARGE);
    memset(large, 'x', LARGE);
    ck_assert_int_eq(write_file("in/a", "the a"), 0);
    ck_assert_int_eq(read_file("in/a", 100), 0);
    ck_assert(text_equal(got, TEXT("the a")));
    ck_assert_int_eq(write_file("in/a", ""), 0);
    ck_assert_int_eq(read_file("in/a", 100), 0);
    ck_assert_uint_eq(got.length, 0);
    ck_assert_int_eq(outcome(file_write("in/a", (text){ large, LARGE })), 0);
    ck_assert_int_eq(read_file("in/a", LARGE), 0);
    ck_assert(text_equal(got, (text){ large, LARGE }));
    ck_assert_int_eq(write_file("b", "here"), 0);            /* in the present folder */
    ck_assert_int_eq(read_file("./b", 4), 0);
    ck_assert_int_eq(entries("in"), 1);
}
END_TEST

START_TEST(what_cannot_be_read_is_an_error)
{
    ck_assert_int_eq(write_file("in/a", "12345"), 0);
    ck_assert_int_eq(read_file("in/a", 5), 0);
    ck_assert_int_eq(read_file("in/a", 4), UV_EFBIG);
    ck_assert_int_eq(read_file("none", 100), UV_ENOENT);
    ck_assert_int_eq(read_file("in/a/b", 100), UV_ENOTDIR);
    ck_assert_int_eq(read_file("in", 100), UV_EISDIR);
    ck_assert_int_eq(read_file("fifo", 100), UV_EINVAL);
    ck_assert_int_eq(read_file("/dev/zero", 100), UV_EINVAL);
}
END_TEST

START_TEST(a_file_that_does_not_say_its_size_is_read_to_its_end)
{
    ck_assert_int_eq(read_file("/proc/self/maps", 1 << 20), 0);
    ck_assert_uint_gt(got.length, 4096);
    ck_assert_int_eq(read_file("/proc/self/maps", 100), UV_EFBIG);
    ck_assert_int_eq(read_file("/proc/version", 1 << 20), 0);
    const size_t length = got.length;
    ck_assert_int_eq(read_file("/proc/version", length), 0);
    ck_assert_int_eq(read_file("/proc/version", length - 1), UV_EFBIG);
}
END_TEST

START_TEST(what_cannot_be_written_leaves_the_old_file_and_nothing_else)
{
    ck_assert_int_eq(write_file("in/a", "old"), 0);
    ck_assert_int_eq(write_file("none/a", "new"), UV_ENOENT);
    ck_assert_int_eq(write_file("in", "new"), UV_EISDIR);
    ck_assert_int_eq(write_file("fifo", "new"), UV_EINVAL);

    signal(SIGXFSZ, SIG_IGN);
    const struct rlimit two = { 2, RLIM_INFINITY }, all = { RLIM_INFINITY, RLIM_INFINITY };
    setrlimit(RLIMIT_FSIZE, &two);
    ck_assert_int_eq(write_file("in/a", "a new one"), UV_EFBIG);
    setrlimit(RLIMIT_FSIZE, &all);
    ck_assert_int_eq(read_file("in/a", 100), 0);
    ck_assert(text_equal(got, TEXT("old")));
    ck_assert_int_eq(entries("in"), 1);
}
END_TEST

START_TEST(a_disk_that_is_full_or_read_only_keeps_the_old_file)
{
    char *const large = zeros(LARGE);
    if (!mount_or_skip(__func__, "in", "size=64k"))
        return;
    ck_assert_int_eq(write_file("in/a", "old"), 0);
    ck_assert_int_eq(outcome(file_write("in/a", (text){ large, LARGE })), UV_ENOSPC);
    ck_assert_int_eq(entries("in"), 1);
    ck_assert_int_eq(mount("none", "in", "none", MS_REMOUNT | MS_RDONLY, NULL), 0);
    ck_assert_int_eq(write_file("in/a", "new"), UV_EROFS);
    ck_assert_int_eq(read_file("in/a", 100), 0);
    ck_assert(text_equal(got, TEXT("old")));
    ck_assert_int_eq(umount("in"), 0);
}
END_TEST

/* Some file systems say only then that there is no room for what was written. */
START_TEST(a_file_that_cannot_be_closed_is_not_put_in_the_old_ones_place)
{
    ck_assert_int_eq(write_file("in/a", "old"), 0);
    const int next = dup(STDIN_FILENO);
    close(next);
    disk_fail_to_close(next, UV_ENOSPC);     /* which the new file gets */
    ck_assert_int_eq(write_file("in/a", "new"), UV_ENOSPC);
    ck_assert_int_eq(read_file("in/a", 100), 0);
    ck_assert(text_equal(got, TEXT("old")));
    ck_assert_int_eq(entries("in"), 1);
}
END_TEST

START_TEST(a_folder_that_does_not_get_to_the_disk_is_an_error_unless_it_never_can)
{
    ck_assert_int_eq(write_file("in/a", "old"), 0);
    disk_fail(DISK_SYNC_FOLDER, UV_EIO);
    ck_assert_int_eq(write_file("in/a", "new"), UV_EIO);
    disk_fail(DISK_SYNC_FOLDER, UV_EINVAL);
    ck_assert_int_eq(write_file("in/a", "newer"), 0);
    disk_fail(DISK_SYNC_FOLDER, 0);
    ck_assert_int_eq(read_file("in/a", 100), 0);
    ck_assert(text_equal(got, TEXT("newer")));
    ck_assert_int_eq(entries("in"), 1);
}
END_TEST

START_TEST(a_new_file_has_the_rights_of_the_old_one)
{
    struct stat s;
    umask(022);
    ck_assert_int_eq(write_file("in/a", "first"), 0);
    ck_assert_int_eq(stat("in/a", &s), 0);
    ck_assert_int_eq(s.st_mode & 07777, 0644);
    ck_assert_int_eq(chmod("in/a", 0600), 0);
    ck_assert_int_eq(write_file("in/a", "second"), 0);
    ck_assert_int_eq(stat("in/a", &s), 0);
    ck_assert_int_eq(s.st_mode & 07777, 0600);
}
END_TEST

START_TEST(a_link_is_replaced_and_what_it_leads_to_is_not)
{
    struct stat s;
    ck_assert_int_eq(write_file("in/a", "old"), 0);
    ck_assert_int_eq(symlink("a", "in/b"), 0);
    ck_assert_int_eq(read_file("in/b", 100), 0);
    ck_assert_int_eq(write_file("in/b", "new"), 0);
    ck_assert_int_eq(read_file("in/a", 100), 0);
    ck_assert(text_equal(got, TEXT("old")));
    ck_assert_int_eq(lstat("in/b", &s), 0);
    ck_assert(S_ISREG(s.st_mode));
}
END_TEST

/* On a loop. */

enum { FILES = 6 };
static promise *files[FILES];
static int      errs[FILES];
static text     texts[FILES];
static uv_sem_t busy;

static int hold(void *arg)
{
    (void)arg;
    uv_sem_wait(&busy);
    return 0;
}

static void start(int i, promise *p)
{
    errs[i] = 1;
    files[i] = p;
    when_settled(p, store, &errs[i]);
}

START_TEST(so_many_have_a_call_on_the_pool_so_many_wait_and_the_rest_are_refused)
{
    file_configure(1, FILES - 1);
    ck_assert_int_eq(write_file("in/a", "a"), 0);
    for (int i = 0; i < FILES; i++)
        start(i, file_read("in/a", &a, 100, &texts[i]));
    ck_assert_int_eq(outcome_now(file_read("in/a", &a, 100, &got)), REFUSED(REFUSED_FILES_LINE));
    promise_cancel(files[2]);                /* it waits */
    loop_run();
    for (int i = 0; i < FILES; i++)
        ck_assert_int_eq(errs[i], i == 2 ? UV_ECANCELED : 0);
    ck_assert(text_equal(texts[5], TEXT("a")));
}
END_TEST

START_TEST(cancelled_in_the_pools_queue_it_reads_and_writes_nothing)
{
    int held = 1;
    ck_assert_int_eq(write_file("in/a", "old"), 0);
    thread_pool_configure(1, 1, 1);
    uv_sem_init(&busy, 0);
    when_settled(in_thread(hold, NULL), store, &held);
    start(0, file_read("in/a", &a, 100, &texts[0]));
    start(1, file_write("in/a", TEXT("new")));
    promise_cancel(files[0]);
    promise_cancel(files[1]);
    uv_sem_post(&busy);
    loop_run();
    ck_assert_int_eq(errs[0], UV_ECANCELED);
    ck_assert_int_eq(errs[1], UV_ECANCELED);
    ck_assert_ptr_null(texts[0].at);
    ck_assert_int_eq(read_file("in/a", 100), 0);
    ck_assert(text_equal(got, TEXT("old")));
    ck_assert_int_eq(entries("in"), 1);
}
END_TEST

/* Whenever it comes: there is the old file or the new one, whole, and the outcome says which. */
START_TEST(cancelled_between_any_two_calls_it_is_all_or_nothing)
{
    for (int turns = 0; turns < 14; turns++) {
        ck_assert_int_eq(write_file("in/a", "old"), 0);
        start(0, file_write("in/a", TEXT("new")));
        start(1, file_read("in/b", &a, 100, &texts[1]));
        for (int i = 0; i < turns && errs[0] == 1; i++) {
            uv_run(loop_here(), UV_RUN_ONCE);
            loop_run_ready();
        }
        if (errs[0] == 1)
            promise_cancel(files[0]);
        loop_run();
        ck_assert_int_eq(read_file("in/a", 100), 0);
        ck_assert(text_equal(got, errs[0] ? TEXT("old") : TEXT("new")));
        ck_assert(errs[0] == 0 || errs[0] == UV_ECANCELED);
        ck_assert_int_eq(entries("in"), 1);
    }
}
END_TEST

/* In a blocking thread. */

START_TEST(whoever_has_no_client_any_more_reads_and_writes_nothing)
{
    int ends[2];
    ck_assert_int_eq(write_file("in/a", "old"), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    blocking_follow(ends[0], 0);
    ck_assert_int_eq(read_file("in/a", 100), 0);
    close(ends[1]);
    ck_assert_int_eq(read_file("in/a", 100), UV_ECANCELED);
    ck_assert_int_eq(write_file("in/a", "new"), UV_ECANCELED);
    blocking_follow(-1, 0);
    ck_assert_int_eq(read_file("in/a", 100), 0);
    ck_assert(text_equal(got, TEXT("old")));
    ck_assert_int_eq(entries("in"), 1);
}
END_TEST

static void add_common(TCase *t)
{
    tcase_add_test(t, what_was_written_is_read);
    tcase_add_test(t, what_cannot_be_read_is_an_error);
    tcase_add_test(t, a_file_that_does_not_say_its_size_is_read_to_its_end);
    tcase_add_test(t, what_cannot_be_written_leaves_the_old_file_and_nothing_else);
    tcase_add_test(t, a_disk_that_is_full_or_read_only_keeps_the_old_file);
    tcase_add_test(t, a_folder_that_does_not_get_to_the_disk_is_an_error_unless_it_never_can);
    tcase_add_test(t, a_new_file_has_the_rights_of_the_old_one);
    tcase_add_test(t, a_link_is_replaced_and_what_it_leads_to_is_not);
}

Suite *file_suite(void)
{
    Suite *s = suite_create("file");
    TCase *loop = tcase_create("loop"), *plain = tcase_create("plain");
    tcase_add_checked_fixture(loop, setup_loop, teardown_loop);
    tcase_add_checked_fixture(plain, make_folder, remove_folder);
    add_common(loop);
    add_common(plain);
    tcase_add_test(loop, so_many_have_a_call_on_the_pool_so_many_wait_and_the_rest_are_refused);
    tcase_add_test(loop, cancelled_in_the_pools_queue_it_reads_and_writes_nothing);
    tcase_add_test(loop, cancelled_between_any_two_calls_it_is_all_or_nothing);
    tcase_add_test(plain, a_file_that_cannot_be_closed_is_not_put_in_the_old_ones_place);
    tcase_add_test(plain, whoever_has_no_client_any_more_reads_and_writes_nothing);
    suite_add_tcase(s, loop);
    suite_add_tcase(s, plain);
    return s;
}
