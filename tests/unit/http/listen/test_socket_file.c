/* test_socket_file.c - the file of a unix socket, and others of the same name. */
#include "server/http/listen/socket_file.h"
#include "tests/unit/suites.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

static char folder[32], path[64], why[256];
static socket_file file;

static void begin(void)
{
    strcpy(folder, "/tmp/socket-file-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/s", folder);
    umask(022);
}

static void end(void)
{
    unlink(path);
    rmdir(folder);
}

static int new_socket(void) { return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }

static int bind_to(socket_file *f, int fd, const char *at, int mode)
{
    return socket_file_bind(f, fd, at, mode, 8, why, sizeof why);
}

static int connects(const char *at)
{
    struct sockaddr_un a;
    const socklen_t length = socket_file_address(at, &a);
    const int fd = new_socket();
    const int err = connect(fd, (const struct sockaddr *)&a, length) ? -errno : 0;
    close(fd);
    return err;
}

static bool is_there(const char *at)
{
    struct stat s;
    return lstat(at, &s) == 0;
}

START_TEST(clients_connect_until_the_file_is_removed)
{
    const int fd = new_socket();
    ck_assert_int_eq(bind_to(&file, fd, path, -1), 0);
    ck_assert_str_eq(file.path, path);
    ck_assert_int_eq(connects(path), 0);
    socket_file_remove(&file);
    ck_assert(!is_there(path));
    socket_file_remove(&file);               /* there is none any more */
    close(fd);
}
END_TEST

START_TEST(its_mode_is_the_one_that_was_asked_for_else_what_the_umask_leaves)
{
    static const struct { int mode, is; } MODES[] = { { -1, 0755 }, { 0660, 0660 }, { 0777, 0777 }, { 0600, 0600 } };
    for (size_t i = 0; i < sizeof MODES / sizeof MODES[0]; i++) {
        struct stat s;
        const int fd = new_socket();
        ck_assert_int_eq(bind_to(&file, fd, path, MODES[i].mode), 0);
        ck_assert_int_eq(lstat(path, &s), 0);
        ck_assert_int_eq(s.st_mode & 07777, MODES[i].is);
        socket_file_remove(&file);
        close(fd);
    }
}
END_TEST

START_TEST(a_stale_one_is_replaced)
{
    const int killed = new_socket(), fd = new_socket();
    socket_file ignored;
    ck_assert_int_eq(bind_to(&ignored, killed, path, -1), 0);
    close(killed);
    ck_assert_int_eq(connects(path), UV_ECONNREFUSED);
    ck_assert_msg(bind_to(&file, fd, path, -1) == 0, "%s", why);
    ck_assert_int_eq(connects(path), 0);
    socket_file_remove(&file);
    close(fd);
}
END_TEST

START_TEST(one_at_which_somebody_listens_is_left_alone)
{
    const int first = new_socket(), second = new_socket();
    socket_file ignored;
    ck_assert_int_eq(bind_to(&file, first, path, -1), 0);
    ck_assert_int_eq(bind_to(&ignored, second, path, -1), UV_EADDRINUSE);
    ck_assert_str_eq(why, "another program listens there");
    ck_assert_int_eq(connects(path), 0);
    socket_file_remove(&file);
    close(first);
    close(second);
}
END_TEST

START_TEST(one_that_has_no_room_for_another_client_is_left_alone)
{
    enum { MOST = 64 };
    const int busy = new_socket(), second = new_socket();
    int clients[MOST], count = 0;
    struct sockaddr_un a;
    const socklen_t length = socket_file_address(path, &a);
    socket_file ignored;
    ck_assert_int_eq(socket_file_bind(&file, busy, path, -1, 1, why, sizeof why), 0);
    do
        clients[count] = new_socket();
    while (connect(clients[count++], (const struct sockaddr *)&a, length) == 0 && count < MOST);
    ck_assert_int_eq(connects(path), UV_EAGAIN);
    ck_assert_int_eq(bind_to(&ignored, second, path, -1), UV_EADDRINUSE);
    ck_assert(is_there(path));
    socket_file_remove(&file);
    while (count > 0)
        close(clients[--count]);
    close(busy);
    close(second);
}
END_TEST

START_TEST(a_file_that_is_no_socket_is_left_alone)
{
    const int fd = new_socket();
    close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    ck_assert_int_eq(bind_to(&file, fd, path, -1), UV_EEXIST);
    ck_assert_str_eq(why, "there is a file of that name, which is no socket");
    ck_assert(is_there(path));
    close(fd);
}
END_TEST

START_TEST(one_that_another_has_put_in_its_place_is_left_alone)
{
    const int first = new_socket(), second = new_socket();
    socket_file other;
    ck_assert_int_eq(bind_to(&file, first, path, -1), 0);
    unlink(path);
    ck_assert_int_eq(bind_to(&other, second, path, -1), 0);
    socket_file_remove(&file);
    ck_assert(is_there(path));
    socket_file_remove(&other);
    ck_assert(!is_there(path));
    close(first);
    close(second);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_said)
{
    const int fd = new_socket();
    char nowhere[96];
    snprintf(nowhere, sizeof nowhere, "%s/none/s", folder);
    ck_assert_int_eq(bind_to(&file, fd, nowhere, -1), UV_ENOENT);
    ck_assert_str_eq(why, "no such file or directory");
    close(fd);
}
END_TEST

START_TEST(who_locks_the_folder_for_long_keeps_nobody_from_starting)
{
    const int fd = new_socket(), locked = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_eq(flock(locked, LOCK_EX), 0);
    ck_assert_int_eq(bind_to(&file, fd, path, -1), 0);
    socket_file_remove(&file);
    close(locked);
    close(fd);
}
END_TEST

START_TEST(an_abstract_name_leaves_no_file_behind_and_is_one_servers)
{
    char name[64];
    const int first = new_socket(), second = new_socket();
    socket_file ignored;
    snprintf(name, sizeof name, "@tenk-test-%d", (int)getpid());
    file.path[0] = '\0';
    ck_assert_int_eq(bind_to(&file, first, name, -1), 0);
    ck_assert_str_eq(file.path, "");
    ck_assert_int_eq(connects(name), 0);
    ck_assert_int_eq(bind_to(&ignored, second, name, -1), UV_EADDRINUSE);
    ck_assert_str_eq(why, "another program listens there");
    close(first);
    ck_assert_int_eq(connects(name), UV_ECONNREFUSED);
    close(second);
}
END_TEST

START_TEST(a_file_that_is_named_like_an_abstract_one_is_another_s)
{
    static const char NAME[] = "@tenk-test";
    const int fd = new_socket();
    ck_assert_int_eq(chdir(folder), 0);
    close(open(NAME, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    file.path[0] = '\0';
    ck_assert_int_eq(bind_to(&file, fd, NAME, -1), 0);
    socket_file_remove(&file);
    ck_assert(is_there(NAME));
    unlink(NAME);
    close(fd);
}
END_TEST

Suite *socket_file_suite(void)
{
    Suite *s = suite_create("socket_file");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, begin, end);
    tcase_add_test(t, clients_connect_until_the_file_is_removed);
    tcase_add_test(t, its_mode_is_the_one_that_was_asked_for_else_what_the_umask_leaves);
    tcase_add_test(t, a_stale_one_is_replaced);
    tcase_add_test(t, one_at_which_somebody_listens_is_left_alone);
    tcase_add_test(t, one_that_has_no_room_for_another_client_is_left_alone);
    tcase_add_test(t, a_file_that_is_no_socket_is_left_alone);
    tcase_add_test(t, one_that_another_has_put_in_its_place_is_left_alone);
    tcase_add_test(t, a_folder_that_is_not_there_is_said);
    tcase_add_test(t, who_locks_the_folder_for_long_keeps_nobody_from_starting);
    tcase_add_test(t, an_abstract_name_leaves_no_file_behind_and_is_one_servers);
    tcase_add_test(t, a_file_that_is_named_like_an_abstract_one_is_another_s);
    suite_add_tcase(s, t);
    return s;
}
