/* upgrade.c - see connection.h: the request is a websocket, which is read when its handler receives. */
#include "connection.h"
#include "server/http/client_socket.h"
#include "server/http/websocket/websocket_internal.h"
#include "server/base/blocking_wait.h"

#include <poll.h>

static void upgrade_leave(websocket *ws)
{
    request *r = websocket_request(ws);
    thread_connection *c = r->connection;
    r->gone = c->gone = true;
}

static void upgrade_take(thread_connection *c, websocket *ws)
{
    if (c->at < c->end)
        c->at += websocket_take(ws, c->input + c->at, c->end - c->at);
}

/* One read: a client that sends what is no message all the time does not keep its thread from all else. */
static int upgrade_look(websocket *ws)
{
    thread_connection *c = websocket_request(ws)->connection;
    if (websocket_pass_on(ws, NULL))         /* the thread may have been woken for that */
        transport_send(c);
    upgrade_take(c, ws);
    if (websocket_has_something(ws))
        return 0;
    const receive_result came = c->gone ? RECEIVE_END : transport_receive_now(c);
    if (came == RECEIVE_END) {
        upgrade_leave(ws);
        return UV_ECANCELED;
    }
    if (came == RECEIVE_BYTES)
        c->silent_until = deadline_in(c->shared->config->websocket.ping);
    upgrade_take(c, ws);
    return websocket_has_something(ws) ? 0 : UV_EAGAIN;
}

/* Until when it may be silent; 0: no longer. */
static uint64_t upgrade_patience(thread_connection *c, websocket *ws, uint64_t now)
{
    const uint64_t ping = c->shared->config->websocket.ping;
    if (websocket_is_closing(ws)) {
        const uint64_t until = deadline_after(websocket_closed_at(ws), LINGER_TIMEOUT);
        return now < until ? until : 0;
    }
    if (c->silent_until == 0)                /* it has just begun */
        c->silent_until = deadline_in(ping);
    if (now < c->silent_until)
        return c->silent_until;
    if (!websocket_ping(ws))
        return 0;
    return c->silent_until = deadline_in(ping);
}

/* A look now and then, while the server stops: it may not wait to the end. */
static void upgrade_expect(websocket *ws, blocking_set *set)
{
    thread_connection *c = websocket_request(ws)->connection;
    const uint64_t stop = thread_stop_time(c), now = uv_hrtime();
    if (now >= stop)
        websocket_going_away(ws);
    const uint64_t until = upgrade_patience(c, ws, now), look = now < stop ? stop : deadline_in(BLOCKING_LOOK_MS);
    websocket_pass_on(ws, set);
    transport_send(c);
    if (c->gone || !until || atomic_load(&c->shared->breaking_off))
        upgrade_leave(ws);
    set->until = deadline_sooner(set->until, deadline_sooner(until, look));
    blocking_add(set, c->fd, POLLIN);
    blocking_add(set, stop == NO_DEADLINE ? c->shared->stopping : -1, POLLIN);
}

static int upgrade_wait(websocket *ws)
{
    const request *r = websocket_request(ws);
    int err;
    while ((err = upgrade_look(ws)) == UV_EAGAIN) {
        blocking_set set = { .until = NO_DEADLINE };
        upgrade_expect(ws, &set);
        if (r->gone)
            return UV_ECANCELED;
        poll(set.on, (nfds_t)set.count, deadline_poll_ms(set.until));
    }
    return err;
}

static promise *upgrade_sent(request *r) { return request_host_here->room(r); }

static void upgrade_flush(request *r) { transport_send(r->connection); }

static bool upgrade_has_room(const request *r)
{
    const thread_connection *c = r->connection;
    return c->out.length <= c->shared->config->limits.output;
}

static const config *upgrade_config(const request *r)
{
    const thread_connection *c = r->connection;
    return c->shared->config;
}

const websocket_host thread_upgrade_host = { .wait = upgrade_wait, .look = upgrade_look, .expect = upgrade_expect,
                                             .sent = upgrade_sent, .begun = upgrade_flush, .flush = upgrade_flush,
                                             .has_room = upgrade_has_room, .config = upgrade_config };

int thread_upgrade_end(request *r, int err)
{
    thread_connection *c = r->connection;
    err = websocket_end(r->websocket, err);
    c->unread = true;                        /* its Close is yet to come, or what it had sent when it sent it */
    return err;
}

void thread_upgrade_free(request *r) { websocket_free(r->websocket); }
