/* test_outlet.c - where lines go: files, pipes, syslog; and what becomes of those that cannot go there. */
#include "server/base/log/outlet.h"
#include "tests/support/support.h"
#include "tests/unit/suites.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { ROOM = 128 * 1024 };

static char    folder[] = "/tmp/tenk-outlet-XXXXXX", path[64];
static outlet *o;

static void setup(void)
{
    signal(SIGPIPE, SIG_IGN);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/log", folder);
    o = zeros(sizeof *o);
}

static void teardown(void)
{
    outlet_close(o);
    unlink(path);
    rmdir(folder);
}

static int opened(const char *where) { return outlet_open(o, where, zeros(ROOM), ROOM); }

static void put(const char *line) { ck_assert(outlet_put(o, line, strlen(line), false)); }

static const char *in_file(const char *name)
{
    static char all[4096];
    FILE *f = fopen(name, "r");
    ck_assert_ptr_nonnull(f);
    all[fread(all, 1, sizeof all - 1, f)] = '\0';
    fclose(f);
    return all;
}

START_TEST(a_file_is_made_and_lines_are_added_to_its_end)
{
    ck_assert_int_eq(opened(path), 0);
    put("one\n");
    put("two\n");
    ck_assert_int_eq(outlet_go_on(o), OUTLET_EMPTY);
    outlet_close(o);
    *o = (outlet){ 0 };
    ck_assert_int_eq(opened(path), 0);
    put("three\n");
    ck_assert_int_eq(outlet_go_on(o), OUTLET_EMPTY);
    ck_assert_str_eq(in_file(path), "one\ntwo\nthree\n");
    struct stat s;
    ck_assert_int_eq(stat(path, &s), 0);
    ck_assert_int_eq(s.st_mode & 07, 0);     /* visitors' addresses are not for everybody */
}
END_TEST

START_TEST(a_file_that_was_renamed_is_made_anew_when_it_is_opened_again)
{
    char old[80];
    ck_assert_int_eq(opened(path), 0);
    put("one\n");
    outlet_go_on(o);
    snprintf(old, sizeof old, "%s.1", path);
    ck_assert_int_eq(rename(path, old), 0);
    put("two\n");
    outlet_go_on(o);
    ck_assert_int_eq(outlet_target_reopen(&o->to), 0);
    put("three\n");
    outlet_go_on(o);
    ck_assert_str_eq(in_file(old), "one\ntwo\n");
    ck_assert_str_eq(in_file(path), "three\n");
    unlink(old);
}
END_TEST

START_TEST(a_file_that_cannot_be_opened_again_goes_on)
{
    char old[80];
    ck_assert_int_eq(opened(path), 0);
    snprintf(old, sizeof old, "%s.1", path);
    ck_assert_int_eq(rename(path, old), 0);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(outlet_target_reopen(&o->to), -EISDIR);
    put("on\n");
    ck_assert_int_eq(outlet_go_on(o), OUTLET_EMPTY);
    ck_assert_str_eq(in_file(old), "on\n");
    unlink(old);
    rmdir(path);
}
END_TEST

START_TEST(what_cannot_be_opened_is_an_error)
{
    ck_assert_int_eq(opened("/nowhere/log"), -ENOENT);
    ck_assert_int_eq(opened("stder"), -EINVAL);      /* a file has a slash */
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(opened(path), -ENXIO);  /* and that nobody reads, it does not wait for */
}
END_TEST

START_TEST(lines_that_a_full_disk_does_not_take_are_dropped_and_counted)
{
    ck_assert_int_eq(opened("/dev/full"), 0);
    put("one\n");
    put("two\n");
    ck_assert_int_eq(outlet_go_on(o), OUTLET_EMPTY);
    ck_assert_int_eq(o->err, -ENOSPC);
    ck_assert_uint_eq(atomic_load(&o->dropped), 2);
}
END_TEST

START_TEST(lines_without_room_are_dropped_and_counted_unless_they_are_put_again)
{
    static char line[OUTLET_LINE];
    int lines = 0;
    ck_assert_int_eq(opened(path), 0);
    while (outlet_put(o, line, sizeof line, true))
        lines++;
    ck_assert_uint_eq(atomic_load(&o->dropped), 0);
    ck_assert(!outlet_put(o, line, sizeof line, false));
    ck_assert_uint_eq(atomic_load(&o->dropped), 1);
    ck_assert_int_eq(lines, ROOM / OUTLET_LINE - 1);
}
END_TEST

/* Standard output becomes a pipe with room for one page. Returns the end to read from. */
static int read_stdout(void)
{
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    fcntl(ends[1], F_SETPIPE_SZ, 4096);
    fcntl(ends[1], F_SETFL, 0);
    ck_assert_int_eq(dup2(ends[1], STDOUT_FILENO), STDOUT_FILENO);
    return ends[0];
}

START_TEST(a_pipe_that_nobody_reads_is_not_waited_for_and_gets_whole_lines)
{
    enum { LINES = 300 };
    char line[64], got[PIPE_BUF];
    const int fd = read_stdout();
    ck_assert_int_eq(opened("stdout"), 0);
    for (int i = 0; i < LINES; i++) {
        snprintf(line, sizeof line, "this is line number %3d of some\n", i);
        put(line);
    }
    int next = 0, writes = 0;
    for (outlet_state s = OUTLET_FULL; s == OUTLET_FULL; writes++) {
        s = outlet_go_on(o);
        const ssize_t n = read(fd, got, sizeof got);
        ck_assert_int_gt(n, 0);
        ck_assert_int_eq(got[n - 1], '\n');
        for (char *at = got; at < got + n; at = memchr(at, '\n', (size_t)(got + n - at)) + 1)
            ck_assert_int_eq(atoi(at + strlen("this is line number")), next++);
    }
    ck_assert_int_eq(next, LINES);
    ck_assert_int_gt(writes, 1);
}
END_TEST

static void redirect(const char *where)
{
    outlet_target to = { .fd = -1 };
    if (where)
        ck_assert_int_eq(outlet_target_open(&to, where), 0);
    outlet_redirect(o, &to);
}

START_TEST(what_a_place_has_not_taken_goes_to_the_next_one_each_line_once)
{
    enum { LINES = 300 };
    static char got[LINES * 64];
    char line[64];
    const int fd = read_stdout();
    ck_assert_int_eq(opened("stdout"), 0);
    for (int i = 0; i < LINES; i++) {
        snprintf(line, sizeof line, "this is line number %3d of some\n", i);
        put(line);
    }
    ck_assert_int_eq(outlet_go_on(o), OUTLET_FULL);
    redirect(path);
    ck_assert_int_eq(outlet_go_on(o), OUTLET_EMPTY);
    size_t length = (size_t)read(fd, got, sizeof got);
    FILE *f = fopen(path, "r");
    length += fread(got + length, 1, sizeof got - length, f);
    fclose(f);
    ck_assert_uint_eq(length, LINES * strlen(line));
    for (int i = 0; i < LINES; i++)
        ck_assert_int_eq(atoi(got + (size_t)i * strlen(line) + strlen("this is line number")), i);
    ck_assert_uint_eq(atomic_load(&o->dropped), 0);
}
END_TEST

/* As a disk leaves it that is full in the middle of one. */
START_TEST(a_line_that_was_written_in_part_goes_to_the_next_place_as_a_whole)
{
    char other[80];
    snprintf(other, sizeof other, "%s.other", path);
    ck_assert_int_eq(opened("/dev/null"), 0);
    put("one\n");
    put("two\n");
    put("three\n");
    o->upto = atomic_load(&o->ring.given);
    memcpy(o->batch, "one\ntwo\nthree\n", o->end = 14);
    o->at = 6;
    redirect(other);
    ck_assert_int_eq(outlet_go_on(o), OUTLET_EMPTY);
    ck_assert_str_eq(in_file(other), "two\nthree\n");
    unlink(other);
}
END_TEST

START_TEST(nowhere_what_was_not_written_is_dropped_and_counted_and_the_rest_is_gone)
{
    ck_assert_int_eq(opened(path), 0);
    put("one\n");
    put("two\n");
    redirect(NULL);
    ck_assert_uint_eq(atomic_load(&o->dropped), 2);
    put("three\n");
    ck_assert_int_eq(outlet_go_on(o), OUTLET_EMPTY);
    redirect(path);
    put("four\n");
    ck_assert_int_eq(outlet_go_on(o), OUTLET_EMPTY);
    ck_assert_str_eq(in_file(path), "four\n");
    ck_assert_uint_eq(atomic_load(&o->dropped), 2);
}
END_TEST

static int listen_as_syslog(void)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static const char *datagram(int fd)
{
    static char got[PIPE_BUF + 64];
    const ssize_t n = recv(fd, got, sizeof got - 1, 0);
    got[n > 0 ? n : 0] = '\0';
    return got;
}

static const char *syslog_at(void)
{
    static char where[80];
    snprintf(where, sizeof where, "syslog:%s", path);
    return where;
}

START_TEST(syslog_gets_a_datagram_a_line_in_its_form)
{
    char month[4];
    int priority, day, h, m, s, n = 0;
    long pid;
    const int fd = listen_as_syslog();
    ck_assert_int_eq(opened(syslog_at()), 0);
    put("one\n");
    put("two\n");
    ck_assert_int_eq(outlet_go_on(o), OUTLET_EMPTY);
    const char *const line = datagram(fd);
    const int parts = sscanf(line, "<%d>%3s %2d %2d:%2d:%2d tenk[%ld]: %n", &priority, month, &day, &h, &m, &s, &pid, &n);
    ck_assert_msg(parts == 7 && n > 0, "%s", line);
    ck_assert_int_eq(priority, 3 << 3 | 6);  /* daemon.info */
    ck_assert_int_eq(line[4 + 15], ' ');     /* the time always takes fifteen */
    ck_assert_int_eq(pid, getpid());
    ck_assert_str_eq(line + n, "one");
    ck_assert_ptr_nonnull(strstr(datagram(fd), "]: two"));
    ck_assert_str_eq(datagram(fd), "");
    close(fd);
}
END_TEST

START_TEST(syslog_that_was_restarted_is_found_again_and_one_that_is_gone_costs_the_lines)
{
    ck_assert_int_eq(opened(syslog_at()), -ENOENT);
    int fd = listen_as_syslog();
    ck_assert_int_eq(opened(syslog_at()), 0);
    close(fd);
    unlink(path);
    fd = listen_as_syslog();
    put("one\n");
    ck_assert_int_eq(outlet_go_on(o), OUTLET_EMPTY);
    ck_assert_ptr_nonnull(strstr(datagram(fd), "one"));
    close(fd);
    unlink(path);
    put("two\n");
    put("three\n");
    ck_assert_int_eq(outlet_go_on(o), OUTLET_EMPTY);
    ck_assert_uint_eq(atomic_load(&o->dropped), 2);
    ck_assert_int_lt(o->err, 0);
    ck_assert_uint_gt(o->retry, 0);          /* it is not looked for with each line */
}
END_TEST

START_TEST(syslog_that_is_slow_is_not_waited_for)
{
    const int fd = listen_as_syslog();
    ck_assert_int_eq(opened(syslog_at()), 0);
    for (int i = 0; i < 1000; i++)           /* more than the kernel keeps for it */
        put("line\n");
    ck_assert_int_eq(outlet_go_on(o), OUTLET_FULL);
    ck_assert_uint_eq(atomic_load(&o->dropped), 0);
    int lines = 0;
    for (outlet_state s = OUTLET_FULL; s == OUTLET_FULL; s = outlet_go_on(o))
        while (*datagram(fd))
            lines++;
    while (*datagram(fd))
        lines++;
    ck_assert_int_eq(lines, 1000);
    close(fd);
}
END_TEST

Suite *outlet_suite(void)
{
    Suite *s = suite_create("outlet");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_file_is_made_and_lines_are_added_to_its_end);
    tcase_add_test(t, a_file_that_was_renamed_is_made_anew_when_it_is_opened_again);
    tcase_add_test(t, a_file_that_cannot_be_opened_again_goes_on);
    tcase_add_test(t, what_cannot_be_opened_is_an_error);
    tcase_add_test(t, lines_that_a_full_disk_does_not_take_are_dropped_and_counted);
    tcase_add_test(t, lines_without_room_are_dropped_and_counted_unless_they_are_put_again);
    tcase_add_test(t, a_pipe_that_nobody_reads_is_not_waited_for_and_gets_whole_lines);
    tcase_add_test(t, what_a_place_has_not_taken_goes_to_the_next_one_each_line_once);
    tcase_add_test(t, a_line_that_was_written_in_part_goes_to_the_next_place_as_a_whole);
    tcase_add_test(t, nowhere_what_was_not_written_is_dropped_and_counted_and_the_rest_is_gone);
    tcase_add_test(t, syslog_gets_a_datagram_a_line_in_its_form);
    tcase_add_test(t, syslog_that_was_restarted_is_found_again_and_one_that_is_gone_costs_the_lines);
    tcase_add_test(t, syslog_that_is_slow_is_not_waited_for);
    suite_add_tcase(s, t);
    return s;
}
