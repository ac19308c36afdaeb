/* server.c - a loop for each worker; see server_internal.h.
 *
 * Workers share nothing but the routes and the configuration. Each has its own loop, its own
 * listening socket, its own connections. */
#include "server/http/server.h"
#include "server/base/list.h"
#include "server/http/server_internal.h"
#include "server/http/client/client.h"
#include "server/http/websocket/websocket_internal.h"
#include "server/http/stop_spread.h"
#include "server/async/loop.h"
#include "server/async/timer.h"
#include "server/diagnose/watchdog.h"
#include "server/topic/topic.h"
#include "server/base/observe/layout.h"
#include "server/base/observe/recorder.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "acceptor.h"
#include "connection.h"

#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

typedef struct workers workers;

struct worker_thread {                       /* a worker and what runs it */
    worker      worker;
    acceptor    acceptor;
    workers       *workers;
    uv_thread_t id;
    uv_async_t  stop;                        /* sent from the signal's loop */
    timer       deadline;
    timer       telling;                     /* for the next of those clients that have to be told that it stops */
    uint64_t    stopped;                     /* milliseconds of timer_now, when it was told to */
    uint64_t    spread;                      /* for how long clients are told */
    int        *socket;                      /* of the listener */
    bool        late;                        /* the drain time passed with work left */
};

struct workers {
    server        *server;
    int            count;
    struct worker_thread *threads;
    uv_signal_t    signals[SERVER_STOP_SIGNALS];
    int            signal_count;
    uv_sem_t       started;                  /* posted by each worker's thread once it serves */
    atomic_bool    stopping;
};

static const workers *_Atomic serving;       /* for who looks from outside: NULL while none does */

static const layout_entry WORKERS_LAYOUT[] LAYOUT_ENTRIES = {
    LAYOUT_ADDRESS("workers", &serving),
    LAYOUT_FIELD("workers.count", workers, count),
    LAYOUT_FIELD("workers.threads", workers, threads),
    LAYOUT_SIZE("worker", struct worker_thread),
    LAYOUT_FIELD("worker.connections", struct worker_thread, worker.poller.connections),
    LAYOUT_FIELD("worker.size", struct worker_thread, worker.poller.size),
    LAYOUT_FIELD("worker.open", struct worker_thread, worker.connections),
    LAYOUT_FIELD("worker.queues", struct worker_thread, worker.admission.queues),
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

static void worker_on_client_closed(int err, void *arg)
{
    struct worker_thread *t = arg;
    (void)err;
    if (t == &t->workers->threads[0])
        for (int i = 0; i < t->workers->signal_count; i++)
            uv_close((uv_handle_t *)&t->workers->signals[i], NULL);
    uv_close((uv_handle_t *)&t->stop, NULL);
    timer_end();
}

static void worker_on_site_closed(int err, void *arg)
{
    (void)err;
    when_settled(http_client_close(), worker_on_client_closed, arg);
}

static void worker_on_emptied(worker *w)
{
    struct worker_thread *t = container_of(w, struct worker_thread, worker);
    timer_stop(&t->deadline);
    timer_stop(&t->telling);
    worker_close(w);
    when_settled(t->workers->server->site->close(t->workers->server->site->arg), worker_on_site_closed, t);
}

static struct worker_thread *worker_of_deadline(timer *t)
{
    return container_of(t, struct worker_thread, deadline);
}

static void worker_on_deadline(timer *timer)
{
    struct worker_thread *t = worker_of_deadline(timer);
    const int late = connections_abort();
    t->late = late > 0;
    if (t->late)
        server_log_late(late);
}

/* Half of the time is for what still arrives, the other for answering with what has. */
static void worker_on_half_time(timer *timer)
{
    struct worker_thread *t = worker_of_deadline(timer);
    connections_break_off();
    topics_stop();
    timer_set(&t->deadline, t->worker.config->timeouts.drain / 2, worker_on_deadline);
}

static void worker_tell(struct worker_thread *t);

static void worker_on_telling(timer *timer) { worker_tell(container_of(timer, struct worker_thread, telling)); }

/* Clients that would go on, as many as the time has come for. */
static void worker_tell(struct worker_thread *t)
{
    const int parts = stop_parts_told(timer_now() - t->stopped, t->spread);
    if (parts < STOP_PARTS)
        timer_set(&t->telling, t->spread / STOP_PARTS + 1, worker_on_telling);
    connections_stop(parts);
}

static void worker_on_stop(uv_async_t *a)
{
    struct worker_thread *t = container_of(a, struct worker_thread, stop);
    worker *w = &t->worker;
    if (w->draining)
        return;
    loop_enter();
    w->draining = true;
    acceptor_close(&t->acceptor);
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

static void workers_on_signal(uv_signal_t *h, int number)
{
    workers *c = h->data;
    loop_enter();
    if (atomic_exchange(&c->stopping, true)) {               /* asked twice: at once */
        log_flush();
        _exit(128 + number);
    }
    server_log_stopping(number);
    for (int i = 0; i < c->count; i++)
        uv_async_send(&c->threads[i].stop);
    loop_leave();
}

/* Running. */

static int worker_start(struct worker_thread *t)
{
    worker *w = &t->worker;
    const server *s = t->workers->server;
    int err = loop_start();
    if (err)
        return err;
    watchdog_loop_begin();
    recorder_begin("loop", s->config->log.recorder);
    w->config = s->config;
    w->router = s->router;
    w->emptied = worker_on_emptied;
    w->answering = s->site->answering;
    w->admission.room = s->site->room;
    w->admission.arg = s->site->arg;
    err = worker_open(w, connection_ready);
    if (err)
        return err;
    uv_async_init(loop_here(), &t->stop, worker_on_stop);
    s->site->open(s->site->arg);
    const int listener = *t->socket;
    *t->socket = -1;
    return acceptor_open(&t->acceptor, listener);
}

static void worker_run(void)
{
    loop_run();
    watchdog_loop_end();
    topics_loop_end();
    recorder_end();
    if (loop_done())
        log_error("a worker ended with work left on its loop");
    websocket_trim();
    server_trim_thread();
}

static void worker_run_thread(void *arg)
{
    struct worker_thread *t = arg;
    server_must(worker_start(t), "cannot start a worker");
    uv_sem_post(&t->workers->started);
    worker_run();
}

static void workers_watch_signals(workers *c)
{
    int numbers[SERVER_STOP_SIGNALS];
    c->signal_count = server_stop_signals(numbers);
    for (int i = 0; i < c->signal_count; i++) {
        uv_signal_init(loop_here(), &c->signals[i]);
        c->signals[i].data = c;
        uv_signal_start(&c->signals[i], workers_on_signal, numbers[i]);
    }
}

int server_run_async(server *s, void (*started)(void *arg), void *arg)
{
    workers c = { .server = s, .count = s->listener.count };
    bool late = false;

    c.threads = mem_alloc((size_t)c.count * sizeof *c.threads);
    uv_sem_init(&c.started, 0);
    for (int i = 0; i < c.count; i++) {
        c.threads[i].workers = &c;
        c.threads[i].socket = &s->listener.sockets[i];
    }
    server_must(watchdog_start(s->config->log.slow_callback), "cannot start the thread that watches the loops");
    server_must(worker_start(&c.threads[0]), "cannot start the server");
    for (int i = 1; i < c.count; i++) {
        server_must(uv_thread_create(&c.threads[i].id, worker_run_thread, &c.threads[i]), "cannot start a thread");
        uv_sem_wait(&c.started);
    }
    atomic_store(&serving, &c);
    workers_watch_signals(&c);               /* they reach every worker: all must be there */
    started(arg);
    worker_run();
    for (int i = 1; i < c.count; i++)
        uv_thread_join(&c.threads[i].id);
    for (int i = 0; i < c.count; i++)
        late |= c.threads[i].late;
    atomic_store(&serving, NULL);
    watchdog_stop();
    uv_sem_destroy(&c.started);
    mem_free(c.threads);
    return late ? UV_ETIMEDOUT : 0;
}
