/* event_stream.c - see connection.h: what is sent are events. While the handler waits, its thread sees to the rest. */
#include "connection.h"
#include "server/http/client_socket.h"
#include "server/http/events/events_internal.h"
#include "server/base/blocking_wait.h"

static const config *event_stream_config(const request *r)
{
    const thread_connection *c = r->connection;
    return c->shared->config;
}

static bool event_stream_stops(const request *r)
{
    const thread_connection *c = r->connection;
    return atomic_load(&c->shared->draining);
}

/* What there is in the output. */
static void event_stream_send(request *r)
{
    thread_connection *c = r->connection;
    transport_send(c);
    r->gone = c->gone;
    c->sent = uv_hrtime();
}

/* Has the time come to tell its handler that the server stops? */
static bool event_stream_is_to_stop(request *r)
{
    if (uv_hrtime() < thread_stop_time(r->connection))
        return false;
    r->stopped = true;
    r->keep_alive = false;                   /* its client shall come back to another server */
    return true;
}

/* While its handler waits: a heartbeat may be due, or the server stops. */
static uint64_t event_stream_attend(void *arg)
{
    request *r = arg;
    const thread_connection *c = r->connection;
    const uint64_t heartbeat = c->shared->config->events.heartbeat;
    if (event_stream_is_to_stop(r))
        return BLOCKING_ENOUGH;
    if (uv_hrtime() >= deadline_after(c->sent, heartbeat)) {
        events_beat(r);
        event_stream_send(r);
    }
    return r->gone ? BLOCKING_ENOUGH : deadline_sooner(deadline_after(c->sent, heartbeat), thread_stop_time(c));
}

static void event_stream_begun(request *r)
{
    const thread_connection *c = r->connection;
    const config *config = c->shared->config;
    client_socket_limit_silence(c->fd, config->timeouts.write);
    event_stream_send(r);
    blocking_errand(c->shared->stopping, deadline_in(config->events.heartbeat), event_stream_attend, r);
}

static bool event_stream_flush(request *r)
{
    event_stream_send(r);
    return !event_stream_is_to_stop(r) && !r->gone;
}

/* A send takes as long as it has to. */
static bool event_stream_has_room(const request *r) { return !r->gone; }

const event_host thread_event_host = {
    .config = event_stream_config, .stops = event_stream_stops, .begun = event_stream_begun, .flush = event_stream_flush,
    .has_room = event_stream_has_room,
};

int thread_event_stream_end(request *r, int err)
{
    blocking_errand(-1, NO_DEADLINE, NULL, NULL);
    return events_end(r, err);
}
