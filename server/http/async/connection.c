/* connection.c - see connection.h: how long it may wait, and how it ends. */
#include "connection.h"
#include "turn.h"
#include "server/http/listener.h"
#include "server/http/message/client_timeouts.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/base/refusal.h"

#include <sys/socket.h>
#include <unistd.h>

static _Thread_local pool connections = POOL(connection);

/* One timer a connection: it is moved only when a shorter wait begins, else it looks again when it rings. */

static uint64_t allowed(const connection *c)
{
    const config *config = worker_here->config;
    switch ((phase)c->phase) {
    case IDLE:      return config->timeouts.idle;
    case NEW:
    case HEAD:      return config->timeouts.head;
    case BODY:      return body_patience(c->last->body, config->timeouts.body);
    case LEFT:      return HALF_CLOSE_TIMEOUT;
    case WRITE:     return config->timeouts.write;
    case LINGERING: return LINGER_TIMEOUT;
    default:        return UINT32_MAX;
    }
}

static void rang(timer *t);

/* A reader that takes a little now and then must be seen doing so: it is looked at more often. */
static void look_again(connection *c, uint64_t ms)
{
    const uint64_t often = allowed(c) / 4 + 1;
    timer_set(&c->timer, c->phase == WRITE && ms > often ? often : ms, rang);
}

static void rang(timer *t)
{
    connection *c = (connection *)((char *)t - offsetof(connection, timer));
    const uint64_t now = timer_now();

    if (c->phase == HANDLER)
        return;                              /* handlers have time limits of their own */
    if (c->phase == WRITE && writer_got_on(c))
        c->since = (uint32_t)now;
    const uint64_t waited = (uint32_t)now - c->since, most = allowed(c);
    if (waited <= most)                      /* of its last millisecond a part is left */
        look_again(c, most - waited);
    else if (c->phase == HEAD || c->phase == BODY)
        pipeline_refuse(c, HTTP_STATUS(408));
    else
        connection_abandon(c);
}

static phase phase_of(const connection *c)
{
    if (c->phase == LINGERING)
        return LINGERING;
    const bool body = c->reading && (!c->last->body->streams || stream_is_waited_for(c->last));
    return c->writing ? WRITE : c->left ? LEFT : body ? BODY : c->first ? HANDLER : c->input ? HEAD : c->phase == NEW ? NEW : IDLE;
}

void connection_watch(connection *c)
{
    const phase now_in = phase_of(c);
    if (now_in == c->phase && now_in != IDLE && timer_is_set(&c->timer))
        return;
    const uint64_t now = timer_now();
    c->phase = now_in;
    c->since = (uint32_t)now;
    if (now_in != HANDLER && (!timer_is_set(&c->timer) || c->timer.due > now + allowed(c) + 1))
        look_again(c, allowed(c));
}

static bool wants_to_read(const connection *c) { return !c->paused && !c->left; }

void connection_poll(connection *c)
{
    const bool reads = wants_to_read(c), writes = c->writing;
    const uint32_t before = (c->reads ? EPOLLIN : 0) | (c->writes ? EPOLLOUT : 0);
    if (poller_watch(&worker_here->poller, c->fd, before, (reads ? EPOLLIN : 0) | (writes ? EPOLLOUT : 0)))
        connection_abandon(c);
    else
        c->reads = reads, c->writes = writes;
}

/* A pause may be short: that nobody wants to read is told the kernel when there is something to be read. */
bool connection_ready(void *who, uint32_t events)
{
    connection *c = who;
    const uint32_t failed = events & (EPOLLERR | EPOLLHUP);
    if (turn_is_over(worker_here->now = uv_hrtime()))
        return false;
    if (c->writing && events & (EPOLLOUT | failed))
        writer_go_on(c);
    if (!c->closing && wants_to_read(c) && events & (EPOLLIN | failed))
        reader_read(c);
    else if (!c->closing && (c->reads != wants_to_read(c) || c->writes != !!c->writing))
        connection_poll(c);
    return true;
}

void connection_free_if_done(connection *c)
{
    if (!c->closing || c->first || c->flushing)
        return;
    reader_forget(c);
    pool_put(&connections, c);
    if (--worker_here->connections == 0 && worker_here->draining)
        worker_here->emptied(worker_here);
}

static void close_now(connection *c)
{
    if (c->closing)
        return;
    c->closing = c->ending = true;
    timer_stop(&c->timer);
    output_free(&c->out);
    poller_remove(&worker_here->poller, c->fd);
    close(c->fd);
    writer_forget(c);
    writer_end_turn(c);                      /* it is freed then at the earliest: others may be using it right now */
}

void connection_abandon(connection *c)
{
    close_now(c);
    pipeline_abandon(c);
}

void connection_finish(connection *c)
{
    if (c->phase == LINGERING)
        return;
    if (c->input || c->paused)
        c->unread = true;
    /* To close while the client is still sending would reset the connection, and it might never see our
     * answer: say that we are done, and read on for a while (RFC 9112, 9.6). */
    if (!c->unread || c->left || shutdown(c->fd, SHUT_WR)) {
        close_now(c);
        return;
    }
    reader_forget(c);
    reader_resume(c);
    if (c->closing)
        return;
    c->phase = LINGERING;
    c->since = (uint32_t)timer_now();
    timer_set(&c->timer, LINGER_TIMEOUT, rang);
}

void connection_begin(int fd)
{
    connection *c = pool_get(&connections);
    memset(c, 0, sizeof *c);
    c->fd = fd;
    worker_here->connections++;
    poller_add(&worker_here->poller, fd, c);
    const bool many = worker_here->connections > worker_here->config->limits.connections;
    if (many || mem_is_short()) {
        listener_turn_away(fd, refuse(many ? REFUSED_CONNECTIONS : REFUSED_MEMORY, 0));
        close_now(c);
        return;
    }
    connection_poll(c);
    if (!c->closing)
        connection_watch(c);
}

/* Stopping. */

struct walk { void (*visit)(connection *); int busy; };      /* busy: connections that had something under way */

static void each_connection(void *who, void *arg)
{
    struct walk *w = arg;
    connection *c = who;
    w->busy += c->phase != NEW && c->phase != IDLE && c->phase != LINGERING;
    w->visit(c);
}

static int visit_all(void (*visit)(connection *))
{
    struct walk w = { visit, 0 };
    poller_each(&worker_here->poller, each_connection, &w);
    return w.busy;
}

static void drain(connection *c)
{
    if (c->last && !c->last->answered)
        c->last->keep_alive = false, c->ending = true;       /* its answer says so: none may follow it */
}

void connections_drain(void) { visit_all(drain); }

static void break_off(connection *c)
{
    if (c->reading && c->last->body->streams)
        stream_break(c, UV_ESHUTDOWN);
}

void connections_break_off(void) { visit_all(break_off); }
int  connections_abort(void)     { return visit_all(connection_abandon); }
