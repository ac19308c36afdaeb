/* server.c - a loop for each worker; see server_internal.h.
 *
 * Workers share nothing but the routes and the configuration. Each has its own loop, its own
 * listening socket, its own connections. */
#include "server/http/server.h"
#include "server/base/list.h"
#include "server/http/server_internal.h"
#include "server/http/footprint.h"
#include "server/http/client/client.h"
#include "server/http/websocket/websocket_internal.h"
#include "server/http/stop_spread.h"
#include "server/async/loop.h"
#include "server/async/timer.h"
#include "server/diagnose/watchdog.h"
#include "server/topic/topic.h"
#include "server/base/observe/layout.h"
#include "server/base/observe/recorder.h"
#include "server/base/observe/shard.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "acceptor.h"
#include "connection.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

typedef struct worker_thread {
    server     *server;
    int         number;                      /* among the workers */
    void      (*ending)(void *arg);          /* or NULL: on its thread, its loop is about to end */
    void       *ending_arg;
    uv_thread_t id;
    bool        late;                        /* the drain time passed with work left */
    /* Its own: */
    worker      worker;
    acceptor   *acceptors;                   /* its share of each listener's sockets */
    int         acceptor_count;
    uv_sem_t    started;                     /* or it could not: */
    int         err;
    uv_async_t  stop;
    uv_async_t  ask;
    atomic_uint asked, answered;             /* how often */
    bool        gone;                        /* of the server's lock: it does not answer any more */
    timer       deadline;
    timer       telling;                     /* for the next of those clients that have to be told that it stops */
    uint64_t    stopped;                     /* milliseconds of timer_now, when it was told to */
    uint64_t    spread;                      /* for how long clients are told */
} worker_thread;

typedef struct workers {
    server        *server;
    int            count;                    /* that have been started */
    worker_thread *threads;
    uv_signal_t    signals[SERVER_STOP_SIGNALS];
    int            signal_count;
    uv_poll_t      told;                     /* if it is told instead: of the server's descriptor for that */
    bool           is_told;
    timer          delay;                    /* of the first loop: then it is to stop */
    atomic_bool    stopping;
} workers;

static const workers *_Atomic serving;       /* for who looks from outside: NULL while none does */
static pthread_mutex_t serving_lock = PTHREAD_MUTEX_INITIALIZER;     /* for who looks from inside: it stays meanwhile */

uint64_t footprint_loops_cpu(void)
{
    uint64_t all = 0;
    pthread_mutex_lock(&serving_lock);
    const workers *const c = atomic_load(&serving);
    for (int i = 0; c && i < c->count; i++) {
        struct timespec used;
        clockid_t clock;
        if (!pthread_getcpuclockid(c->threads[i].id, &clock) && !clock_gettime(clock, &used))
            all += (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
    }
    pthread_mutex_unlock(&serving_lock);
    return all;
}

static const layout_entry WORKERS_LAYOUT[] LAYOUT_ENTRIES = {
    LAYOUT_ADDRESS("workers", &serving),
    LAYOUT_FIELD("workers.count", workers, count),
    LAYOUT_FIELD("workers.threads", workers, threads),
    LAYOUT_SIZE("worker", worker_thread),
    LAYOUT_FIELD("worker.connections", worker_thread, worker.poller.connections),
    LAYOUT_FIELD("worker.size", worker_thread, worker.poller.size),
    LAYOUT_FIELD("worker.open", worker_thread, worker.connections),
    LAYOUT_FIELD("worker.queues", worker_thread, worker.admission.queues),
    LAYOUT_SIZE("queue", admission_queue),
    LAYOUT_FIELD("queue.alone", admission_queue, alone),
    LAYOUT_FIELD("queue.ahead", admission_queue, ahead),
    LAYOUT_FIELD("connection.first", connection, first),
    LAYOUT_SIZE("request", request),
    LAYOUT_FIELD("request.next", request, next),
    LAYOUT_FIELD("request.route", request, route),
    LAYOUT_FIELD("request.label", request, scope.label),
    LAYOUT_FIELD("request.started", request, started),
    LAYOUT_FIELD("request.running", request, running),
    LAYOUT_FIELD("request.place", request, place),
    LAYOUT_FIELD("request.task", request, task),
    LAYOUT_SIZE("route", route),
    LAYOUT_FIELD("route.method", route, method),
    LAYOUT_FIELD("route.path", route, path),
    LAYOUT_FIELD("route.await", route, await),
    LAYOUT_FIELD("route.promise", route, promise),
    LAYOUT_FIELD("route.callback", route, callback),
};

/* Stopping: the signal reaches every worker through its async handle; each drains by itself. */

static void workers_close_signals(void *arg)
{
    workers *const c = arg;
    if (c->is_told)
        uv_close((uv_handle_t *)&c->told, NULL);
    for (int i = 0; i < c->signal_count; i++)
        uv_close((uv_handle_t *)&c->signals[i], NULL);
}

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

static void worker_thread_stop(worker_thread *t) { uv_async_send(&t->stop); }

static void workers_stop(workers *c)
{
    for (int i = 0; i < c->count; i++)
        worker_thread_stop(&c->threads[i]);
}

static void workers_begin_to_stop(workers *c)
{
    server_begin_to_stop(c->server);
    workers_stop(c);
}

static void workers_on_delay(timer *t) { workers_begin_to_stop(container_of(t, workers, delay)); }

static void workers_on_signal(uv_signal_t *h, int number)
{
    workers *c = h->data;
    loop_enter();
    if (atomic_exchange(&c->stopping, true))                 /* asked twice: at once */
        server_end_at_once(number);
    server_begin_to_drain(c->server, number);
    const uint64_t delay = server_drain_delay(c->server);
    if (delay)
        timer_set(&c->delay, delay, workers_on_delay);
    else
        workers_begin_to_stop(c);
    loop_leave();
}

static void workers_on_told(uv_poll_t *h, int status, int events)
{
    (void)status, (void)events;
    loop_enter();
    uv_poll_stop(h);
    workers_begin_to_stop(container_of(h, workers, told));
    loop_leave();
}

/* Being asked, by another thread. */

static void worker_on_asked(uv_async_t *a)
{
    worker_thread *t = container_of(a, worker_thread, ask);
    loop_enter();
    atomic_store(&t->answered, atomic_load(&t->asked));
    worker_configure(&t->worker, atomic_load(&t->server->latest));
    loop_leave();
}

static void worker_thread_ask(worker_thread *t)
{
    atomic_fetch_add(&t->asked, 1);
    if (!t->gone)
        uv_async_send(&t->ask);
}

static bool worker_thread_has_answered(const worker_thread *t)
{
    return t->gone || atomic_load(&t->answered) == atomic_load(&t->asked);
}

static void workers_ask(server *s)
{
    workers *const c = s->running;
    for (int i = 0; i < c->count; i++)
        worker_thread_ask(&c->threads[i]);
}

static bool workers_have_answered(server *s)
{
    workers *const c = s->running;
    bool all = true;
    for (int i = 0; i < c->count; i++)
        all &= worker_thread_has_answered(&c->threads[i]);
    return all;
}

static const server_loops WORKERS = { workers_ask, workers_have_answered };

/* Running. */

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

static void worker_thread_run(worker_thread *t)
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

static int worker_thread_start(worker_thread *t)
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

static int worker_thread_create(worker_thread *t)
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

/* All but the first: up to the one that cannot start. */
static int workers_start_others(workers *c)
{
    for (int i = 1; i < c->server->config->server.workers; i++) {
        const int err = worker_thread_create(&c->threads[i]);
        if (err)
            return err;
        c->count++;
    }
    return 0;
}

static int workers_watch_signals(workers *c)
{
    if (c->server->told >= 0) {
        const int err = uv_poll_init(loop_here(), &c->told, c->server->told);
        c->is_told = !err;
        return err ? err : uv_poll_start(&c->told, UV_READABLE, workers_on_told);
    }
    for (; c->signal_count < SERVER_STOP_SIGNALS; c->signal_count++) {
        uv_signal_t *const h = &c->signals[c->signal_count];
        const int err = uv_signal_init(loop_here(), h);
        if (err)
            return err;
        h->data = c;
        uv_signal_start(h, workers_on_signal, SERVER_STOP_SIGNAL[c->signal_count]);
    }
    return 0;
}

int server_run_async(server *s, void (*started)(void *arg), void *arg)
{
    workers c = { .server = s };
    const int count = s->config->server.workers;
    bool late = false;

    c.threads = mem_alloc((size_t)count * sizeof *c.threads);
    for (int i = 0; i < count; i++)
        c.threads[i] = (worker_thread){ .server = s, .number = i };
    c.threads[0].ending = workers_close_signals;
    c.threads[0].ending_arg = &c;
    int err = watchdog_start(s->config->log.slow_callback);
    if (err)
        goto free_threads;
    err = worker_thread_start(&c.threads[0]);
    if (err)
        goto stop_watchdog;
    c.count = 1;
    c.threads[0].id = uv_thread_self();
    err = workers_watch_signals(&c);         /* of which this loop hears when it runs: by then all are there */
    if (!err)
        err = workers_start_others(&c);
    if (err) {
        workers_stop(&c);
    } else {
        atomic_store(&serving, &c);
        server_set_running(s, &WORKERS, &c);
        started(arg);
    }
    worker_thread_run(&c.threads[0]);
    pthread_mutex_lock(&serving_lock);
    atomic_store(&serving, NULL);
    pthread_mutex_unlock(&serving_lock);
    for (int i = 1; i < c.count; i++)
        uv_thread_join(&c.threads[i].id);
    server_set_running(s, NULL, NULL);
    for (int i = 0; i < c.count; i++)
        late |= c.threads[i].late;
stop_watchdog:
    watchdog_stop();
free_threads:
    mem_free(c.threads);
    return err ? err : late ? UV_ETIMEDOUT : 0;
}
