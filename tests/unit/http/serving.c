/* serving.c - see serving.h. */
#include "serving.h"
#include "server/http/async/connection.h"
#include "server/http/websocket/websocket_internal.h"
#include "server/http/stop_spread.h"
#include "server/async/loop.h"
#include "server/async/context/stack.h"
#include "server/async/timer.h"
#include "server/base/block.h"
#include "server/topic/topic.h"
#include "tests/support/support.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

config serving_config = {
    .limits = { .head = 16384, .headers = 100, .uri = 8192, .body = 1 << 20, .connections = 1000,
                .pipeline = 32, .output = 1 << 20, .outputs = 64 << 20 },
    .events = { .heartbeat = 15000, .retry = 3000 },
    .websocket = { .message = 1 << 20, .ping = 30000, .origins = "none" },
    .timeouts = { .head = 10000, .body = 30000, .idle = 75000, .write = 30000, .request = 30000, .drain = 10000 },
};

static worker   here;
static acceptor acceptor_here;
static listener listener_here = { .name = "public" };
static const listeners listeners_here = { &listener_here, 1 };
static const peer_trust trust_here;
static router *paths;
static int     port, receive_buffer;
static bool    emptied;

static void on_emptied(worker *w)  { (void)w; emptied = true; }
static void answering(request *r)  { (void)r; }

void serving_start(const route routes[], int count)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof a;
    clock_hold();
    ck_assert_int_eq(loop_start(), 0);
    here.config = &serving_config;
    here.listeners = &listeners_here;
    here.trust = &trust_here;
    listener_here.router = paths = router_new(routes, count, false);
    here.emptied = on_emptied;
    here.answering = answering;
    request_host_here = &pipeline_host;
    ck_assert_int_eq(worker_open(&here, connection_ready), 0);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    ck_assert_int_eq(acceptor_open(&acceptor_here, fd, 0, false), 0);
    getsockname(fd, (struct sockaddr *)&a, &size);
    port = ntohs(a.sin_port);
}

/* Turns the loop once; false when nothing was ready for it. */
static bool turn(void)
{
    struct pollfd p = { uv_backend_fd(loop_here()), POLLIN, 0 };
    const bool ran = loop_run_ready(), ready = poll(&p, 1, 0) > 0 ||
               (uv_loop_alive(loop_here()) && uv_backend_timeout(loop_here()) == 0);
    uv_run(loop_here(), UV_RUN_NOWAIT);
    return loop_run_ready() || ran || ready;
}

void serving_turn(void) { turn(); }

void serving_turns(void)
{
    for (int quiet = 0; quiet < 3;)
        quiet = turn() ? 0 : quiet + 1;
}

void serving_wait(void)
{
    struct pollfd p = { uv_backend_fd(loop_here()), POLLIN, 0 };
    serving_turns();
    poll(&p, 1, 5);
}

void serving_skip(uint64_t ms)
{
    clock_skip(ms);
    serving_turns();
}

void serving_stop(void)
{
    if (!here.draining)
        acceptor_close(&acceptor_here);
    here.draining = true;
    serving_turns();
    connections_drain();
    connections_stop(STOP_PARTS);
    serving_turns();
    connections_abort();
    serving_turns();
    ck_assert_int_eq(here.connections, 0);
    worker_close(&here);
    timer_end();
    topics_loop_end();
    ck_assert_int_eq(loop_done(), 0);
    router_free(paths);
    stack_trim();
    block_trim();
    websocket_trim();
}

worker *serving_worker(void)     { return &here; }
acceptor *serving_acceptor(void) { return &acceptor_here; }
int serving_connections(void)    { return here.connections; }
int serving_port(void)           { return port; }

void client_small_buffer(void) { receive_buffer = 4096; }

client client_connecting(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port) };
    client c = { .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .got = calloc(1, 1) };
    if (receive_buffer)
        setsockopt(c.fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    ck_assert_msg(connect(c.fd, (struct sockaddr *)&a, sizeof a) == 0, "connect: %s", strerror(errno));
    return c;
}

client client_new(void)
{
    const client c = client_connecting();
    serving_turns();
    return c;
}

size_t client_send(client *c, text t)
{
    size_t sent = 0;
    while (sent < t.length) {
        const ssize_t n = send(c->fd, t.at + sent, t.length - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        serving_turns();
        if (n <= 0)
            break;
        sent += (size_t)n;
    }
    return sent;
}

void client_say(client *c, const char *words)
{
    ck_assert_uint_eq(client_send(c, text_of(words)), strlen(words));
}

/* Reads once; false when there was nothing. */
static bool receive(client *c, size_t most)
{
    char bytes[65536];
    const ssize_t n = recv(c->fd, bytes, most < sizeof bytes ? most : sizeof bytes, MSG_DONTWAIT);
    if (n <= 0) {
        c->ended |= n == 0;
        return false;
    }
    if (c->length + (size_t)n + 1 > c->capacity) {
        c->capacity = 2 * (c->length + (size_t)n + 1);
        c->got = realloc(c->got, c->capacity);
    }
    memcpy(c->got + c->length, bytes, (size_t)n);
    c->length += (size_t)n;
    c->got[c->length] = '\0';
    return true;
}

void client_read(client *c, size_t most)
{
    receive(c, most);
    serving_turns();
}

static bool is_done(const client *c, const char *needle, size_t length)
{
    return needle ? memmem(c->got, c->length, needle, strlen(needle)) != NULL : length ? c->length >= length : c->ended;
}

/* As long as bytes move, or the thread pool has work of ours. */
static void read_until(client *c, const char *needle, size_t length)
{
    while (!is_done(c, needle, length)) {
        struct pollfd p[] = { { uv_backend_fd(loop_here()), POLLIN, 0 }, { c->fd, POLLIN, 0 } };
        if (c->ended)
            ck_abort_msg("the server ended after:\n%.2000s", c->got);
        serving_turns();
        if (!receive(c, SIZE_MAX) && !c->ended && poll(p, 2, 5000) == 0)
            ck_abort_msg("nothing more has come than %zu bytes:\n%.2000s", c->length, c->got);
    }
}

void client_until(client *c, const char *needle)          { read_until(c, needle, 0); }
void client_until_length(client *c, size_t length)        { read_until(c, NULL, length); }
void client_until_end(client *c)                          { read_until(c, NULL, 0); }

int client_count(const client *c, const char *needle)
{
    int count = 0;
    for (const char *at = c->got; (at = strstr(at, needle)); at++)
        count++;
    return count;
}

void client_forget(client *c) { c->got[c->length = 0] = '\0'; }

void client_close(client *c)
{
    close(c->fd);
    free(c->got);
    serving_turns();
}
