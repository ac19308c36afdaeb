/* listener.c - see listener.h. */
#include "listener.h"
#include "exchange.h"
#include "server/address.h"
#include "server/memory.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>
#include <uv.h>

static int open_socket(const struct addrinfo *a, bool shared)
{
    const int on = 1;
    const int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);        /* every accepted socket inherits it */
    if (shared)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (bind(fd, a->ai_addr, a->ai_addrlen)) {
        const int err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

/* With SO_REUSEPORT another tenk could take the same port unnoticed: so a socket without it must
 * find the port free first. It also settles which port 0 is. */
static int open_sockets(listener *l, struct addrinfo *a)
{
    const int fd = open_socket(a, false);
    if (fd < 0)
        return fd;
    if (listen(fd, 1)) {
        const int err = -errno;
        close(fd);
        return err;
    }
    getsockname(fd, a->ai_addr, &a->ai_addrlen);
    if (l->count == 1) {
        l->sockets[0] = fd;
        return 0;
    }
    close(fd);
    for (int i = 0; i < l->count; i++)
        if ((l->sockets[i] = open_socket(a, true)) < 0)
            return l->sockets[i];
    return 0;
}

static void write_address(listener *l, const struct addrinfo *a)
{
    char numeric[NI_MAXHOST], port[NI_MAXSERV];
    const bool v6 = a->ai_family == AF_INET6;
    getnameinfo(a->ai_addr, a->ai_addrlen, numeric, sizeof numeric, port, sizeof port,
                NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(l->address, sizeof l->address, "http://%s%s%s:%s", v6 ? "[" : "", numeric, v6 ? "]" : "", port);
}

static int bind_all(listener *l, const char *at, char *why, size_t size)
{
    char port[NI_MAXSERV];
    address a;
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV }, *found;

    if (address_parse(&a, at)) {
        snprintf(why, size, "cannot listen on %s: it is not HOST:PORT", at);
        return UV_EINVAL;
    }
    snprintf(port, sizeof port, "%d", a.port);
    const int unknown = getaddrinfo(a.host[0] ? a.host : NULL, port, &hints, &found);
    if (unknown) {
        snprintf(why, size, "cannot listen on %s: %s", at, gai_strerror(unknown));
        return UV_EINVAL;
    }
    const int err = open_sockets(l, found);
    if (!err)
        write_address(l, found);
    else if (err == UV_EADDRINUSE)
        snprintf(why, size, "cannot listen on %s: port %s is in use by another program (choose another with --listen)",
                 at, port);
    else
        snprintf(why, size, "cannot listen on %s: %s", at, uv_strerror(err));
    freeaddrinfo(found);
    return err;
}

int listener_open(listener *l, const char *at, int count, char *why, size_t size)
{
    *l = (listener){ .count = count, .sockets = mem_alloc((size_t)count * sizeof *l->sockets) };
    for (int i = 0; i < count; i++)
        l->sockets[i] = -1;
    const int err = bind_all(l, at, why, size);
    if (err)
        listener_close(l);
    return err;
}

void listener_close(listener *l)
{
    for (int i = 0; i < l->count; i++)
        if (l->sockets[i] >= 0)
            close(l->sockets[i]);
    mem_free(l->sockets);
    *l = (listener){ 0 };
}

void listener_turn_away(int client, int err)
{
    char words[1536], unread[4096];
    send(client, words, exchange_render_refusal(err, false, false, words, sizeof words), MSG_DONTWAIT | MSG_NOSIGNAL);
    /* A close with bytes unread would be a reset, and nobody would read this. */
    for (int i = 0; i < 16 && recv(client, unread, sizeof unread, MSG_DONTWAIT) == sizeof unread; i++)
        ;
}
