/* connection.c - see connection.h: how long it may wait, and how it ends. */
#include "connection.h"
#include "server/base/list.h"
#include "turn.h"
#include "server/http/client_socket.h"
#include "server/http/stop_spread.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/base/observe/slowest.h"
#include "server/base/overload/refusal.h"

#include <unistd.h>

typedef struct named_connection { connection connection; client_name client; } named_connection;

_Static_assert(offsetof(named_connection, client) == sizeof(connection), "connection_client looks there");

static _Thread_local pool connections = POOL(connection), connections_named = POOL(named_connection);

/* One timer a connection, for itself and for its handlers without a task: it is moved only when a shorter wait begins, else it
 * looks again when it is due. */

static uint64_t connection_allowed(const connection *c)
{
    const config *config = worker_here->config;
    switch ((connection_phase)c->phase) {
    case CONNECTION_IDLE:      return config->timeouts.idle;
    case CONNECTION_NEW:
    case CONNECTION_HEAD:      return config->timeouts.head;
    case CONNECTION_BODY:      return body_patience(c->last->body, config->timeouts.body);
    case CONNECTION_LEFT:      return HALF_CLOSE_TIMEOUT;
    case CONNECTION_WRITE:     return config->timeouts.write;
    case CONNECTION_CLOSING:
    case CONNECTION_LINGERING: return LINGER_TIMEOUT;
    case CONNECTION_WEBSOCKET: return config->websocket.ping;
    case CONNECTION_EVENTS:    return config->events.heartbeat;
    default:        return UINT32_MAX;
    }
}

static void connection_on_timer(timer *t);

/* A reader that takes a little now and then must be seen doing so: it is looked at more often. */
static void connection_set_timer(connection *c, uint64_t ms)
{
    const uint64_t often = connection_allowed(c) / 4 + 1;
    timer_set(&c->timer, c->phase == CONNECTION_WRITE && ms > often ? often : ms, connection_on_timer);
}

/* How long it has been in its phase. */
static void connection_look(connection *c, uint64_t now)
{
    if (c->phase == CONNECTION_HANDLER)
        return;                              /* handlers have time limits of their own */
    if (c->phase == CONNECTION_WRITE && writer_got_on(c))
        c->since = (uint32_t)now;
    const uint64_t waited = (uint32_t)now - c->since, most = connection_allowed(c);
    if (waited <= most)                      /* of its last millisecond a part is left */
        connection_set_timer(c, most - waited);
    else if ((c->phase == CONNECTION_HEAD && !c->announces) || c->phase == CONNECTION_BODY)
        pipeline_refuse(c, HTTP_STATUS(408));
    else if (c->phase == CONNECTION_WEBSOCKET && upgrade_ping(c))
        c->since = (uint32_t)now, connection_set_timer(c, most);
    else if (c->phase == CONNECTION_EVENTS)
        event_stream_beat(c), connection_set_timer(c, most);
    else
        connection_abandon(c);
}

static void connection_on_timer(timer *t)
{
    connection *c = container_of(t, connection, timer);
    const uint64_t deadline = pipeline_cancel_late(c);
    connection_look(c, timer_now());
    connection_limit(c, deadline);
}

void connection_limit(connection *c, uint64_t deadline)
{
    if (!c->closing && deadline != NO_DEADLINE && (!timer_is_set(&c->timer) || c->timer.due > deadline / 1000000 + 1))
        timer_set_at(&c->timer, deadline, connection_on_timer);
}

static connection_phase connection_phase_of(const connection *c)
{
    if (c->phase == CONNECTION_LINGERING)
        return CONNECTION_LINGERING;
    const bool body = c->reading && (!c->last->body->streams || stream_is_waited_for(c->last));
    return c->writing                   ? CONNECTION_WRITE
           : c->left                    ? CONNECTION_LEFT
           : body                       ? CONNECTION_BODY
           : upgrade_is_there(c)        ? upgrade_phase(c)
           : event_stream_is_there(c)   ? CONNECTION_EVENTS
           : c->first                   ? CONNECTION_HANDLER
           : c->input                   ? CONNECTION_HEAD
           : c->phase == CONNECTION_NEW ? CONNECTION_NEW
                                        : CONNECTION_IDLE;
}

void connection_watch(connection *c)
{
    const connection_phase now_in = connection_phase_of(c);
    if (now_in == c->phase && now_in != CONNECTION_IDLE && timer_is_set(&c->timer))
        return;
    const uint64_t now = timer_now();
    c->phase = now_in;
    c->since = (uint32_t)now;
    if (now_in != CONNECTION_HANDLER && (!timer_is_set(&c->timer) || c->timer.due > now + connection_allowed(c) + 1))
        connection_set_timer(c, connection_allowed(c));
}

static bool connection_wants_to_read(const connection *c) { return !c->paused && !c->left; }

void connection_poll(connection *c)
{
    const bool reads = connection_wants_to_read(c), writes = c->writing;
    const uint32_t before = (c->reads ? EPOLLIN : 0) | (c->writes ? EPOLLOUT : 0);
    if (poller_watch(&worker_here->poller, c->fd, before, (reads ? EPOLLIN : 0) | (writes ? EPOLLOUT : 0)))
        connection_abandon(c);
    else
        c->reads = reads, c->writes = writes;
}

/* A pause may be short: the kernel is told that nothing is to be read when there is something to be read. */
bool connection_ready(void *ready, uint32_t events)
{
    connection *c = ready;
    const uint32_t failed = events & (EPOLLERR | EPOLLHUP);
    if (turn_is_over(worker_here->now = uv_hrtime()))
        return false;
    if (c->writing && events & (EPOLLOUT | failed))
        writer_go_on(c);
    if (!c->closing && connection_wants_to_read(c) && events & (EPOLLIN | failed))
        reader_read(c);
    else if (!c->closing && (c->reads != connection_wants_to_read(c) || c->writes != !!c->writing))
        connection_poll(c);
    return true;
}

void connection_free_if_done(connection *c)
{
    if (!c->closing || c->first || c->flushing)
        return;
    reader_forget(c);
    slowest_written(c, false);
    shard_add(SHARD_CONNECTIONS, -1);
    if (connection_listener(c)->proxy_protocol)
        proxied_free(c);
    else
        pool_put(c->named ? &connections_named : &connections, c);
    if (--worker_here->connections == 0 && worker_here->draining)
        worker_here->emptied(worker_here);
}

static void connection_close(connection *c)
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
    if (!c->closing && c->delimits && (c->first || c->out.first))
        client_socket_reset(c->fd);
    connection_close(c);
    pipeline_abandon(c);
}

void connection_finish(connection *c)
{
    if (c->phase == CONNECTION_LINGERING)
        return;
    if (c->input || c->paused)
        c->unread = true;
    if (!c->unread || c->left || !client_socket_begin_linger(c->fd)) {
        connection_close(c);
        return;
    }
    reader_forget(c);
    reader_resume(c);
    if (c->closing)
        return;
    c->phase = CONNECTION_LINGERING;
    c->since = (uint32_t)timer_now();
    timer_set(&c->timer, LINGER_TIMEOUT, connection_on_timer);
}

void connection_begin(int fd, int listener)
{
    const bool proxied = worker_here->listeners->at[listener].proxy_protocol;
    const bool is_named = request_over_names_clients();      /* it has a name from the first on, or never */
    connection *c = proxied ? proxied_new() : pool_get(is_named ? &connections_named : &connections);
    if (!proxied)
        memset(c, 0, sizeof *c);
    c->named = is_named;
    c->fd = fd;
    c->listener = (uint8_t)listener;
    if (connection_client(c))
        client_name_of(connection_client(c), fd);
    shard_add(SHARD_CONNECTIONS, 1);
    shard_add(SHARD_ACCEPTED, 1);
    worker_here->connections++;
    poller_add(&worker_here->poller, fd, c);
    const bool many = worker_here->connections > worker_here->config->limits.connections && !connection_listener(c)->admin;
    if (many || mem_is_short()) {
        client_socket_turn_away(fd, refuse(many ? REFUSED_CONNECTIONS : REFUSED_MEMORY, 0));
        if (access_log_is_on())
            access_log_refusal(NULL, "", client_name_text(connection_client(c)), 503);
        connection_close(c);
        return;
    }
    if (proxied) {
        const peer p = connection_peer(c);
        c->announces = peer_is_trusted(&p);
    }
    connection_poll(c);
    if (!c->closing)
        connection_watch(c);
}

/* Stopping. */

struct walk {
    void (*visit)(connection *);
    int    parts;                            /* of the clients (stop_spread.h): those are visited */
    int    busy;                             /* of them, those that had something under way */
};

static void connection_visit(void *visited, void *arg)
{
    struct walk *w = arg;
    connection *c = visited;
    if (stop_part(c->fd) >= w->parts)
        return;
    w->busy += c->phase != CONNECTION_NEW && c->phase != CONNECTION_IDLE && c->phase != CONNECTION_LINGERING;
    w->visit(c);
}

static int connections_visit(void (*visit)(connection *), int parts)
{
    struct walk w = { visit, parts, 0 };
    poller_each(&worker_here->poller, connection_visit, &w);
    return w.busy;
}

static void connection_drain(connection *c)
{
    if (c->last && !c->last->answered)
        c->last->keep_alive = false, c->ending = true;       /* its answer says so: none may follow it */
}

void connections_drain(void) { connections_visit(connection_drain, STOP_PARTS); }

static void connection_stop(connection *c)
{
    if (upgrade_is_there(c))
        upgrade_stop(c);
    for (request *r = c->first; r; r = r->next)
        if (r->events)
            event_stream_stop(r);
}

void connections_stop(int parts) { connections_visit(connection_stop, parts); }

static void connection_break_off(connection *c)
{
    if (c->reading && c->last->body->streams)
        stream_break(c, UV_ESHUTDOWN);
    else if (upgrade_is_there(c))
        connection_abandon(c);
}

void connections_break_off(void) { connections_visit(connection_break_off, STOP_PARTS); }
int  connections_abort(void)     { return connections_visit(connection_abandon, STOP_PARTS); }
