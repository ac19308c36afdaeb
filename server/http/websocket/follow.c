/* follow.c - see follow.h. */
#include "follow.h"
#include "frame.h"
#include "websocket_internal.h"
#include "server/async/loop.h"
#include "server/http/request_internal.h"

enum { AT_ONCE = 64 };                       /* messages for one client, before others have theirs */

/* The whole frame; "" if there is no memory for it. */
static text follow_frame(const topic_message *m) { return frame_make(FRAME_TEXT, m->bytes); }

/* 0, or what ends it, or UV_EAGAIN: there are no more for now. */
static int follow_next(websocket *ws, subscription *s)
{
    const topic_message *m;
    request *r = websocket_request(ws);
    const bool room = request_host_here->websocket->has_room(r);
    const int err = room ? subscription_next(s, &m) : subscription_look(s);
    if (err || !room)
        return err ? err : UV_EAGAIN;
    const text frame = topic_message_form(m, follow_frame);
    output_share(r->out, m, frame);
    return frame.length > 0 ? 0 : UV_ENOMEM;
}

bool websocket_pass_on(websocket *ws, blocking_set *set)
{
    subscription *s = *websocket_followed(ws);
    const size_t before = websocket_request(ws)->out->length;
    int err = 0;
    if (!s)
        return false;
    if (set) {
        const source it = subscription_source(s);
        it.kind->expect(&it, set);
    }
    if (!subscription_is_ready(s) || !websocket_may_send(ws))
        return false;
    for (int i = 0; i < AT_ONCE && !err; i++)
        err = follow_next(ws, s);
    if (err == SUBSCRIPTION_BEHIND || err == UV_ENOMEM)
        websocket_begin_close(ws, WEBSOCKET_TRY_AGAIN, err == UV_ENOMEM ? TEXT("") : TEXT("too slow"));
    if (set && (!err || err == UV_EAGAIN) && subscription_is_ready(s))
        set->until = 0;                      /* there is more, when this has been sent */
    return websocket_request(ws)->out->length > before;
}

static void follow_on_news(void *arg)
{
    request *r = websocket_request(arg);
    if (websocket_pass_on(arg, NULL))
        request_host_here->websocket->flush(r);
}

text websocket_form(text bytes) { return frame_make(FRAME_TEXT, bytes); }

promise *websocket_send_form(websocket *ws, const topic_message *m, topic_form_fn *make)
{
    request *r = websocket_request(ws);
    const text frame = topic_message_form(m, make);
    if (frame.length == 0)
        return promise_settled(UV_ENOMEM);
    const text bytes = frame_bytes(frame);
    if (!websocket_may_send(ws) || websocket_compresses(ws, bytes.length))
        return websocket_send(ws, (websocket_message){ bytes, false });
    output_share(r->out, m, frame);
    return request_host_here->websocket->sent(r);
}

void websocket_follow(websocket *ws, subscription *s)
{
    subscription **const followed = websocket_followed(ws);
    if (*followed && loop_here())
        subscription_on_news(*followed, NULL, NULL);
    *followed = s;
    if (s && loop_here())
        subscription_on_news(s, follow_on_news, ws);
}
