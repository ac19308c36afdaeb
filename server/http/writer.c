/* writer.c - see connection.h: answers leave in one system call; what the kernel does not take waits. */
#include "connection.h"
#include "server/memory.h"

enum { BUFFERS = 32 };                       /* chunks in one system call */

struct write { uv_write_t uv; connection *connection; output out; };

size_t writer_backlog(const connection *c) { return c->writing ? output_length(&c->writing->out) : 0; }

static void wrote(uv_write_t *uv, int status)
{
    struct write *w = (struct write *)uv;
    connection *c = w->connection;
    output_free(&w->out);
    mem_free(w);
    c->writing = NULL;
    if (c->closing)
        return;
    if (status < 0) {
        connection_abandon(c);
        return;
    }
    writer_flush(c);
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
    if (uv_write(&w->uv, (uv_stream_t *)c, buffers, count, wrote))
        wrote(&w->uv, UV_EPIPE);
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

void writer_flush(connection *c)
{
    while (!c->closing && c->out.first && !c->writing) {
        const int n = write_now(c);
        if (n == UV_EAGAIN)
            write_later(c);
        else if (n < 0)
            connection_abandon(c);
    }
    if (c->closing)
        return;
    request *r = c->first;
    if (r && r->waiting && !c->writing) {
        promise *room = r->waiting;
        r->waiting = NULL;
        promise_settle(room, 0);
    }
    if (c->ending && !c->first && !c->writing && !c->out.first)
        connection_finish(c);
    else if (c->blocked && !c->busy && reader_has_room(c))
        reader_use(c, NULL, 0);
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

static void stop_waiting(promise *p, void *arg)
{
    request *r = arg;
    r->waiting = NULL;
    promise_settle(p, UV_ECANCELED);
}

promise *writer_room(request *r)
{
    connection *c = r->connection;
    if (r == c->first)
        writer_flush(c);
    if (r->gone)
        return promise_settled(UV_ECANCELED);
    if (r == c->first && !c->writing)
        return promise_settled(0);
    return r->waiting = promise_new(stop_waiting, r);
}
