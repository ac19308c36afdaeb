/* healthcheck.c - see healthcheck.h. */
#include "healthcheck.h"

#include "server/config/endpoint.h"
#include "server/http/listen/socket_file.h"
#include "server/http/peer/proxy_header.h"
#include "server/http/peer/trusted.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

enum { STATUS = sizeof "HTTP/1.1 200 " - 1 };

static int healthcheck_left(uint64_t deadline)       /* milliseconds */
{
    const uint64_t now = uv_hrtime() / 1000000;
    return now < deadline ? (int)(deadline - now) : 0;
}

static int healthcheck_wait(int fd, short event, uint64_t deadline)
{
    struct pollfd p = { fd, event, 0 };
    for (;;) {
        const int ready = poll(&p, 1, healthcheck_left(deadline));
        if (ready > 0)
            return 0;
        if (ready == 0)
            return UV_ETIMEDOUT;
        if (errno != EINTR)
            return -errno;
    }
}

static int healthcheck_open(int family, const struct sockaddr *a, socklen_t length, uint64_t deadline, int *out)
{
    const int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int err = connect(fd, a, length) ? -errno : 0;
    if (err == -EINPROGRESS) {
        int failed = 0;
        socklen_t size = sizeof failed;
        err = healthcheck_wait(fd, POLLOUT, deadline);
        if (!err)
            err = getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) ? -errno : -failed;
    }
    if (err) {
        close(fd);
        return err;
    }
    *out = fd;
    return 0;
}

/* Reads until the status is there; how the rest arrives does not matter. */
static int healthcheck_read_status(int fd, uint64_t deadline, char status[STATUS + 1])
{
    size_t have = 0;
    while (have < STATUS) {
        const int err = healthcheck_wait(fd, POLLIN, deadline);
        if (err)
            return err;
        const ssize_t n = recv(fd, status + have, STATUS - have, 0);
        if (n == 0)
            return UV_EOF;
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return -errno;
        have += n > 0 ? (size_t)n : 0;
    }
    status[have] = '\0';
    return 0;
}

static int healthcheck_ask(int fd, const char *where, bool announces, uint64_t deadline, char status[STATUS + 1])
{
    char request[512];
    const size_t before = announces ? PROXY_HEADER_LOCAL.length : 0;
    memcpy(request, PROXY_HEADER_LOCAL.at, before);
    const int length = (int)before +
        snprintf(request + before, sizeof request - before,
                 "GET /healthz HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", where);
    if (send(fd, request, (size_t)length, MSG_NOSIGNAL) != length)
        return UV_EIO;                       /* a new connection takes so little at once */
    return healthcheck_read_status(fd, deadline, status);
}

static int healthcheck_open_path(const char *path, uint64_t deadline, int *fd)
{
    struct sockaddr_un a;
    const socklen_t length = socket_file_address(path, &a);
    return healthcheck_open(AF_UNIX, (const struct sockaddr *)&a, length, deadline, fd);
}

/* At the first that accepts. Looking the name up may take its time: it is given back. */
static int healthcheck_open_address(const address *at, uint64_t *deadline, int *fd, char *why, size_t size)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    const uint64_t before = uv_hrtime();
    struct addrinfo *found;
    char port[8];
    snprintf(port, sizeof port, "%d", at->port);
    const int unknown = getaddrinfo(at->host, port, &hints, &found);
    *deadline += (uv_hrtime() - before) / 1000000;
    if (unknown) {
        snprintf(why, size, "%s", gai_strerror(unknown));
        return UV_EAI_FAIL;
    }
    int err = UV_ECONNREFUSED;
    *fd = -1;
    for (struct addrinfo *i = found; i && *fd < 0; i = i->ai_next)
        err = healthcheck_open(i->ai_family, i->ai_addr, i->ai_addrlen, *deadline, fd);
    freeaddrinfo(found);
    return err;
}

/* Is our end of it that of a proxy whose word counts? */
static bool healthcheck_is_trusted(int fd, const trusted *proxies)
{
    struct sockaddr_storage own = { .ss_family = AF_UNSPEC };
    socklen_t length = sizeof own;
    ip a;
    getsockname(fd, (struct sockaddr *)&own, &length);
    return own.ss_family == AF_UNIX ? trusted_has_unix(proxies)
                                    : ip_of(&a, (const struct sockaddr *)&own) == 0 && trusted_has(proxies, &a);
}

static int healthcheck_at(endpoint *e, const trusted *proxies, uint64_t *deadline, char *why, size_t size)
{
    char where[ADDRESS_TEXT], status[STATUS + 1], reason[256] = "";
    int fd;
    if (e->path[0]) {
        snprintf(where, sizeof where, "unix:%s", e->path);
    } else {
        address_to_ask(&e->at);
        address_write(&e->at, where);
    }
    int err = e->path[0] ? healthcheck_open_path(e->path, *deadline, &fd)
                         : healthcheck_open_address(&e->at, deadline, &fd, reason, sizeof reason);
    if (!err) {
        const bool announces = e->proxy_protocol && healthcheck_is_trusted(fd, proxies);
        err = healthcheck_ask(fd, e->path[0] ? "localhost" : where, announces, *deadline, status);
        close(fd);
    }
    if (err)
        snprintf(why, size, "%s: %s", where, reason[0] ? reason : uv_strerror(err));
    else if (strncmp(status, "HTTP/1.", 7) != 0 || strncmp(status + 8, " 200", 4) != 0) {
        snprintf(why, size, "%s: it answers '%.*s'", where, (int)strcspn(status, "\r\n"), status);
        err = UV_EPROTO;
    }
    return err;
}

/* 0, also if none could be asked. */
static int healthcheck_all(const char *listen, const trusted *proxies, uint64_t deadline, bool *asked, char *why, size_t size)
{
    text rest = text_of(listen);
    endpoint e;
    int err;
    while (!(err = endpoint_next(&rest, &e, why, size))) {
        if (!e.path[0] && e.at.port == 0)
            continue;
        *asked = true;
        if ((err = healthcheck_at(&e, proxies, &deadline, why, size)))
            return err;
    }
    return err == UV_EOF ? 0 : err;
}

int healthcheck(const char *listen, const char *trusted_proxies, int timeout_ms, char *why, size_t size)
{
    trusted *const proxies = trusted_new(trusted_proxies);
    bool asked = false;
    const int err = healthcheck_all(listen, proxies, uv_hrtime() / 1000000 + (uint64_t)timeout_ms, &asked, why, size);
    trusted_free(proxies);
    if (err || asked)
        return err;
    snprintf(why, size, "'%s' names no port to ask", listen);
    return UV_EINVAL;
}
