/* whole_server.c - see whole_server.h. */
#include "whole_server.h"
#include "server/async/promise.h"
#include "server/config/config_load.h"
#include "server/http/server.h"
#include "tests/support/support.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

static config    settings_here;
static server   *serves;
static site      site_here;
static pthread_t runs;
static uv_sem_t  started;
static int       outcome, port;
static bool      asked;                      /* to stop: a second time would end it at once */

static void     site_opens(void *arg)       { (void)arg; }
static promise *site_closes(void *arg)      { (void)arg; return promise_settled(0); }
static void     site_answers(request *req)  { (void)req; }
static int      site_room(void *arg, need n)        { (void)arg, (void)n; return 1; }
static void     on_started(void *arg)       { (void)arg; uv_sem_post(&started); }

static void *run(void *arg)
{
    (void)arg;
    outcome = server_run(serves, on_started, NULL);
    return NULL;
}

/* In the thread that is to have its signals no other may take them. */
void whole_server_start(mode in, const route routes[], int count, const char *const settings[])
{
    char *environment[16] = { "TENK_SERVER_LISTEN=127.0.0.1:0", "TENK_SERVER_WORKERS=2",
                              in == MODE_ASYNC ? "TENK_SERVER_MODE=async" : "TENK_SERVER_MODE=threads" };
    char why[256];
    sigset_t stop, before;
    for (int i = 3; *settings; settings++)
        environment[i++] = (char *)*settings;
    ck_assert_int_eq(config_load(&settings_here, &(config_sources){ .environment = environment }, stderr), 0);
    site_here = (site){ .routes = routes, .count = count, .open = site_opens, .close = site_closes,
                        .answering = site_answers, .room = site_room, .threads = site_room };
    ck_assert_msg(server_open(&serves, &settings_here, why, sizeof why) == 0, "%s", why);
    server_set_site(serves, &site_here);
    port = atoi(strrchr(server_own_address(serves), ':') + 1);
    uv_sem_init(&started, 0);
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stop, &before);
    if (in == MODE_ASYNC)                    /* whose loop is told by a handler of libuv's, on whatever thread */
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    ck_assert_int_eq(pthread_create(&runs, NULL, run, NULL), 0);
    uv_sem_wait(&started);
}

void whole_server_ask_to_stop(void)
{
    if (!asked)
        kill(getpid(), SIGTERM);
    asked = true;
}

static void whole_server_stop_with(int expected)
{
    whole_server_ask_to_stop();
    pthread_join(runs, NULL);
    ck_assert_int_eq(outcome, expected);
    server_close(serves);
    config_free(&settings_here);
    uv_sem_destroy(&started);
}

void whole_server_stop(void)      { whole_server_stop_with(0); }
void whole_server_stop_late(void) { whole_server_stop_with(UV_ETIMEDOUT); }

int whole_server_port(void) { return port; }

static int wire_open_with(const char *request, int buffer)
{
    const struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port) };
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (buffer)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    return fd;
}

int wire_open(const char *request)       { return wire_open_with(request, 0); }
int wire_open_small(const char *request) { return wire_open_with(request, 4096); }

void wire_reset(int fd)
{
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ .l_onoff = 1 }, sizeof(struct linger));
    close(fd);
}

void wire_close(int fd) { close(fd); }

/* Looks at what is there, takes up to the end of part, and leaves the rest there. part NULL: the end. */
static const char *wire_read(int fd, const char *part)
{
    enum { MOST = 1 << 24, PATIENCE = 20000 };
    static char *came;
    const size_t wanted = part ? strlen(part) : 0;
    size_t n = 0;
    if (!came)
        came = zeros(MOST + 1);
    for (came[0] = '\0';;) {
        struct pollfd p = { fd, POLLIN, 0 };
        const ssize_t there = poll(&p, 1, PATIENCE) == 1 ? recv(fd, came + n, MOST - n, MSG_PEEK) : -1;
        if (!part && there == 0)
            return came;
        ck_assert_msg(there > 0, "'%s' has not come, but:\n%.2000s", part ? part : "the end", came);
        const size_t from = n > wanted ? n - wanted : 0;
        const char *const found = part ? memmem(came + from, n + (size_t)there - from, part, wanted) : NULL;
        const size_t take = found ? (size_t)(found - came) + wanted - n : (size_t)there;
        ck_assert_int_eq(recv(fd, came + n, take, 0), (ssize_t)take);
        came[n += take] = '\0';
        if (found)
            return came;
    }
}

const char *wire_until(int fd, const char *part) { return wire_read(fd, part); }
const char *wire_until_end(int fd)               { return wire_read(fd, NULL); }
