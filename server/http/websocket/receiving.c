/* receiving.c - see websocket.h: how a handler gets its messages, one by one, or each by a step. */
#include "websocket.h"
#include "websocket_state.h"
#include "server/http/request_internal.h"

#include <assert.h>
#include <uv.h>

bool websocket_has_something(const websocket *ws) { return ws->over || websocket_has_message(ws); }

/* 0: there is a message; UV_EAGAIN: there may be one later, of which websocket_deliver will know; else there will be none. */
static int websocket_next(websocket *ws, websocket_message *to)
{
    websocket_drop(ws);
    if (ws->req->gone)
        return UV_ECANCELED;
    const int err = websocket_has_something(ws) ? 0 : request_host_here->websocket->wait(ws);
    if (err)
        return err;
    if (!websocket_has_message(ws))
        return UV_EOF;
    ws->lent = ws->coming;
    ws->coming = NULL;
    *to = (websocket_message){ { ws->lent->bytes, ws->lent->length }, ws->lent->binary };
    return 0;
}

static void websocket_settle(websocket *ws, int err)
{
    promise *p = ws->waiting;
    ws->waiting = NULL;
    ws->step = NULL;
    promise_settle(p, err);
}

static void websocket_on_cancel(promise *p, void *arg)
{
    (void)p;
    websocket_cancel(arg);
}

static promise *websocket_wait(websocket *ws, websocket_message *to)
{
    request_end_head(ws->req);
    ws->to = to;
    return ws->waiting = promise_new(websocket_on_cancel, ws);
}

promise *websocket_receive(websocket *ws, websocket_message *m)
{
    assert(!ws->waiting && "each is awaited before the next");
    const int err = websocket_next(ws, m);
    return err == UV_EAGAIN ? promise_named(websocket_wait(ws, m)) : promise_settled(err);
}

static bool source_is_ready(const source *s)
{
    websocket *ws = s->of;
    return ws->req->gone || websocket_has_something(ws) || request_host_here->websocket->look(ws) != UV_EAGAIN;
}

static promise *source_ready(const source *s)
{
    assert(!((websocket *)s->of)->waiting && "each is awaited before the next");
    return promise_named(websocket_wait(s->of, NULL));
}

static void source_expect(const source *s, blocking_set *set)
{
    websocket *ws = s->of;
    request_host_here->websocket->expect(ws, set);
}

source websocket_source(websocket *ws)
{
    static const source_kind kind = { source_is_ready, source_ready, source_expect };
    return (source){ .kind = &kind, .of = ws };
}

static void each_on_answered(int err, void *arg);

/* On behalf of its request, whoever calls. */
static void each_go_on(websocket *ws)
{
    websocket_message m;
    int err = 0;
    scope *const before = scope_enter(&ws->req->scope);
    ws->stepping = true;
    while (!err) {
        err = ws->cancelled ? UV_ECANCELED : websocket_next(ws, &m);
        if (err)
            break;
        promise *p = ws->step(ws, m, ws->arg);
        if (!promise_take_if_settled(p, &err)) {
            ws->lent->answer = p;
            when_settled(p, each_on_answered, ws);
            err = UV_EAGAIN;
        }
    }
    ws->stepping = false;
    scope_enter(before);
    if (err != UV_EAGAIN)
        websocket_settle(ws, err);
}

static void each_on_answered(int err, void *arg)
{
    websocket *ws = arg;
    ws->lent->answer = NULL;
    if (err)
        websocket_settle(ws, err);
    else
        each_go_on(ws);
}

static void each_on_begun(int err, void *arg)
{
    websocket *ws = arg;
    (void)err;
    if (ws->step && !websocket_is_answering(ws))             /* else something has come first */
        each_go_on(ws);
}

promise *websocket_each(websocket *ws, websocket_step *step, void *arg)
{
    assert(!ws->waiting && "each is awaited before the next");
    request_end_head(ws->req);
    ws->step = step;
    ws->arg = arg;
    ws->cancelled = false;
    when_settled(promise_settled(0), each_on_begun, ws);     /* a task may be calling, which must not start others */
    return ws->waiting = promise_new(websocket_on_cancel, ws);
}

/* Something has come, or nothing will come any more. */
void websocket_deliver(websocket *ws)
{
    if (!ws->waiting || ws->stepping || websocket_is_answering(ws) || !websocket_has_something(ws))
        return;
    if (ws->step)
        each_go_on(ws);
    else
        websocket_settle(ws, ws->to ? websocket_next(ws, ws->to) : 0);
}

void websocket_cancel(websocket *ws)
{
    ws->cancelled = true;
    if (websocket_is_answering(ws))
        promise_cancel(ws->lent->answer);
    else if (ws->waiting && !ws->stepping)
        websocket_settle(ws, UV_ECANCELED);
}
