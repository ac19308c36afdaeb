/* second_server.c - both modes in one process: what is said of it, and how it ends. */
#include "scenarios.h"

#include "tests/scenarios/support/launch.h"
#include "tests/support/skipped.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void start_both(void) { server_start("second", "--compare", NULL); }

/* One that waits at the second server, or at the first. */
static client *client_waiting(bool second, int ms)
{
    const server first = here;
    char path[32];
    if (second)
        here.port = server_second_port();
    snprintf(path, sizeof path, "/sleep?ms=%d", ms);
    client *c = client_heard(path);
    here = first;
    return c;
}

START_TEST(the_start_line_names_both)
{
    char second[64];
    start_both();
    ck_assert(server_says("threads mode, up to"));
    ck_assert(server_says("async mode, 1 worker"));
    snprintf(second, sizeof second, "and http://127.0.0.1:%d, %s mode", server_second_port(),
             in_threads_mode() ? "async" : "threads");
    ck_assert(server_says(second));
    server_stop();
}
END_TEST

START_TEST(without_being_asked_there_is_one)
{
    server_start("second", NULL);
    ck_assert_int_eq(server_second_port(), 0);
    ck_assert(server_log_has(in_threads_mode() ? "threads mode" : "async mode"));
    ck_assert(!server_log_has(in_threads_mode() ? "async mode" : "threads mode"));
    server_stop();
}
END_TEST

/* False if the machine is so busy that what sleeps for that long was answered before the stop was known. */
static bool both_finish_what_is_under_way(int ms)
{
    start_both();
    const int second = server_second_port();
    const double end = now_s() + ms / 1000.0;
    client *slow[] = { client_waiting(false, ms), client_waiting(true, ms) };
    server_signal(SIGTERM);
    ck_assert(eventually(2, client_refused(here.port)));
    ck_assert(eventually(2, client_refused(second)));
    const bool in_time = now_s() < end;
    for (int i = 0; i < 2; i++) {
        const answer a = client_answer(slow[i]);
        ck_assert_int_eq(a.status, 200);
        if (in_time) {
            ck_assert_msg(header_is(&a, "Connection", "close"), "%s", a.head);
            ck_assert(client_closed(slow[i]));
        }
        client_free(slow[i]);
    }
    ck_assert_int_eq(server_wait(), 0);
    ck_assert(server_log_has("stopping (SIGTERM)"));
    return in_time;
}

START_TEST(when_told_to_stop_both_finish_what_is_under_way)
{
    for (int ms = 400; !both_finish_what_is_under_way(ms); ms *= 4)
        ;
}
END_TEST

START_TEST(either_that_is_late_makes_it_end_with_one)
{
    for (int second = 0; second < 2; second++) {
        server_start("second", "--compare", "TENK_TIMEOUTS_DRAIN=200ms", NULL);
        client *late = client_waiting(second, 30000);
        server_signal(SIGTERM);
        ck_assert_int_eq(server_wait(), 1);
        ck_assert(server_log_has("were not done in time"));
        client_free(late);
    }
}
END_TEST

START_TEST(a_second_signal_ends_both_at_once)
{
    start_both();
    client *first = client_waiting(false, 30000), *second = client_waiting(true, 30000);
    server_signal(SIGTERM);
    ck_assert(server_says("stopping (SIGTERM)"));
    server_signal(SIGTERM);
    ck_assert_int_eq(server_wait(), 128 + SIGTERM);
    client_free(first);
    client_free(second);
}
END_TEST

START_TEST(a_port_that_is_taken_is_said_at_once)
{
    char out[4096], at[64];
    server_start("second", NULL);
    snprintf(at, sizeof at, "--compare=127.0.0.1:%d", here.port);
    char url[300];
    snprintf(url, sizeof url, "DATABASE_URL=sqlite:%s/tenk.db", here.folder);
    ck_assert_int_eq(tenk_run(out, sizeof out, "--listen", "127.0.0.1:0", at, url, NULL), 1);
    ck_assert_msg(strstr(out, "is in use by another program") != NULL, "%s", out);
    server_stop();
}
END_TEST

START_TEST(the_test_of_the_configuration_knows_where_both_listen)
{
    char out[4096];
    ck_assert_int_eq(tenk_run(out, sizeof out, "-t", "--compare=nowhere", NULL), 78);
    ck_assert_msg(strstr(out, "[server] compare: 'nowhere' is not HOST:PORT, nor auto") != NULL, "%s", out);
    ck_assert_int_eq(tenk_run(out, sizeof out, "-t", "-l", ":9", "--compare=:9", NULL), 78);
    ck_assert_msg(strstr(out, "[server] compare: :9 is where [server] listen is") != NULL, "%s", out);
    ck_assert_int_eq(tenk_run(out, sizeof out, "-t", "--compare", NULL), 0);
}
END_TEST

/* Of [limits], as --print-config says it. */
static int connections_of(const char *settings)
{
    const char *at = strstr(settings, "\nconnections = auto");
    ck_assert_ptr_nonnull(at);
    return atoi(at + strcspn(at, "(") + 1);
}

/* Each has half of what the limit of open files leaves, when the other's loops and connections have theirs. */
START_TEST(clients_of_both_share_the_limit_of_open_files)
{
    char out[65536];
    next_limited(RLIMIT_NOFILE, 1000);
    ck_assert_int_eq(tenk_run(out, sizeof out, "--print-config", "--workers=1", NULL), 0);
    const int alone = connections_of(out);
    next_limited(RLIMIT_NOFILE, 1000);
    ck_assert_int_eq(tenk_run(out, sizeof out, "--print-config", "--workers=1", "--compare", NULL), 0);
    const int both = connections_of(out);
    ck_assert_msg(both <= alone / 2 && both > alone / 3, "%d, and %d alone", both, alone);
}
END_TEST

/* It has answered what came before, and may yet have to begin what is looked for. */
static bool dumped(const char *part)
{
    server_signal(SIGUSR2);
    pause_ms(20);
    return server_log_has(part);
}

START_TEST(each_is_asked_by_a_signal_what_it_does)
{
    start_both();
    client *first = client_waiting(false, 30000), *second = client_waiting(true, 30000);
    ck_assert(eventually(10, dumped("loop 1: /sleep, ")));
    ck_assert(server_says("threads with a client"));
    client_reset(first);
    client_reset(second);
    server_stop();
}
END_TEST

START_TEST(who_looks_from_outside_sees_both)
{
    static const char BOTH[] = "threads mode: 1 thread with a client, 1 with a request; async mode: 1 loop: 1 task, ";
    char process[16], out[16384];
    start_both();
    client *first = client_waiting(false, 30000), *second = client_waiting(true, 30000);
    snprintf(process, sizeof process, "%d", (int)here.pid);
    if (tenk_run(out, sizeof out, "ps", process, NULL) == 0) {
        ck_assert_msg(eventually(10, tenk_run(out, sizeof out, "ps", process, NULL) == 0 && strstr(out, BOTH)), "%s", out);
        ck_assert_int_eq(tenk_run(out, sizeof out, "ps", process, "--json", NULL), 0);
        ck_assert_msg(strstr(out, "\"mode\":\"both\"") != NULL, "%s", out);
    } else {
        skipped(__func__, NEEDS_PTRACE);
    }
    client_reset(first);
    client_reset(second);
    server_stop();
}
END_TEST

Suite *second_server_suite(void)
{
    Suite *s = suite_create("second_server");
    TCase *t = theme(s, "second", NULL);
    tcase_add_test(t, the_start_line_names_both);
    tcase_add_test(t, without_being_asked_there_is_one);
    tcase_add_test(t, when_told_to_stop_both_finish_what_is_under_way);
    tcase_add_test(t, either_that_is_late_makes_it_end_with_one);
    tcase_add_test(t, a_second_signal_ends_both_at_once);
    tcase_add_test(t, a_port_that_is_taken_is_said_at_once);
    tcase_add_test(t, the_test_of_the_configuration_knows_where_both_listen);
    tcase_add_test(t, each_is_asked_by_a_signal_what_it_does);
    tcase_add_test(t, who_looks_from_outside_sees_both);
    tcase_add_test(t, clients_of_both_share_the_limit_of_open_files);
    return s;
}
