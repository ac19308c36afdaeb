/* either.c - the next message or the next event, whichever comes first, and the other is not lost. */
#include "loopback.h"
#include "server/topic/subscription.h"

SHOW_FROM(either)
enum { MESSAGES = 6, EVENTS = 4 };

struct sources { run *r; topic *topic; loopback *socket; subscription *news; int messages, events; };

static async int say(void *arg)
{
    struct sources *s = arg;
    int err = 0;
    for (int i = 0; !err && i < MESSAGES; i++) {
        err = loopback_send(s->socket, TEXT("a message"));
        if (!err)
            err = await(sleep_for(20));
    }
    return err;
}

static async int publish(void *arg)
{
    struct sources *s = arg;
    int err = 0;
    for (int i = 0; !err && i < EVENTS; i++) {
        err = topic_publish(s->topic, 0, TEXT("news"), TEXT("an event"));
        if (!err)
            err = await(sleep_for(30));
    }
    return err;
}

static async int take_both(void *arg)
{
    struct sources *s = arg;
    const uint64_t late = deadline_in(2000);
    int which = 0, err = 0;
    while (!err && (s->messages < MESSAGES || s->events < EVENTS)) {
        err = await(either(&which, loopback_source(s->socket), subscription_source(s->news), time_source(late)));
        if (!err && which == 0) {            /* it is ready: now it is taken, and from the others nothing */
            text message;
            err = loopback_receive(s->socket, &message);
            s->messages += !err;
            mark(s->r, "a message");
        } else if (!err && which == 1) {
            const topic_message *m;
            err = await(subscription_receive(s->news, &m));
            s->events += !err;
            mark(s->r, "an event");
        } else if (!err) {
            err = UV_ETIMEDOUT;
        }
    }
    return err;
}

static async int run_either(run *r)
{
    struct sources s = { .r = r };
    int err = loopback_open(r, "/ws/echo", LOOPBACK_WEBSOCKET, &s.socket);
    if (!err)
        err = topic_open(run_topic(r), &s.topic);
    if (err)
        return err;
    s.news = topic_subscribe(request_arena(r->req), s.topic, TOPIC_NEW);
    err = await(gather(task_start("says something", say, &s),
                       task_start("publishes", publish, &s),
                       task_start("waits for either", take_both, &s)));
    subscription_end(s.news);
    topic_close(s.topic);
    figure_is(r, "messages", s.messages, "of 6");
    figure_is(r, "events", s.events, "of 4");
    return err;
}
SHOW_TO(either)

const pattern PATTERN_EITHER = {
    .name = "either", .title = "Either: the next message or the next event", .group = GROUP_REAL_TIME, .await = run_either,
    SOURCE_OF(either),
    .shows = "A task with two sources: what a websocket brings, and what a topic brings. A race of two receives would throw away"
             " what the loser had received in the same instant. either asks which one is ready, which takes nothing; then that"
             " one is received from. So all arrive, in one task, without a queue in between: /ws/chat/:room is made so."
             " In threads mode one thread does one after the other: all is there when it is taken.",
};
