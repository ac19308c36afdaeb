/* stream.c - see connection.h: a body that its handler pulls.
 *
 *     socket -> what is aside -> one piece in the body -> handler
 *
 * A piece is looked for only when the handler has used up the one before. What arrives until then lies
 * aside, up to the reader's bound; the rest stays in the kernel, whose window slows the client down. */
#include "connection.h"

/* The handler, if it waits, looks again. */
static void stream_wake(request *r, int err)
{
    connection *c = r->connection;
    promise *p = r->body->arriving;
    r->body->arriving = NULL;
    if (!p)
        return;
    body_waited(r->body, c->phase == CONNECTION_BODY ? (uint32_t)timer_now() - c->since : 0);
    promise_settle(p, err);
    if (!c->busy && !c->closing)
        connection_watch(c);
}

static void stream_on_cancel(promise *p, void *arg)
{
    (void)p;
    stream_wake(arg, UV_ECANCELED);
}

bool stream_is_waited_for(const request *r) { return r->body->arriving; }

void stream_break(connection *c, int err)
{
    request *r = c->last;
    c->reading = false;
    c->ending = c->unread = true;            /* its answer says so: the body is not complete */
    r->body->err = err;
    stream_wake(r, 0);
}

size_t stream_take(connection *c, const char *at, size_t length)
{
    request *r = c->last;
    const long taken = body_take(r->body, at, length);
    if (taken < 0) {
        stream_break(c, (int)taken);
        return length;
    }
    if (r->body->complete)
        c->reading = false;
    if (!body_wants(r->body))
        stream_wake(r, 0);
    return (size_t)taken;
}

size_t stream_begin(connection *c, const char *at, size_t length)
{
    request *r = c->last;
    const size_t taken = length > 0 ? stream_take(c, at, length) : 0;
    pipeline_start(c, r);
    return taken;
}

promise *stream_more(request *r)
{
    connection *c = r->connection;
    if (r->gone)
        return promise_settled(UV_ECANCELED);
    if (request_send_continue(r, c->input))
        writer_flush_soon(c);
    r->body->arriving = promise_new(stream_on_cancel, r);
    if (c->blocked)                          /* some of it lies aside */
        writer_flush_soon(c);
    if (!c->busy)
        connection_watch(c);
    return r->body->arriving;
}

void stream_end(connection *c, const request *r)
{
    if (!c->reading || c->last != r)
        return;
    c->reading = false;
    c->ending = c->unread = true;
}
