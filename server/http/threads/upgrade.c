/* upgrade.c - see connection.h: the request is a websocket, which is read when its handler receives. */
#include "connection.h"
#include "server/http/client_socket.h"
#include "server/http/websocket/websocket_internal.h"
#include "server/base/blocking_wait.h"

#include <poll.h>

/* Until its client has sent more; or until that time, or the server is about to stop, which is waited for if it matters. */
static receive_result upgrade_wait(thread_connection *c, uint64_t until, bool stopping)
{
    struct pollfd on[] = { { c->fd, POLLIN, 0 }, { stopping ? c->shared->stopping : -1, POLLIN, 0 } };
    const int n = poll(on, 2, deadline_poll_ms(until));
    return n > 0 && on[0].revents ? transport_receive_now(c) : RECEIVE_TIMEOUT;
}

/* 0, or UV_ECANCELED: the client is gone. A look now and then, while the server stops: it may not wait to the end. */
static int upgrade_receive_more(thread_connection *c, websocket *ws)
{
    const uint64_t ping = c->shared->config->websocket.ping;
    uint64_t until = deadline_in(ping);
    for (;;) {
        const uint64_t stop = thread_stop_time(c), now = uv_hrtime();
        const bool draining = stop != NO_DEADLINE;
        if (now >= stop)
            websocket_going_away(ws);
        transport_send(c);
        if (c->gone || atomic_load(&c->shared->breaking_off))
            return UV_ECANCELED;
        if (websocket_is_closing(ws))
            until = deadline_after(websocket_closed_at(ws), LINGER_TIMEOUT);
        const uint64_t look = now < stop ? stop : deadline_in(BLOCKING_LOOK_MS);
        const receive_result came = upgrade_wait(c, deadline_sooner(until, look), !draining);
        if (came != RECEIVE_TIMEOUT)
            return came == RECEIVE_BYTES ? 0 : UV_ECANCELED;
        if (uv_hrtime() < until)
            continue;
        if (websocket_is_closing(ws) || !websocket_ping(ws))
            return UV_ECANCELED;
        until = deadline_in(ping);
    }
}

static int upgrade_wait_for_frames(websocket *ws)
{
    request *r = websocket_request(ws);
    thread_connection *c = r->connection;
    for (;;) {
        if (c->at < c->end)
            c->at += websocket_take(ws, c->input + c->at, c->end - c->at);
        if (websocket_has_something(ws))
            return 0;
        const int err = upgrade_receive_more(c, ws);
        if (err) {
            r->gone = c->gone = true;
            return err;
        }
    }
}

static promise *upgrade_sent(request *r) { return r->host->room(r); }

static void upgrade_flush(request *r) { transport_send(r->connection); }

static const config *upgrade_config(const request *r)
{
    const thread_connection *c = r->connection;
    return c->shared->config;
}

const websocket_host thread_upgrade_host = { .wait = upgrade_wait_for_frames, .sent = upgrade_sent, .flush = upgrade_flush,
                                             .config = upgrade_config };

int thread_upgrade_end(request *r, int err)
{
    thread_connection *c = r->connection;
    err = websocket_end(r->websocket, err);
    c->unread |= !websocket_was_closed_by_client(r->websocket);
    return err;
}

void thread_upgrade_free(request *r) { websocket_free(r->websocket); }
