/* test_log.c - one line an event, whatever is in it; levels. */
#include "server/log.h"
#include "suites.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
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

Suite *log_suite(void)
{
    Suite *s = suite_create("log");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, listen_to_stderr, NULL);
    tcase_add_test(t, an_event_is_one_write_with_time_and_level);
    tcase_add_test(t, control_bytes_cannot_forge_a_line);
    tcase_add_test(t, a_long_event_is_cut_but_still_one_line);
    tcase_add_test(t, levels_beyond_the_set_one_are_silent);
    suite_add_tcase(s, t);
    return s;
}
