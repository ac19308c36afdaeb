/* listener.c - see listener.h. */
#include "listener.h"
#include "request_internal.h"
#include "server/base/address.h"
#include "server/base/memory.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

static int listener_open_socket(const struct addrinfo *a, bool every, bool shared)
{
    const int on = 1, off = 0;
    const int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);        /* every accepted socket inherits it */
    if (every && a->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
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
static int listener_open_sockets(listener *l, struct addrinfo *a, bool every)
{
    const int fd = listener_open_socket(a, every, false);
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
        if ((l->sockets[i] = listener_open_socket(a, every, true)) < 0)
            return l->sockets[i];
    return 0;
}

static void listener_write_addresses(listener *l, const struct addrinfo *a, bool every)
{
    char numeric[sizeof((address *)0)->host], port[NI_MAXSERV], text[ADDRESS_TEXT];
    getnameinfo(a->ai_addr, a->ai_addrlen, numeric, sizeof numeric, port, sizeof port,
                NI_NUMERICHOST | NI_NUMERICSERV);
    address own = { .port = atoi(port) };
    strcpy(own.host, numeric);
    address_write(&own, text);
    snprintf(l->address, sizeof l->address, "http://%s", text);
    if (every)
        own.host[0] = '\0';
    address_to_ask(&own);
    address_write(&own, text);
    snprintf(l->own_address, sizeof l->own_address, "http://%s", text);
}

/* At the first address that is found for it, of that family. */
static int listener_bind_at(listener *l, const address *a, int family, char *why, size_t size)
{
    char port[NI_MAXSERV];
    const struct addrinfo hints = { .ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    struct addrinfo *found;
    const bool every = !a->host[0];

    snprintf(port, sizeof port, "%d", a->port);
    const int unknown = getaddrinfo(every ? NULL : a->host, port, &hints, &found);
    if (unknown) {
        snprintf(why, size, "%s", gai_strerror(unknown));
        return UV_EINVAL;
    }
    const int err = listener_open_sockets(l, found, every);
    if (!err)
        listener_write_addresses(l, found, every);
    else if (err == UV_EADDRINUSE)
        snprintf(why, size, "port %s is in use by another program (choose another with --listen)", port);
    else
        snprintf(why, size, "%s", uv_strerror(err));
    freeaddrinfo(found);
    return err;
}

/* Every address is a socket of IPv6 that takes IPv4 too; or where the kernel has no IPv6, of IPv4. */
static int listener_bind(listener *l, const char *at, char *why, size_t size)
{
    address a;
    char reason[256] = "it is not HOST:PORT";
    int err = address_parse(&a, at);
    if (!err) {
        err = listener_bind_at(l, &a, a.host[0] ? AF_UNSPEC : AF_INET6, reason, sizeof reason);
        if (!a.host[0] && (err == UV_EAFNOSUPPORT || err == UV_EADDRNOTAVAIL))
            err = listener_bind_at(l, &a, AF_INET, reason, sizeof reason);
    }
    if (err)
        snprintf(why, size, "cannot listen on %s: %s", at, reason);
    return err;
}

int listener_open(listener *l, const char *at, int count, char *why, size_t size)
{
    *l = (listener){ .count = count, .sockets = mem_alloc((size_t)count * sizeof *l->sockets) };
    for (int i = 0; i < count; i++)
        l->sockets[i] = -1;
    const int err = listener_bind(l, at, why, size);
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
    send(client, words, request_render_refusal(err, false, false, words, sizeof words), MSG_DONTWAIT | MSG_NOSIGNAL);
    /* A close with bytes unread would be a reset, and the client would not read this. */
    for (int i = 0; i < 16 && recv(client, unread, sizeof unread, MSG_DONTWAIT) == sizeof unread; i++)
        ;
}
