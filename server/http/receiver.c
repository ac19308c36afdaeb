/* receiver.c - see conversation.h: bytes come in. */
#include "conversation.h"
#include "patience.h"
#include "server/async/plain.h"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

/* What was used makes room. */
static void shift(conversation *c)
{
    if (c->at == 0)
        return;
    memmove(c->input, c->input + c->at, c->end - c->at);
    c->end -= c->at;
    c->at = 0;
}

static received receive(conversation *c, int flags)
{
    ssize_t n;
    shift(c);
    do
        n = recv(c->fd, c->input + c->end, INPUT - c->end, flags);
    while (n < 0 && errno == EINTR);
    if (n > 0) {
        c->end += (size_t)n;
        return RECEIVED;
    }
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? LATE : ENDED;
}

received receiver_more(conversation *c, uint64_t until)
{
    const int64_t left = (int64_t)(until - plain_in(0));
    struct pollfd client = { c->fd, POLLIN, 0 };
    if (left <= 0)
        return LATE;
    const int n = poll(&client, 1, (int)(left / 1000000 + 1));
    if (n < 0)
        return errno == EINTR ? receiver_more(c, until) : ENDED;
    return n == 0 ? LATE : receive(c, MSG_DONTWAIT);
}

/* The usual wait is one system call: the socket's own time limit is the idle time. */
received receiver_idle(conversation *c)
{
    received r;
    if (c->end > c->at)
        return RECEIVED;
    atomic_store(&c->idle, true);
    if (atomic_load(&c->talk->draining))     /* this first, then that: whoever drains does it the other way round */
        r = receiver_more(c, plain_in(GRACE));
    else
        r = receive(c, 0);
    atomic_store(&c->idle, false);
    return r;
}

bool receiver_quiet(conversation *c)
{
    int unread = 0;
    ioctl(c->fd, FIONREAD, &unread);
    return c->at == c->end && unread == 0;
}

/* To close while the client is still sending would reset the connection, and it might never see our
 * answer: say that we are done, and read on for a while (RFC 9112, 9.6). */
void receiver_linger(conversation *c)
{
    const uint64_t until = plain_in(LINGER);
    if (shutdown(c->fd, SHUT_WR))
        return;
    do
        c->at = c->end = 0;
    while (receiver_more(c, until) == RECEIVED);
}
