/* listening.c - where it listens: every address, with IPv6 and without; and who comes there finds nothing that blocks. */
#include "scenarios.h"

#include "tests/scenarios/support/json.h"
#include "tests/scenarios/support/launch.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Does somebody accept at that address? -1 if this machine does not have it. */
static int accepts(const char *host)
{
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)here.port) };
    struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = six.sin6_port };
    const bool is_six = inet_pton(AF_INET6, host, &six.sin6_addr) == 1;
    if (!is_six)
        inet_pton(AF_INET, host, &four.sin_addr);
    const int fd = socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    if (fd < 0 || (is_six && bind(fd, (struct sockaddr *)&any, sizeof any))) {
        close(fd);
        return -1;
    }
    const int err = is_six ? connect(fd, (struct sockaddr *)&six, sizeof six)
                           : connect(fd, (struct sockaddr *)&four, sizeof four);
    close(fd);
    return err == 0;
}

START_TEST(a_port_alone_is_every_address_of_ipv4_and_ipv6)
{
    for (int workers = 1; workers <= 2; workers++) {
        server_start("listening", "--listen", ":0", workers == 1 ? "--workers=1" : "--workers=2", NULL);
        expect(get("/healthz"), 200, NULL);
        ck_assert_int_eq(accepts("127.0.0.1"), 1);
        ck_assert_int_ne(accepts("::1"), 0);
        server_stop();
    }
}
END_TEST

START_TEST(without_ipv6_a_port_alone_is_every_address_of_ipv4)
{
    next_without_ipv6();
    server_start("listening", "--listen", ":0", NULL);
    ck_assert(server_says("http://0.0.0.0:"));
    expect(get("/healthz"), 200, NULL);
    server_stop();
}
END_TEST

START_TEST(an_address_of_ipv4_is_that_one_alone)
{
    server_start("listening", "--listen", "127.0.0.1:0", NULL);
    ck_assert_int_ne(accepts("::1"), 1);
    ck_assert_int_eq(accepts("127.0.0.2"), 0);
    server_stop();
}
END_TEST

START_TEST(the_same_port_is_taken_for_every_address)
{
    char out[4096], port[32], url[300];
    server_start("listening", "--listen", ":0", NULL);
    snprintf(port, sizeof port, ":%d", here.port);
    snprintf(url, sizeof url, "DATABASE_URL=sqlite:%s/tenk.db", here.folder);
    ck_assert_int_eq(tenk_run(out, sizeof out, "--listen", port, url, NULL), 1);
    ck_assert_msg(strstr(out, "is in use by another program") != NULL, "%s", out);
    server_stop();
}
END_TEST

/* A pattern that asks this very server, by the address where it listens. */
START_TEST(it_reaches_itself_wherever_it_listens)
{
    static const char *const AT[] = { ":0", "0.0.0.0:0", "127.0.0.1:0" };
    for (size_t i = 0; i < sizeof AT / sizeof AT[0]; i++) {
        server_start("listening", "--listen", AT[i], "TENK_PATTERNS_ENABLED=on", NULL);
        json_t *run = json_in(get_as("/patterns/semaphore", "application/json"), 200);
        ck_assert_msg(number_of(run, "outcome") == 0, "at %s", AT[i]);
        json_decref(run);
        server_stop();
    }
}
END_TEST

/* Has somebody answered /healthz with 200 at that socket, a file in the server's folder? */
static bool answers_at(const char *file)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    char got[16] = "";
    const char request[] = "GET /healthz HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n";
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(a.sun_path, sizeof a.sun_path, "%.80s/%s", here.folder, file);
    const bool answers = connect(fd, (struct sockaddr *)&a, sizeof a) == 0 &&
                         send(fd, request, sizeof request - 1, MSG_NOSIGNAL) == sizeof request - 1 &&
                         recv(fd, got, 15, MSG_WAITALL) == 15 && strcmp(got, "HTTP/1.1 200 OK") == 0;
    close(fd);
    return answers;
}

static bool is_there(const char *file)
{
    char path[256];
    struct stat s;
    snprintf(path, sizeof path, "%s/%s", here.folder, file);
    return lstat(path, &s) == 0;
}

START_TEST(each_address_of_a_list_is_served_and_named_by_the_start_line)
{
    for (int workers = 1; workers <= 2; workers++) {
        server_start("listening", "--listen", "127.0.0.1:0, unix:s.sock,mode=0600, 127.0.0.2:0",
                     workers == 1 ? "--workers=1" : "--workers=2", NULL);
        ck_assert(server_says(", unix:s.sock, http://127.0.0.2:"));
        for (int i = 0; i < 8; i++) {
            expect(get("/healthz"), 200, NULL);
            ck_assert(answers_at("s.sock"));
        }
        server_signal(SIGTERM);
        ck_assert_int_eq(server_wait(), 0);
        ck_assert(!is_there("s.sock"));
    }
}
END_TEST

/* In the folder of the run: each server's own is another one. */
START_TEST(what_a_killed_server_leaves_behind_is_replaced_and_no_other_ones_socket_is_taken)
{
    char list[128], listen[160], url[300], out[4096];
    snprintf(list, sizeof list, "unix:%.80s/killed.sock", run_folder());
    snprintf(listen, sizeof listen, "127.0.0.1:0,%s", list);
    server_start("listening", "--listen", listen, NULL);
    server_kill();
    server_start("listening", "--listen", listen, NULL);
    ck_assert_msg(tenk_run(out, sizeof out, "--healthcheck", "--listen", list, NULL) == 0, "%s", out);
    snprintf(url, sizeof url, "DATABASE_URL=sqlite:%s/tenk.db", here.folder);
    ck_assert_int_eq(tenk_run(out, sizeof out, "--listen", list, url, NULL), 1);
    ck_assert_msg(strstr(out, "another program listens there") != NULL, "%s", out);
    ck_assert_msg(tenk_run(out, sizeof out, "--healthcheck", "--listen", list, NULL) == 0, "%s", out);
    server_stop();
    ck_assert_int_eq(tenk_run(out, sizeof out, "--healthcheck", "--listen", list, NULL), 1);
    ck_assert_msg(strstr(out, "no such file") != NULL, "%s", out);
}
END_TEST

static void expect_offers(bool there)
{
    expect(get("/patterns"), there ? 200 : 404, NULL);
    expect(get("/patterns/race"), there ? 200 : 404, NULL);
    expect(get_as("/users/42?render=inline", "text/html"), there ? 200 : 403, NULL);
    expect(get_as("/users/42?render=process", "text/html"), there ? 200 : 403, NULL);
    expect(get_as("/users/42?render=inline", "application/json"), there ? 200 : 403, NULL);
    expect(get_as("/users/42?render=thread", "text/html"), 200, NULL);
    expect(get("/db"), there ? 200 : 404, NULL);
    ck_assert(server_log_has(", without /patterns, without the boards' routes; stop") == !there);
}

START_TEST(strangers_find_no_patterns_and_no_boards_unless_they_were_asked_for)
{
    static const char *const AT[] = { ":0", "0.0.0.0:0", "[::ffff:0.0.0.0]:0" };
    for (size_t i = 0; i < sizeof AT / sizeof AT[0]; i++) {
        server_start("listening", "--listen", AT[i], NULL);
        expect_offers(false);
        server_stop();
    }
    server_start("listening", "HOST=0.0.0.0", NULL);         /* as in the image */
    expect_offers(false);
    server_stop();
    server_start("listening", "--listen", "0.0.0.0:0", "TENK_PATTERNS_ENABLED=on", "TENK_BOARDS_ENABLED=on", NULL);
    ck_assert(server_says(", with /patterns for everybody, with the boards' routes for everybody; stop"));
    expect_offers(true);
    server_stop();
}
END_TEST

START_TEST(on_a_loopback_address_there_are_patterns_and_boards_unless_they_are_off)
{
    static const char *const AT[] = { "127.0.0.1:0", "localhost:0", "127.0.0.1:0" };
    for (size_t i = 0; i < sizeof AT / sizeof AT[0]; i++) {
        server_start("listening", "--listen", AT[i], i < 2 ? NULL : "TENK_PATTERNS_ENABLED=off", "TENK_BOARDS_ENABLED=off", NULL);
        expect_offers(i < 2);
        server_stop();
    }
}
END_TEST

Suite *listening_suite(void)
{
    Suite *s = suite_create("listening");
    TCase *t = theme(s, "listening", NULL);
    tcase_add_test(t, a_port_alone_is_every_address_of_ipv4_and_ipv6);
    tcase_add_test(t, without_ipv6_a_port_alone_is_every_address_of_ipv4);
    tcase_add_test(t, an_address_of_ipv4_is_that_one_alone);
    tcase_add_test(t, the_same_port_is_taken_for_every_address);
    tcase_add_test(t, it_reaches_itself_wherever_it_listens);
    tcase_add_test(t, each_address_of_a_list_is_served_and_named_by_the_start_line);
    tcase_add_test(t, what_a_killed_server_leaves_behind_is_replaced_and_no_other_ones_socket_is_taken);
    tcase_add_test(t, strangers_find_no_patterns_and_no_boards_unless_they_were_asked_for);
    tcase_add_test(t, on_a_loopback_address_there_are_patterns_and_boards_unless_they_are_off);
    return s;
}
