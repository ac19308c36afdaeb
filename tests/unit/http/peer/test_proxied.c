/* test_proxied.c - a server in each mode behind proxies: the header of the PROXY protocol, in time or not, and those of heads. */
#include "server/http/peer/proxy_header.h"
#include "server/http/request.h"
#include "server/config/config.h"
#include "tests/support/support.h"
#include "tests/unit/http/whole_server.h"
#include "tests/unit/suites.h"

#include <string.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADER "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"
#define GET    "GET /who HTTP/1.1\r\nHost: own\r\n"

static const mode MODES[] = { MODE_ASYNC, MODE_THREADS };

static int who(request *req)
{
    char all[256];
    const text a = request_client_address(req), s = request_scheme(req), h = request_authority(req);
    const int n = snprintf(all, sizeof all, "[%.*s %.*s %.*s]", (int)a.length, a.at, (int)s.length, s.at, (int)h.length, h.at);
    return respond(req, 200, "text/plain", (text){ all, (size_t)n });
}

static int change(request *req) { return respond(req, 200, "text/plain", TEXT("[changed]")); }

static const route ROUTES_HERE[] = { { "GET", "/who", .answer = who }, { "POST", "/change", .answer = change } };

/* A little time for a head is only for those that never send one: it may be all that a busy machine has between two sends. */
static void start_with(mode in, const char *trusted, const char *head)
{
    const char *const settings[] = { "TENK_SERVER_LISTEN=127.0.0.1:0,proxy_protocol=on", trusted, head, NULL };
    whole_server_start(in, ROUTES_HERE, 2, settings);
}

static void start(mode in, const char *trusted) { start_with(in, trusted, NULL); }
static void start_brief(mode in) { start_with(in, "TENK_SERVER_TRUSTED_PROXIES=127.0.0.1", "TENK_TIMEOUTS_HEAD=100ms"); }

static void expect_client(const char *request, const char *client)
{
    const int fd = wire_open(request);
    ck_assert_ptr_nonnull(wire_until(fd, client));
    wire_close(fd);
}

START_TEST(the_client_is_the_one_that_the_header_names)
{
    start(MODES[_i], "TENK_SERVER_TRUSTED_PROXIES=127.0.0.0/8");
    expect_client(HEADER GET "\r\n", "[192.0.2.1 http own]");
    expect_client("PROXY TCP6 2001:db8::1 ::1 1 2\r\n" GET "\r\n", "[2001:db8::1 http own]");
    expect_client("PROXY UNKNOWN\r\n" GET "\r\n", "[127.0.0.1 http own]");
    expect_client(HEADER GET "X-Forwarded-For: 203.0.113.9\r\n\r\n", "[192.0.2.1 http own]");
    whole_server_stop();
}
END_TEST

START_TEST(it_holds_for_every_request_of_the_connection)
{
    start(MODES[_i], "TENK_SERVER_TRUSTED_PROXIES=127.0.0.1");
    const int fd = wire_open(HEADER GET "\r\n" GET "\r\n");
    wire_until(fd, "[192.0.2.1 http own]");
    wire_until(fd, "[192.0.2.1 http own]");
    ck_assert_int_eq(send(fd, GET "\r\n", sizeof GET "\r\n" - 1, MSG_NOSIGNAL), sizeof GET "\r\n" - 1);
    wire_until(fd, "[192.0.2.1 http own]");
    wire_close(fd);
    whole_server_stop();
}
END_TEST

START_TEST(it_may_come_in_parts_and_in_version_2)
{
    static const char BYTES[] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x14" "\xc0\0\2\7" "\xc6\x33\x64\1" "\xdc\4" "\1\xbb"
                                "\x20\0\5\1\0\0\0\0" GET "\r\n";
    start(MODES[_i], "TENK_SERVER_TRUSTED_PROXIES=127.0.0.1");
    const int fd = wire_open("");
    for (size_t i = 0; i < sizeof BYTES - 1; i++)
        ck_assert_int_eq(send(fd, BYTES + i, 1, MSG_NOSIGNAL), 1);
    wire_until(fd, "[192.0.2.7 https own]");
    wire_close(fd);
    whole_server_stop();
}
END_TEST

START_TEST(a_trusted_one_that_begins_otherwise_is_hung_up_on_and_that_is_logged)
{
    static const char *const WRONG[] = { GET "\r\n", "PROXY TCP4 192.0.2.1\r\n" GET "\r\n",
                                         "PROXY TCP9 192.0.2.1 1.1.1.1 1 2\r\n" };
    log_capture();
    start(MODES[_i], "TENK_SERVER_TRUSTED_PROXIES=127.0.0.1");
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        char byte;
        const int fd = wire_open(WRONG[i]);
        ck_assert_int_le(recv(fd, &byte, 1, 0), 0);          /* by a reset, where there was more */
        wire_close(fd);
    }
    whole_server_stop();
    ck_assert_int_eq(log_times("a trusted proxy has not begun with a header of the PROXY protocol, at http://127.0.0.1:"), 3);
}
END_TEST

START_TEST(a_header_that_does_not_end_in_time_ends_the_connection)
{
    static const char *const PARTS[] = { "", "PROXY TCP4 192.0.2.1" };
    start_brief(MODES[_i]);
    for (size_t i = 0; i < 2; i++) {
        const int fd = wire_open(PARTS[i]);
        ck_assert_str_eq(wire_until_end(fd), "");
        wire_close(fd);
    }
    whole_server_stop();
}
END_TEST

START_TEST(after_the_header_the_head_has_the_rest_of_its_time)
{
    start_brief(MODES[_i]);
    const int fd = wire_open(HEADER);
    wire_until_end(fd);
    wire_close(fd);
    whole_server_stop();
}
END_TEST

START_TEST(who_is_not_trusted_speaks_for_itself_and_may_not_say_otherwise)
{
    start(MODES[_i], "TENK_SERVER_TRUSTED_PROXIES=10.0.0.0/8, unix");
    expect_client(GET "X-Forwarded-For: 192.0.2.1\r\n\r\n", "[127.0.0.1 http own]");
    expect_client(HEADER GET "\r\n", "HTTP/1.1 400 ");
    whole_server_stop();
}
END_TEST

START_TEST(an_origin_is_compared_with_the_host_that_a_trusted_proxy_was_asked_for)
{
    const char *const settings[] = { "TENK_SERVER_TRUSTED_PROXIES=127.0.0.1", NULL };
    static const char POST[] = "POST /change HTTP/1.1\r\nHost: inside:8080\r\nX-Forwarded-Host: a.example\r\n"
                               "Content-Length: 0\r\nOrigin: https://";
    char ours[256], others[256];
    snprintf(ours, sizeof ours, "%sa.example\r\n\r\n", POST);
    snprintf(others, sizeof others, "%sb.example\r\n\r\n", POST);
    whole_server_start(MODES[_i], ROUTES_HERE, 2, settings);
    expect_client(ours, "[changed]");
    expect_client(others, "HTTP/1.1 403 ");
    whole_server_stop();
}
END_TEST

Suite *proxied_suite(void)
{
    Suite *s = suite_create("proxied");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, the_client_is_the_one_that_the_header_names, 0, 2);
    tcase_add_loop_test(t, it_holds_for_every_request_of_the_connection, 0, 2);
    tcase_add_loop_test(t, it_may_come_in_parts_and_in_version_2, 0, 2);
    tcase_add_loop_test(t, a_trusted_one_that_begins_otherwise_is_hung_up_on_and_that_is_logged, 0, 2);
    tcase_add_loop_test(t, a_header_that_does_not_end_in_time_ends_the_connection, 0, 2);
    tcase_add_loop_test(t, after_the_header_the_head_has_the_rest_of_its_time, 0, 2);
    tcase_add_loop_test(t, who_is_not_trusted_speaks_for_itself_and_may_not_say_otherwise, 0, 2);
    tcase_add_loop_test(t, an_origin_is_compared_with_the_host_that_a_trusted_proxy_was_asked_for, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
