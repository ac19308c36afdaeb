/* pipeline.c - see connection.h: requests of one client, answered in the order they came.
 *
 * Safe ones (GET and such) run side by side; any other waits for those before it, and those behind
 * wait for it (RFC 9112, 9.3.2). */
#include "connection.h"
#include "server/async/unawaited.h"
#include "server/base/block.h"
#include "server/base/observe/recorder.h"
#include "server/base/memory.h"
#include "server/http/events/events_internal.h"
#include "server/http/observe/request_over.h"
#include "server/http/request.h"

#include <stdalign.h>

static void pipeline_answering(request *r)
{
    connection *c = r->connection;
    if (request_is_delimited_by_end(r))
        c->delimits = true;
    worker_here->answering(r);
}

static bool request_is_for_task(const request *r) { return r->route && r->route->await; }

static void pipeline_limit(request *r)
{
    if (!request_may_wait(r))
        return;
    if (r->upgraded && !request_is_for_task(r))
        return;
    if (request_is_for_task(r)) {
        if (r->task)
            task_limit(r->task, request_deadline(r));
    } else if (r->running)
        connection_limit(r->connection, request_deadline(r));
}

uint64_t pipeline_cancel_late(const connection *c)
{
    const uint64_t now = uv_hrtime();
    uint64_t next = NO_DEADLINE;
    for (const request *r = c->first; r; r = r->next) {
        if (r->waits || !r->running || request_is_for_task(r))
            continue;
        const uint64_t deadline = request_deadline(r);
        if (deadline <= now)
            promise_cancel(r->running);
        else
            next = deadline_sooner(next, deadline);
    }
    return next;
}

static void pipeline_free(request *r)
{
    task *t = request_is_for_task(r) ? r->task : NULL;
    const size_t block = request_may_wait(r) ? 0 : r->block;
    const bool on_stack = t && task_room(t) == r;
    request_over(r);
    if (r->upgraded)
        upgrade_free(r);
    request_end_head(r);
    request_done(r);
    if (block)
        block_put(r, block);
    else if (!on_stack)
        mem_free(r);
    if (t)
        task_free(t);
}

static void handler_start(request *r);

/* Its handler runs, now or when there is room for it. */
static void pipeline_admit(request *r)
{
    if (!r->needs || admission_enter(&worker_here->admission, r))
        handler_start(r);
}

/* The first ones that have ended go, and the next one's answer gets its turn. */
static void pipeline_advance(connection *c)
{
    for (request *r; (r = c->first) && r->finished;) {
        if (request_broke_off(r)) {         /* a long answer broke off: the client must see that */
            writer_push(c);                  /* what is whole before it, too */
            connection_abandon(c);
            return;
        }
        stream_end(c, r);
        c->first = r->next;
        c->count--;
        if (!r->keep_alive)
            c->ending = true;
        pipeline_free(r);
        if (!(r = c->first)) {
            c->last = NULL;
            break;
        }
        output_move(&c->out, r->out);
        r->out = &c->out;
        if (r->held_back && !c->closing) {
            r->held_back = false;
            pipeline_admit(r);
        }
    }
    if (c->closing)
        connection_free_if_done(c);
    else
        writer_flush_soon(c);
}

static void handler_on_drained(int err, void *arg)
{
    request *r = arg;
    (void)err;
    scope_end(&r->scope);
    r->finished = true;
    pipeline_advance(r->connection);
}

/* The handler has ended, with err. What it forgot may yet write to the request: only the answer does not wait. */
static void handler_ended(request *r, int err)
{
    r->running = NULL;
    if (r->upgraded)
        err = upgrade_end(r, err);
    else if (r->events)
        err = events_end(r, err);
    if (err == UV_ECANCELED && uv_hrtime() >= request_deadline(r))
        err = UV_ETIMEDOUT;
    request_record(r, err, r->connection, worker_here->config->log.slow_request);
    request_end(r, err);
    if (!scope_keeps(&r->scope)) {
        handler_on_drained(0, r);
        return;
    }
    writer_flush_soon(r->connection);
    when_settled(unawaited_drain(&r->scope), handler_on_drained, r);
}

static void handler_on_settled(int err, void *arg) { handler_ended(arg, err); }

static int handler_run(void *arg)
{
    request *r = arg;
    const int err = r->route->await(r);
    if (scope_keeps(scope_here()))           /* the task will wait for what it forgot */
        writer_flush_soon(r->connection);
    return err;
}

/* Of a callback's handler, to be called from anywhere. What it lets start is not its caller's business, least
 * of all a task's, which cannot start another: then the loop does it. */
static void handler_done(int err, void *arg)
{
    request *r = arg;
    if (scope_entered && scope_entered != &r->scope)
        when_settled(promise_settled(err), handler_on_settled, r);
    else
        handler_ended(r, err);
}

static FOR_WATCHERS void pipeline_record_begin(const request *r)
{
    const uint64_t now = recorder_clock();
    recorder_add_detail(&(record){ .since = now, .end = now, .label = r->scope.label, .kind = RECORD_REQUEST_BEGUN });
}

static void handler_start(request *r)
{
    promise *p;
    int err;

    if (!r->route) {
        request_answer(r);
        r->finished = true;
        return;
    }
    if (recorder_is_watched())
        pipeline_record_begin(r);
    if (r->route->answer) {
        scope *const before = scope_enter(&r->scope);
        err = r->route->answer(r);
        scope_enter(before);
        handler_ended(r, err);
        return;
    }
    request_give_number(r);
    if (r->route->await) {
        if (!r->task && !(r->task = task_new(r->route->path, 0))) {
            handler_ended(r, UV_ENOMEM);
            return;
        }
        pipeline_limit(r);
        p = task_run(r->task, &r->scope, handler_run, r);
    } else {
        const route *const route = r->route;
        scope *const before = scope_enter(&r->scope);
        p = route->promise ? route->promise(r) : NULL;
        if (!p)
            route->callback(r, handler_done, r);     /* r may be over by then, and gone */
        scope_enter(before);
        if (!p)
            return;
    }
    if (promise_take_if_settled(p, &err)) {
        handler_ended(r, err);
        return;
    }
    r->running = p;
    when_settled(p, handler_on_settled, r);
    if (!request_is_for_task(r))
        pipeline_limit(r);
    if (r->gone)                             /* its first piece found its client gone */
        promise_cancel(p);
}

void pipeline_start(connection *c, request *r)
{
    int err;
    if (!request_passes(r, &err)) {
        handler_ended(r, err);
        return;
    }
    request_limit(r, worker_here->config->timeouts.request);
    if (c->first != r && !request_is_safe(r)) {
        r->held_back = true;
        return;
    }
    pipeline_admit(r);
    if (c->first && c->first->finished)
        pipeline_advance(c);
}

/* It has waited to be admitted, and its handler may run now. */
static void pipeline_begin(request *r)
{
    connection *c = r->connection;
    handler_start(r);
    if (c->first && c->first->finished)
        pipeline_advance(c);
    else if (c->blocked || c->paused)        /* there may be room for the next one */
        writer_flush_soon(c);
}

/* It has waited, and is answered with an error instead. */
static void pipeline_decline(request *r, int err, text made)
{
    if (made.length > 0) {
        output_append(r->out, made);
        r->answered = r->finished = true;
        r->left = 0;
        r->status = 503;
        request_answer_so_far(r)->length = 0;
    } else {
        request_decline(r, err);
    }
    pipeline_advance(r->connection);
}

static peer pipeline_peer(const request *r) { return connection_peer(r->connection); }

static text pipeline_name(const request *r)
{
    return worker_here->trust->proxies ? TEXT("") : client_name_text(connection_client(r->connection));
}

const request_host pipeline_host = {
    .peer = pipeline_peer, .name = pipeline_name,
    .room = writer_room, .share = writer_share, .answering = pipeline_answering, .limit = pipeline_limit, .more = stream_more,
    .websocket = &upgrade_host, .events = &event_stream_host,
    .begin = pipeline_begin, .decline = pipeline_decline,
};

size_t pipeline_room(const connection *c) { return c->first ? sizeof(output) + alignof(max_align_t) - 1 : 0; }

void pipeline_append(connection *c, request *r)
{
    request_count_begun();
    r->connection = c;
    r->out = c->first ? arena_alloc(&r->arena, sizeof *r->out) : &c->out;
    if (c->last)
        c->last->next = r;
    else
        c->first = r;
    c->last = r;
    c->count++;
    if (!r->keep_alive)
        c->ending = true;
}

void pipeline_refuse(connection *c, int err)
{
    request *r = c->reading ? c->last : NULL;        /* of which some has come */
    if (r && r->body && r->body->streams) {
        stream_break(c, err);
        return;
    }
    c->reading = false;
    if (!r) {
        const size_t size = request_size(&NO_HEAD, false, pipeline_room(c));
        r = mem_alloc(size);
        request_init(r, size, &NO_HEAD, false);
        pipeline_append(c, r);
    }
    c->ending = c->unread = true;
    request_refuse(r, err);
    pipeline_advance(c);
}

void pipeline_abandon(connection *c)
{
    if (c->reading && !c->last->body->streams)
        c->last->finished = true;             /* it has no handler yet */
    c->reading = false;
    for (request *r = c->first; r; r = r->next) {
        r->gone = true;
        output_free(r->out);
        if (r->held_back)
            r->finished = true;
        if (r->waits) {
            admission_leave(&worker_here->admission, r);
            r->finished = true;
        }
        writer_wake(r, UV_ECANCELED);
        if (r->events)
            events_cancel(r);
        if (r->upgraded)
            upgrade_cancel(r);
        if (r->running)
            promise_cancel(r->running);
    }
    pipeline_advance(c);
}
