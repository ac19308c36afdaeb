/* listener.c - see listener.h. */
#include "listener.h"
#include "listening_sockets.h"
#include "server/base/memory.h"
#include "server/config/endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

/* The file of a socket that another process has by now is that one's. */
static void listener_leave(listener *l)
{
    if (!listening_sockets_are_handed_on())
        socket_file_remove(&l->file);
}

static void listener_stop(listener *l)
{
    listener_leave(l);
    for (int i = 0; i < l->count; i++) {
        if (l->sockets[i] >= 0)
            listening_socket_close(l->sockets[i]);
        l->sockets[i] = -1;
    }
}

/* The next one of all, which is to be closed if anything goes wrong with it. */
static listener *listener_new(listeners *all, const char *name, int sockets)
{
    all->at = mem_resize(all->at, (size_t)(all->count + 1) * sizeof *all->at);
    listener *const l = &all->at[all->count++];
    *l = (listener){ .name = name, .count = sockets, .sockets = mem_alloc((size_t)sockets * sizeof *l->sockets) };
    for (int i = 0; i < sockets; i++)
        l->sockets[i] = -1;
    return l;
}

static void listeners_close_from(listeners *all, int first)
{
    while (all->count > first) {
        listener *const l = &all->at[--all->count];
        listener_stop(l);
        mem_free(l->sockets);
    }
}

/* Other processes may have them as well, from now on, or be given them. */
static void listener_list(const listener *l, listening_socket_source others)
{
    for (int i = 0; i < l->count; i++)
        listening_sockets_add(l->sockets[i], i == 0 ? LISTENING_OPENED : others);
}

/* What this process was given for that address: 0 if that is nothing, else how many, or an error. */
static int listener_take_given(listener *l, const struct sockaddr *at, socklen_t length)
{
    int *fds;
    const int given = listening_sockets_take(at, length, &fds), wanted = l->count;
    if (!given)
        return 0;
    l->count = given > wanted ? given : wanted;
    l->sockets = mem_resize(l->sockets, (size_t)l->count * sizeof *l->sockets);
    for (int i = 0; i < l->count; i++)
        l->sockets[i] = i < given ? fds[i] : -1;
    mem_free(fds);
    for (int i = given; i < l->count; i++) {
        if ((l->sockets[i] = fcntl(l->sockets[i % given], F_DUPFD_CLOEXEC, 0)) < 0)
            return -errno;
        listening_sockets_add(l->sockets[i], LISTENING_SHARED);
    }
    l->shared = given < wanted;
    return given;
}

/* TCP. */

static bool tcp_is_unspecified_ipv6(const struct sockaddr *a)
{
    return a->sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)a)->sin6_addr);
}

static int tcp_open(const struct addrinfo *a, bool every, bool shared)
{
    const int on = 1, off = 0;
    const int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);        /* every accepted socket inherits it */
    if (tcp_is_unspecified_ipv6(a->ai_addr))       /* [::] is every address of IPv6 alone: 0.0.0.0 may stand beside it */
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, every ? &off : &on, sizeof on);
    if (shared)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (bind(fd, a->ai_addr, a->ai_addrlen)) {
        const int err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

/* What is bound only, or has SO_REUSEPORT, lets another tenk have the same port unnoticed: so one that listens must find it free
 * first. It also settles which port 0 is. Those that stay do not listen yet: a client should be refused, and a balancer go
 * elsewhere, until somebody accepts. */
static int tcp_find_free(struct addrinfo *a, bool every)
{
    const int fd = tcp_open(a, every, false);
    if (fd < 0)
        return fd;
    const int err = listen(fd, 1) || getsockname(fd, a->ai_addr, &a->ai_addrlen) ? -errno : 0;
    close(fd);
    return err;
}

static int tcp_open_all(listener *l, struct addrinfo *a, bool every)
{
    const int err = tcp_find_free(a, every);
    if (err)
        return err;
    for (int i = 0; i < l->count; i++)
        if ((l->sockets[i] = tcp_open(a, every, l->count > 1)) < 0)
            return l->sockets[i];
    listener_list(l, LISTENING_OPENED);
    return 0;
}

static void tcp_write_addresses(listener *l, const struct sockaddr *at, socklen_t length, bool every)
{
    char numeric[sizeof((address *)0)->host], port[NI_MAXSERV], text[ADDRESS_TEXT];
    getnameinfo(at, length, numeric, sizeof numeric, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
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

static int tcp_port(const struct sockaddr *a)
{
    return ntohs(a->sa_family == AF_INET6 ? ((const struct sockaddr_in6 *)a)->sin6_port
                                          : ((const struct sockaddr_in *)a)->sin_port);
}

static void tcp_set_port(struct sockaddr *a, int port)
{
    if (a->sa_family == AF_INET6)
        ((struct sockaddr_in6 *)a)->sin6_port = htons((uint16_t)port);
    else
        ((struct sockaddr_in *)a)->sin_port = htons((uint16_t)port);
}

/* A file of hosts may name an address more than once. */
static bool tcp_is_repeated(const struct addrinfo *found, const struct addrinfo *a)
{
    for (; found != a; found = found->ai_next)
        if (found->ai_addrlen == a->ai_addrlen && memcmp(found->ai_addr, a->ai_addr, a->ai_addrlen) == 0)
            return true;
    return false;
}

/* At each address that is found; of a name's, those that this machine does not have are left out while there are others.
 * Port 0 is whatever the first one gets. */
static int tcp_open_found(listeners *all, const char *name, struct addrinfo *found, bool every, int port, int sockets)
{
    const int first = all->count;
    int missing = UV_EADDRNOTAVAIL;
    for (struct addrinfo *a = found; a; a = a->ai_next) {
        tcp_set_port(a->ai_addr, port);
        if (tcp_is_repeated(found, a))
            continue;
        listener *const l = listener_new(all, name, sockets);
        const int given = listener_take_given(l, a->ai_addr, a->ai_addrlen);
        const int err = given ? (given < 0 ? given : 0) : tcp_open_all(l, a, every);
        if (!err) {
            struct sockaddr_storage own = { 0 };             /* what was given may be another than was asked for */
            socklen_t length = sizeof own;
            getsockname(l->sockets[0], (struct sockaddr *)&own, &length);
            tcp_write_addresses(l, (struct sockaddr *)&own, length, every);
            port = tcp_port((struct sockaddr *)&own);
        } else if (err == UV_EADDRNOTAVAIL || err == UV_EAFNOSUPPORT) {
            listeners_close_from(all, all->count - 1);
            missing = err;
        } else {
            listeners_close_from(all, first);
            return err;
        }
    }
    return all->count > first ? 0 : missing;
}

static int tcp_open_at(listeners *all, const char *name, const address *at, int family, int sockets, char *why, size_t size)
{
    const struct addrinfo hints = { .ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    struct addrinfo *found;
    const bool every = !at->host[0];
    const int unknown = getaddrinfo(every ? NULL : at->host, "0", &hints, &found);
    if (unknown) {
        snprintf(why, size, "%s", gai_strerror(unknown));
        return UV_EINVAL;
    }
    int err, tries = at->port ? 1 : 8;       /* a port that is free at one address may be taken at the next */
    do
        err = tcp_open_found(all, name, found, every, at->port, sockets);
    while (err == UV_EADDRINUSE && --tries > 0);
    if (err == UV_EADDRINUSE)
        snprintf(why, size, "port %d is in use by another program (choose another)", at->port);
    else if (err)
        snprintf(why, size, "%s", uv_strerror(err));
    freeaddrinfo(found);
    return err;
}

/* Every address is a socket of IPv6 that takes IPv4 too; or where the kernel has no IPv6, of IPv4. */
static int tcp_open_endpoint(listeners *all, const char *name, const address *at, int sockets, char *why, size_t size)
{
    int err = tcp_open_at(all, name, at, at->host[0] ? AF_UNSPEC : AF_INET6, sockets, why, size);
    if (!at->host[0] && (err == UV_EAFNOSUPPORT || err == UV_EADDRNOTAVAIL))
        err = tcp_open_at(all, name, at, AF_INET, sockets, why, size);
    return err;
}

/* Unix sockets. */

static int unix_open_all(listener *l)
{
    l->sockets[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (l->sockets[0] < 0)
        return -errno;
    for (int i = 1; i < l->count; i++)
        if ((l->sockets[i] = fcntl(l->sockets[0], F_DUPFD_CLOEXEC, 0)) < 0)
            return -errno;
    return 0;
}

static int unix_open_endpoint(listeners *all, const char *name, const endpoint *e, int sockets, char *why, size_t size)
{
    listener *const l = listener_new(all, name, sockets);
    snprintf(l->address, sizeof l->address, "unix:%s", e->path);
    struct sockaddr_un at;
    const socklen_t length = socket_file_address(e->path, &at);
    const int given = listener_take_given(l, (struct sockaddr *)&at, length);
    int err = given ? (given < 0 ? given : 0) : unix_open_all(l);
    if (err)
        snprintf(why, size, "%s", uv_strerror(err));
    else if (given && !listening_socket_stays(l->sockets[0]))
        socket_file_adopt(&l->file, e->path);
    else if (!given && !(err = socket_file_bind(&l->file, l->sockets[0], e->path, e->mode, LISTENER_BACKLOG, why, size)))
        listener_list(l, LISTENING_SHARED);
    if (err)
        listeners_close_from(all, all->count - 1);
    return err;
}

int listeners_open(listeners *all, const char *name, const char *list, int sockets, char *why, size_t size)
{
    const int first = all->count;
    text rest = text_of(list);
    char reason[256];
    endpoint e;
    int err;
    while (!(err = endpoint_next(&rest, &e, why, size))) {
        const int before = all->count;
        err = e.path[0] ? unix_open_endpoint(all, name, &e, sockets, reason, sizeof reason)
                        : tcp_open_endpoint(all, name, &e.at, sockets, reason, sizeof reason);
        for (int i = before; !err && i < all->count; i++)
            all->at[i].proxy_protocol = e.proxy_protocol;
        if (!err && all->count > LISTENERS_MOST) {
            snprintf(reason, sizeof reason, "there are more than %d addresses", LISTENERS_MOST);
            err = UV_E2BIG;
        }
        if (err) {
            snprintf(why, size, "cannot listen on %.*s: %s", (int)e.written.length, e.written.at, reason);
            break;
        }
    }
    if (err == UV_EOF)
        return 0;
    listeners_close_from(all, first);
    return err;
}

void listeners_leave(listeners *all)
{
    for (int i = 0; i < all->count; i++)
        listener_leave(&all->at[i]);
}

void listeners_stop(listeners *all)
{
    for (int i = 0; i < all->count; i++)
        listener_stop(&all->at[i]);
}

void listeners_close(listeners *all)
{
    listeners_close_from(all, 0);
    mem_free(all->at);
    *all = (listeners){ 0 };
}

void listeners_write(const listeners *all, const char *name, char *to, size_t size)
{
    size_t length = 0;
    to[0] = '\0';
    for (int i = 0; i < all->count; i++)
        if (strcmp(all->at[i].name, name) == 0 && length < size)
            length += (size_t)snprintf(to + length, size - length, "%s%s", length ? ", " : "", all->at[i].address);
}
