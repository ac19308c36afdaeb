/* server.c - see server.h: what both ways to serve have in common. */
#include "server.h"
#include "listen/listening_sockets.h"
#include "server_internal.h"
#include "request_internal.h"
#include "server/diagnose/unawaited_log.h"
#include "server/async/unawaited.h"
#include "server/async/context/stack.h"
#include "server/base/block.h"
#include "server/base/log.h"
#include "server/base/memory.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <uv.h>

const int SERVER_STOP_SIGNAL[SERVER_STOP_SIGNALS] = { SIGTERM, SIGINT };

static atomic_int state = SERVER_STARTING;

server_state server_state_now(void) { return (server_state)atomic_load(&state); }

static bool server_is_first(const server *s) { return s->told < 0; }

static void server_is(const server *s, server_state now)
{
    if (server_is_first(s))
        atomic_store(&state, (int)now);
}

int server_open(server **opened, const config *c, char *why, size_t size)
{
    server *s = mem_alloc(sizeof *s);
    s->config = c;
    atomic_init(&s->latest, c);
    const int sockets = c->server.mode == MODE_ASYNC ? c->server.workers : 1;
    int err = listeners_open(&s->listeners, SERVER_PUBLIC, c->server.listen, sockets, why, size);
    const int count = s->listeners.count;
    if (!err && strcmp(c->admin.listen, CONFIG_NONE) != 0)
        err = listeners_open(&s->listeners, SERVER_ADMIN, c->admin.listen, sockets, why, size);
    if (err) {
        listeners_close(&s->listeners);
        mem_free(s);
        return err;
    }
    s->trust = (peer_trust){ trusted_new(c->server.trusted_proxies), (forwarded_way)c->server.forwarded };
    for (int i = 0; i < s->listeners.count; i++)
        s->listeners.at[i].admin = i >= count;
    listeners_write(&s->listeners, SERVER_PUBLIC, s->addresses, sizeof s->addresses);
    listeners_write(&s->listeners, SERVER_ADMIN, s->admin_addresses, sizeof s->admin_addresses);
    pthread_mutex_init(&s->lock, NULL);
    s->told = -1;
    *opened = s;
    return 0;
}

void server_set_site(server *s, const site *site)
{
    s->site = site;
    s->router = router_new(site->routes, site->count, false);
    s->admin_router = router_new(site->routes, site->count, true);
    for (int i = 0; i < s->listeners.count; i++)
        s->listeners.at[i].router = s->listeners.at[i].admin ? s->admin_router : s->router;
    problem_use(site->problem);
}

const char *server_addresses(const server *s)       { return s->addresses; }
const char *server_admin_addresses(const server *s) { return s->admin_addresses; }

const char *server_own_address(const server *s)
{
    for (int i = 0; i < s->listeners.count; i++)
        if (s->listeners.at[i].own_address[0])
            return s->listeners.at[i].own_address;
    return NULL;
}

static void server_on_started(void *arg)
{
    server *s = arg;
    server_is(s, SERVER_SERVING);
    s->started(s->started_arg);
}

int server_run(server *s, void (*started)(void *arg), void *arg)
{
    s->started = started;
    s->started_arg = arg;
    if (server_is_first(s))                  /* else the other one has */
        unawaited_log_install();
    const int err = (s->config->server.mode == MODE_ASYNC ? server_run_async : server_run_threads)(s, server_on_started, s);
    if (err && err != UV_ETIMEDOUT)
        log_error("cannot start the server: %s",
                  err == UV_EADDRINUSE ? "two of its addresses have a port in common, or another program has taken one since"
                                       : uv_strerror(err));
    return err;
}

void server_close(server *s)
{
    listeners_close(&s->listeners);
    if (s->site) {
        router_free(s->router);
        router_free(s->admin_router);
    }
    trusted_free(s->trust.proxies);
    pthread_mutex_destroy(&s->lock);
    if (s->told >= 0)
        close(s->told);
    mem_free(s);
}

void server_set_running(server *s, const server_loops *loops, void *running)
{
    pthread_mutex_lock(&s->lock);
    s->loops = loops;
    s->running = running;
    pthread_mutex_unlock(&s->lock);
}

void server_ask(server *s)
{
    pthread_mutex_lock(&s->lock);
    if (s->loops)
        s->loops->ask(s);
    pthread_mutex_unlock(&s->lock);
}

bool server_has_answered(server *s)
{
    pthread_mutex_lock(&s->lock);
    const bool answered = !s->loops || s->loops->have_answered(s);
    pthread_mutex_unlock(&s->lock);
    return answered;
}

void server_reconfigure(server *s, const config *c)
{
    atomic_store(&s->latest, c);
    server_ask(s);
}

void server_on_stopping(server *s, void (*stopping)(void *arg), void *arg)
{
    s->stopping = stopping;
    s->stopping_arg = arg;
}

void server_on_draining(server *s, void (*draining)(void *arg), void *arg)
{
    s->draining = draining;
    s->draining_arg = arg;
}

int server_be_told(server *s)
{
    s->told = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return s->told < 0 ? -errno : 0;
}

void server_tell_to_stop(server *s) { eventfd_write(s->told, 1); }

void server_begin_to_drain(const server *s, int signal)
{
    if (server_is_first(s))
        log_info("stopping (SIG%s); once more stops at once", sigabbrev_np(signal));
    server_is(s, SERVER_STOPPING);
    if (s->draining)
        s->draining(s->draining_arg);
}

void server_end_at_once(int signal)
{
    log_flush();
    _exit(128 + signal);
}

/* Who takes the sockets over is there for all who come. */
uint64_t server_drain_delay(const server *s)
{
    return listening_sockets_are_handed_on() || s->told >= 0 ? 0 : atomic_load(&s->latest)->timeouts.drain_delay;
}

void server_begin_to_stop(server *s)
{
    listeners_leave(&s->listeners);
    if (s->stopping)
        s->stopping(s->stopping_arg);
}

void server_log_late(int connections)
{
    log_warning("stopping: %d connections were not done in time and are closed", connections);
}

void server_trim_thread(void)
{
    unawaited_thread_end();
    stack_trim();
    block_trim();
    pool_done_all();
}
