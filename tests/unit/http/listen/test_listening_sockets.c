/* test_listening_sockets.c - sockets that were given, and those that are handed on. */
#include "server/http/listen/listening_sockets.h"
#include "server/base/memory.h"
#include "tests/support/skipped.h"
#include "tests/unit/suites.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

static struct sockaddr_in at_port(int port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                 .sin_port = htons((uint16_t)port) };
}

static int tcp_listens(int *port)
{
    struct sockaddr_in at = at_port(0);
    socklen_t length = sizeof at;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(listen(fd, 8), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &length), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static int unix_listens(void)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    const int n = snprintf(at.sun_path + 1, sizeof at.sun_path - 1, "tenk-given-%d", (int)getpid());
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)), 0);
    ck_assert_int_eq(listen(fd, 8), 0);
    return fd;
}

static int takes(int port, int **fds)
{
    const struct sockaddr_in at = at_port(port);
    return listening_sockets_take((const struct sockaddr *)&at, sizeof at, fds);
}

/* The one that is taken at that port, or -1: it is none, or more. */
static int taken(int port)
{
    int *fds;
    const int count = takes(port, &fds), fd = count == 1 ? fds[0] : -1;
    mem_free(fds);
    return fd;
}

typedef struct sent { int fds[8], count, err; } sent;

static int send_to(void *arg, const int fds[], int count)
{
    sent *const s = arg;
    ck_assert_int_le(count, 8);
    memcpy(s->fds, fds, (size_t)count * sizeof *fds);
    s->count = count;
    return s->err;
}

START_TEST(one_is_taken_at_its_own_port_and_once)
{
    int port, other;
    const int fd = tcp_listens(&port), second = tcp_listens(&other);
    listening_sockets_add(fd, LISTENING_FROM_TENK);
    listening_sockets_add(second, LISTENING_FROM_TENK);
    ck_assert_int_eq(taken(other), second);
    ck_assert_int_eq(taken(other), -1);
    ck_assert_int_eq(taken(port), fd);
    ck_assert_int_eq(taken(port), -1);
    ck_assert_int_eq(listening_sockets_close_untaken(), 0);
    ck_assert_int_ge(fcntl(fd, F_GETFD), 0);
    listening_socket_close(fd);
    listening_socket_close(second);
}
END_TEST

START_TEST(any_port_is_that_of_all_who_share_it)
{
    int port, other, *fds;
    const int fd = tcp_listens(&port), again = dup(fd), second = tcp_listens(&other);
    listening_sockets_add(fd, LISTENING_FROM_TENK);
    listening_sockets_add(second, LISTENING_FROM_TENK);
    listening_sockets_add(again, LISTENING_FROM_TENK);
    ck_assert_int_eq(takes(0, &fds), 2);
    ck_assert_int_eq(fds[0], fd);
    ck_assert_int_eq(fds[1], again);
    mem_free(fds);
    ck_assert_int_eq(listening_sockets_close_untaken(), 1);
    ck_assert_int_eq(fcntl(second, F_GETFD), -1);
    listening_socket_close(fd);
    listening_socket_close(again);
}
END_TEST

START_TEST(one_of_ipv6_is_not_one_of_ipv4)
{
    struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    struct sockaddr_in every = { .sin_family = AF_INET };
    socklen_t length = sizeof at;
    int *fds;
    const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at)) {
        skipped(__func__, NEEDS_IPV6);
        return;
    }
    ck_assert_int_eq(listen(fd, 8), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &length), 0);
    every.sin_port = at.sin6_port;
    listening_sockets_add(fd, LISTENING_FROM_TENK);
    ck_assert_int_eq(listening_sockets_take((struct sockaddr *)&every, sizeof every, &fds), 0);
    ck_assert_int_eq(listening_sockets_take((struct sockaddr *)&at, sizeof at, &fds), 1);
    ck_assert_int_eq(fds[0], fd);
    mem_free(fds);
    listening_socket_close(fd);
}
END_TEST

START_TEST(what_was_given_does_not_block_and_no_other_program_inherits_it)
{
    int port;
    const int fd = tcp_listens(&port);
    listening_sockets_add(fd, LISTENING_FROM_MANAGER);
    ck_assert_int_eq(taken(port), fd);
    ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
    ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    listening_socket_close(fd);
}
END_TEST

START_TEST(one_of_the_manager_stands_for_any_address_of_its_kind_and_one_of_a_tenk_does_not)
{
    int port, other;
    const int managers = tcp_listens(&port), local = unix_listens(), tenks = tcp_listens(&other);
    listening_sockets_add(local, LISTENING_FROM_MANAGER);
    listening_sockets_add(tenks, LISTENING_FROM_TENK);
    ck_assert_int_eq(taken(1), -1);
    listening_sockets_add(managers, LISTENING_FROM_MANAGER);
    ck_assert_int_eq(taken(1), managers);
    ck_assert_int_eq(listening_sockets_close_untaken(), 2);
    listening_socket_close(managers);
}
END_TEST

START_TEST(one_stays_if_the_manager_has_it_and_all_once_they_are_handed_on)
{
    int port;
    const int own = tcp_listens(&port), managers = tcp_listens(&port), tenks = tcp_listens(&port);
    listening_sockets_add(own, LISTENING_OPENED);
    listening_sockets_add(managers, LISTENING_FROM_MANAGER);
    listening_sockets_add(tenks, LISTENING_FROM_TENK);
    ck_assert(listening_socket_stays(managers));
    ck_assert(!listening_socket_stays(own));
    ck_assert(!listening_socket_stays(tenks));       /* who gave it closes its own */
    ck_assert(!listening_sockets_are_handed_on());
    listening_sockets_set_handed_on();
    ck_assert(listening_sockets_are_handed_on());
    ck_assert(listening_socket_stays(own));
    ck_assert(listening_socket_stays(tenks));
}
END_TEST

START_TEST(all_that_are_open_are_sent_each_of_them_once)
{
    int port;
    sent s = { .err = UV_EPIPE };
    const int own = tcp_listens(&port), again = dup(own), closed = tcp_listens(&port), managers = tcp_listens(&port);
    listening_sockets_add(own, LISTENING_OPENED);
    listening_sockets_add(again, LISTENING_SHARED);
    listening_sockets_add(closed, LISTENING_OPENED);
    listening_sockets_add(managers, LISTENING_FROM_MANAGER);
    listening_socket_close(closed);
    ck_assert_int_eq(fcntl(closed, F_GETFD), -1);
    ck_assert_int_eq(listening_sockets_send(send_to, &s), UV_EPIPE);
    ck_assert_int_eq(s.count, 2);
    ck_assert(s.fds[0] == own || s.fds[1] == own);
    ck_assert(s.fds[0] == managers || s.fds[1] == managers);
}
END_TEST

Suite *listening_sockets_suite(void)
{
    Suite *s = suite_create("listening_sockets");
    TCase *t = tcase_create("all");
    tcase_add_test(t, one_is_taken_at_its_own_port_and_once);
    tcase_add_test(t, any_port_is_that_of_all_who_share_it);
    tcase_add_test(t, one_of_ipv6_is_not_one_of_ipv4);
    tcase_add_test(t, what_was_given_does_not_block_and_no_other_program_inherits_it);
    tcase_add_test(t, one_of_the_manager_stands_for_any_address_of_its_kind_and_one_of_a_tenk_does_not);
    tcase_add_test(t, one_stays_if_the_manager_has_it_and_all_once_they_are_handed_on);
    tcase_add_test(t, all_that_are_open_are_sent_each_of_them_once);
    suite_add_tcase(s, t);
    return s;
}
