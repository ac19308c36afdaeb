/* test_healthcheck.c - against a thread that answers what the test says. */
#include "server/http/client/healthcheck.h"
#include "server/http/listen/socket_file.h"
#include "server/http/peer/proxy_header.h"

#include "tests/support/skipped.h"
#include "tests/unit/suites.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

typedef struct responder {
    int         fd;
    char        listen[64];
    const char *answer;                      /* in pieces of one byte; NULL: hold the connection open */
    char        request[512];
    pthread_t   thread;
} responder;

static void *respond_once(void *arg)
{
    responder *r = arg;
    const int fd = accept(r->fd, NULL, NULL);
    size_t have = 0;
    while (!memmem(r->request, have, " HTTP/1.1\r\nHost: ", 17) || memcmp(r->request + have - 4, "\r\n\r\n", 4) != 0) {
        const ssize_t n = recv(fd, r->request + have, sizeof r->request - 1 - have, 0);
        if (n <= 0)
            break;
        have += (size_t)n;
    }
    for (const char *p = r->answer; p && *p; p++)
        send(fd, p, 1, MSG_NOSIGNAL);
    if (!r->answer)
        recv(fd, r->request, 1, 0);          /* until the other end gives up */
    close(fd);
    return NULL;
}

static void start_at_name(responder *r, const char *answer)
{
    struct sockaddr_un a;
    *r = (responder){ .fd = socket(AF_UNIX, SOCK_STREAM, 0), .answer = answer };
    snprintf(r->listen, sizeof r->listen, "unix:@tenk-healthcheck-%d", (int)getpid());
    const socklen_t length = socket_file_address(r->listen + strlen("unix:"), &a);
    ck_assert_int_eq(bind(r->fd, (const struct sockaddr *)&a, length), 0);
    ck_assert_int_eq(listen(r->fd, 8), 0);
    ck_assert_int_eq(pthread_create(&r->thread, NULL, respond_once, r), 0);
}

static bool start(responder *r, int family, const char *host, const char *answer)
{
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    struct sockaddr_in four = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr *at = family == AF_INET ? (void *)&four : (void *)&six;
    socklen_t size = family == AF_INET ? sizeof four : sizeof six;

    *r = (responder){ .fd = socket(family, SOCK_STREAM, 0), .answer = answer };
    if (r->fd < 0 || bind(r->fd, at, size) || listen(r->fd, 8) || getsockname(r->fd, at, &size))
        return false;
    snprintf(r->listen, sizeof r->listen, "%s:%d", host,
             ntohs(family == AF_INET ? four.sin_port : six.sin6_port));
    return pthread_create(&r->thread, NULL, respond_once, r) == 0;
}

static void stop(responder *r)
{
    pthread_join(r->thread, NULL);
    close(r->fd);
}

static char why[256];

START_TEST(every_spelling_of_this_machine_is_asked_and_200_is_well)
{
    static const struct { int family; const char *host, *named; } HOSTS[] = {
        { AF_INET, "127.0.0.1", "127.0.0.1" }, { AF_INET, "0.0.0.0", "127.0.0.1" },
        { AF_INET, "", "127.0.0.1" },
        { AF_INET6, "[::1]", "[::1]" }, { AF_INET6, "[::]", "[::1]" },
    };
    char line[64];
    responder r;
    if (!start(&r, HOSTS[_i].family, HOSTS[_i].host,
               "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) {
        ck_assert_int_eq(HOSTS[_i].family, AF_INET6);        /* a machine may have none */
        skipped(__func__, NEEDS_IPV6);
        return;
    }
    ck_assert_int_eq(healthcheck(r.listen, "none", HEALTHCHECK_TIMEOUT, why, sizeof why), 0);
    stop(&r);
    snprintf(line, sizeof line, "GET /healthz HTTP/1.1\r\nHost: %s:", HOSTS[_i].named);
    ck_assert_int_eq(strncmp(r.request, line, strlen(line)), 0);
}
END_TEST

static int outcome(const char *answer, int timeout_ms)
{
    responder r;
    ck_assert(start(&r, AF_INET, "127.0.0.1", answer));
    const int err = healthcheck(r.listen, "none", timeout_ms, why, sizeof why);
    stop(&r);
    return err;
}

START_TEST(any_other_answer_is_not_well_and_says_why)
{
    ck_assert_int_eq(outcome("HTTP/1.1 503 Service Unavailable\r\n\r\n", HEALTHCHECK_TIMEOUT),
                     UV_EPROTO);
    ck_assert_ptr_nonnull(strstr(why, "it answers 'HTTP/1.1 503"));
    ck_assert_int_eq(outcome("SSH-2.0-OpenSSH\r\n", HEALTHCHECK_TIMEOUT), UV_EPROTO);
    ck_assert_int_eq(outcome("HTTP/1.1 2", HEALTHCHECK_TIMEOUT), UV_EOF);
    ck_assert_ptr_nonnull(strstr(why, "127.0.0.1:"));
    ck_assert_int_eq(outcome(NULL, 5), UV_ETIMEDOUT);
    ck_assert_ptr_nonnull(strstr(why, "timed out"));
}
END_TEST

START_TEST(nobody_there_is_refused)
{
    responder r;
    ck_assert(start(&r, AF_INET, "127.0.0.1", ""));
    ck_assert_int_eq(healthcheck(r.listen, "none", HEALTHCHECK_TIMEOUT, why, sizeof why), UV_EOF);
    stop(&r);                                /* and nobody listens from here on */
    ck_assert_int_eq(healthcheck(r.listen, "none", HEALTHCHECK_TIMEOUT, why, sizeof why), UV_ECONNREFUSED);
    ck_assert_ptr_nonnull(strstr(why, "refused"));
}
END_TEST

START_TEST(any_free_port_cannot_be_asked)
{
    ck_assert_int_eq(healthcheck("127.0.0.1:0", "none", HEALTHCHECK_TIMEOUT, why, sizeof why), UV_EINVAL);
    ck_assert_str_eq(why, "'127.0.0.1:0' names no port to ask");
}
END_TEST

START_TEST(all_of_a_list_are_asked_but_for_any_free_port)
{
    static const char WELL[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    responder one, other;
    char list[160];
    ck_assert(start(&one, AF_INET, "127.0.0.1", WELL));
    start_at_name(&other, WELL);
    snprintf(list, sizeof list, ":0, %s, %s", one.listen, other.listen);
    ck_assert_msg(healthcheck(list, "none", HEALTHCHECK_TIMEOUT, why, sizeof why) == 0, "%s", why);
    stop(&one);
    stop(&other);
    ck_assert_ptr_nonnull(strstr(one.request, "Host: 127.0.0.1:"));
    ck_assert_ptr_nonnull(strstr(other.request, "\r\nHost: localhost\r\n"));
}
END_TEST

START_TEST(it_speaks_the_proxy_protocol_where_it_is_trusted_and_that_is_spoken)
{
    static const struct { const char *option, *trusted; bool speaks; } CASES[] = {
        { ",proxy_protocol=on", "127.0.0.0/8", true },
        { ",proxy_protocol=on", "10.0.0.0/8, unix", false },
        { "", "127.0.0.0/8", false },
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        responder r;
        char list[128];
        ck_assert(start(&r, AF_INET, "127.0.0.1", "HTTP/1.1 200 OK\r\n\r\n"));
        snprintf(list, sizeof list, "%s%s", r.listen, CASES[i].option);
        ck_assert_int_eq(healthcheck(list, CASES[i].trusted, HEALTHCHECK_TIMEOUT, why, sizeof why), 0);
        stop(&r);
        ck_assert(memcmp(r.request, PROXY_HEADER_LOCAL.at, PROXY_HEADER_LOCAL.length) == 0 || !CASES[i].speaks);
        ck_assert(memcmp(r.request, "GET /healthz ", 13) == 0 || CASES[i].speaks);
    }
}
END_TEST

START_TEST(one_of_a_list_that_is_not_well_is_named)
{
    responder one, other;
    char list[160], expected[128];
    ck_assert(start(&one, AF_INET, "127.0.0.1", "HTTP/1.1 200 OK\r\n\r\n"));
    start_at_name(&other, "HTTP/1.1 503 Service Unavailable\r\n\r\n");
    snprintf(list, sizeof list, "%s,%s", one.listen, other.listen);
    ck_assert_int_eq(healthcheck(list, "none", HEALTHCHECK_TIMEOUT, why, sizeof why), UV_EPROTO);
    stop(&one);
    stop(&other);
    snprintf(expected, sizeof expected, "%s: it answers 'HTTP/1.1 503", other.listen);
    ck_assert_ptr_eq(strstr(why, expected), why);
    ck_assert_int_eq(healthcheck(other.listen, "none", HEALTHCHECK_TIMEOUT, why, sizeof why), UV_ECONNREFUSED);
}
END_TEST

Suite *healthcheck_suite(void)
{
    Suite *s = suite_create("healthcheck");
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, every_spelling_of_this_machine_is_asked_and_200_is_well, 0, 5);
    tcase_add_test(t, any_other_answer_is_not_well_and_says_why);
    tcase_add_test(t, nobody_there_is_refused);
    tcase_add_test(t, any_free_port_cannot_be_asked);
    tcase_add_test(t, all_of_a_list_are_asked_but_for_any_free_port);
    tcase_add_test(t, it_speaks_the_proxy_protocol_where_it_is_trusted_and_that_is_spoken);
    tcase_add_test(t, one_of_a_list_that_is_not_well_is_named);
    suite_add_tcase(s, t);
    return s;
}
