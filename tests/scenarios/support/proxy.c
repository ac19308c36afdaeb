/* proxy.c - see proxy.h. */
#include "proxy.h"

#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

static atomic_int target;

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                 .sin_port = htons((uint16_t)port) };
}

static bool pass_on(int from, int to)
{
    char piece[8192];
    const ssize_t n = recv(from, piece, sizeof piece, 0);
    return n > 0 && send(to, piece, (size_t)n, MSG_NOSIGNAL) == n;
}

static void *relay(void *arg)
{
    const int client = (int)(intptr_t)arg, server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct sockaddr_in a = loopback(target);
    struct pollfd ends[] = { { client, POLLIN, 0 }, { server, POLLIN, 0 } };
    if (connect(server, (const struct sockaddr *)&a, sizeof a) == 0)
        while (poll(ends, 2, -1) > 0 && (!ends[0].revents || pass_on(client, server)) &&
               (!ends[1].revents || pass_on(server, client)))
            ;
    close(server);
    close(client);
    return NULL;
}

static void *serve(void *listener)
{
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    for (int client; (client = accept((int)(intptr_t)listener, NULL, NULL)) >= 0;) {
        pthread_t thread;
        if (pthread_create(&thread, &detached, relay, (void *)(intptr_t)client))
            close(client);
    }
    return NULL;
}

void proxy_turn(int port) { target = port; }

int proxy_to(int port)
{
    struct sockaddr_in a = loopback(0);
    socklen_t size = sizeof a;
    pthread_t thread;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    target = port;
    ck_assert(!bind(fd, (struct sockaddr *)&a, size) && !listen(fd, 64) &&
              !getsockname(fd, (struct sockaddr *)&a, &size));
    ck_assert_int_eq(pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd), 0);
    return ntohs(a.sin_port);
}
