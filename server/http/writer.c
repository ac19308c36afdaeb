/* writer.c - see connection.h: answers leave in one system call; what the kernel does not take waits. */
#include "connection.h"
#include "server/memory.h"

#include <assert.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

enum { BUFFERS = 32 };                       /* chunks in one system call */

struct write {
    uv_write_t  uv;
    connection *connection;
    output      out;
    size_t      left;                        /* bytes that the client had not taken when last looked at */
    size_t      counted;                     /* of out, in the worker's sum */
};

size_t writer_backlog(const connection *c)
{
    return c->out.length + (c->writing ? c->writing->out.length : 0);
}

/* Each slow reader may hold as much as is left for all: so few may hold much, many get equal shares, and there is always
 * something left (A. Choudhury, E. Hahne, "Dynamic Queue Length Thresholds", IEEE/ACM Transactions on Networking, 1998). */
static size_t share(void)
{
    const size_t all = worker_here->config->limits.outputs, used = worker_here->unwritten;
    return used < all ? all - used : 0;
}

size_t writer_share(const request *r)
{
    (void)r;
    return share();
}

/* Once slow readers have used up half of what they may, nothing is made for one that has not taken what was. */
bool writer_has_room(const connection *c)
{
    const size_t most = worker_here->config->limits.output, backlog = writer_backlog(c), left = share();
    const bool waits = c->writing && c->count > 0;
    return backlog <= most && backlog <= left && (!waits || left >= worker_here->config->limits.outputs / 2);
}

bool writer_got_on(connection *c)
{
    struct write *w = c->writing;
    const size_t before = w->left;
    int fd, in_kernel = 0;                   /* there may be megabytes there: more than a slow one takes in time */
    if (uv_fileno((uv_handle_t *)c, &fd) == 0)
        ioctl(fd, SIOCOUTQ, &in_kernel);
    w->left = uv_stream_get_write_queue_size((uv_stream_t *)c) + (size_t)in_kernel;
    return w->left < before;
}

static void wrote(struct write *w, int status)
{
    connection *c = w->connection;
    worker_here->unwritten -= w->counted;
    output_free(&w->out);
    mem_free(w);
    c->writing = NULL;
    if (c->closing)
        return;
    c->since = (uint32_t)timer_now();                  /* the client has taken some: what follows has time anew */
    if (status < 0) {
        connection_abandon(c);
        return;
    }
    writer_flush(c);
}

static void on_written(uv_write_t *uv, int status)
{
    loop_enter();
    wrote((struct write *)uv, status);
    loop_leave();
}

static unsigned gather_buffers(const output *o, uv_buf_t buffers[BUFFERS])
{
    unsigned n = 0;
    for (chunk *k = o->first; k && n < BUFFERS; k = k->next)
        buffers[n++] = uv_buf_init(k->bytes + k->sent, k->used - k->sent);
    return n;
}

/* What the kernel did not take is written when it can; its chunks belong to the write until then. */
static void write_later(connection *c)
{
    uv_buf_t buffers[BUFFERS];
    struct write *w = mem_alloc(sizeof *w);
    w->connection = c;
    c->writing = w;
    const unsigned count = gather_buffers(&c->out, buffers);
    output_move(&w->out, &c->out);
    if (count == BUFFERS)                    /* the rest stays in line behind it */
        output_split(&w->out, BUFFERS, &c->out);
    w->counted = w->out.length;
    worker_here->unwritten += w->counted;
    if (uv_write(&w->uv, (uv_stream_t *)c, buffers, count, on_written))
        wrote(w, UV_EPIPE);
    else
        writer_got_on(c);
}

static int write_now(connection *c)
{
    uv_buf_t buffers[BUFFERS];
    const unsigned count = gather_buffers(&c->out, buffers);
    const int n = uv_try_write((uv_stream_t *)c, buffers, count);
    if (n > 0)
        output_sent(&c->out, (size_t)n);
    return n;
}

void writer_push(connection *c)
{
    while (!c->closing && c->out.first && !c->writing) {
        const int n = write_now(c);
        if (n == UV_EAGAIN)
            write_later(c);
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
    if (c->first && !c->writing)
        writer_wake(c->first, 0);
    if (c->ending && !c->first && !c->writing && !c->out.first)
        connection_finish(c);
    else if (c->blocked || c->paused)
        reader_go_on(c);
    if (!c->closing && !c->busy)
        connection_watch(c);
}

static void on_turn_end(ready *r)
{
    connection *c = (connection *)((char *)r - offsetof(connection, turn_end));
    c->flushing = false;
    if (c->closing)
        connection_free_if_done(c);
    else
        writer_flush(c);
}

void writer_flush_soon(connection *c)
{
    if (c->flushing || c->busy)              /* reader_use flushes when it is done */
        return;
    c->flushing = true;
    c->turn_end.run = on_turn_end;
    loop_at_turn_end(&c->turn_end);
}

void writer_flush_next_turn(connection *c)
{
    if (c->flushing)                         /* in this one, then */
        return;
    c->flushing = true;
    c->turn_end.run = on_turn_end;
    worker_next_turn(&c->turn_end);
}

static void stop_waiting(promise *p, void *arg)
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
    return r->waiting = promise_new(stop_waiting, r);
}
