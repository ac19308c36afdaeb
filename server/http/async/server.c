/* server.c - a loop for each worker; see server_internal.h.
 *
 * Workers share nothing but the routes and the configuration. Each has its own loop, its own
 * listening socket, its own connections. */
#include "server/http/server.h"
#include "server/http/server_internal.h"
#include "server/http/footprint.h"
#include "server/async/loop.h"
#include "server/async/timer.h"
#include "server/base/list.h"
#include "server/base/memory.h"
#include "server/base/observe/layout.h"
#include "server/diagnose/watchdog.h"
#include "connection.h"
#include "worker_thread.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

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

/* Stopping: the signal reaches every worker; each drains by itself. */

static void workers_close_signals(void *arg)
{
    workers *const c = arg;
    if (c->is_told)
        uv_close((uv_handle_t *)&c->told, NULL);
    for (int i = 0; i < c->signal_count; i++)
        uv_close((uv_handle_t *)&c->signals[i], NULL);
}

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
