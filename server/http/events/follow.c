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
    events_again *again;                     /* or NULL */
    promise      *promise, *room;            /* the handler's; what is waited for before the next message, or NULL */
    bool          at_work;
    int           outcome;                   /* with which it is to end; ON */
} follower;

_Static_assert(sizeof(follower) <= FOLLOWER_ROOM, "thousands are idle at once");

/* What is sent of it: nothing, of one whose event no client would read as it is. */
static text event_of_message(const topic_message *m, bool chunked)
{
    char digits[TEXT_DIGITS];
    const event e = { .id = text_number((uint64_t)m->id, digits), .event = m->event, .data = m->bytes };
    const size_t size = event_is_valid(&e) ? event_size(&e) : 0;
    const size_t more = chunked && size > 0 ? respond_chunk_more(size) : 0;
    char *const bytes = mem_resize(NULL, size + more);
    if (size > 0)
        event_write(&e, chunked ? respond_chunk_around(bytes, size) : bytes);
    return (text){ bytes, size + more };
}

static text message_as_event(const topic_message *m) { return event_of_message(m, false); }
static text message_as_chunk(const topic_message *m) { return event_of_message(m, true); }

static void follow_append(request *req, const topic_message *m)
{
    respond_form(req, m, topic_message_form(m, respond_is_chunked(req) ? message_as_chunk : message_as_event));
}

static bool follow_flush(request *req) { return request_host_here->events->flush(req); }

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
        follower_end(f, f->outcome == ON ? err : f->outcome);
}

/* Without room the topic's policy reaches it all the same. */
static void follower_on_news(void *arg)
{
    follower *f = arg;
    if (!f->room)
        follower_go_on(f);
    else if (!f->again && subscription_look(f->of) == SUBSCRIPTION_BEHIND)
        follower_end(f, 0);
}

/* UV_EAGAIN: it waits, and is called when it need not any more; or what has come of it. */
static int follower_await(follower *f, promise *p)
{
    int err;
    if (promise_take_if_settled(p, &err))
        return err;
    f->room = p;
    when_settled(p, follower_on_room, f);
    return UV_EAGAIN;
}

/* The next message, or what keeps it from that: 0; UV_EAGAIN: it waits; or else, how it ends. */
static int follower_step(follower *f, bool *ends)
{
    const topic_message *m;
    const int err = subscription_next(f->of, &m);
    *ends = err && err != UV_EAGAIN && !(err == SUBSCRIPTION_BEHIND && f->again);
    if (*ends)
        return 0;
    if (err)
        return err == UV_EAGAIN ? err : follower_await(f, f->again(f->req, f->of));
    follow_append(f->req, m);
    return follow_flush(f->req) ? 0 : follower_await(f, request_host_here->room(f->req));
}

/* Messages, as many as there is room for: ON, or how it ends. */
static int follower_send(follower *f)
{
    for (int i = 0; i < AT_ONCE && f->outcome == ON; i++) {
        bool ends;
        const int err = follower_step(f, &ends);
        if (err || ends)
            return err == UV_EAGAIN ? ON : err;
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

static void follower_begin_behind(follower *f)
{
    f->at_work = true;
    const int err = follower_await(f, f->again(f->req, f->of));
    f->at_work = false;
    if (f->outcome != ON || (err && err != UV_EAGAIN))
        follower_end(f, f->outcome != ON ? f->outcome : err);
}

static promise *follow_on_loop(request *req, subscription *s, events_again *again, bool behind)
{
    request_end_head(req);
    follower *f = arena_alloc(&req->arena, sizeof *f);
    *f = (follower){ .req = req, .of = s, .again = again, .outcome = ON };
    f->promise = promise_new(follower_on_cancel, f);
    req->follower = f;
    subscription_on_news(s, follower_on_news, f);
    if (behind)
        follower_begin_behind(f);
    return promise_named(f->promise);
}

/* In a blocking thread. */

static int follow_until_behind(request *req, subscription *s)
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
    return err;
}

static int follow_in_thread(request *req, subscription *s, events_again *again, bool behind)
{
    int err = behind ? SUBSCRIPTION_BEHIND : 0;
    while (!err || (err == SUBSCRIPTION_BEHIND && again))
        err = err ? await(again(req, s)) : follow_until_behind(req, s);
    return err == UV_EOF || err == SUBSCRIPTION_BEHIND ? 0 : err;
}

promise *events_follow(request *req, subscription *s) { return promise_named(events_follow_on(req, s, NULL, false)); }

promise *events_follow_on(request *req, subscription *s, events_again *again, bool behind)
{
    if (req->gone || req->stopped)
        return promise_settled(UV_ECANCELED);
    if (!req->events || req->left == 0)
        return promise_settled(UV_EOF);
    if (loop_here())
        return follow_on_loop(req, s, again, behind);
    const int err = follow_in_thread(req, s, again, behind);
    subscription_end(s);
    return promise_settled(err);
}
