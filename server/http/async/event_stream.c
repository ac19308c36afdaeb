/* event_stream.c - see connection.h: what is sent are events, one after the other, and now and then a heartbeat. */
#include "connection.h"
#include "server/http/client_socket.h"
#include "server/http/events/events_internal.h"

bool event_stream_is_there(const connection *c) { return c->first && c->first->events && !c->first->finished; }

static const config *event_stream_config(const request *r)
{
    (void)r;
    return worker_here->config;
}

static bool event_stream_stops(const request *r)
{
    (void)r;
    return worker_here->draining;
}

static void event_stream_begun(request *r)
{
    connection *c = r->connection;
    client_socket_limit_silence(c->fd, worker_here->config->timeouts.write);
    writer_flush_soon(c);
}

static bool event_stream_has_room(const request *r)
{
    const connection *c = r->connection;
    return r == c->first && !c->writing && writer_has_room(c);
}

/* Events of one turn leave together, as answers do. */
static bool event_stream_flush(request *r)
{
    connection *c = r->connection;
    if (c->phase == CONNECTION_EVENTS)
        c->since = (uint32_t)timer_now();
    writer_flush_soon(c);
    return event_stream_has_room(r);
}

const event_host event_stream_host = {
    .config = event_stream_config, .stops = event_stream_stops, .begun = event_stream_begun, .flush = event_stream_flush,
    .has_room = event_stream_has_room,
};

void event_stream_beat(connection *c)
{
    events_beat(c->first);
    c->since = (uint32_t)timer_now();
    writer_flush_soon(c);
}

/* What its handler awaits ends; one that cannot be cancelled learns it with its next event. */
void event_stream_stop(request *r)
{
    connection *c = r->connection;
    if (r->stopped)
        return;
    r->stopped = true;
    if (r == c->last)
        r->keep_alive = false, c->ending = true;             /* its client shall come back to another server */
    events_cancel(r);
    if (r->running)
        promise_cancel(r->running);
    else                                     /* in callback style nothing can be cancelled but what it waits for here */
        writer_wake(r, UV_ECANCELED);
}
