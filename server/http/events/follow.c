/* follow.c - see events.h: a topic's messages go to the client without a task.
 *
 * On a loop the subscription calls when there is news, and the client's connection when there is room again: whoever comes
 * first finds the other not ready, and waits for it. In a blocking thread it is a loop that waits. */
#include "events.h"
#include "events_internal.h"
#include "server/async/loop.h"
#include "server/async/task.h"
#include "server/base/list.h"
#include "server/base/memory.h"
#include "server/http/request_internal.h"
#include "server/topic/subscription.h"

enum { AT_ONCE = 64, ON = 1 };               /* messages, before other clients have their turn; no error */

typedef struct follower {
    request      *req;
    subscription *of;
    promise      *promise, *room;            /* the handler's; what is waited for before the next message, or NULL */
    bool          at_work;
    int           outcome;                   /* with which it is to end; ON */
} follower;

_Static_assert(sizeof(follower) <= FOLLOWER_ROOM, "thousands are idle at once");

/* What is sent of it: nothing, of one whose event no client would read as it is. */
static text message_as_event(const topic_message *m)
{
    char digits[TEXT_DIGITS];
    const event e = { .id = text_number((uint64_t)m->id, digits), .event = m->event, .data = m->bytes };
    const size_t size = event_is_valid(&e) ? event_size(&e) : 0;
    char *const bytes = mem_resize(NULL, size);
    if (size > 0)
        event_write(&e, bytes);
    return (text){ bytes, size };
}

static void follow_append(request *req, const topic_message *m)
{
    const text form = topic_message_form(m, message_as_event);
    if (form.length > 0)
        memcpy(respond_room(req, form.length), form.at, form.length);
}

static bool follow_flush(request *req) { return req->host->events->flush(req); }

/* On a loop. */

static void follower_end(follower *f, int err)
{
    f->outcome = err;
    if (f->room)
        promise_cancel(f->room);
    if (f->room || f->at_work)
        return;                              /* it comes here again */
    f->req->follower = NULL;
    subscription_end(f->of);
    promise_settle(f->promise, err);
}

static void follower_on_cancel(promise *p, void *arg)
{
    (void)p;
    follower_end(arg, UV_ECANCELED);
}

void events_cancel(request *req)
{
    if (req->follower)
        follower_end(req->follower, UV_ECANCELED);
}

static void follower_go_on(follower *f);

static void follower_on_room(int err, void *arg)
{
    follower *f = arg;
    f->room = NULL;
    if (f->outcome == ON && !err)
        follower_go_on(f);
    else
        follower_end(f, err ? err : f->outcome);
}

static void follower_on_news(void *arg)
{
    follower *f = arg;
    if (!f->room)
        follower_go_on(f);
}

/* Messages, as many as there is room for: ON, or how it ends. */
static int follower_send(follower *f)
{
    const topic_message *m;
    int err;
    for (int i = 0; i < AT_ONCE && f->outcome == ON; i++) {
        err = subscription_next(f->of, &m);
        if (err)
            return err == UV_EAGAIN ? ON : 0;
        follow_append(f->req, m);
        if (follow_flush(f->req))
            continue;
        promise *const room = f->req->host->room(f->req);
        if (!promise_take_if_settled(room, &err)) {
            f->room = room;
            when_settled(room, follower_on_room, f);
            return ON;
        }
        if (err)
            return err;
    }
    subscription_on_news(f->of, follower_on_news, f);        /* when others had their turn, if there is more */
    return f->outcome;
}

static void follower_go_on(follower *f)
{
    f->at_work = true;                       /* its client may be found gone meanwhile, which cancels it */
    const int err = follower_send(f);
    f->at_work = false;
    if (f->outcome != ON || err != ON)
        follower_end(f, f->outcome != ON ? f->outcome : err);
}

static promise *follow_on_loop(request *req, subscription *s)
{
    request_end_head(req);
    follower *f = arena_alloc(&req->arena, sizeof *f);
    *f = (follower){ .req = req, .of = s, .outcome = ON };
    f->promise = promise_new(follower_on_cancel, f);
    req->follower = f;
    subscription_on_news(s, follower_on_news, f);
    return promise_named(f->promise);
}

/* In a blocking thread. */

static int follow_in_thread(request *req, subscription *s)
{
    enum { TOGETHER = 16 * 1024 };           /* bytes, for one write */
    const topic_message *m;
    int err;
    while (!(err = await(subscription_receive(s, &m)))) {
        do
            follow_append(req, m);
        while (req->out->length < TOGETHER && !(err = subscription_next(s, &m)));
        if (!follow_flush(req))
            return UV_ECANCELED;
    }
    return err == UV_EOF || err == SUBSCRIPTION_BEHIND ? 0 : err;
}

promise *events_follow(request *req, subscription *s)
{
    if (req->gone || req->stopped)
        return promise_settled(UV_ECANCELED);
    if (!req->events || req->left == 0)
        return promise_settled(UV_EOF);
    if (loop_here())
        return follow_on_loop(req, s);
    const int err = follow_in_thread(req, s);
    subscription_end(s);
    return promise_settled(err);
}
