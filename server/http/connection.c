/* connection.c - see connection.h: how long it may wait, and how it ends. */
#include "connection.h"
#include "listener.h"
#include "patience.h"
#include "server/log.h"
#include "server/memory.h"
#include "server/refusal.h"

#include <sys/socket.h>
#include <unistd.h>

static _Thread_local pool connections = POOL(connection);

static char ours;                            /* what data of a connection's handle points to, and of no other's */

/* One timer a connection: it is moved only when a shorter wait begins, else it looks again when it rings. */

static uint64_t allowed(const connection *c)
{
    const config *config = worker_here->config;
    switch ((phase)c->phase) {
    case IDLE:      return config->timeouts.idle;
    case NEW:
    case HEAD:      return config->timeouts.head;
    case BODY:      return body_patience(c->last->body, config->timeouts.body);
    case LEFT:      return FAREWELL;
    case WRITE:     return config->timeouts.write;
    case LINGERING: return LINGER;
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

void connection_free_if_done(connection *c)
{
    if (!c->closed || c->first || c->flushing)
        return;
    reader_forget(c);
    pool_put(&connections, c);
    if (--worker_here->connections == 0 && worker_here->draining)
        worker_here->emptied(worker_here);
}

static void on_closed(uv_handle_t *h)
{
    connection *c = (connection *)h;
    loop_enter();
    c->closed = true;
    connection_free_if_done(c);
    loop_leave();
}

static void close_now(connection *c)
{
    if (c->closing)
        return;
    c->closing = c->ending = true;
    timer_stop(&c->timer);
    output_free(&c->out);
    uv_close((uv_handle_t *)c, on_closed);   /* a write under way fails with UV_ECANCELED first */
}

void connection_abandon(connection *c)
{
    close_now(c);
    pipeline_abandon(c);
}

void connection_finish(connection *c)
{
    int fd;
    if (c->phase == LINGERING)
        return;
    if (c->input || c->paused)
        c->unread = true;
    /* To close while the client is still sending would reset the connection, and it might never see our
     * answer: say that we are done, and read on for a while (RFC 9112, 9.6). */
    if (!c->unread || c->left || uv_fileno((uv_handle_t *)c, &fd) || shutdown(fd, SHUT_WR)) {
        close_now(c);
        return;
    }
    reader_forget(c);
    reader_resume(c);
    if (c->closing)
        return;
    c->phase = LINGERING;
    c->since = (uint32_t)timer_now();
    timer_set(&c->timer, LINGER, rang);
}

static void turn_away(connection *c)
{
    int fd;
    if (uv_fileno((uv_handle_t *)c, &fd) == 0)
        listener_turn_away(fd, refuse(REFUSED_CONNECTIONS, 0));
    close_now(c);
}

static connection *make(void)
{
    connection *c = pool_get(&connections);
    memset(c, 0, sizeof *c);
    uv_tcp_init(loop_here(), &c->tcp);
    c->tcp.data = &ours;
    worker_here->connections++;
    return c;
}

/* err: of getting its socket. */
static void begin(connection *c, int err)
{
    if (err)
        close_now(c);
    else if (worker_here->connections > worker_here->config->limits.connections)
        turn_away(c);
    else if (reader_start(c))
        close_now(c);
    else
        connection_watch(c);
}

/* The one that libuv has accepted, and holds. */
static void accept_one(uv_stream_t *listener)
{
    connection *c = make();
    begin(c, uv_accept(listener, (uv_stream_t *)c));
}

static void accept_later(ready *r)
{
    worker *w = (worker *)((char *)r - offsetof(worker, acceptance));
    if (!w->accepts_later)
        return;
    w->accepts_later = false;
    accept_one((uv_stream_t *)&w->listener);
}

/* libuv tells of no other client until this one has been accepted. */
void connection_accept(uv_stream_t *listener, int status)
{
    loop_enter();
    if (status < 0)
        log_warning("cannot accept a connection: %s", uv_strerror(status));
    else if (!worker_turn_is_over(uv_hrtime()))
        accept_one(listener);
    else {
        worker_here->accepts_later = true;
        worker_here->acceptance.run = accept_later;
        worker_next_turn(&worker_here->acceptance);
    }
    loop_leave();
}

/* Stopping: every connection is found among the loop's handles, so that none needs links of its own;
 * other handles may be there, of whatever kind. */

struct walk { void (*visit)(connection *); int busy; };      /* busy: connections that had something under way */

static void each_connection(uv_handle_t *h, void *arg)
{
    struct walk *w = arg;
    connection *c = (connection *)h;
    if (h->data != &ours || uv_is_closing(h))
        return;
    w->busy += c->phase != NEW && c->phase != IDLE && c->phase != LINGERING;
    w->visit(c);
}

static int visit_all(void (*visit)(connection *))
{
    struct walk w = { visit, 0 };
    uv_walk(loop_here(), each_connection, &w);
    return w.busy;
}

void connections_accept_rest(void)
{
    worker *w = worker_here;
    int listener, fd;
    if (w->accepts_later)
        accept_later(&w->acceptance);
    if (uv_fileno((uv_handle_t *)&w->listener, &listener))
        return;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        connection *c = make();
        const int err = uv_tcp_open(&c->tcp, fd);
        if (err)
            close(fd);
        begin(c, err);
    }
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
