/* receiver.c - see connection.h: bytes come in. */
#include "connection.h"
#include "server/http/message/client_timeouts.h"
#include "server/base/blocking_wait.h"

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

static received receive(conversation *c, size_t most, int flags)
{
    ssize_t n;
    shift(c);
    if (most > INPUT - c->end)
        most = INPUT - c->end;
    do
        n = recv(c->fd, c->input + c->end, most, flags);
    while (n < 0 && errno == EINTR);
    if (n > 0) {
        c->end += (size_t)n;
        return RECEIVED;
    }
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? LATE : ENDED;
}

received receiver_more(conversation *c, uint64_t until)
{
    const int64_t left = (int64_t)(until - deadline_in(0));
    struct pollfd client = { c->fd, POLLIN, 0 };
    if (left <= 0)
        return LATE;
    const int n = poll(&client, 1, (int)(left / 1000000 + 1));
    if (n < 0)
        return errno == EINTR ? receiver_more(c, until) : ENDED;
    return n == 0 ? LATE : receive(c, INPUT, MSG_DONTWAIT);
}

/* The usual wait is one system call: the socket's own time limit is that of its first request, then the idle time. */
received receiver_idle(conversation *c)
{
    received r;
    if (c->end > c->at)
        return RECEIVED;
    atomic_store(&c->idle, true);
    r = receive(c, c->talk->config->limits.head, 0);         /* thousands may each have sent much: it stays in the kernel */
    atomic_store(&c->idle, false);
    return r;
}

/* A look now and then: who waits for a stream may be told to wait no longer. */
static received more_of_body(conversation *c, const body *b, uint64_t until)
{
    received came = LATE;
    while (came == LATE && deadline_in(0) < until && !(b->streams && atomic_load(&c->talk->breaking_off))) {
        const uint64_t look = deadline_in(BLOCKING_LOOK_MS);
        came = receiver_more(c, b->streams && look < until ? look : until);
    }
    return came;
}

int receiver_take(conversation *c, body *b)
{
    const long taken = body_take(b, c->input + c->at, c->end - c->at);
    if (taken < 0)
        return (int)taken;
    c->at += (size_t)taken;
    return 0;
}

static int wait_for_body(conversation *c, body *b)
{
    const uint64_t begun = deadline_in(0);
    for (;;) {
        const int err = receiver_take(c, b);
        if (err)
            return err;
        if (!body_wants(b))
            break;
        const uint64_t until = begun + body_patience(b, c->talk->config->timeouts.body) * 1000000;
        switch (more_of_body(c, b, until)) {
        case RECEIVED: break;
        case ENDED:    return UV_EOF;
        case LATE:     return deadline_in(0) < until ? UV_ESHUTDOWN : HTTP_STATUS(408);
        }
    }
    body_waited(b, (deadline_in(0) - begun) / 1000000);
    return 0;
}

int receiver_body(conversation *c, request *r)
{
    body *b = r->body;
    if (b->unannounced && c->at == c->end) {
        output_append(&c->out, TEXT("HTTP/1.1 100 Continue\r\n\r\n"));
        sender_push(c);
    }
    return c->gone ? UV_EOF : wait_for_body(c, b);
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
    const uint64_t until = deadline_in(LINGER_TIMEOUT);
    if (shutdown(c->fd, SHUT_WR))
        return;
    atomic_store(&c->idle, true);
    do
        c->at = c->end = 0;
    while (receiver_more(c, until) == RECEIVED);
}
