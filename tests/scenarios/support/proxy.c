/* proxy.c - see proxy.h. */
#include "proxy.h"
#include "tests/support/loopback.h"

#include <check.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 64 };

typedef struct relayed {
    int         client, server;
    bool        there;
    atomic_bool marked, reset;
} relayed;

static struct {
    atomic_int      target;
    int             listener;
    const char     *mark;
    atomic_bool     within, cut;
    pthread_mutex_t lock;                    /* of all */
    relayed         all[MOST];
} proxy = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* The filter is asked before TCP is: nothing is acknowledged, no connection made, and none reset. */
static void drop_packets(int fd, bool drop)
{
    struct sock_filter filter = BPF_STMT(BPF_RET | BPF_K, 0);
    const struct sock_fprog all = { 1, &filter };
    if (drop)
        ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &all, sizeof all), 0);
    else                                     /* which it may not have */
        setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &(int){ 0 }, sizeof(int));
}

/* A client that has given up meanwhile is noticed. */
static void look_for_client(int client)
{
    static const int seconds = 1, times = 3;
    setsockopt(client, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
    setsockopt(client, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof seconds);
    setsockopt(client, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof times);
    setsockopt(client, SOL_SOCKET, SO_KEEPALIVE, &(int){ !proxy.cut }, sizeof(int));
}

static void drop_packets_of(proxied which, bool drop)
{
    pthread_mutex_lock(&proxy.lock);
    proxy.cut = drop;
    for (int i = 0; i < MOST; i++)
        if (proxy.all[i].there && (which == PROXIED_ALL || proxy.all[i].marked)) {
            drop_packets(proxy.all[i].client, drop);
            drop_packets(proxy.all[i].server, drop);
            look_for_client(proxy.all[i].client);
        }
    pthread_mutex_unlock(&proxy.lock);
    if (which == PROXIED_ALL)
        drop_packets(proxy.listener, drop);
}

void proxy_cut(proxied which) { drop_packets_of(which, true); }
void proxy_mend(void)         { drop_packets_of(PROXIED_ALL, false); }
bool proxy_is_cut(void)       { return proxy.cut; }

void proxy_mark(const char *word)  { proxy.mark = word; }
void proxy_cut_within_marked(void) { proxy.within = true; }

bool proxy_has_marked(void)
{
    bool has = false;
    pthread_mutex_lock(&proxy.lock);
    for (int i = 0; i < MOST; i++)
        has = has || (proxy.all[i].there && proxy.all[i].marked);
    pthread_mutex_unlock(&proxy.lock);
    return has;
}

void proxy_reset(proxied which)
{
    pthread_mutex_lock(&proxy.lock);
    for (int i = 0; i < MOST; i++)
        if (proxy.all[i].there && (which == PROXIED_ALL || proxy.all[i].marked)) {
            proxy.all[i].reset = true;
            shutdown(proxy.all[i].server, SHUT_RD);          /* its thread wakes */
        }
    pthread_mutex_unlock(&proxy.lock);
}

/* Else it would be sent again and again, which the server would hear. */
static void wait_until_acknowledged(int fd)
{
    int left = 1;
    while (ioctl(fd, SIOCOUTQ, &left) == 0 && left > 0)
        sched_yield();
}

/* False: one of them is gone. */
static bool pass_on_from_client(relayed *r)
{
    char piece[8192];
    const ssize_t n = recv(r->client, piece, sizeof piece, 0);
    const bool marked = n > 0 && proxy.mark && memmem(piece, (size_t)n, proxy.mark, strlen(proxy.mark));
    r->marked = r->marked || marked;
    const bool within = marked && atomic_exchange(&proxy.within, false);
    const bool passed = n > 0 && send(r->server, piece, (size_t)n - within, MSG_NOSIGNAL) == n - within;
    if (within) {
        wait_until_acknowledged(r->server);
        proxy_cut(PROXIED_ALL);
    }
    return passed;
}

static relayed *relayed_new(int client, int server)
{
    relayed *r = NULL;
    pthread_mutex_lock(&proxy.lock);
    for (int i = 0; i < MOST && !r; i++)
        if (!proxy.all[i].there) {
            r = &proxy.all[i];
            r->client = client;
            r->server = server;
            r->marked = false;
            r->reset = false;
            r->there = true;
        }
    pthread_mutex_unlock(&proxy.lock);
    if (!r)
        abort();
    return r;
}

static void relayed_free(relayed *r)
{
    static const struct linger at_once = { 1, 0 };
    pthread_mutex_lock(&proxy.lock);
    if (r->reset) {
        setsockopt(r->client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        setsockopt(r->server, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    close(r->server);
    close(r->client);
    r->there = false;
    pthread_mutex_unlock(&proxy.lock);
}

static void *proxy_relay(void *arg)
{
    const int client = (int)(intptr_t)arg, server = loopback_connect(proxy.target);
    struct pollfd ends[] = { { client, POLLIN, 0 }, { server, POLLIN, 0 } };
    if (server < 0) {
        close(client);
        return NULL;
    }
    relayed *r = relayed_new(client, server);
    while (poll(ends, 2, -1) > 0 && !r->reset && (!ends[0].revents || pass_on_from_client(r)) &&
           (!ends[1].revents || loopback_pass_on(server, client)))
        ;
    relayed_free(r);
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

void proxy_turn(int port) { proxy.target = port; }

int proxy_to(int port)
{
    int own;
    pthread_t thread;
    proxy.listener = loopback_listen(64, &own);
    proxy.target = port;
    ck_assert_int_eq(pthread_create(&thread, NULL, proxy_serve, (void *)(intptr_t)proxy.listener), 0);
    return own;
}
