/* cancel.c - asks the server to stop what a link runs, over a connection of its own, and does
 * not block: libpq 17 can do so by itself, before that a thread does it. */
#include "postgres.h"
#include "server/base/memory.h"

#ifdef LIBPQ_HAS_ASYNC_CANCEL

struct pg_cancel {
    pg_connection      *link;
    PGcancelConn *request;
    uv_poll_t    *poll;
};

static void on_ready(uv_poll_t *poll, int status, int events);

static void watch(struct pg_cancel *c, PostgresPollingStatusType wants)
{
    c->poll = mem_alloc(sizeof *c->poll);
    if (uv_poll_init(loop_here(), c->poll, PQcancelSocket(c->request))) {
        mem_free(c->poll);
        c->poll = NULL;                      /* the link's timer goes on */
        return;
    }
    pg_handle_opened(c->link->pool, c->poll);
    uv_poll_start(c->poll, wants == PGRES_POLLING_READING ? UV_READABLE : UV_WRITABLE, on_ready);
}

static pg_connection *link_with(uv_poll_t *poll)
{
    pg_pool *p = poll->data;
    for (int i = 0; i < p->options->connections; i++)
        if (p->links[i].cancel && p->links[i].cancel->poll == poll)
            return &p->links[i];
    return NULL;
}

static void step(pg_connection *l)
{
    struct pg_cancel *c = l->cancel;
    pg_handle_close(c->poll);                /* the socket may change */
    c->poll = NULL;
    const PostgresPollingStatusType wants = PQcancelPoll(c->request);
    if (wants == PGRES_POLLING_READING || wants == PGRES_POLLING_WRITING) {
        watch(c, wants);
        return;
    }
    pg_cancel_forget(c);
    pg_link_cancelled(l);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    loop_enter();
    step(link_with(poll));
    loop_leave();
}

struct pg_cancel *pg_cancel_send(pg_connection *l)
{
    PGcancelConn *request = PQcancelCreate(l->pg);
    if (!request || !PQcancelStart(request)) {
        PQcancelFinish(request);
        return NULL;
    }
    struct pg_cancel *c = mem_alloc(sizeof *c);
    *c = (struct pg_cancel){ .link = l, .request = request };
    watch(c, PGRES_POLLING_WRITING);
    return c;
}

void pg_cancel_forget(struct pg_cancel *c)
{
    if (c->poll)
        pg_handle_close(c->poll);
    PQcancelFinish(c->request);
    mem_free(c);
}

#else

#include "cancel_delivery.h"

struct pg_cancel {
    pg_delivery *delivery;
    uv_async_t  *async;
};

static void on_delivered(uv_async_t *async)
{
    pg_pool *p = async->data;
    loop_enter();
    for (int i = 0; i < p->options->connections; i++) {
        struct pg_cancel *c = p->links[i].cancel;
        if (!c || c->async != async)
            continue;
        pg_cancel_forget(c);
        pg_link_cancelled(&p->links[i]);
        break;
    }
    loop_leave();
}

static void wake(void *async) { uv_async_send(async); }

struct pg_cancel *pg_cancel_send(pg_connection *l)
{
    struct pg_cancel *c = mem_alloc(sizeof *c);
    c->async = mem_alloc(sizeof *c->async);
    uv_async_init(loop_here(), c->async, on_delivered);
    pg_handle_opened(l->pool, c->async);
    c->delivery = pg_delivery_send(l->pg, wake, c->async);
    if (c->delivery)
        return c;
    pg_handle_close(c->async);
    mem_free(c);
    return NULL;
}

void pg_cancel_forget(struct pg_cancel *c)
{
    pg_delivery_leave(c->delivery);          /* first: it wakes the handle */
    pg_handle_close(c->async);
    mem_free(c);
}

#endif
