/* writer.c - see connection.h: answers leave in one system call; what the kernel does not take waits. */
#include "connection.h"
#include "server/base/list.h"
#include "turn.h"
#include "server/base/memory.h"
#include "server/base/observe/slowest.h"
#include "server/http/client_socket.h"

#include <assert.h>

struct write {
    size_t  sent;                            /* bytes that the kernel has taken since */
    ssize_t taken;                           /* of them, those that the client had at the last look; at first below 0 */
    size_t  counted;                         /* bytes of the connection's output in the worker's sum */
};

static _Thread_local pool writes = POOL(struct write);

size_t writer_backlog(const connection *c) { return c->out.length; }

/* Each slow reader may hold as much as is left for all: so few may hold much, many get equal shares, and there is always
 * something left (A. Choudhury, E. Hahne, "Dynamic Queue Length Thresholds", IEEE/ACM Transactions on Networking, 1998). */
static size_t writer_left_for_all(void)
{
    const size_t all = worker_here->config->limits.outputs, used = worker_here->unwritten;
    return used < all ? all - used : 0;
}

size_t writer_share(const request *r)
{
    (void)r;
    return writer_left_for_all();
}

/* Once slow readers have used up half of what they may, nothing is made for one that has not taken what was. */
bool writer_has_room(const connection *c)
{
    const size_t most = worker_here->config->limits.output, backlog = writer_backlog(c), left = writer_left_for_all();
    const bool waits = c->writing && c->count > 0;
    return backlog <= most && backlog <= left && (!waits || left >= worker_here->config->limits.outputs / 2);
}

bool writer_got_on(connection *c)
{
    struct write *w = c->writing;
    const ssize_t before = w->taken;
    w->taken = (ssize_t)w->sent - client_socket_unsent(c->fd);
    return w->taken > before;
}

static void writer_count(const connection *c, struct write *w)
{
    worker_here->unwritten += c->out.length - w->counted;
    w->counted = c->out.length;
}

/* What the kernel did not take stays in the output, and is sent when it can be. */
static void writer_wait(connection *c)
{
    struct write *w = c->writing = pool_get(&writes);
    *w = (struct write){ 0 };
    writer_count(c, w);
    writer_got_on(c);
    connection_poll(c);
}

void writer_forget(connection *c)
{
    struct write *w = c->writing;
    if (!w)
        return;
    worker_here->unwritten -= w->counted;
    pool_put(&writes, w);
    c->writing = NULL;
}

void writer_go_on(connection *c)
{
    struct write *w = c->writing;
    ssize_t n = 0;
    while (c->out.first && (n = client_socket_send(c->fd, &c->out)) >= 0)
        w->sent += (size_t)n;
    if (n < 0 && n != UV_EAGAIN) {
        connection_abandon(c);
        return;
    }
    writer_count(c, w);
    if (c->out.first)
        return;
    writer_forget(c);
    c->since = (uint32_t)timer_now();        /* the client has taken some: what follows has time anew */
    connection_poll(c);
    if (!c->closing)
        writer_flush(c);
}

void writer_push(connection *c)
{
    while (!c->closing && c->out.first && !c->writing) {
        const ssize_t n = client_socket_send(c->fd, &c->out);
        if (n == UV_EAGAIN)
            writer_wait(c);
        else if (n < 0)
            connection_abandon(c);
    }
}

void writer_wake(request *r, int err)
{
    promise *room = r->waits ? NULL : r->waiting;
    if (!room)
        return;
    r->waiting = NULL;
    promise_settle(room, err);
}

void writer_flush(connection *c)
{
    writer_push(c);
    if (c->closing)
        return;
    if (!c->writing && !c->first)
        slowest_written(c, true);
    if (c->first && !c->writing)
        writer_wake(c->first, 0);
    if (!c->writing && upgrade_is_there(c))
        upgrade_go_on(c);
    if (c->ending && !c->first && !c->writing && !c->out.first)
        connection_finish(c);
    else if (c->blocked || c->paused)
        reader_go_on(c);
    if (!c->closing && !c->busy)
        connection_watch(c);
}

static void writer_on_turn_end(ready *r)
{
    connection *c = container_of(r, connection, turn_end);
    c->flushing = false;
    if (c->closing)
        connection_free_if_done(c);
    else
        writer_flush(c);
}

void writer_flush_soon(connection *c)
{
    if (!c->busy)                            /* else reader_use flushes when it is done */
        writer_end_turn(c);
}

void writer_end_turn(connection *c)
{
    if (c->flushing)
        return;
    c->flushing = true;
    c->turn_end.run = writer_on_turn_end;
    loop_at_turn_end(&c->turn_end);
}

void writer_flush_next_turn(connection *c)
{
    if (c->flushing)                         /* in this one, then */
        return;
    c->flushing = true;
    c->turn_end.run = writer_on_turn_end;
    turn_put_off(&c->turn_end);
}

static void writer_on_cancel(promise *p, void *arg)
{
    (void)p;
    writer_wake(arg, UV_ECANCELED);
}

promise *writer_room(request *r)
{
    connection *c = r->connection;
    assert(!r->waiting && "each piece is awaited before the next");
    if (r == c->first)
        writer_push(c);                      /* and no more: a task may be calling, which must not start others */
    if (r->gone)
        return promise_settled(UV_ECANCELED);
    if (r == c->first && !c->writing)
        return promise_settled(0);
    if (!c->busy)
        connection_watch(c);
    return r->waiting = promise_new(writer_on_cancel, r);
}
