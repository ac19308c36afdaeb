/* events.c - see events.h. */
#include "events.h"
#include "events_internal.h"
#include "server/base/memory.h"
#include "server/http/request.h"
#include "server/http/request_internal.h"
#include "server/http/stop_spread.h"

static void events_append_retry(request *req, uint64_t ms)
{
    const event e = { .retry = ms };
    event_write(&e, respond_room(req, event_size(&e)));
}

/* The last of it. */
static void events_stop(request *req)
{
    const config *c = request_host_here->events->config(req);
    if (!req->gone)
        events_append_retry(req, stop_retry(c->events.retry, c->timeouts.drain));
    respond_end(req);
}

void events_beat(request *req)
{
    static const text COMMENT = { ":\n\n", 3 };
    if (req->left > 0)
        memcpy(respond_room(req, COMMENT.length), COMMENT.at, COMMENT.length);
}

int events_end(request *req, int err)
{
    shard_add(SHARD_STREAMS, -1);
    if (err == UV_EOF || (err == UV_ECANCELED && req->stopped))
        err = 0;
    if (req->stopped && req->left > 0)
        events_stop(req);
    else if (!err)
        respond_end(req);
    return err;
}

int respond_events(request *req)
{
    const event_host *const host = request_host_here->events;
    if (req->answered)
        return UV_EALREADY;
    if (request_answer_so_far(req)->extra) {
        respond_header(req, "Cache-Control", "no-store");
        respond_header(req, "X-Accel-Buffering", "no");      /* nginx would wait until much has come */
    } else {                                 /* nothing of the arena, for one that lasts */
        request_answer_so_far(req)->extra = "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n";
    }
    respond_stream(req, 200, "text/event-stream");
    req->events = true;
    shard_add(SHARD_STREAMS, 1);
    shard_add(SHARD_STREAMS_OPENED, 1);
    if (req->gone)
        return 0;                            /* as the first event will tell */
    if (req->left == 0)
        return UV_EOF;
    if (host->stops(req)) {
        events_stop(req);
        return UV_EOF;
    }
    events_append_retry(req, host->config(req)->events.retry);
    host->begun(req);
    return 0;
}

promise *event_send(request *req, event e)
{
    enum { LARGE = 128 * 1024 };
    if (req->gone)
        return promise_settled(UV_ECANCELED);
    if (!req->events || req->left == 0)
        return promise_settled(UV_EOF);
    if (!event_is_valid(&e))
        return promise_settled(UV_EINVAL);
    if (req->stopped && !request_host_here->events->has_room(req))
        return promise_settled(UV_ECANCELED);
    const size_t size = event_size(&e);
    if (size > OUTPUT_MOST || (size > LARGE && !mem_has(size)))
        return promise_settled(UV_ENOMEM);
    event_write(&e, respond_room(req, size));
    const bool room = request_host_here->events->flush(req);
    return req->stopped ? promise_settled(UV_EOF) : room ? promise_settled(0) : request_host_here->room(req);
}

int request_last_event_id(request *req, int64_t *id)
{
    const text last = request_header(req, "last-event-id");
    return last.length > 0 ? request_number(last, id) : request_query_int(req, "last-event-id", id);
}
