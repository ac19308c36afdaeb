/* pool.c - see pool.h. */
#include "pool.h"
#include "server/base/log.h"
#include "server/base/memory.h"

void pg_pool_schedule(pg_pool *p)
{
    if (p->scheduled)
        return;
    p->scheduled = true;
    loop_at_turn_end(&p->at_turn_end);
}

void pg_pool_requeue(pg_pool *p, pg_query *q)
{
    q->connection = NULL;
    q->aborted = false;
    q->outcome = 0;
    pg_query_list_prepend(&p->queue, q);
    pg_pool_schedule(p);
}

void pg_pool_fail_queue(pg_pool *p, int err)
{
    for (pg_query *q; (q = p->queue.first);) {
        const bool lost = q->sends && err == UV_ECONNREFUSED && q->reads;
        pg_query_list_remove(&p->queue, q);
        pg_query_settle(q, lost ? UV_ECONNRESET : err);
    }
}

void pg_pool_is_down(pg_pool *p, const char *why)
{
    if (!p->down)
        log_error("postgres: no connection to %s: %s", p->target->description, why);
    pg_target_pool_is_down(p->target, &p->down, true);
    pg_pool_fail_queue(p, UV_ECONNREFUSED);
}

void pg_pool_is_up(pg_pool *p, bool whole)
{
    if (p->down || whole)
        pg_outage_log_end(&p->outage);
    pg_target_pool_is_down(p->target, &p->down, false);
    pg_pool_schedule(p);
}

void pg_pool_connection_shut(pg_pool *p)
{
    p->open--;
    pg_pool_settle_if_closed(p);
}

void pg_pool_settle_if_closed(pg_pool *p)
{
    if (!p->closing || p->handles || p->scheduled || p->open)
        return;
    promise *closed = p->closing;
    p->closing = NULL;
    promise_settle(closed, 0);
}

static pg_handle *handle_new(pg_pool *p)
{
    pg_handle *h = mem_alloc(sizeof *h);
    h->pool = p;
    p->handles++;
    return h;
}

pg_handle *pg_handle_async(pg_pool *p, uv_async_cb on_wake, void *owner)
{
    pg_handle *h = handle_new(p);
    uv_async_init(loop_here(), &h->uv.wake, on_wake);
    h->uv.handle.data = owner;
    return h;
}

int pg_handle_poll(pg_handle **made, pg_pool *p, int fd, int events, uv_poll_cb on_ready, void *owner)
{
    pg_handle *h = handle_new(p);
    const int err = uv_poll_init(loop_here(), &h->uv.poll, fd);
    if (err) {
        p->handles--;
        mem_free(h);
        return err;
    }
    h->uv.handle.data = owner;
    uv_poll_start(&h->uv.poll, events, on_ready);
    *made = h;
    return 0;
}

static void on_handle_closed(uv_handle_t *handle)
{
    pg_handle *h = (pg_handle *)handle;
    pg_pool *p = h->pool;
    loop_enter();
    mem_free(h);
    p->handles--;
    pg_pool_settle_if_closed(p);
    loop_leave();
}

void pg_handle_close(pg_handle **h)
{
    if (*h)
        uv_close(&(*h)->uv.handle, on_handle_closed);
    *h = NULL;
}
