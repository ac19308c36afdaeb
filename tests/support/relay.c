/* relay.c - see relay.h. */
#include "relay.h"
#include "loopback.h"

#include <check.h>
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

static struct { pthread_t thread; int listener, server_port; atomic_int hung_up, client, server; atomic_bool reset; } relay;

static void relay_one(int client)
{
    const struct sockaddr_in a = loopback_address(relay.server_port);
    const int server = socket(AF_INET, SOCK_STREAM, 0);
    struct pollfd ends[2] = { { client, POLLIN, 0 }, { server, POLLIN, 0 } };

    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    if (connect(server, (const struct sockaddr *)&a, sizeof a))
        ends[1].fd = -1;
    relay.client = client;
    relay.server = server;
    while (poll(ends, 2, -1) > 0) {
        if (ends[0].revents && !loopback_pass_on(client, server))
            break;
        if (ends[1].revents && !loopback_pass_on(server, client)) {
            ends[1].fd = -1;                 /* from now on only the client is listened to */
            relay.hung_up++;
            if (atomic_exchange(&relay.reset, false)) {
                setsockopt(client, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
                break;
            }
        }
    }
    close(server);
    close(client);
}

static void *relay_serve(void *arg)
{
    for (int client; (client = accept(relay.listener, NULL, NULL)) >= 0;)
        relay_one(client);
    return arg;
}

int relay_to(int port)
{
    int own;
    relay.server_port = port;
    relay.hung_up = 0;
    relay.listener = loopback_listen(16, &own);
    ck_assert_int_eq(pthread_create(&relay.thread, NULL, relay_serve, NULL), 0);
    return own;
}

int relay_hung_up(void) { return relay.hung_up; }

void relay_reset(void)
{
    relay.reset = true;
    shutdown(relay.server, SHUT_RDWR);
}

/* The filter is asked before TCP is: nothing is acknowledged, no connection made, and none reset. */
void relay_vanish(void)
{
    struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
    const struct sock_fprog all = { 1, &drop };
    ck_assert(!setsockopt(relay.listener, SOL_SOCKET, SO_ATTACH_FILTER, &all, sizeof all) &&
              !setsockopt(relay.client, SOL_SOCKET, SO_ATTACH_FILTER, &all, sizeof all));
}

void relay_appear(void)
{
    ck_assert_int_eq(setsockopt(relay.listener, SOL_SOCKET, SO_DETACH_FILTER, &(int){ 0 }, sizeof(int)), 0);
    shutdown(relay.client, SHUT_RDWR);
}

void relay_end(void)
{
    shutdown(relay.listener, SHUT_RD);       /* ends its accept */
    pthread_join(relay.thread, NULL);
    close(relay.listener);
}
