/* cancel.c - see cancel.h. */
#include "cancel.h"
#include "server/base/memory.h"

#include <limits.h>
#include <poll.h>

int pg_wait_without_client(int fd, short events, uint64_t until)
{
    static const uint64_t MS = 1000000;
    for (;;) {
        const uint64_t now = uv_hrtime(), left = until > now ? (until - now + MS - 1) / MS : 0;
        struct pollfd on = { fd, events, 0 };
        if (poll(&on, 1, left < INT_MAX ? (int)left : INT_MAX) > 0)
            return 0;
        if (uv_hrtime() >= until)
            return UV_ETIMEDOUT;
    }
}

#ifdef LIBPQ_HAS_ASYNC_CANCEL

struct pg_cancel {
    pg_pool      *pool;
    PGcancelConn *request;
    pg_handle    *poll;                      /* NULL: it cannot be watched, and the connection's timer goes on */
    void        (*on_end)(struct pg_connection *c);
    struct pg_connection *connection;
};

static void on_cancel_ready(uv_poll_t *poll, int status, int events);

static void cancel_watch(pg_cancel *c, PostgresPollingStatusType wants)
{
    pg_handle_poll(&c->poll, c->pool, PQcancelSocket(c->request),
                   wants == PGRES_POLLING_READING ? UV_READABLE : UV_WRITABLE, on_cancel_ready, c);
}

static void on_cancel_ready(uv_poll_t *poll, int status, int events)
{
    pg_cancel *c = poll->data;
    (void)status, (void)events;
    loop_enter();
    pg_handle_close(&c->poll);               /* the socket may change */
    const PostgresPollingStatusType wants = PQcancelPoll(c->request);
    if (wants == PGRES_POLLING_READING || wants == PGRES_POLLING_WRITING)
        cancel_watch(c, wants);
    else {
        c->on_end(c->connection);
        pg_cancel_forget(c);
    }
    loop_leave();
}

pg_cancel *pg_cancel_send(PGconn *pg, pg_pool *p, void (*on_end)(struct pg_connection *c), struct pg_connection *connection)
{
    PGcancelConn *request = PQcancelCreate(pg);
    if (!request || !PQcancelStart(request)) {
        PQcancelFinish(request);
        return NULL;
    }
    pg_cancel *c = mem_alloc(sizeof *c);
    *c = (pg_cancel){ .pool = p, .request = request, .on_end = on_end, .connection = connection };
    cancel_watch(c, PGRES_POLLING_WRITING);
    return c;
}

void pg_cancel_forget(pg_cancel *c)
{
    pg_handle_close(&c->poll);
    PQcancelFinish(c->request);
    mem_free(c);
}

bool pg_cancel_blocking(PGconn *pg, uint64_t until)
{
    PGcancelConn *request = PQcancelCreate(pg);
    PostgresPollingStatusType wants = request && PQcancelStart(request) ? PGRES_POLLING_WRITING
                                                                        : PGRES_POLLING_FAILED;
    int err = 0;
    while (!err && (wants == PGRES_POLLING_READING || wants == PGRES_POLLING_WRITING)) {
        const short events = wants == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        err = pg_wait_without_client(PQcancelSocket(request), events, until);
        if (!err)
            wants = PQcancelPoll(request);
    }
    PQcancelFinish(request);
    return !err;
}

#else

#include <errno.h>
#include <semaphore.h>
#include <time.h>

/* PQcancel blocks until the server has taken the request, which it may never do: so it runs in a thread of its own,
 * which a caller who has waited long enough leaves behind, rather than in libuv's pool, where a few such requests
 * would stop everything. */
enum { MOST_THREADS = 32 };                  /* of all threads together; each may be stuck */

static atomic_int threads;

typedef struct delivery {
    uv_mutex_t lock;                         /* of the next two */
    bool       left, delivered;
    PGcancel  *request;
    void     (*on_end)(void *arg);
    void      *arg;
} delivery;

static void delivery_free(delivery *d)
{
    uv_mutex_destroy(&d->lock);
    mem_free(d);
}

static void *run_delivery(void *arg)
{
    delivery *d = arg;
    char error[256];
    PQcancel(d->request, error, sizeof error);       /* if it fails, the caller tries again */
    PQfreeCancel(d->request);
    atomic_fetch_sub(&threads, 1);

    uv_mutex_lock(&d->lock);
    d->delivered = true;
    const bool left = d->left;
    if (!left)
        d->on_end(d->arg);
    uv_mutex_unlock(&d->lock);
    if (left)
        delivery_free(d);
    return NULL;
}

/* Asks the server to stop what pg runs. on_end(arg) is called once, by its thread, when the request has been delivered
 * or could not be. NULL when it cannot begin now: too many are under way, or libpq cannot. */
static delivery *delivery_send(PGconn *pg, void (*on_end)(void *arg), void *arg)
{
    PGcancel *request = PQgetCancel(pg);
    if (!request)
        return NULL;
    if (atomic_fetch_add(&threads, 1) >= MOST_THREADS) {
        atomic_fetch_sub(&threads, 1);
        PQfreeCancel(request);
        return NULL;
    }
    delivery *d = mem_alloc(sizeof *d);
    pthread_attr_t small;
    pthread_t thread;

    d->request = request;
    d->on_end = on_end;
    d->arg = arg;
    uv_mutex_init(&d->lock);
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 256 * 1024);
    pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
    const int err = pthread_create(&thread, &small, run_delivery, d);
    pthread_attr_destroy(&small);
    if (!err)
        return d;
    atomic_fetch_sub(&threads, 1);
    PQfreeCancel(d->request);
    delivery_free(d);
    return NULL;
}

/* Ends it, or leaves it behind: from now on on_end is not called. Once for each, ended or not. */
static void delivery_leave(delivery *d)
{
    uv_mutex_lock(&d->lock);
    d->left = true;
    const bool delivered = d->delivered;
    uv_mutex_unlock(&d->lock);
    if (delivered)                           /* else the thread ends it */
        delivery_free(d);
}

struct pg_cancel {
    delivery  *delivery;
    pg_handle *async;
    void     (*on_end)(struct pg_connection *c);
    struct pg_connection *connection;
};

static void on_cancel_delivered(uv_async_t *async)
{
    pg_cancel *c = async->data;
    loop_enter();
    c->on_end(c->connection);
    pg_cancel_forget(c);
    loop_leave();
}

static void wake_loop(void *async) { uv_async_send(async); }

pg_cancel *pg_cancel_send(PGconn *pg, pg_pool *p, void (*on_end)(struct pg_connection *c), struct pg_connection *connection)
{
    pg_cancel *c = mem_alloc(sizeof *c);
    c->on_end = on_end;
    c->connection = connection;
    c->async = pg_handle_async(p, on_cancel_delivered, c);
    c->delivery = delivery_send(pg, wake_loop, &c->async->uv.wake);
    if (c->delivery)
        return c;
    pg_handle_close(&c->async);
    mem_free(c);
    return NULL;
}

void pg_cancel_forget(pg_cancel *c)
{
    delivery_leave(c->delivery);   /* first: it wakes the handle */
    pg_handle_close(&c->async);
    mem_free(c);
}

static void wake_thread(void *delivered) { sem_post(delivered); }

bool pg_cancel_blocking(PGconn *pg, uint64_t until)
{
    const struct timespec stop = { (time_t)(until / 1000000000), (long)(until % 1000000000) };
    sem_t delivered;
    sem_init(&delivered, 0, 0);
    delivery *d = delivery_send(pg, wake_thread, &delivered);
    int err = 0;
    if (d) {
        while ((err = sem_clockwait(&delivered, CLOCK_MONOTONIC, &stop)) && errno == EINTR)
            ;
        delivery_leave(d);         /* after this, its thread does not touch the semaphore */
    }
    sem_destroy(&delivered);
    return !err;                             /* a request that could not begin hits nothing */
}

#endif
