/* healthcheck.c - see healthcheck.h. */
#include "healthcheck.h"

#include "server/base/address.h"

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

static int healthcheck_open(const struct addrinfo *a, uint64_t deadline, int *out)
{
    const int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);
    if (fd < 0)
        return -errno;
    int err = connect(fd, a->ai_addr, a->ai_addrlen) ? -errno : 0;
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

static int healthcheck_ask(int fd, const char *where, uint64_t deadline, char status[STATUS + 1])
{
    char request[512];
    const int length =
        snprintf(request, sizeof request,
                 "GET /healthz HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", where);
    if (send(fd, request, (size_t)length, MSG_NOSIGNAL) != length)
        return UV_EIO;                       /* a new connection takes so little at once */
    return healthcheck_read_status(fd, deadline, status);
}

int healthcheck(const char *listen, int timeout_ms, char *why, size_t size)
{
    address a;
    char port[8], where[ADDRESS_TEXT], status[STATUS + 1];
    struct addrinfo *found, hints = { .ai_socktype = SOCK_STREAM };

    if (address_parse(&a, listen) || a.port == 0) {
        snprintf(why, size, "'%s' names no port to ask", listen);
        return UV_EINVAL;
    }
    address_to_ask(&a);
    address_write(&a, where);
    snprintf(port, sizeof port, "%d", a.port);
    const int unknown = getaddrinfo(a.host, port, &hints, &found);
    if (unknown) {
        snprintf(why, size, "%s: %s", where, gai_strerror(unknown));
        return UV_EAI_FAIL;
    }

    const uint64_t deadline = uv_hrtime() / 1000000 + (uint64_t)timeout_ms;
    int fd = -1, err = UV_ECONNREFUSED;
    for (struct addrinfo *i = found; i && fd < 0; i = i->ai_next)
        err = healthcheck_open(i, deadline, &fd);
    freeaddrinfo(found);
    if (!err) {
        err = healthcheck_ask(fd, where, deadline, status);
        close(fd);
    }
    if (err)
        snprintf(why, size, "%s: %s", where, uv_strerror(err));
    else if (strncmp(status, "HTTP/1.", 7) != 0 || strncmp(status + 8, " 200", 4) != 0) {
        snprintf(why, size, "%s: it answers '%.*s'", where, (int)strcspn(status, "\r\n"), status);
        err = UV_EPROTO;
    }
    return err;
}
