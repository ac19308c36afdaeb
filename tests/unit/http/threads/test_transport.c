/* test_transport.c - a thread that sends to a client that takes little at a time. */
#include "server/http/client_socket.h"
#include "server/http/server_internal.h"
#include "server/http/threads/connection.h"
#include "tests/support/support.h"
#include "tests/unit/http/serving.h"
#include "tests/unit/suites.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REST = 64 << 10 };

static thread_shared shared;
static thread_connection *sender;
static int client_here;
static _Atomic pid_t sends;

/* The sender's kernel holds much, and by now may hold little: it takes no more until nearly all has been taken. */
static size_t fill(void)
{
    static char bytes[4096];
    size_t filled = 0;
    for (ssize_t n; (n = send(sender->fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0;)
        filled += (size_t)n;
    ck_assert_int_eq(setsockopt(sender->fd, SOL_SOCKET, SO_SNDBUF, &(int){ 4096 }, sizeof(int)), 0);
    return filled;
}

static void connect_both(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof at;
    const int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    client_here = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(client_here, SOL_SOCKET, SO_RCVBUF, &(int){ 8192 }, sizeof(int));
    ck_assert_int_eq(bind(listening, (struct sockaddr *)&at, size) | listen(listening, 1), 0);
    getsockname(listening, (struct sockaddr *)&at, &size);
    ck_assert_int_eq(connect(client_here, (struct sockaddr *)&at, sizeof at), 0);
    shared = (thread_shared){ .config = &serving_config };
    sender = thread_connection_new(&shared, NULL, accept4(listening, NULL, NULL, SOCK_CLOEXEC));
    setsockopt(sender->fd, SOL_SOCKET, SO_SNDBUF, &(int){ 256 << 10 }, sizeof(int));
    setsockopt(sender->fd, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){ .tv_usec = 1000 }, sizeof(struct timeval));
    close(listening);
}

static void *send_rest(void *arg)
{
    sends = gettid();
    output_append(&sender->out, (text){ arg, REST });
    transport_send(sender);
    if (sender->gone)
        shutdown(sender->fd, SHUT_RDWR);
    server_trim_thread();
    return NULL;
}

/* How often it has waited for the kernel: each time it looks how the client gets on. */
static long waits(void)
{
    char path[64], line[128];
    long n = 0;
    snprintf(path, sizeof path, "/proc/self/task/%d/status", (int)sends);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        sscanf(line, "voluntary_ctxt_switches: %ld", &n);
    if (f)
        fclose(f);
    return f ? n : LONG_MAX;                 /* it has ended */
}

START_TEST(a_reader_that_takes_less_than_the_kernel_waits_for_is_not_cut_off)
{
    char *const bytes = zeros(REST), *const rest = zeros(REST);
    pthread_t thread;
    connect_both();
    size_t left = fill() + REST;
    ck_assert_int_eq(pthread_create(&thread, NULL, send_rest, rest), 0);
    while (!sends)
        sched_yield();
    for (int i = 0; i < 6; i++) {
        for (const int before = client_socket_unsent(sender->fd); client_socket_unsent(sender->fd) >= before;) {
            const ssize_t n = recv(client_here, bytes, 1024, MSG_DONTWAIT);
            left -= n > 0 ? (size_t)n : 0;
        }
        clock_skip(serving_config.timeouts.write * 2 / 3);
        for (const long before = waits(); waits() < before + 2;)
            sched_yield();
    }
    for (ssize_t n; left > 0 && (n = recv(client_here, bytes, REST, 0)) > 0;)
        left -= (size_t)n;
    pthread_join(thread, NULL);
    ck_assert(!sender->gone && left == 0);
    close(sender->fd);
    close(client_here);
    thread_connection_free(sender);
}
END_TEST

Suite *transport_suite(void)
{
    Suite *s = suite_create("transport");
    TCase *t = tcase_create("all");
    tcase_add_test(t, a_reader_that_takes_less_than_the_kernel_waits_for_is_not_cut_off);
    suite_add_tcase(s, t);
    return s;
}
