/* postgres_cancel.c - asks the server to stop what a connection runs, over a connection of its own.
 *
 * libpq 17 can do so without blocking. Before that PQcancel blocks until the server has taken the
 * request, which it may never do: so it runs in a thread of its own, which a link that has waited long
 * enough leaves behind, rather than in libuv's pool, where a few of them would stop everything. */
#include "postgres.h"
#include "server/memory.h"

#ifdef LIBPQ_HAS_ASYNC_CANCEL

struct pg_cancel {
    pg_link      *link;
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

static pg_link *link_with(uv_poll_t *poll)
{
    pg_pool *p = poll->data;
    for (int i = 0; i < p->options->connections; i++)
        if (p->links[i].cancel && p->links[i].cancel->poll == poll)
            return &p->links[i];
    return NULL;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    pg_link *l = link_with(poll);
    struct pg_cancel *c = l->cancel;
    (void)status, (void)events;
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

struct pg_cancel *pg_cancel_send(pg_link *l)
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

#include <pthread.h>
#include <stdatomic.h>

enum { MOST_THREADS = 32 };                  /* of all loops; each may be stuck */

static atomic_int threads;

struct pg_cancel {
    uv_mutex_t  lock;                        /* of the next two */
    uv_async_t *async;                       /* NULL once the link has left the thread behind */
    bool        delivered;
    PGcancel   *request;
};

static void end(struct pg_cancel *c)
{
    uv_mutex_destroy(&c->lock);
    mem_free(c);
}

static void *deliver(void *arg)
{
    struct pg_cancel *c = arg;
    char error[256];
    PQcancel(c->request, error, sizeof error);       /* one that fails is tried again: see tick */
    PQfreeCancel(c->request);
    atomic_fetch_sub(&threads, 1);

    uv_mutex_lock(&c->lock);
    c->delivered = true;
    const bool alone = !c->async;
    if (!alone)
        uv_async_send(c->async);
    uv_mutex_unlock(&c->lock);
    if (alone)
        end(c);
    return NULL;
}

static void on_delivered(uv_async_t *async)
{
    pg_pool *p = async->data;
    for (int i = 0; i < p->options->connections; i++) {
        struct pg_cancel *c = p->links[i].cancel;
        if (!c || c->async != async)
            continue;
        pg_cancel_forget(c);
        pg_link_cancelled(&p->links[i]);
        return;
    }
}

struct pg_cancel *pg_cancel_send(pg_link *l)
{
    if (atomic_fetch_add(&threads, 1) >= MOST_THREADS) {
        atomic_fetch_sub(&threads, 1);
        return NULL;
    }
    struct pg_cancel *c = mem_alloc(sizeof *c);
    pthread_attr_t small;
    pthread_t thread;

    c->request = PQgetCancel(l->pg);
    uv_mutex_init(&c->lock);
    c->async = mem_alloc(sizeof *c->async);
    uv_async_init(loop_here(), c->async, on_delivered);
    pg_handle_opened(l->pool, c->async);
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 256 * 1024);
    pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
    const int err = pthread_create(&thread, &small, deliver, c);
    pthread_attr_destroy(&small);
    if (err) {
        atomic_fetch_sub(&threads, 1);
        PQfreeCancel(c->request);
        pg_handle_close(c->async);
        end(c);
        return NULL;
    }
    return c;
}

void pg_cancel_forget(struct pg_cancel *c)
{
    uv_mutex_lock(&c->lock);
    pg_handle_close(c->async);
    c->async = NULL;
    const bool delivered = c->delivered;
    uv_mutex_unlock(&c->lock);
    if (delivered)                           /* else the thread ends it */
        end(c);
}

#endif
