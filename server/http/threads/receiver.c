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
static void receiver_shift(thread_connection *c)
{
    if (c->at == 0)
        return;
    memmove(c->input, c->input + c->at, c->end - c->at);
    c->end -= c->at;
    c->at = 0;
}

static receive_result receiver_receive(thread_connection *c, size_t most, int flags)
{
    ssize_t n;
    receiver_shift(c);
    if (most > THREAD_INPUT - c->end)
        most = THREAD_INPUT - c->end;
    do
        n = recv(c->fd, c->input + c->end, most, flags);
    while (n < 0 && errno == EINTR);
    if (n > 0) {
        c->end += (size_t)n;
        return RECEIVE_BYTES;
    }
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? RECEIVE_TIMEOUT : RECEIVE_END;
}

receive_result receiver_more(thread_connection *c, uint64_t until)
{
    const int64_t left = (int64_t)(until - deadline_in(0));
    struct pollfd client = { c->fd, POLLIN, 0 };
    if (left <= 0)
        return RECEIVE_TIMEOUT;
    const int n = poll(&client, 1, (int)(left / 1000000 + 1));
    if (n < 0)
        return errno == EINTR ? receiver_more(c, until) : RECEIVE_END;
    return n == 0 ? RECEIVE_TIMEOUT : receiver_receive(c, THREAD_INPUT, MSG_DONTWAIT);
}

/* The usual wait is one system call: the socket's own time limit is that of its first request, then the idle time. */
receive_result receiver_idle(thread_connection *c)
{
    receive_result r;
    if (c->end > c->at)
        return RECEIVE_BYTES;
    atomic_store(&c->idle, true);
    r = receiver_receive(c, c->shared->config->limits.head, 0);      /* thousands may each have sent much: it stays in the kernel */
    atomic_store(&c->idle, false);
    return r;
}

/* A look now and then: who waits for a stream may be told to wait no longer. */
static receive_result receiver_more_of_body(thread_connection *c, const body *b, uint64_t until)
{
    receive_result came = RECEIVE_TIMEOUT;
    while (came == RECEIVE_TIMEOUT && deadline_in(0) < until && !(b->streams && atomic_load(&c->shared->breaking_off))) {
        const uint64_t look = deadline_in(BLOCKING_LOOK_MS);
        came = receiver_more(c, b->streams && look < until ? look : until);
    }
    return came;
}

int receiver_take(thread_connection *c, body *b)
{
    const long taken = body_take(b, c->input + c->at, c->end - c->at);
    if (taken < 0)
        return (int)taken;
    c->at += (size_t)taken;
    return 0;
}

static int receiver_wait_for_body(thread_connection *c, body *b)
{
    const uint64_t begun = deadline_in(0);
    for (;;) {
        const int err = receiver_take(c, b);
        if (err)
            return err;
        if (!body_wants(b))
            break;
        const uint64_t until = begun + body_patience(b, c->shared->config->timeouts.body) * 1000000;
        switch (receiver_more_of_body(c, b, until)) {
        case RECEIVE_BYTES: break;
        case RECEIVE_END:    return UV_EOF;
        case RECEIVE_TIMEOUT:     return deadline_in(0) < until ? UV_ESHUTDOWN : HTTP_STATUS(408);
        }
    }
    body_waited(b, (deadline_in(0) - begun) / 1000000);
    return 0;
}

int receiver_body(thread_connection *c, request *r)
{
    body *b = r->body;
    if (b->unannounced && c->at == c->end) {
        output_append(&c->out, TEXT("HTTP/1.1 100 Continue\r\n\r\n"));
        sender_push(c);
    }
    return c->gone ? UV_EOF : receiver_wait_for_body(c, b);
}

bool receiver_quiet(thread_connection *c)
{
    int unread = 0;
    ioctl(c->fd, FIONREAD, &unread);
    return c->at == c->end && unread == 0;
}

/* To close while the client is still sending would reset the connection, and it might never see our
 * answer: say that we are done, and read on for a while (RFC 9112, 9.6). */
void receiver_linger(thread_connection *c)
{
    const uint64_t until = deadline_in(LINGER_TIMEOUT);
    if (shutdown(c->fd, SHUT_WR))
        return;
    atomic_store(&c->idle, true);
    do
        c->at = c->end = 0;
    while (receiver_more(c, until) == RECEIVE_BYTES);
}
