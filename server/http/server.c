/* server.c - see server.h: what both ways to serve have in common. */
#include "server.h"
#include "server_internal.h"
#include "server/diagnose/crash_handler.h"
#include "server/diagnose/unawaited_log.h"
#include "server/async/unawaited.h"
#include "server/async/context/stack.h"
#include "server/base/block.h"
#include "server/base/log.h"
#include "server/base/memory.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

int server_open(server **opened, const config *c, const site *site, char *why, size_t size)
{
    server *s = mem_alloc(sizeof *s);
    s->config = c;
    s->site = site;
    const int sockets = c->server.mode == MODE_ASYNC ? c->server.workers : 1;
    const int err = listener_open(&s->listener, c->server.listen, sockets, why, size);
    if (err) {
        mem_free(s);
        return err;
    }
    s->router = router_new(site->routes, site->count);
    *opened = s;
    return 0;
}

const char *server_address(const server *s)     { return s->listener.address; }
const char *server_own_address(const server *s) { return s->listener.own_address; }

int server_run(server *s, void (*started)(void *arg), void *arg)
{
    crash_handler_install();
    unawaited_log_install();
    return (s->config->server.mode == MODE_ASYNC ? server_run_async : server_run_threads)(s, started, arg);
}

void server_close(server *s)
{
    listener_close(&s->listener);
    router_free(s->router);
    mem_free(s);
}

int server_stop_signals(int numbers[SERVER_STOP_SIGNALS])
{
    struct sigaction hangup;
    numbers[0] = SIGTERM;
    numbers[1] = SIGINT;
    numbers[2] = SIGHUP;
    return sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler == SIG_IGN ? 2 : 3;
}

void server_log_stopping(int signal) { log_info("stopping (SIG%s); once more stops at once", sigabbrev_np(signal)); }

void server_log_late(int connections)
{
    log_warning("stopping: %d connections were not done in time and are closed", connections);
}

void server_must(int err, const char *what)
{
    if (err) {
        log_error("%s: %s", what, uv_strerror(err));
        log_flush();
        _exit(1);
    }
}

void server_trim_thread(void)
{
    unawaited_thread_end();
    stack_trim();
    block_trim();
    pool_done_all();
}
