/* supervised.c - what a service manager is told of a server, and what that server may not do. */
#include "tests/scenarios/scenarios.h"
#include "tests/scenarios/support/launch.h"
#include "tests/support/skipped.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int  told = -1, beats;                 /* how often it has told that it is well */
static char where[128];

/* The words for server_start: where it tells how it is, a path or a name with @. */
static const char *listen_to_it_at(const char *name)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    const int length = snprintf(at.sun_path, sizeof at.sun_path, "%s", name);
    snprintf(where, sizeof where, "NOTIFY_SOCKET=%s", name);
    unlink(name);
    if (name[0] == '@')
        at.sun_path[0] = '\0';
    told = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const size_t size = offsetof(struct sockaddr_un, sun_path) + (size_t)length;
    ck_assert_int_eq(bind(told, (const struct sockaddr *)&at, (socklen_t)size), 0);
    return where;
}

static const char *listen_to_it(void)
{
    char path[108];
    snprintf(path, sizeof path, "%.80s/notify-%d", run_folder(), (int)getpid());
    return listen_to_it_at(path);
}

/* Has it told that by now? What it told before is forgotten. */
static bool has_told(const char *line)
{
    char said[2048];
    ssize_t n;
    while ((n = recv(told, said, sizeof said - 1, MSG_DONTWAIT)) > 0) {
        said[n] = '\0';
        beats += strstr(said, "WATCHDOG=1") != NULL;
        if (strstr(said, line))
            return true;
    }
    return false;
}

START_TEST(it_tells_when_it_serves_reads_its_configuration_and_stops)
{
    server_start("supervised", listen_to_it(), NULL);
    ck_assert(eventually(5, has_told("READY=1\nSTATUS=Serving at http://127.0.0.1:")));
    server_signal(SIGHUP);
    ck_assert(eventually(5, has_told("RELOADING=1\nMONOTONIC_USEC=")));
    ck_assert(eventually(5, has_told("READY=1")));
    server_signal(SIGTERM);
    ck_assert(eventually(5, has_told("STOPPING=1")));
    ck_assert_int_eq(server_wait(), 0);
    close(told);
}
END_TEST

START_TEST(it_tells_it_where_there_is_no_file_too)
{
    char name[32];
    snprintf(name, sizeof name, "@tenk-notify-%d", (int)getpid());
    server_start("supervised", listen_to_it_at(name), NULL);
    ck_assert(eventually(5, has_told("READY=1")));
    server_stop();
    close(told);
}
END_TEST

/* As where whoever started it has kept the manager's words for itself. */
START_TEST(what_was_meant_for_another_process_is_not_taken)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof at;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(listen(fd, 16), 0);
    getsockname(fd, (struct sockaddr *)&at, &length);
    next_listening(fd);
    server_start("supervised", listen_to_it(), "LISTEN_PID=1", "WATCHDOG_PID=1", "WATCHDOG_USEC=20000", NULL);
    ck_assert_int_ne(here.port, ntohs(at.sin_port));
    for (int i = 0; i < 10; i++)
        expect(get("/healthz"), 200, NULL);
    server_signal(SIGTERM);
    ck_assert(eventually(5, has_told("STOPPING=1")));
    ck_assert_int_eq(beats, 0);
    ck_assert_int_eq(server_wait(), 0);
    close(told);
    close(fd);
}
END_TEST

START_TEST(it_tells_that_it_is_well_as_long_as_its_loops_turn)
{
    server_start("supervised", listen_to_it(), "WATCHDOG_USEC=400000", "TENK_PATTERNS_ENABLED=on", NULL);
    for (int i = 0; i < 3; i++)
        ck_assert(eventually(10, has_told("WATCHDOG=1")));
    server_stop();
    close(told);
}
END_TEST

static pid_t thread_of_loop(void)
{
    static char output[8192];
    char number[16];
    snprintf(number, sizeof number, "%d", (int)here.pid);
    if (tenk_run(output, sizeof output, "top", "--once", number, NULL))
        return 0;
    const char *at = strstr(output, "loop 1, thread ");
    ck_assert_msg(at != NULL, "%s", output);
    return atoi(at + strlen("loop 1, thread "));
}

/* The one who tells reads the configuration between two beats, too: so it has not stopped telling altogether. */
START_TEST(it_does_not_while_one_of_them_stands)
{
    server_start("supervised", listen_to_it(), "WATCHDOG_USEC=200000", NULL);
    const pid_t loop = thread_of_loop();
    if (!loop || ptrace(PTRACE_SEIZE, loop, NULL, NULL)) {
        skipped(__func__, NEEDS_PTRACE);
        server_stop();
        return;
    }
    ptrace(PTRACE_INTERRUPT, loop, NULL, NULL);
    ck_assert_int_eq(waitpid(loop, NULL, __WALL), loop);
    has_told("nothing more");
    beats = 0;
    for (int i = 0; i < 4; i++) {
        server_signal(SIGHUP);
        ck_assert(eventually(10, has_told("RELOADING=1")));
        pause_ms(100);                       /* as often as it would tell */
    }
    ck_assert_int_le(beats, 1);              /* of what had been answered before */
    ptrace(PTRACE_DETACH, loop, NULL, NULL);
    ck_assert(eventually(10, has_told("WATCHDOG=1")));
    server_stop();
    close(told);
}
END_TEST

START_TEST(what_it_needs_it_may_do_under_its_filter_of_system_calls)
{
    static char output[8192];
    char number[16];
    if (run_slowed())
        return;                              /* what looks for leaks traces */
    server_start("supervised", "TENK_SERVER_SECCOMP=on", "TENK_PATTERNS_ENABLED=on", NULL);
    expect(get("/users/42"), 200, "text/html");
    expect(get_as("/users/42", "application/json"), 200, "application/json");
    ck_assert_int_eq(post("/users/42/posts", "application/json", "{\"title\":\"t\",\"body\":\"b\"}").status, 201);
    expect(get("/static/hello.txt"), 200, "text/plain");
    expect(get("/users/42?render=process"), 200, "text/html");
    expect(get("/patterns/await"), 200, NULL);
    expect(get("/stats"), 200, NULL);
    snprintf(number, sizeof number, "%d", (int)here.pid);
    ck_assert_msg(tenk_run(output, sizeof output, "ps", number, NULL) == 0, "%s", output);
    ck_assert_msg(!server_log_has("not permitted"), "something is refused");
    server_stop();
}
END_TEST

START_TEST(started_by_root_it_becomes_another_user)
{
    char path[64];
    const struct passwd *user = getpwnam("nobody");
    if (getuid() != 0 || !user || run_slowed())
        return;
    const uid_t nobody = user->pw_uid;
    server_start_on_postgres("supervised", "TENK_SERVER_USER=nobody", NULL);
    char status[4096] = "", words[32];
    snprintf(path, sizeof path, "/proc/%d/status", (int)here.pid);
    FILE *f = fopen(path, "r");
    ck_assert_uint_gt(fread(status, 1, sizeof status - 1, f), 0);
    fclose(f);
    snprintf(words, sizeof words, "Uid:\t%u\t%u\t%u\t%u\n", nobody, nobody, nobody, nobody);
    ck_assert_msg(strstr(status, words) != NULL, "%s", status);
    ck_assert(strstr(status, "CapEff:\t0000000000000000") && strstr(status, "NoNewPrivs:\t1"));
    expect(get("/users/42"), 200, "text/html");
    server_stop();
}
END_TEST

START_TEST(a_user_that_is_none_is_said)
{
    static char output[4096];
    ck_assert_int_eq(tenk_run(output, sizeof output, "TENK_SERVER_USER=no-such-user", "PORT=0", NULL), 1);
    ck_assert_msg(strstr(output, "[server] user: there is no user 'no-such-user'"), "%s", output);
}
END_TEST

Suite *supervised_suite(void)
{
    Suite *s = suite_create("supervised");
    TCase *t = theme(s, "supervised", NULL);
    tcase_add_test(t, it_tells_when_it_serves_reads_its_configuration_and_stops);
    tcase_add_test(t, it_tells_it_where_there_is_no_file_too);
    tcase_add_test(t, what_was_meant_for_another_process_is_not_taken);
    tcase_add_test(t, it_tells_that_it_is_well_as_long_as_its_loops_turn);
    if (!in_threads_mode())
        tcase_add_test(t, it_does_not_while_one_of_them_stands);
    tcase_add_test(t, what_it_needs_it_may_do_under_its_filter_of_system_calls);
    tcase_add_test(t, started_by_root_it_becomes_another_user);
    tcase_add_test(t, a_user_that_is_none_is_said);
    return s;
}
