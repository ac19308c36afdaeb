/* transport.c - see connection.h: bytes come in, and go out. */
#include "connection.h"
#include "server/http/client_socket.h"
#include "server/base/blocking_wait.h"
#include "server/base/observe/slowest.h"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* Behind what has not been used; what was used makes room. */
static receive_result transport_receive(thread_connection *c, size_t most, int flags)
{
    if (c->at > 0) {
        memmove(c->input, c->input + c->at, c->end - c->at);
        c->end -= c->at;
        c->at = 0;
    }
    if (most > THREAD_INPUT - c->end)
        most = THREAD_INPUT - c->end;
    const ssize_t n = client_socket_receive(c->fd, c->input + c->end, most, flags);
    if (n < 0)
        return n == UV_EAGAIN ? RECEIVE_TIMEOUT : RECEIVE_END;
    c->end += (size_t)n;
    return RECEIVE_BYTES;
}

receive_result transport_receive_now(thread_connection *c) { return transport_receive(c, THREAD_INPUT, MSG_DONTWAIT); }

receive_result transport_receive_until(thread_connection *c, uint64_t until)
{
    struct pollfd client = { c->fd, POLLIN, 0 };
    for (;;) {
        const int64_t left = (int64_t)(until - deadline_in(0));
        if (left <= 0)
            return RECEIVE_TIMEOUT;
        const int n = poll(&client, 1, (int)(left / 1000000 + 1));
        if (n >= 0)
            return n == 0 ? RECEIVE_TIMEOUT : transport_receive_now(c);
        if (errno != EINTR)
            return RECEIVE_END;
    }
}

/* The usual wait is one system call: the socket's own time limit is that of its first request, then the idle time. */
receive_result transport_receive_next(thread_connection *c)
{
    if (c->end > c->at)
        return RECEIVE_BYTES;
    transport_send(c);
    if (c->gone)
        return RECEIVE_END;
    atomic_store(&c->idle, true);            /* thousands may each have sent much: it stays in the kernel */
    const receive_result r = transport_receive(c, c->shared->config->limits.head, 0);
    atomic_store(&c->idle, false);
    return r;
}

int transport_take_body(thread_connection *c, body *b)
{
    const long taken = body_take(b, c->input + c->at, c->end - c->at);
    if (taken < 0)
        return (int)taken;
    c->at += (size_t)taken;
    return 0;
}

/* A look now and then: a thread that waits for a stream may be told to wait no longer. */
static receive_result transport_receive_body(thread_connection *c, const body *b, uint64_t until)
{
    receive_result came = RECEIVE_TIMEOUT;
    while (came == RECEIVE_TIMEOUT && deadline_in(0) < until && !(b->streams && atomic_load(&c->shared->breaking_off))) {
        const uint64_t look = deadline_in(BLOCKING_LOOK_MS);
        came = transport_receive_until(c, b->streams && look < until ? look : until);
    }
    return came;
}

int transport_wait_for_body(thread_connection *c, request *r)
{
    body *b = r->body;
    uint64_t begun = 0;                      /* 0: it has not waited yet */
    request_send_continue(r, c->at < c->end);
    for (;;) {
        const int err = transport_take_body(c, b);
        if (err)
            return err;
        if (!body_wants(b))
            break;
        if (!begun) {
            transport_send(c);
            begun = deadline_in(0);
        }
        if (c->gone)
            return UV_EOF;
        const uint64_t until = begun + body_patience(b, c->shared->config->timeouts.body) * 1000000;
        switch (transport_receive_body(c, b, until)) {
        case RECEIVE_BYTES: break;
        case RECEIVE_END: return UV_EOF;
        case RECEIVE_TIMEOUT: return deadline_in(0) < until ? UV_ESHUTDOWN : HTTP_STATUS(408);
        }
    }
    body_waited(b, begun ? (deadline_in(0) - begun) / 1000000 : 0);
    return 0;
}

bool transport_is_quiet(const thread_connection *c)
{
    int unread = 0;
    ioctl(c->fd, FIONREAD, &unread);
    return c->at == c->end && unread == 0;
}

void transport_linger(thread_connection *c)
{
    const uint64_t until = deadline_in(LINGER_TIMEOUT);
    if (!client_socket_begin_linger(c->fd))
        return;
    atomic_store(&c->idle, true);
    do
        c->at = c->end = 0;
    while (transport_receive_until(c, until) == RECEIVE_BYTES);
}

/* Each call blocks for a quarter of the time limit (connection.c sets it), to see a slow client get on. */
void transport_send(thread_connection *c)
{
    if (!c->out.first)
        return;
    const uint64_t most = c->shared->config->timeouts.write;
    uint64_t until = deadline_in(most);
    int before = INT32_MAX;

    while (c->out.first && !c->gone) {
        const ssize_t n = client_socket_send(c->fd, &c->out);
        const int unsent = n == UV_EAGAIN ? client_socket_unsent(c->fd) : before;
        if (n > 0 || unsent < before)
            until = deadline_in(most);
        else if (n != UV_EAGAIN || deadline_in(0) >= until)
            c->gone = true;
        before = unsent;
    }
    if (c->gone)
        output_free(&c->out);
    slowest_written(c, !c->gone);
}
