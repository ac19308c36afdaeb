/* thread_serving.c - see thread_serving.h. */
#include "thread_serving.h"
#include "server/base/block.h"
#include "server/http/server_internal.h"
#include "server/http/websocket/websocket_internal.h"
#include "tests/unit/http/serving.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS = 16 };

static thread_shared shared;
static const peer_trust trust_here;
static listener      listener_here = { .name = "public" };
static pthread_t     threads[CLIENTS];
static int           listening, count;
static struct sockaddr_in at;

static void answering(request *r) { (void)r; }

static void *serve_client(void *arg)
{
    thread_connection *c = arg;
    thread_connection_run(c);
    close(c->fd);
    thread_connection_free(c);
    websocket_trim();
    server_trim_thread();
    return NULL;
}

void thread_serving_start(const route routes[], int route_count)
{
    socklen_t size = sizeof at;
    at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    shared = (thread_shared){ .config = &serving_config, .trust = &trust_here, .answering = answering };
    listener_here.router = router_new(routes, route_count, false);
    shared.stopping = eventfd(0, EFD_CLOEXEC);
    listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(listening, (struct sockaddr *)&at, size), 0);
    ck_assert_int_eq(listen(listening, CLIENTS), 0);
    getsockname(listening, (struct sockaddr *)&at, &size);
    count = 0;
}

int thread_serving_client(void)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_lt(count, CLIENTS);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){ 10, 0 }, sizeof(struct timeval));
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    const int accepted = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    thread_connection *const c = thread_connection_new(&shared, &listener_here, accepted);
    ck_assert_int_eq(pthread_create(&threads[count++], NULL, serve_client, c), 0);
    return fd;
}

void thread_serving_until(int client, text expected)
{
    char got[4096];
    ck_assert_uint_le(expected.length, sizeof got);
    ck_assert_int_eq(recv(client, got, expected.length, MSG_WAITALL), (ssize_t)expected.length);
    ck_assert_mem_eq(got, expected.at, expected.length);
}

void thread_serving_until_end(int client)
{
    char got;
    ck_assert_int_eq(recv(client, &got, 1, 0), 0);
}

void thread_serving_drain(void)
{
    shared.stopped = uv_hrtime();
    atomic_store(&shared.draining, true);
    eventfd_write(shared.stopping, 1);
}

void thread_serving_break_off(void) { atomic_store(&shared.breaking_off, true); }

void thread_serving_stop(void)
{
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    close(listening);
    close(shared.stopping);
    router_free((router *)(uintptr_t)listener_here.router);
}
