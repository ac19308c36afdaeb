/* events.c - what is published once reaches all who listen, also those who come late. */
#include "loopback.h"
#include "server/topic/topic.h"

SHOW_FROM(events)
enum { EVENTS = 5 };

struct news { run *r; topic *topic; const char *path; int64_t begin; int read; };

static async int publish(void *arg)
{
    struct news *n = arg;
    int err = 0;
    for (int i = 1; !err && i <= EVENTS; i++) {
        const char *what = arena_printf(request_arena(n->r->req), "event %d", i);
        err = topic_publish(n->topic, n->begin + i, TEXT("news"), text_of(what));
        mark(n->r, what);
        if (!err)
            err = await(sleep_for(30));
    }
    return err;
}

static async int listen_for_news(void *arg)  /* as a page does with new EventSource(path) */
{
    struct news *n = arg;
    loopback *events;
    text data;
    int err = loopback_open(n->r, n->path, LOOPBACK_EVENTS, &events);
    for (int i = 0; !err && i < EVENTS; i++) {
        err = loopback_receive(events, &data);
        if (!err) {
            mark(n->r, data.at);
            n->read++;
        }
    }
    return err;
}

static async int come_late(void *arg)
{
    const int err = await(sleep_for(100));
    return err ? err : listen_for_news(arg); /* what it has missed comes first, and at once */
}

static async int run_events(run *r)
{
    const text name = run_topic(r);
    struct news news = { .r = r, .begin = (int64_t)(uv_hrtime() / 1000) };
    int err = topic_open(name, &news.topic);
    if (err)
        return err;
    news.path = arena_printf(request_arena(r->req), "/events/%.*s?last-event-id=%lld", (int)name.length, name.at,
                             (long long)news.begin);
    err = await(gather(task_start("publishes", publish, &news),
                       task_start("listens", listen_for_news, &news),
                       task_start("listens, too", listen_for_news, &news),
                       task_start("comes late", come_late, &news)));
    topic_close(news.topic);
    figure_is(r, "published", EVENTS, "events");
    figure_is(r, "read by three", news.read, "events");
    return err;
}
SHOW_TO(events)

const pattern PATTERN_EVENTS = {
    .name = "events", .title = "Events: published once, read by all", .group = GROUP_REAL_TIME, .await = run_events,
    SOURCE_OF(events),
    .shows = "Server-sent events are an answer that goes on. Three clients listen to a topic at /events/...; a message is made"
             " once, kept for a while, and shared by all whom it reaches. Each says which id it had last: who comes late misses"
             " nothing. In threads mode this thread publishes all, and the clients read it one after the other.",
};
