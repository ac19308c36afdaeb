/* proxy.c - see proxy.h. */
#include "proxy.h"
#include "tests/support/loopback.h"

#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

static atomic_int target;

static void *proxy_relay(void *arg)
{
    const int client = (int)(intptr_t)arg, server = loopback_connect(target);
    struct pollfd ends[] = { { client, POLLIN, 0 }, { server, POLLIN, 0 } };
    if (server >= 0) {
        while (poll(ends, 2, -1) > 0 && (!ends[0].revents || loopback_pass_on(client, server)) &&
               (!ends[1].revents || loopback_pass_on(server, client)))
            ;
        close(server);
    }
    close(client);
    return NULL;
}

static void *proxy_serve(void *listener)
{
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    for (int client; (client = accept((int)(intptr_t)listener, NULL, NULL)) >= 0;) {
        pthread_t thread;
        if (pthread_create(&thread, &detached, proxy_relay, (void *)(intptr_t)client))
            close(client);
    }
    return NULL;
}

void proxy_turn(int port) { target = port; }

int proxy_to(int port)
{
    int own;
    pthread_t thread;
    const int fd = loopback_listen(64, &own);
    target = port;
    ck_assert_int_eq(pthread_create(&thread, NULL, proxy_serve, (void *)(intptr_t)fd), 0);
    return own;
}
