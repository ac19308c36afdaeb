/* worker_thread.c - see worker_thread.h. */
#include "worker_thread.h"
#include "connection.h"
#include "server/async/loop.h"
#include "server/base/list.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/base/observe/recorder.h"
#include "server/base/observe/shard.h"
#include "server/diagnose/watchdog.h"
#include "server/http/client/client.h"
#include "server/http/server_internal.h"
#include "server/http/stop_spread.h"
#include "server/http/websocket/websocket_internal.h"
#include "server/topic/topic.h"

static void worker_on_client_closed(int err, void *arg)
{
    worker_thread *t = arg;
    (void)err;
    if (t->ending)
        t->ending(t->ending_arg);
    uv_close((uv_handle_t *)&t->stop, NULL);
    pthread_mutex_lock(&t->server->lock);
    t->gone = true;
    pthread_mutex_unlock(&t->server->lock);
    uv_close((uv_handle_t *)&t->ask, NULL);
    timer_end();
}

static void worker_on_site_closed(int err, void *arg)
{
    (void)err;
    when_settled(http_client_close(), worker_on_client_closed, arg);
}

static void worker_on_emptied(worker *w)
{
    worker_thread *t = container_of(w, worker_thread, worker);
    timer_stop(&t->deadline);
    timer_stop(&t->telling);
    worker_close(w);
    when_settled(t->server->site->close(t->server->site->arg), worker_on_site_closed, t);
}

static worker_thread *worker_of_deadline(timer *t)
{
    return container_of(t, worker_thread, deadline);
}

static void worker_on_deadline(timer *timer)
{
    worker_thread *t = worker_of_deadline(timer);
    const int late = connections_abort();
    t->late = late > 0;
    if (t->late)
        server_log_late(late);
}

/* Half of the time is for what still arrives, the other for answering with what has. */
static void worker_on_half_time(timer *timer)
{
    worker_thread *t = worker_of_deadline(timer);
    connections_break_off();
    topics_stop();
    timer_set(&t->deadline, t->worker.config->timeouts.drain / 2, worker_on_deadline);
}

static void worker_tell(worker_thread *t);

static void worker_on_telling(timer *timer) { worker_tell(container_of(timer, worker_thread, telling)); }

/* Clients that would go on, as many as the time has come for. */
static void worker_tell(worker_thread *t)
{
    const int parts = stop_parts_told(timer_now() - t->stopped, t->spread);
    if (parts < STOP_PARTS)
        timer_set(&t->telling, t->spread / STOP_PARTS + 1, worker_on_telling);
    connections_stop(parts);
}

static void worker_on_stop(uv_async_t *a)
{
    worker_thread *t = container_of(a, worker_thread, stop);
    worker *w = &t->worker;
    if (w->draining)
        return;
    loop_enter();
    w->draining = true;
    for (int i = 0; i < t->acceptor_count; i++)
        acceptor_close(&t->acceptors[i]);
    if (w->connections == 0) {
        worker_on_emptied(w);
    } else {
        timer_set(&t->deadline, w->config->timeouts.drain / 2, worker_on_half_time);
        http_client_retire();
        connections_drain();
        t->stopped = timer_now();
        t->spread = stop_spread_ms(w->config->timeouts.drain, w->connections);
        worker_tell(t);
    }
    loop_leave();
}

void worker_thread_stop(worker_thread *t) { uv_async_send(&t->stop); }

static void worker_on_asked(uv_async_t *a)
{
    worker_thread *t = container_of(a, worker_thread, ask);
    loop_enter();
    atomic_store(&t->answered, atomic_load(&t->asked));
    worker_configure(&t->worker, atomic_load(&t->server->latest));
    loop_leave();
}

void worker_thread_ask(worker_thread *t)
{
    atomic_fetch_add(&t->asked, 1);
    if (!t->gone)
        uv_async_send(&t->ask);
}

bool worker_thread_has_answered(const worker_thread *t)
{
    return t->gone || atomic_load(&t->answered) == atomic_load(&t->asked);
}

/* From its share of each listener's sockets, of which there is at least one for each worker. */
static int worker_accept(worker_thread *t)
{
    const listeners *all = t->worker.listeners;
    const int workers = t->server->config->server.workers;
    int most = 0, err = 0;
    for (int i = 0; i < all->count; i++)
        most += all->at[i].count / workers + 1;
    t->acceptors = mem_alloc((size_t)most * sizeof *t->acceptors);
    for (int i = 0; i < all->count && !err; i++)
        for (int n = t->number; n < all->at[i].count && !err; n += workers) {
            const int fd = all->at[i].sockets[n];
            all->at[i].sockets[n] = -1;
            err = acceptor_open(&t->acceptors[t->acceptor_count], fd, i, all->at[i].shared);
            t->acceptor_count += !err;
        }
    while (err && t->acceptor_count > 0)
        acceptor_drop(&t->acceptors[--t->acceptor_count]);
    return err;
}

void worker_thread_run(worker_thread *t)
{
    loop_run();
    watchdog_loop_end();
    topics_loop_end();
    recorder_end();
    if (loop_done())
        log_error("a worker ended with work left on its loop");
    websocket_trim();
    server_trim_thread();
    shard_end();
    mem_free(t->acceptors);
}

int worker_thread_start(worker_thread *t)
{
    worker *w = &t->worker;
    const server *s = t->server;
    int err = loop_start();
    if (err)
        return err;
    watchdog_loop_begin();
    shard_begin();
    recorder_begin("loop", s->config->log.recorder);
    w->config = s->config;
    w->listeners = &s->listeners;
    w->trust = &s->trust;
    w->emptied = worker_on_emptied;
    w->answering = s->site->answering;
    w->admission.room = s->site->room;
    w->admission.arg = s->site->arg;
    request_host_here = &pipeline_host;
    err = worker_open(w, connection_ready);
    if (err)
        goto run_out;
    err = worker_accept(t);
    if (err)
        goto close;
    uv_async_init(loop_here(), &t->stop, worker_on_stop);
    uv_async_init(loop_here(), &t->ask, worker_on_asked);
    s->site->open(s->site->arg);
    return 0;

close:
    worker_close(w);
run_out:
    worker_thread_run(t);
    return err;
}

static void worker_on_thread(void *arg)
{
    worker_thread *t = arg;
    const int err = t->err = worker_thread_start(t);
    uv_sem_post(&t->started);
    if (!err)
        worker_thread_run(t);
}

int worker_thread_create(worker_thread *t)
{
    uv_sem_init(&t->started, 0);
    int err = uv_thread_create(&t->id, worker_on_thread, t);
    if (!err) {
        uv_sem_wait(&t->started);
        err = t->err;
        if (err)
            uv_thread_join(&t->id);
    }
    uv_sem_destroy(&t->started);
    return err;
}
