/* client_socket.c - see client_socket.h. */
#include "client_socket.h"
#include "request_internal.h"

#include <limits.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

int client_socket_accept(int listener, int flags)
{
    for (;;) {
        const int fd = accept4(listener, NULL, NULL, flags | SOCK_CLOEXEC);
        if (fd >= 0)
            return fd;
        if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)      /* else this client has gone: the next one */
            return -errno;
    }
}

ssize_t client_socket_send(int fd, output *o)
{
    enum { PARTS = 32 };                     /* chunks in one system call */
    struct iovec parts[PARTS];
    size_t count = 0;
    ssize_t n;
    for (const chunk *k = o->first; k && count < PARTS; k = k->next) {
        const text left = chunk_left(k);
        parts[count++] = (struct iovec){ (void *)(uintptr_t)left.at, left.length };
    }
    const struct msghdr m = { .msg_iov = parts, .msg_iovlen = count };
    do
        n = sendmsg(fd, &m, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    output_sent(o, (size_t)n);
    shard_add(SHARD_SENT, n);
    return n;
}

int client_socket_unsent(int fd)
{
    int bytes = 0;
    ioctl(fd, SIOCOUTQ, &bytes);
    return bytes;
}

void client_socket_limit_silence(int fd, uint64_t ms)
{
    const unsigned most = ms < UINT_MAX ? (unsigned)ms : UINT_MAX;
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &most, sizeof most);       /* of a socket that is none of TCP: none */
}

/* As connect(2) says: to no address is to dissolve the connection. A thread that waits for the socket wakes up. */
void client_socket_reset(int fd)
{
    const struct sockaddr none = { .sa_family = AF_UNSPEC };
    if (connect(fd, &none, sizeof none))
        shutdown(fd, SHUT_RDWR);
}

bool client_socket_begin_linger(int fd) { return shutdown(fd, SHUT_WR) == 0; }

void client_socket_turn_away(int fd, int err)
{
    char words[1536], unread[4096];
    send(fd, words, request_render_refusal(err, false, false, words, sizeof words), MSG_DONTWAIT | MSG_NOSIGNAL);
    /* A close with bytes unread would be a reset, and the client would not read this. */
    for (int i = 0; i < 16 && recv(fd, unread, sizeof unread, MSG_DONTWAIT) == sizeof unread; i++)
        ;
}
