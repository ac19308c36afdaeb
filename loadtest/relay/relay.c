/* relay.c - a link between a client and a server of this machine, slower or worse than the real one.
 *
 *   relay [ADDRESS:]PORT TO [MILLISECONDS [PERCENT]]
 *
 * It listens at PORT (of 127.0.0.1, if no address is given) and passes on to TO, a port of 127.0.0.1
 * or the path of a Unix socket. A round trip takes MILLISECONDS longer: each direction delays by
 * half, and the order of bytes stays. To connect takes no longer. Of the HTTP answers PERCENT become
 * errors: 200 is made 500. */
#include "delay.h"
#include "pair.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/un.h>

enum { EVENTS = 512 };

static int listener;

static void take_clients(void)
{
    for (;;) {
        const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            pair_new(fd);
        else if (errno == EAGAIN)
            return;
        else if (errno != ECONNABORTED && errno != EINTR)
            die("accept");
    }
}

static struct sockaddr_in tcp(const char *address, const char *port)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
    if (inet_pton(AF_INET, address, &in.sin_addr) != 1 || in.sin_port == 0) {
        fprintf(stderr, "relay: no such address: %s:%s\n", address, port);
        exit(2);
    }
    return in;
}

static void set_destination(route *r, const char *to)
{
    if (*to == '/') {
        struct sockaddr_un *path = (struct sockaddr_un *)&r->to;
        if (strlen(to) >= sizeof path->sun_path) {
            fprintf(stderr, "relay: too long a path: %s\n", to);
            exit(2);
        }
        path->sun_family = AF_UNIX;
        memcpy(path->sun_path, to, strlen(to) + 1);
        r->to_length = sizeof *path;
    } else {
        const struct sockaddr_in in = tcp("127.0.0.1", to);
        memcpy(&r->to, &in, sizeof in);
        r->to_length = sizeof in;
    }
}

static void listen_at(char *where)
{
    char *colon = strrchr(where, ':');
    if (colon)
        *colon = '\0';
    const struct sockaddr_in in = colon ? tcp(where, colon + 1) : tcp("127.0.0.1", where);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
    if (bind(listener, (const struct sockaddr *)&in, sizeof in) || listen(listener, 65535))
        die("listen");
}

static void add_plain(int poller, int *fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = fd };
    if (epoll_ctl(poller, EPOLL_CTL_ADD, *fd, &event))
        die("epoll_ctl");
}

int main(int argc, char *argv[])
{
    if (argc < 3 || argc > 5) {
        fprintf(stderr, "relay [ADDRESS:]PORT TO [MILLISECONDS [PERCENT]]\n");
        return 2;
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);

    route r = { .poller = epoll_create1(EPOLL_CLOEXEC), .percent = argc > 4 ? (unsigned)atoi(argv[4]) : 0 };
    set_destination(&r, argv[2]);
    listen_at(argv[1]);
    pairs_open(&r);
    int timer = delay_open(argc > 3 ? (int64_t)(atof(argv[3]) / 2 * 1000000) : 0);
    add_plain(r.poller, &listener);
    add_plain(r.poller, &timer);

    for (;;) {
        struct epoll_event events[EVENTS];
        const int n = epoll_wait(r.poller, events, EVENTS, -1);
        if (n < 0 && errno != EINTR)
            die("epoll_wait");
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == &listener)
                take_clients();
            else if (events[i].data.ptr != &timer)
                pair_event(events[i].data.ptr, events[i].events);
        }
        delay_deliver();
        pairs_bury();
    }
}
