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

static int gather_buffers(const output *o, uv_buf_t buffers[BUFFERS])
{
    int n = 0;
    for (const chunk *k = o->first; k && n < BUFFERS; k = k->next)
        buffers[n++] = uv_buf_init((char *)k->bytes, k->used);
    return n;
}

/* What the kernel did not take is written when it can; its chunks belong to the write until then. */
static void write_later(connection *c, size_t taken)
{
    struct write *w = mem_alloc(sizeof *w);
    w->connection = c;
    output_move(&w->out, &c->out);
    int count = 0;
    for (const chunk *k = w->out.first; k; k = k->next)
        count++;
    uv_buf_t *buffers = mem_alloc((size_t)count * sizeof *buffers);
    int n = 0;
    for (chunk *k = w->out.first; k; k = k->next) {
        const size_t skip = taken < k->used ? taken : k->used;
        taken -= skip;
        if (k->used > skip)
            buffers[n++] = uv_buf_init(k->bytes + skip, (unsigned)(k->used - skip));
    }
    c->writing = w;
    if (uv_write(&w->uv, (uv_stream_t *)c, buffers, (unsigned)n, wrote))
        wrote(&w->uv, UV_EPIPE);
    mem_free(buffers);
}

void writer_flush(connection *c)
{
    if (c->closing)
        return;
    while (c->out.first && !c->writing) {
        uv_buf_t buffers[BUFFERS];
        const int count = gather_buffers(&c->out, buffers);
        size_t total = 0;
        for (int i = 0; i < count; i++)
            total += buffers[i].len;
        int n = uv_try_write((uv_stream_t *)c, buffers, (unsigned)count);
        if (n < 0 && n != UV_EAGAIN) {
            connection_abandon(c);
            return;
        }
        if (n < 0)
            n = 0;
        if ((size_t)n < total || count == BUFFERS) {
            write_later(c, (size_t)n);
            break;
        }
        output_free(&c->out);
    }
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
