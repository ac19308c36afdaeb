/* events.c - GET /events/NAME: what is published under a topic's name, as it comes, and what its client has missed before.
 *
 * Whoever begins gets an id at once, by an event of nothing else: so it can come back for all that follows, even if it never
 * had any of it. Who comes with an id (Last-Event-ID) gets all behind it, in order and each once, wherever that is: from what
 * the topic keeps; or else from the outbox, page by page as there is room, and then what the topic has had meanwhile (past.h). So
 * does who does not keep up with the topic.
 *
 * An id that is older than what the outbox keeps, or that this database has never given, is answered first by
 *
 *     event: missed
 *     data: {"after":120}
 *
 * since something behind 120 may be gone for ever; then comes what there is. Behind 0 is all that there is: that is no loss.
 *
 * A task is there only as long as the outbox is read. */
#include "handlers.h"
#include "past.h"
#include "server/async/chain.h"
#include "server/async/loop.h"
#include "server/base/memory.h"
#include "server/http/events/events.h"
#include "site.h"
#include "topics.h"

#include <stdio.h>

static promise *event_send_id(request *req, int64_t id)
{
    char digits[TEXT_DIGITS];
    return promise_named(event_send(req, (event){ .id = text_number((uint64_t)id, digits) }));
}

static promise *event_send_row(void *req, const outbox_row *row)
{
    char digits[TEXT_DIGITS];
    const event e = { .id = text_number((uint64_t)row->id, digits), .event = row->event, .data = row->data };
    return promise_named(event_send(req, e));
}

static promise *event_send_missed(void *req, int64_t after)
{
    char data[sizeof "{\"after\":}" + TEXT_DIGITS];
    snprintf(data, sizeof data, "{\"after\":%lld}", (long long)after);
    return promise_named(event_send(req, (event){ .event = TEXT("missed"), .data = text_of(data) }));
}

/* The database cannot be asked just now: the client comes back with the id that it has, and not all of them at the same time. */
static async int event_put_off(request *req)
{
    enum { SOONEST = 2000, SPREAD = 8000 };  /* milliseconds */
    const int err = await(event_send(req, (event){ .retry = SOONEST + uv_hrtime() / 1000 % SPREAD }));
    return err ? err : UV_EOF;
}

static past event_past(request *req, subscription *news)
{
    const int64_t last = subscription_last(news);
    return (past){ .news = news, .last = last, .sent = last, .send = event_send_row, .missed = event_send_missed, .arg = req };
}

/* Its client gets the id up to which it has all by now, even if that was no event. */
static async int event_catch_up(past *p)
{
    request *req = p->arg;
    int err = past_catch_up(p);
    if (err == PAST_UNREADABLE)
        return event_put_off(req);
    return err || p->last == p->sent ? err : await(event_send_id(req, p->last));
}

static async int event_catch_up_task(void *arg)
{
    past *p = arg;
    const int err = event_catch_up(p);
    mem_free(p);
    return err;
}

/* It was away, or is behind. */
static promise *event_read_past(request *req, subscription *news)
{
    past p = event_past(req, news);
    if (!loop_here())
        return promise_settled(event_catch_up(&p));
    past *const kept = mem_alloc(sizeof *kept);
    *kept = p;
    return promise_named(task_start("/events: catching up", event_catch_up_task, kept));
}

static promise *event_follow(request *req, subscription *news, bool behind)
{
    return promise_named(events_follow_on(req, news, event_read_past, behind));
}

typedef struct event_reader { request *req; subscription *news; } event_reader;

static promise *event_reader_follow(void *arg)
{
    const event_reader *r = arg;
    return event_follow(r->req, r->news, false);
}

/* Of a client that is here for the first time: with what it can come back. */
static promise *event_begin(request *req, subscription *news)
{
    int err;
    promise *const sent = event_send_id(req, subscription_last(news));
    if (promise_take_if_settled(sent, &err))
        return err ? promise_settled(err) : event_follow(req, news, false);
    event_reader *const kept = request_alloc(req, sizeof *kept);
    *kept = (event_reader){ req, news };
    return then(sent, event_reader_follow, kept);
}

static int event_subscribe(request *req, int64_t after, subscription **news)
{
    topic *t;
    const int err = topic_open(request_param(req, "*"), &t);
    if (err)
        return err;
    topic_set_policy(t, TOPIC_DISCONNECT);
    *news = topic_subscribe(request_arena(req), t, after);
    topic_close(t);                          /* a subscription keeps it */
    return 0;
}

promise *events(request *req)
{
    int64_t last = TOPIC_NEW;
    subscription *news;
    const text name = request_param(req, "*");
    if (!topic_name_is_valid(name))
        return promise_settled(respond_problem(req, 400, "The name of a topic is like users/42 or chat/lobby."));
    if (!topic_is_public(name))
        return promise_settled(respond_problem(req, 404, "There is no such topic to listen to."));
    int err = request_last_event_id(req, &last);
    if (!err && last < TOPIC_NEW)
        err = E_BAD_REQUEST;
    const bool is_stored = topic_is_stored(name), is_new = last == TOPIC_NEW && is_stored;
    if (is_new)
        last = site_published();
    if (!err)
        err = event_subscribe(req, last, &news);
    if (!err)
        err = respond_events(req);
    if (err)
        return promise_settled(err);
    if (!is_stored)
        return promise_named(events_follow(req, news));
    const past p = event_past(req, news);
    return is_new && last >= 0 ? event_begin(req, news) : event_follow(req, news, !past_is_there(&p));
}
