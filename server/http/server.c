/* server.c - see server.h. */
#include "server.h"
#include "output.h"
#include "server/address.h"
#include "server/async/loop.h"
#include "server/async/stack.h"
#include "server/async/timer.h"
#include "server/log.h"
#include "server/memory.h"
#include "worker.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

struct thread {                              /* a worker and what runs it */
    worker      worker;                      /* must be first */
    server     *server;
    uv_thread_t id;
    uv_async_t  stop;                        /* sent from the signal's loop */
    timer       deadline;
    int         fd;                          /* its listening socket */
    bool        late;                        /* the drain time passed with work left */
};

struct server {
    const config  *config;
    const site    *site;
    router        *router;
    int            count;
    struct thread *threads;
    uv_signal_t    signals[2];
    uv_sem_t       started;                  /* posted by each worker's thread once it serves */
    atomic_bool    stopping;
    char           address[64 + NI_MAXHOST];
};

/* Listening. */

static int open_socket(const struct addrinfo *a, bool shared)
{
    const int on = 1;
    const int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);        /* every accepted socket inherits it */
    if (shared)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (bind(fd, a->ai_addr, a->ai_addrlen)) {
        const int err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

/* With SO_REUSEPORT another tenk could take the same port unnoticed: so a socket without it must
 * find the port free first. It also settles which port 0 is. */
static int open_sockets(server *s, struct addrinfo *a)
{
    int fd = open_socket(a, false);
    if (fd < 0)
        return fd;
    if (listen(fd, 1)) {
        const int err = -errno;
        close(fd);
        return err;
    }
    getsockname(fd, a->ai_addr, &a->ai_addrlen);
    if (s->count == 1) {
        s->threads[0].fd = fd;
        return 0;
    }
    close(fd);
    for (int i = 0; i < s->count; i++)
        if ((s->threads[i].fd = open_socket(a, true)) < 0)
            return s->threads[i].fd;
    return 0;
}

static int bind_all(server *s, char *why, size_t size)
{
    char port[NI_MAXSERV], numeric[NI_MAXHOST], service[NI_MAXSERV];
    address a;
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV }, *found;

    if (address_parse(&a, s->config->server.listen)) {
        snprintf(why, size, "cannot listen on %s: it is not HOST:PORT", s->config->server.listen);
        return UV_EINVAL;
    }
    snprintf(port, sizeof port, "%d", a.port);
    const int unknown = getaddrinfo(a.host[0] ? a.host : NULL, port, &hints, &found);
    if (unknown) {
        snprintf(why, size, "cannot listen on %s: %s", s->config->server.listen, gai_strerror(unknown));
        return UV_EINVAL;
    }
    const int err = open_sockets(s, found);
    if (!err) {
        getnameinfo(found->ai_addr, found->ai_addrlen, numeric, sizeof numeric, service, sizeof service,
                    NI_NUMERICHOST | NI_NUMERICSERV);
        const bool v6 = found->ai_family == AF_INET6;
        snprintf(s->address, sizeof s->address, "http://%s%s%s:%s", v6 ? "[" : "", numeric, v6 ? "]" : "", service);
    } else if (err == UV_EADDRINUSE) {
        snprintf(why, size, "cannot listen on %s: port %s is in use by another program (choose another with --listen)",
                 s->config->server.listen, port);
    } else {
        snprintf(why, size, "cannot listen on %s: %s", s->config->server.listen, uv_strerror(err));
    }
    freeaddrinfo(found);
    return err;
}

int server_open(server **opened, const config *c, const site *site, char *why, size_t size)
{
    server *s = mem_alloc(sizeof *s);
    s->config = c;
    s->site = site;
    s->count = c->server.workers;
    s->threads = mem_alloc((size_t)s->count * sizeof *s->threads);
    for (int i = 0; i < s->count; i++)
        s->threads[i].fd = -1;
    s->router = router_new(site->routes, site->count);
    const int err = bind_all(s, why, size);
    if (err) {
        server_close(s);
        return err;
    }
    *opened = s;
    return 0;
}

const char *server_address(const server *s) { return s->address; }

void server_close(server *s)
{
    for (int i = 0; i < s->count; i++)
        if (s->threads[i].fd >= 0)
            close(s->threads[i].fd);
    router_free(s->router);
    mem_free(s->threads);
    mem_free(s);
}

/* Stopping: the signal reaches every worker through its async handle; each drains by itself. */

static void on_site_closed(int err, void *arg)
{
    struct thread *t = arg;
    (void)err;
    if (t == &t->server->threads[0])
        for (int i = 0; i < 2; i++)
            uv_close((uv_handle_t *)&t->server->signals[i], NULL);
    uv_close((uv_handle_t *)&t->stop, NULL);
    timer_end();
}

static void on_emptied(worker *w)
{
    struct thread *t = (struct thread *)w;
    timer_stop(&t->deadline);
    when_settled(t->server->site->close(t->server->site->arg), on_site_closed, t);
}

static void on_deadline(timer *timer)
{
    struct thread *t = (struct thread *)((char *)timer - offsetof(struct thread, deadline));
    log_warning("stopping: %d connections were not done in time and are closed", t->worker.connections);
    t->late = true;
    connections_abort();
}

static void on_stop(uv_async_t *a)
{
    struct thread *t = (struct thread *)((char *)a - offsetof(struct thread, stop));
    worker *w = &t->worker;
    if (w->draining)
        return;
    w->draining = true;
    uv_close((uv_handle_t *)&w->listener, NULL);
    t->fd = -1;                              /* closed with it */
    if (w->connections == 0) {
        on_emptied(w);
        return;
    }
    timer_set(&t->deadline, w->config->timeouts.drain, on_deadline);
    connections_drain();
}

static void on_signal(uv_signal_t *h, int number)
{
    server *s = h->data;
    if (atomic_exchange(&s->stopping, true))
        _exit(128 + number);                 /* asked twice: at once */
    log_info("stopping (%s); once more stops at once", number == SIGINT ? "SIGINT" : "SIGTERM");
    for (int i = 0; i < s->count; i++)
        uv_async_send(&s->threads[i].stop);
}

/* Running. */

static int start_worker(struct thread *t)
{
    worker *w = &t->worker;
    int err = loop_start();
    if (err)
        return err;
    worker_here = w;
    w->config = t->server->config;
    w->router = t->server->router;
    w->emptied = on_emptied;
    w->answering = t->server->site->answering;
    uv_async_init(loop_here(), &t->stop, on_stop);
    t->server->site->open(t->server->site->arg);
    uv_tcp_init(loop_here(), &w->listener);
    err = uv_tcp_open(&w->listener, t->fd);
    return err ? err : uv_listen((uv_stream_t *)&w->listener, BACKLOG, connection_accept);
}

static void run_worker(void)
{
    loop_run();
    if (loop_done())
        log_error("a worker ended with work left on its loop");
    stack_trim();
    arena_trim();
    output_trim();
}

static void must(int err, const char *what)
{
    if (err) {
        log_error("%s: %s", what, uv_strerror(err));
        _exit(1);
    }
}

static void run_thread(void *arg)
{
    struct thread *t = arg;
    must(start_worker(t), "cannot start a worker");
    uv_sem_post(&t->server->started);
    run_worker();
}

static void watch_signals(server *s)
{
    for (int i = 0; i < 2; i++) {
        uv_signal_init(loop_here(), &s->signals[i]);
        s->signals[i].data = s;
        uv_signal_start(&s->signals[i], on_signal, i ? SIGTERM : SIGINT);
    }
}

int server_run(server *s, void (*started)(void *arg), void *arg)
{
    bool late = false;

    uv_sem_init(&s->started, 0);
    for (int i = 0; i < s->count; i++)
        s->threads[i].server = s;
    must(start_worker(&s->threads[0]), "cannot start the server");
    for (int i = 1; i < s->count; i++) {
        must(uv_thread_create(&s->threads[i].id, run_thread, &s->threads[i]), "cannot start a thread");
        uv_sem_wait(&s->started);
    }
    watch_signals(s);                        /* they reach every worker: all must be there */
    started(arg);
    run_worker();
    for (int i = 1; i < s->count; i++)
        uv_thread_join(&s->threads[i].id);
    for (int i = 0; i < s->count; i++)
        late |= s->threads[i].late;
    uv_sem_destroy(&s->started);
    return late ? UV_ETIMEDOUT : 0;
}
