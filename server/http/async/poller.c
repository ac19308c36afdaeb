/* poller.c - see poller.h. */
#include "poller.h"
#include "server/base/list.h"
#include "server/async/loop.h"
#include "server/base/memory.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

static poller *poller_of_uv(uv_poll_t *uv) { return container_of(uv, poller, uv); }

static bool poller_hand_out(poller *p)
{
    while (p->at < p->got) {
        const struct epoll_event *e = &p->events[p->at];
        void *connection = e->data.fd < p->size ? p->connections[e->data.fd] : NULL;
        bool done = true;
        if (connection) {                    /* else it was removed since */
            loop_enter();
            done = p->ready(connection, e->events);
            loop_leave();
        }
        if (!done)
            return false;
        p->at++;
    }
    return true;
}

static void poller_on_ready(uv_poll_t *uv, int status, int events)
{
    poller *p = poller_of_uv(uv);
    (void)status, (void)events;
    if (!poller_hand_out(p))
        return;
    p->at = 0;
    p->got = epoll_wait(p->epoll, p->events, POLLER_BATCH, 0);
    if (p->got > 0)
        poller_hand_out(p);
}

int poller_open(poller *p, bool (*ready)(void *connection, uint32_t events))
{
    *p = (poller){ .epoll = epoll_create1(EPOLL_CLOEXEC), .ready = ready };
    if (p->epoll < 0)
        return -errno;
    const int err = uv_poll_init(loop_here(), &p->uv, p->epoll);
    if (err) {
        close(p->epoll);
        return err;
    }
    uv_poll_start(&p->uv, UV_READABLE, poller_on_ready);
    uv_unref((uv_handle_t *)&p->uv);
    return 0;
}

static void poller_on_closed(uv_handle_t *uv)
{
    poller *p = poller_of_uv((uv_poll_t *)uv);
    close(p->epoll);
    mem_free(p->connections);
}

void poller_close(poller *p)
{
    assert(p->count == 0);
    uv_close((uv_handle_t *)&p->uv, poller_on_closed);
}

void poller_add(poller *p, int fd, void *connection)
{
    if (fd >= p->size) {
        const int size = fd < 64 ? 64 : fd + fd / 2;
        p->connections = mem_resize(p->connections, (size_t)size * sizeof *p->connections);
        memset(p->connections + p->size, 0, (size_t)(size - p->size) * sizeof *p->connections);
        p->size = size;
    }
    p->connections[fd] = connection;
    if (p->count++ == 0)
        uv_ref((uv_handle_t *)&p->uv);
}

void poller_remove(poller *p, int fd)
{
    epoll_ctl(p->epoll, EPOLL_CTL_DEL, fd, NULL);            /* another process may have a copy: closing would not end it */
    p->connections[fd] = NULL;
    if (--p->count == 0)
        uv_unref((uv_handle_t *)&p->uv);
}

/* One that waits for nothing is not in it: it would be told of a hang-up all the time. */
int poller_watch(poller *p, int fd, uint32_t before, uint32_t now)
{
    struct epoll_event e = { .events = now, .data.fd = fd };
    const int how = !before ? EPOLL_CTL_ADD : now ? EPOLL_CTL_MOD : EPOLL_CTL_DEL;
    return before == now || epoll_ctl(p->epoll, how, fd, &e) == 0 ? 0 : -errno;
}

void poller_each(poller *p, void (*visit)(void *connection, void *arg), void *arg)
{
    for (int fd = 0; fd < p->size; fd++)
        if (p->connections[fd])
            visit(p->connections[fd], arg);
}
