/* cancel_delivery.c - see cancel_delivery.h. */
#include "cancel_delivery.h"
#include "server/base/memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

enum { MOST_THREADS = 32 };                  /* of all threads together; each may be stuck */

static atomic_int threads;

struct pg_cancel_delivery {
    uv_mutex_t lock;                         /* of the next two */
    bool       left, delivered;
    PGcancel  *request;
    void     (*on_end)(void *arg);
    void      *arg;
};

static void delivery_free(pg_cancel_delivery *d)
{
    uv_mutex_destroy(&d->lock);
    mem_free(d);
}

static void *deliver(void *arg)
{
    pg_cancel_delivery *d = arg;
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

pg_cancel_delivery *pg_cancel_delivery_send(PGconn *pg, void (*on_end)(void *arg), void *arg)
{
    PGcancel *request = PQgetCancel(pg);
    if (!request)
        return NULL;
    if (atomic_fetch_add(&threads, 1) >= MOST_THREADS) {
        atomic_fetch_sub(&threads, 1);
        PQfreeCancel(request);
        return NULL;
    }
    pg_cancel_delivery *d = mem_alloc(sizeof *d);
    pthread_attr_t small;
    pthread_t thread;

    d->request = request;
    d->on_end = on_end;
    d->arg = arg;
    uv_mutex_init(&d->lock);
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 256 * 1024);
    pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
    const int err = pthread_create(&thread, &small, deliver, d);
    pthread_attr_destroy(&small);
    if (!err)
        return d;
    atomic_fetch_sub(&threads, 1);
    PQfreeCancel(d->request);
    delivery_free(d);
    return NULL;
}

void pg_cancel_delivery_leave(pg_cancel_delivery *d)
{
    uv_mutex_lock(&d->lock);
    d->left = true;
    const bool delivered = d->delivered;
    uv_mutex_unlock(&d->lock);
    if (delivered)                           /* else the thread ends it */
        delivery_free(d);
}
