/* pooler.c - see pooler.h. */
#include "pooler.h"
#include "loopback.h"

#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 32 };

static struct {
    pthread_t thread;
    int       listener, server_port, servers, count;
    struct { int client, server; } ends[MOST];               /* server: -1 while it has none */
} pooler;

static bool read_whole(int fd, void *to, size_t size) { return recv(fd, to, size, MSG_WAITALL) == (ssize_t)size; }

static char     startup[1024];               /* as the last client sent it */
static uint32_t startup_size;

/* False if it has gone already. */
static bool read_startup(int client)
{
    uint32_t length;
    if (!read_whole(client, &length, sizeof length))
        return false;
    memcpy(startup, &length, sizeof length);
    startup_size = ntohl(length);
    ck_assert_uint_lt(startup_size, sizeof startup);
    return read_whole(client, startup + sizeof length, startup_size - sizeof length);
}

/* AuthenticationOk, one parameter, a key, ReadyForQuery. */
static bool sign_in(int client)
{
    static const char WELCOME[] = "R\0\0\0\10\0\0\0\0" "S\0\0\0\31client_encoding\0UTF8" "\0"
                                  "K\0\0\0\14\0\0\0\1\0\0\0\2" "Z\0\0\0\5I";
    return read_startup(client) && send(client, WELCOME, sizeof WELCOME - 1, MSG_NOSIGNAL) == sizeof WELCOME - 1;
}

static int server_ready(void)
{
    const int fd = loopback_connect(pooler.server_port);
    char type = 0, body[1024];
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(send(fd, startup, startup_size, MSG_NOSIGNAL), startup_size);
    while (type != 'Z') {
        uint32_t length;
        ck_assert(read_whole(fd, &type, 1) && read_whole(fd, &length, 4));
        ck_assert(read_whole(fd, body, ntohl(length) - 4));
    }
    return fd;
}

static void pooler_drop(int i)
{
    close(pooler.ends[i].client);
    if (pooler.ends[i].server >= 0)
        close(pooler.ends[i].server);
    pooler.ends[i] = pooler.ends[--pooler.count];
}

/* Servers go to those who have asked for something, the first of them first. */
static void hand_out(void)
{
    int busy = 0;
    for (int i = 0; i < pooler.count; i++)
        busy += pooler.ends[i].server >= 0;
    for (int i = 0; i < pooler.count && busy < pooler.servers; i++) {
        char byte;
        if (pooler.ends[i].server < 0 && recv(pooler.ends[i].client, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0) {
            pooler.ends[i].server = server_ready();
            busy++;
        }
    }
}

static bool is_gone(int client)
{
    char byte;
    return recv(client, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void pooler_turn(void)
{
    struct pollfd on[1 + 2 * MOST] = { { pooler.listener, POLLIN, 0 } };
    const int count = pooler.count;
    for (int i = 0; i < count; i++) {
        on[1 + 2 * i] = (struct pollfd){ pooler.ends[i].client, POLLIN, 0 };
        on[2 + 2 * i] = (struct pollfd){ pooler.ends[i].server, POLLIN, 0 };
    }
    poll(on, 1 + 2 * (nfds_t)count, 1);      /* who waits is looked at again: what it said stays unread */
    for (int i = count - 1; i >= 0; i--) {
        const int client = pooler.ends[i].client, server = pooler.ends[i].server;
        if (server < 0 ? is_gone(client) : (on[1 + 2 * i].revents && !loopback_pass_on(client, server)) ||
                                        (on[2 + 2 * i].revents && !loopback_pass_on(server, client)))
            pooler_drop(i);
    }
    hand_out();
    if (on[0].revents && pooler.count < MOST) {
        const int client = accept(pooler.listener, NULL, NULL);
        if (client >= 0 && sign_in(client))
            pooler.ends[pooler.count++] = (typeof(*pooler.ends)){ client, -1 };
        else if (client >= 0)
            close(client);
    }
}

static atomic_bool ended;

static void *pooler_serve(void *arg)
{
    while (!ended)
        pooler_turn();
    return arg;
}

int pooler_to(int port, int servers)
{
    int own;
    pooler.server_port = port;
    pooler.servers = servers;
    pooler.listener = loopback_listen(16, &own);
    ck_assert_int_eq(pthread_create(&pooler.thread, NULL, pooler_serve, NULL), 0);
    return own;
}

void pooler_end(void)
{
    ended = true;
    pthread_join(pooler.thread, NULL);
    while (pooler.count)
        pooler_drop(0);
    close(pooler.listener);
}
