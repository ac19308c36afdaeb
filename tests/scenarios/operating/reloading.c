/* reloading.c - a server that runs gets another configuration, and is told what to do by its pid file. */
#include "tests/scenarios/scenarios.h"
#include "tests/scenarios/support/launch.h"
#include "tests/support/collector.h"

#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void configure(const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/config.ini", here.folder);
    FILE *f = fopen(path, "w");
    fputs(text, f);
    fclose(f);
}

static void reload(const char *text, const char *says)
{
    configure(text);
    server_signal(SIGHUP);
    ck_assert_msg(server_says(says), "it does not say: %s", says);
}

static int status_of_post(size_t length)
{
    char body[8192] = { 0 };
    memset(body, 'x', length);
    return post("/echo", "text/plain", body).status;
}

START_TEST(sighup_changes_limits_for_those_who_are_connected_too)
{
    server_start("reloading", "--workers", "2", NULL);
    client *c = client_new();
    client_say(c, "GET /json HTTP/1.1\r\nHost: t\r\n\r\n");
    ck_assert_int_eq(client_answer(c).status, 200);
    ck_assert_int_eq(status_of_post(5000), 200);
    reload("[limits]\nbody = 4KiB\n", "the configuration was read again, and holds: 1 setting has changed");
    ck_assert(server_log_has("[limits] body is 4KiB, was 1MiB"));
    ck_assert(eventually(5, status_of_post(5000) == 413));
    client_say(c, "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5000\r\n\r\n");
    ck_assert_int_eq(client_answer(c).status, 413);
    reload("", "[limits] body is 1MiB, was 4KiB");
    ck_assert(eventually(5, status_of_post(5000) == 200));
    client_free(c);
    server_stop();
}
END_TEST

START_TEST(of_both_modes_side_by_side_both_have_the_new_limits)
{
    server_start("reloading", "--compare", NULL);
    const int ports[] = { here.port, server_second_port() };
    reload("[limits]\nbody = 4KiB\n", "and holds: 1 setting has changed");
    for (int i = 0; i < 2; i++) {
        here.port = ports[i];
        ck_assert_int_eq(status_of_post(1000), 200);
        ck_assert(eventually(5, status_of_post(5000) == 413));
    }
    here.port = ports[0];
    server_stop();
}
END_TEST

START_TEST(a_configuration_that_is_wrong_is_refused_as_a_whole)
{
    server_start("reloading", NULL);
    reload("[limits]\nbody = 4KiB\nhead = many\n", "is refused; the one before holds");
    ck_assert(server_log_has("config.ini:3: [limits] head: 'many' is not a size"));
    ck_assert_int_eq(status_of_post(5000), 200);
    server_stop();
}
END_TEST

/* It may have become lower since the start. */
START_TEST(a_limit_of_open_files_that_is_too_low_is_said)
{
    server_start("reloading", "--workers", "4", NULL);
    ck_assert_int_eq(prlimit(here.pid, RLIMIT_NOFILE, &(struct rlimit){ 90, 90 }, NULL), 0);
    reload("[limits]\nbody = 4KiB\n", "the limit of open files, 90, is too low for this configuration");
    ck_assert(server_says("is refused; the one before holds"));
    ck_assert_int_eq(status_of_post(5000), 200);
    server_stop();
}
END_TEST

START_TEST(what_takes_a_restart_is_named_and_stays)
{
    server_start("reloading", NULL);
    reload("[tasks]\nstack = 128KiB\n[limits]\nbody = 4KiB\n", "and holds: 1 setting has changed");
    ck_assert(server_log_has("[tasks] stack stays 64KiB: to make it 128KiB takes a restart"));
    ck_assert(eventually(5, status_of_post(5000) == 413));
    server_stop();
}
END_TEST

START_TEST(the_level_of_the_log_is_the_new_ones)
{
    server_start("reloading", NULL);
    reload("[log]\nlevel = error\n", "[log] level is error, was info");
    ck_assert(eventually(5, server_log_has("1 setting has changed")));
    reload("[log]\nlevel = loud\n", "is refused; the one before holds");      /* so the one before does hold by now */
    server_signal(SIGTERM);
    ck_assert_int_eq(server_wait(), 0);
    ck_assert(!server_log_has("stopping (SIGTERM)"));
}
END_TEST

/* What logrotate does. */
START_TEST(a_log_that_was_renamed_is_begun_anew)
{
    char now[256], before[256];
    server_start("reloading", "TENK_LOG_ACCESS=combined", "TENK_LOG_ACCESS_TO=./access", NULL);
    snprintf(now, sizeof now, "%s/access", here.folder);
    snprintf(before, sizeof before, "%s/access.1", here.folder);
    expect(get("/healthz?before"), 200, NULL);
    ck_assert(eventually(5, server_file_has(&here, "access", "/healthz?before")));
    ck_assert_int_eq(rename(now, before), 0);
    expect(get("/healthz?between"), 200, NULL);
    server_signal(SIGHUP);
    ck_assert(server_says("the configuration was read again, and holds"));
    expect(get("/healthz?after"), 200, NULL);
    ck_assert(eventually(5, server_file_has(&here, "access", "/healthz?after")));
    ck_assert(server_file_has(&here, "access.1", "/healthz?between") || server_file_has(&here, "access", "/healthz?between"));
    ck_assert(!server_file_has(&here, "access.1", "/healthz?after"));
    server_stop();
}
END_TEST

START_TEST(the_access_log_begins_moves_and_ends_while_it_serves)
{
    server_start("reloading", NULL);
    client *c = client_new();                /* it is connected all the time */
    client_say(c, "GET /healthz?untold HTTP/1.1\r\nHost: t\r\n\r\n");
    ck_assert_int_eq(client_answer(c).status, 200);
    reload("[log]\naccess = combined\naccess_to = ./access\n", "and holds: 2 settings have changed");
    client_say(c, "GET /healthz?first HTTP/1.1\r\nHost: t\r\n\r\n");
    ck_assert_int_eq(client_answer(c).status, 200);
    ck_assert(eventually(5, server_file_has(&here, "access", "127.0.0.1 - - [")));
    ck_assert(server_file_has(&here, "access", "/healthz?first"));
    ck_assert(!server_file_has(&here, "access", "untold"));
    reload("[log]\naccess = json\naccess_to = ./access.json\n[limits]\nbody = 4KiB\n", "and holds: 3 settings have changed");
    client_say(c, "GET /healthz?second HTTP/1.1\r\nHost: t\r\n\r\n");
    ck_assert_int_eq(client_answer(c).status, 200);
    ck_assert(eventually(5, server_file_has(&here, "access.json", "\"query\":\"second\"")));
    ck_assert(!server_file_has(&here, "access", "second"));
    reload("[limits]\nbody = 8KiB\nuri = 4KiB\n", "and holds: 4 settings have changed");
    ck_assert(server_log_has("[log] access is off, was json"));
    client_say(c, "GET /healthz?last HTTP/1.1\r\nHost: t\r\n\r\n");
    ck_assert_int_eq(client_answer(c).status, 200);
    client_free(c);
    server_stop();
    ck_assert(!server_file_has(&here, "access.json", "last"));
}
END_TEST

START_TEST(an_access_log_that_cannot_be_written_is_refused_with_all_else)
{
    server_start("reloading", NULL);
    reload("[limits]\nbody = 4KiB\n[log]\naccess = json\naccess_to = /nowhere/access\n", "is refused; the one before holds");
    ck_assert(server_log_has("[log] access_to: cannot write to /nowhere/access: no such file or directory"));
    reload("[limits]\nbody = 4KiB\n[log]\naccess = json\n[traces]\nendpoint = here\n", "it is no URL of http:// or https://");
    ck_assert_int_eq(status_of_post(5000), 200);
    ck_assert(!server_log_has("{\"time\""));
    server_stop();
}
END_TEST

START_TEST(traces_begin_and_end_while_it_serves)
{
    char text[256];
    collector_start();
    server_start("reloading", NULL);
    expect(get("/healthz"), 200, NULL);
    snprintf(text, sizeof text, "[traces]\nendpoint = %s\nsample = 1\nservice = shop\n", collector_url());
    reload(text, "and holds: 3 settings have changed");
    expect(get("/healthz"), 200, NULL);
    json_t *const m = collector_next();
    span_named(m, "GET /healthz");
    json_decref(m);
    reload("", "[traces] endpoint is none, was http://");
    server_stop();
    collector_stop();
}
END_TEST

START_TEST(sighup_is_nothing_to_a_server_that_was_started_to_ignore_it)
{
    signal(SIGHUP, SIG_IGN);
    server_start("reloading", NULL);
    configure("[limits]\nbody = 4KiB\n");
    server_signal(SIGHUP);
    for (int i = 0; i < 20; i++)
        expect(get("/healthz"), 200, NULL);
    ck_assert(!server_log_has("configuration"));
    ck_assert_int_eq(status_of_post(5000), 200);
    server_stop();
}
END_TEST

/* As when a window is closed: who reads there is gone. */
START_TEST(sighup_ends_it_once_its_terminal_is_gone)
{
    int terminal, reader;
    ck_assert_int_eq(openpty(&reader, &terminal, NULL, NULL, NULL), 0);
    next_errors_to(terminal);
    server_start("reloading", NULL);
    close(terminal);
    configure("[limits]\nbody = 4KiB\n");
    server_signal(SIGHUP);
    ck_assert_msg(eventually(5, status_of_post(5000) == 413), "it is there, and reloads");
    close(reader);
    server_signal(SIGHUP);
    ck_assert_int_eq(server_wait(), 0);
}
END_TEST

/* By the pid file. */

static char pid_file[256];
static char output[8192];

static void start_with_pid_file(void)
{
    snprintf(pid_file, sizeof pid_file, "TENK_SERVER_PID_FILE=%s/pid-%d", run_folder(), (int)getpid());
    server_start("reloading", pid_file, NULL);
}

static long written(void)
{
    long number = 0;
    FILE *f = fopen(strchr(pid_file, '=') + 1, "r");
    if (f && fscanf(f, "%ld", &number) != 1)
        number = 0;
    if (f)
        fclose(f);
    return number;
}

START_TEST(it_is_told_to_read_again_and_to_stop_by_its_pid_file)
{
    start_with_pid_file();
    ck_assert_int_eq(written(), here.pid);
    configure("[limits]\nbody = 4KiB\n");
    ck_assert_msg(tenk_run(output, sizeof output, pid_file, "--reload", NULL) == 0, "%s", output);
    ck_assert(server_says("1 setting has changed"));
    ck_assert_msg(tenk_run(output, sizeof output, pid_file, "--stop", NULL) == 0, "%s", output);
    ck_assert_msg(strstr(output, "has ended"), "%s", output);
    ck_assert_int_eq(server_wait(), 0);
    ck_assert_int_eq(written(), 0);          /* it takes the file along */
}
END_TEST

START_TEST(one_that_does_not_end_in_time_is_not_said_to_have_ended)
{
    start_with_pid_file();
    kill(here.pid, SIGSTOP);                 /* it hears nothing meanwhile */
    ck_assert_int_eq(tenk_run(output, sizeof output, pid_file, "TENK_TIMEOUTS_DRAIN=1ms", "--stop", NULL), 1);
    ck_assert_msg(strstr(output, "has not ended in time, and still finishes what is under way"), "%s", output);
    kill(here.pid, SIGCONT);
    ck_assert_int_eq(server_wait(), 0);
}
END_TEST

START_TEST(a_second_one_with_its_pid_file_does_not_start)
{
    start_with_pid_file();
    ck_assert_int_eq(tenk_run(output, sizeof output, pid_file, "PORT=0", NULL), 1);
    ck_assert_msg(strstr(output, "runs with that [server] pid_file"), "%s", output);
    expect(get("/healthz"), 200, NULL);
    ck_assert_int_eq(written(), here.pid);
    server_stop();
}
END_TEST

START_TEST(who_is_not_there_is_not_told_and_that_is_said)
{
    ck_assert_int_eq(tenk_run(output, sizeof output, "--stop", NULL), 1);
    ck_assert_msg(strstr(output, "[server] pid_file, by which it would be found, is not set"), "%s", output);
    start_with_pid_file();
    server_kill();
    ck_assert_int_ne(written(), 0);
    ck_assert_int_eq(tenk_run(output, sizeof output, pid_file, "--reload", NULL), 1);
    ck_assert_msg(strstr(output, "is left of one that has ended"), "%s", output);
    server_start("reloading", pid_file, NULL);       /* what is left is in nobody's way */
    ck_assert_int_eq(written(), here.pid);
    server_stop();
    ck_assert_int_eq(tenk_run(output, sizeof output, pid_file, "--stop", NULL), 1);
    ck_assert_msg(strstr(output, "tenk does not run: there is no"), "%s", output);
}
END_TEST

Suite *reloading_suite(void)
{
    Suite *s = suite_create("reloading");
    TCase *t = theme(s, "reloading", NULL);
    tcase_add_test(t, sighup_changes_limits_for_those_who_are_connected_too);
    tcase_add_test(t, of_both_modes_side_by_side_both_have_the_new_limits);
    tcase_add_test(t, a_configuration_that_is_wrong_is_refused_as_a_whole);
    tcase_add_test(t, a_limit_of_open_files_that_is_too_low_is_said);
    tcase_add_test(t, what_takes_a_restart_is_named_and_stays);
    tcase_add_test(t, the_level_of_the_log_is_the_new_ones);
    tcase_add_test(t, a_log_that_was_renamed_is_begun_anew);
    tcase_add_test(t, the_access_log_begins_moves_and_ends_while_it_serves);
    tcase_add_test(t, an_access_log_that_cannot_be_written_is_refused_with_all_else);
    tcase_add_test(t, traces_begin_and_end_while_it_serves);
    tcase_add_test(t, sighup_is_nothing_to_a_server_that_was_started_to_ignore_it);
    tcase_add_test(t, sighup_ends_it_once_its_terminal_is_gone);
    tcase_add_test(t, it_is_told_to_read_again_and_to_stop_by_its_pid_file);
    tcase_add_test(t, one_that_does_not_end_in_time_is_not_said_to_have_ended);
    tcase_add_test(t, a_second_one_with_its_pid_file_does_not_start);
    tcase_add_test(t, who_is_not_there_is_not_told_and_that_is_said);
    return s;
}
