/* channel.c - see channel.h. */
#include "channel.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

void channels_init(channels *c)
{
    c->listeners = (list){ 0 };
    uv_mutex_init(&c->lock);
}

void channels_done(channels *c) { uv_mutex_destroy(&c->lock); }

void channel_listener_wake(channel_listener *l)
{
    if (!atomic_exchange(&l->told, true))
        eventfd_write(l->fd, 1);
}

void channels_tell(channels *c, const char *name)
{
    if (!name)
        return;
    uv_mutex_lock(&c->lock);
    for (list_node *n = c->listeners.first; n; n = n->next) {
        channel_listener *l = container_of(n, channel_listener, node);
        if (strcmp(l->name, name) == 0)
            channel_listener_wake(l);
    }
    uv_mutex_unlock(&c->lock);
}

int channel_listener_open(channel_listener *l, channels *c, const char *name)
{
    const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return -errno;
    *l = (channel_listener){ .all = c, .name = name, .fd = fd };
    uv_mutex_lock(&c->lock);
    list_push(&c->listeners, &l->node);
    uv_mutex_unlock(&c->lock);
    return 0;
}

void channel_listener_close(channel_listener *l)
{
    uv_mutex_lock(&l->all->lock);
    list_remove(&l->node);
    uv_mutex_unlock(&l->all->lock);
    close(l->fd);
}

/* Emptied first: who tells between the two is one of those that are taken here. */
bool channel_listener_take(channel_listener *l)
{
    eventfd_t times;
    eventfd_read(l->fd, &times);
    return atomic_exchange(&l->told, false);
}
