/* test_log.c - one line an event, whatever is in it; levels. */
#include "server/base/log.h"
#include "tests/support/support.h"
#include "tests/unit/suites.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int ends[2];

/* Standard error becomes a datagram socket: what one read takes was one write. */
static void listen_to_stderr(void)
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
}

static const char *logged(void)
{
    static char line[16384];
    const ssize_t n = recv(ends[0], line, sizeof line - 1, MSG_DONTWAIT);
    line[n > 0 ? n : 0] = '\0';
    return line;
}

static const char *message(const char *line) { return strchr(line, ' ') + 1; }

START_TEST(an_event_is_one_write_with_time_and_level)
{
    log_warning("%s is %d", "this", 1);
    const char *line = logged();
    int year, n = 0;
    ck_assert_int_eq(sscanf(line, "%4d-%*2d-%*2dT%*2d:%*2d:%*2d.%*3dZ %n", &year, &n), 1);
    ck_assert_int_eq(n, 25);
    ck_assert_str_eq(line + n, "warning: this is 1\n");
    ck_assert_str_eq(logged(), "");
}
END_TEST

START_TEST(control_bytes_cannot_forge_a_line)
{
    log_error("a\r\nb\tc\033[31m\177 \xc3\xa9");
    ck_assert_str_eq(message(logged()), "error: a\\x0d\\x0ab\\x09c\\x1b[31m\\x7f \xc3\xa9\n");
}
END_TEST

START_TEST(a_long_event_is_cut_but_still_one_line)
{
    char bad[5000];
    memset(bad, '\n', sizeof bad - 1);
    bad[sizeof bad - 1] = '\0';
    log_error("%s", bad);
    const char *line = logged();
    ck_assert_uint_gt(strlen(line), 2000);
    ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
    ck_assert_str_eq(logged(), "");
}
END_TEST

START_TEST(levels_beyond_the_set_one_are_silent)
{
    log_debug("no");
    ck_assert_str_eq(logged(), "");
    log_info("yes");
    ck_assert_str_eq(message(logged()), "info: yes\n");
    log_set_level(LOG_ERROR);
    log_warning("no");
    ck_assert_str_eq(logged(), "");
    log_set_level(LOG_DEBUG);
    log_debug("yes");
    ck_assert_str_eq(message(logged()), "debug: yes\n");
}
END_TEST

START_TEST(the_same_line_within_a_second_is_counted_and_told)
{
    clock_hold();
    for (int i = 0; i < 1000; i++)
        log_error("no %s", "thread");
    log_error("something else");
    for (int i = 0; i < LOG_SAME; i++)
        ck_assert_str_eq(message(logged()), "error: no thread\n");
    ck_assert_str_eq(message(logged()), "error: something else\n");
    ck_assert_str_eq(logged(), "");
    ck_assert_uint_eq(log_count().held_back, 1000 - LOG_SAME);
    log_stop();
    ck_assert_str_eq(message(logged()), "error: no thread (and 995 more like it)\n");
    ck_assert_str_eq(logged(), "");
}
END_TEST

START_TEST(one_call_writes_so_many_different_lines_in_a_second)
{
    clock_hold();
    char last[64];
    for (int i = 0; i < 1000; i++)
        log_info("process %d", i);
    for (int i = 0; i < LOG_ALIKE; i++) {
        snprintf(last, sizeof last, "info: process %d\n", i);
        ck_assert_str_eq(message(logged()), last);
    }
    ck_assert_str_eq(logged(), "");
    log_stop();
    ck_assert_str_eq(message(logged()), "info: process 999 (and 980 more like it)\n");
}
END_TEST

START_TEST(a_list_is_written_whole)
{
    for (int i = 0; i < 100; i++) {
        log_list("the same");
        ck_assert_str_eq(message(logged()), "info: the same\n");
    }
    ck_assert_uint_eq(log_count().held_back, 0);
}
END_TEST

START_TEST(what_was_held_back_is_told_after_its_second)
{
    ck_assert_int_eq(log_start(), 0);
    for (int i = 0; i <= LOG_SAME; i++)
        log_error("again");
    fcntl(ends[0], F_SETFL, 0);
    char lines[4096] = "";
    while (!strstr(lines, "again (and 1 more like it)\n"))   /* that comes by itself: nothing more is logged */
        ck_assert_int_gt(recv(ends[0], lines, sizeof lines - 1, 0), 0);
    log_stop();
}
END_TEST

/* Standard error becomes a pipe with room for one page. Returns the end to read from. */
static int listen_with_a_pipe(void)
{
    int pipes[2];
    ck_assert_int_eq(pipe(pipes), 0);
    fcntl(pipes[1], F_SETPIPE_SZ, 4096);
    dup2(pipes[1], STDERR_FILENO);
    close(pipes[1]);
    return pipes[0];
}

/* All that is written, until it ends with that or the other side is closed. */
static char *read_until(int fd, const char *end)
{
    enum { MOST = 1 << 20 };
    char *const all = zeros(MOST);
    size_t have = 0;
    for (ssize_t n; have + 1 < MOST && (n = read(fd, all + have, MOST - 1 - have)) > 0;) {
        have += (size_t)n;
        all[have] = '\0';
        if (strstr(all + (have > 8192 ? have - 8192 : 0), end))
            break;
    }
    return all;
}

static int count_lines(const char *all)
{
    int lines = 0;
    for (const char *at = all; (at = strstr(at, "info: line ")); at++)
        lines++;
    return lines;
}

START_TEST(what_nobody_reads_is_dropped_and_counted_and_said)
{
    enum { MANY = 5000 };
    const int fd = listen_with_a_pipe();
    ck_assert_int_eq(log_start(), 0);
    for (int i = 0; i < MANY; i++)           /* it returns, though nobody reads: that is the point */
        log_list("line %d", i);
    const uint64_t dropped = log_count().dropped;
    ck_assert_uint_gt(dropped, 0);
    const char *all = read_until(fd, "nobody read it\n");
    char said[128];
    snprintf(said, sizeof said, "warning: %llu lines of this log were dropped", (unsigned long long)dropped);
    ck_assert_msg(strstr(all, said) != NULL, "no \"%s\"", said);
    ck_assert_uint_eq((uint64_t)count_lines(all) + dropped, MANY);
    log_error("and on");                     /* now that somebody reads, nothing is dropped */
    ck_assert_ptr_nonnull(strstr(read_until(fd, "and on\n"), "error: and on\n"));
    ck_assert_uint_eq(log_count().dropped, dropped);
    log_stop();
}
END_TEST

/* One that logs much, stops its log, and ends. */
static void expect_all_of_a_process(int fd)
{
    enum { MANY = 2000 };
    int status;
    const pid_t pid = fork();
    if (pid == 0) {
        log_start();
        for (int i = 0; i < MANY; i++)
            log_list("line %d", i);
        log_stop();
        _exit(0);
    }
    close(STDERR_FILENO);
    ck_assert_int_eq(count_lines(read_until(fd, "never")), MANY);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}

START_TEST(stopping_writes_all_that_was_logged)
{
    expect_all_of_a_process(listen_with_a_pipe());
}
END_TEST

START_TEST(stopping_does_not_wait_for_a_reader_for_ever)
{
    listen_with_a_pipe();
    ck_assert_int_eq(log_start(), 0);
    for (int i = 0; i < 1000; i++)
        log_list("line %d", i);
    log_stop();
    log_error("nor does what comes later");
    log_last_words("nor these\n", 10);
}
END_TEST

START_TEST(a_file_that_another_has_made_non_blocking_loses_nothing)
{
    const int fd = listen_with_a_pipe();
    fcntl(STDERR_FILENO, F_SETFL, O_WRONLY | O_NONBLOCK);
    expect_all_of_a_process(fd);
}
END_TEST

Suite *log_suite(void)
{
    Suite *s = suite_create("log");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, listen_to_stderr, NULL);
    tcase_add_test(t, an_event_is_one_write_with_time_and_level);
    tcase_add_test(t, control_bytes_cannot_forge_a_line);
    tcase_add_test(t, a_long_event_is_cut_but_still_one_line);
    tcase_add_test(t, levels_beyond_the_set_one_are_silent);
    tcase_add_test(t, the_same_line_within_a_second_is_counted_and_told);
    tcase_add_test(t, one_call_writes_so_many_different_lines_in_a_second);
    tcase_add_test(t, a_list_is_written_whole);
    tcase_add_test(t, what_was_held_back_is_told_after_its_second);
    tcase_add_test(t, what_nobody_reads_is_dropped_and_counted_and_said);
    tcase_add_test(t, stopping_writes_all_that_was_logged);
    tcase_add_test(t, stopping_does_not_wait_for_a_reader_for_ever);
    tcase_add_test(t, a_file_that_another_has_made_non_blocking_loses_nothing);
    suite_add_tcase(s, t);
    return s;
}
