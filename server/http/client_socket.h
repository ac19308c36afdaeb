/* client_socket.h - a client's socket, as loops and threads both use it.
 *
 *   Linger.  To close while the client is still sending would reset the connection, and the client might never see the
 *            answer: so the server says that it is done, and reads on for a while (RFC 9112, 9.6). */
#ifndef HTTP_CLIENT_SOCKET_H
#define HTTP_CLIENT_SOCKET_H

#include "output.h"
#include "server/base/observe/shard.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <uv.h>

enum {
    ACCEPT_PAUSE = 100,                      /* ms without accepting when the process has no descriptor left */
    HALF_CLOSE_TIMEOUT = 1000,               /* ms for the answers to a client that has left, if it has */
    LINGER_TIMEOUT = 2000,                   /* ms for a refused client to read why, before the reset */
};

/* A client of that listening socket, with flags of accept4 for its own, or libuv's error: UV_EAGAIN if there is none. */
int  client_socket_accept(int listener, int flags);

/* How many bytes have come, or UV_EOF, or libuv's error: UV_EAGAIN if none have. flags are recv's. */
static inline ssize_t client_socket_receive(int fd, char *to, size_t most, int flags)
{
    ssize_t n;
    do
        n = recv(fd, to, most, flags);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        shard_add(SHARD_RECEIVED, n);
    return n > 0 ? n : n == 0 ? UV_EOF : -errno;
}

/* How many bytes of o have left, or libuv's error: UV_EAGAIN if the kernel takes none. */
ssize_t client_socket_send(int fd, output *o);

/* How many bytes the kernel has which the client has not: there may be megabytes, more than a slow client takes in time. */
int  client_socket_unsent(int fd);

/* From now on the connection fails when the client has for so many milliseconds neither acknowledged what it was sent, nor
 * had room for it. */
void client_socket_limit_silence(int fd, uint64_t ms);

/* Ends the connection by a reset: the client sees that what it has is not all. What was not read is lost; fd stays open. */
void client_socket_reset(int fd);

/* Tells a client why there is no room for it, a REFUSED error: its socket is the caller's to close. */
void client_socket_turn_away(int fd, int err);

/* No more will be sent: the client may read what was. False if it is gone anyway. */
bool client_socket_begin_linger(int fd);

#endif
