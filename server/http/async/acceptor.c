/* acceptor.c - see acceptor.h. */
#include "acceptor.h"
#include "server/base/list.h"
#include "connection.h"
#include "turn.h"
#include "server/http/client_socket.h"
#include "server/http/listen/listener.h"
#include "server/http/listen/listening_sockets.h"
#include "server/base/log.h"

#include <errno.h>
#include <sys/socket.h>

static void acceptor_on_ready(uv_poll_t *uv, int status, int events);

static void acceptor_on_timer(timer *t)
{
    acceptor *a = container_of(t, acceptor, again);
    uv_poll_start(&a->uv, UV_READABLE, acceptor_on_ready);
}

static void acceptor_on_ready(uv_poll_t *uv, int status, int events)
{
    (void)status, (void)events;
    acceptor *a = container_of(uv, acceptor, uv);
    loop_enter();
    while (!turn_is_over(uv_hrtime())) {
        const int fd = client_socket_accept(a->fd, SOCK_NONBLOCK);
        if (fd >= 0) {
            connection_begin(fd, a->listener);
            if (a->shared)
                break;                       /* it can still be read, for all who share it: the next one may be another's */
            continue;
        }
        if (fd != UV_EAGAIN) {
            log_warning("cannot accept a connection: %s", uv_strerror(fd));
            uv_poll_stop(&a->uv);
            timer_set(&a->again, ACCEPT_PAUSE, acceptor_on_timer);
        }
        break;
    }
    loop_leave();
}

int acceptor_open(acceptor *a, int fd, int listener, bool shared)
{
    *a = (acceptor){ .fd = fd, .listener = listener, .shared = shared };
    const int err = listen(fd, LISTENER_BACKLOG) ? -errno : uv_poll_init(loop_here(), &a->uv, fd);
    if (err)
        listening_socket_close(fd);
    else
        uv_poll_start(&a->uv, UV_READABLE, acceptor_on_ready);
    return err;
}

void acceptor_drop(acceptor *a)
{
    uv_close((uv_handle_t *)&a->uv, NULL);
    listening_socket_close(a->fd);
}

void acceptor_close(acceptor *a)
{
    if (!listening_socket_stays(a->fd))
        for (int fd; (fd = client_socket_accept(a->fd, SOCK_NONBLOCK)) >= 0;)
            connection_begin(fd, a->listener);
    timer_stop(&a->again);
    acceptor_drop(a);
}
