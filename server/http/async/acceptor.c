/* acceptor.c - see acceptor.h. */
#include "acceptor.h"
#include "connection.h"
#include "turn.h"
#include "server/http/listener.h"
#include "server/base/log.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAUSE = 100 };                        /* ms, after which there may be room again */

/* A client, or -1: there is none, or no room for one. */
static int acceptor_accept(const acceptor *a)
{
    for (;;) {
        const int fd = accept4(a->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        const bool next = errno == EINTR || errno == ECONNABORTED || errno == EPROTO;        /* this one has gone */
        if (fd >= 0 || !next)
            return fd;
    }
}

static void acceptor_on_ready(uv_poll_t *uv, int status, int events);

static void acceptor_on_timer(timer *t)
{
    acceptor *a = (acceptor *)((char *)t - offsetof(acceptor, again));
    uv_poll_start(&a->uv, UV_READABLE, acceptor_on_ready);
}

static void acceptor_accept_some(acceptor *a)
{
    while (!turn_is_over(uv_hrtime())) {
        const int fd = acceptor_accept(a);
        if (fd >= 0) {
            connection_begin(fd);
            continue;
        }
        if (errno != EAGAIN && errno != EWOULDBLOCK) {
            log_warning("cannot accept a connection: %s", uv_strerror(-errno));
            uv_poll_stop(&a->uv);
            timer_set(&a->again, PAUSE, acceptor_on_timer);
        }
        return;
    }
}

static void acceptor_on_ready(uv_poll_t *uv, int status, int events)
{
    (void)status, (void)events;
    loop_enter();
    acceptor_accept_some((acceptor *)((char *)uv - offsetof(acceptor, uv)));
    loop_leave();
}

int acceptor_open(acceptor *a, int fd)
{
    *a = (acceptor){ .fd = fd };
    int err = listen(fd, LISTENER_BACKLOG) ? -errno : uv_poll_init(loop_here(), &a->uv, fd);
    if (!err)
        err = uv_poll_start(&a->uv, UV_READABLE, acceptor_on_ready);
    if (err)
        close(fd);
    return err;
}

void acceptor_close(acceptor *a)
{
    for (int fd; (fd = acceptor_accept(a)) >= 0;)
        connection_begin(fd);
    timer_stop(&a->again);
    uv_close((uv_handle_t *)&a->uv, NULL);
    close(a->fd);
}
