/* events.c - GET /events/NAME: what is published under a topic's name, as it comes, and what its client has missed before.
 *
 * Whoever begins gets an id at once, by an event of nothing else: so it can come back for all that follows, even if it never
 * had any of it. Who comes with an id (Last-Event-ID) gets all behind it, in order and each once, wherever that is: from what
 * the topic keeps; or else from the outbox, page by page as there is room, and then what the topic has had meanwhile. Who does
 * not keep up with the topic is disconnected, and so comes back for the rest.
 *
 * An id that is older than what the outbox keeps, or that this database has never given, is answered first by
 *
 *     event: missed
 *     data: {"after":120}
 *
 * since something behind 120 may be gone for ever; then comes what there is. Behind 0 is all that there is: that is no loss.
 *
 * A task is there only as long as the outbox is read. */
#include "db/outbox.h"
#include "handlers.h"
#include "server/async/chain.h"
#include "server/async/loop.h"
#include "server/async/task.h"
#include "server/http/events/events.h"
#include "server/http/message/status.h"
#include "server/topic/subscription.h"
#include "site.h"
#include "topics.h"

#include <stdio.h>

enum { PAGE = 20 };                          /* rows of the outbox */

typedef struct event_reader {
    request      *req;
    subscription *news;
    int64_t       last;                      /* the client has all up to this id; TOPIC_NEW: it is to get what comes */
    arena         page;
} event_reader;

static int event_reader_subscribe(event_reader *r)
{
    topic *t;
    const int err = topic_open(request_param(r->req, "*"), &t);
    if (err)
        return err;
    topic_set_policy(t, TOPIC_DISCONNECT);
    subscription *const news = topic_subscribe(request_arena(r->req), t, r->last);
    topic_close(t);                          /* a subscription keeps it */
    if (r->news)
        subscription_end(r->news);
    r->news = news;
    return 0;
}

static bool event_reader_is_complete(const event_reader *r)
{
    return r->last >= 0 && (subscription_is_complete(r->news) || r->last == site_published());
}

static promise *event_reader_follow(void *arg)
{
    event_reader *r = arg;
    return events_follow(r->req, r->news);
}

static promise *event_reader_send_id(const event_reader *r)
{
    char digits[TEXT_DIGITS];
    return promise_named(event_send(r->req, (event){ .id = text_number((uint64_t)r->last, digits) }));
}

static promise *event_reader_send(event_reader *r, int64_t id, text name, text data)
{
    char digits[TEXT_DIGITS];
    r->last = id;
    return promise_named(event_send(r->req, (event){ .id = text_number((uint64_t)id, digits), .event = name, .data = data }));
}

static async int event_reader_tell_missed(const event_reader *r)
{
    char data[sizeof "{\"after\":}" + TEXT_DIGITS];
    snprintf(data, sizeof data, "{\"after\":%lld}", (long long)r->last);
    return r->last > 0 ? await(event_send(r->req, (event){ .event = TEXT("missed"), .data = text_of(data) })) : 0;
}

/* The database cannot be asked just now: the client comes back with the id that it has, and not all of them at the same time. */
static async int event_reader_put_off(const event_reader *r)
{
    enum { SOONEST = 2000, SPREAD = 8000 };  /* milliseconds */
    const int err = await(event_send(r->req, (event){ .retry = SOONEST + uv_hrtime() / 1000 % SPREAD }));
    return err ? err : UV_EOF;
}

/* A server that has just started, or whose database is away, does not know yet up to where the outbox has been handed out; and
 * the client may have had its last event of another one that is ahead of this. */
static async int event_reader_wait(event_reader *r)
{
    int err = site_wait_published(r->last > 0 ? r->last : 0);
    if (err && err != UV_ETIMEDOUT)
        return err;
    const int64_t known = site_published();
    if (known < 0)
        return event_reader_put_off(r);
    if (known >= r->last && r->last != TOPIC_NEW)
        return 0;
    err = known < r->last ? event_reader_tell_missed(r) : 0;
    r->last = known;
    return err ? err : await(event_reader_send_id(r));
}

/* What there is of a page, or what its client has room for. *more: there may be more. While it waits for room, it holds none of
 * it. */
static async int event_reader_send_page(event_reader *r, bool *more)
{
    rows past;
    const text name = request_param(r->req, "*");
    int err = await(site_read_published(&r->page, &past, name, topic_is_indexed(name), r->last, PAGE));
    if (err && err != UV_ECANCELED && status_of(err) == 503)
        return event_reader_put_off(r);
    if (!err && outbox_past_is_pruned(&past, r->last))
        err = event_reader_tell_missed(r);
    const int count = err ? 0 : outbox_past_count(&past);
    *more = count == PAGE;
    for (int i = 0; i < count; i++) {
        const outbox_row row = outbox_past_row(&past, i);
        promise *const sent = event_reader_send(r, row.id, row.event, row.data);
        if (!promise_take_if_settled(sent, &err)) {
            arena_done(&r->page);
            *more = true;
            return await(sent);
        }
        if (err && err != UV_EINVAL)         /* no client would read that one as it is */
            return err;
    }
    return 0;
}

static async int event_reader_send_past(event_reader *r)
{
    int64_t known = r->last;
    int err = 0;
    for (bool more = true; more && !err;) {
        known = site_published();
        err = event_reader_send_page(r, &more);
        arena_done(&r->page);
    }
    if (err || known <= r->last)
        return err;
    r->last = known;
    return await(event_reader_send_id(r));
}

/* What has come meanwhile, until there is no more of it: UV_EAGAIN. */
static async int event_reader_send_news(event_reader *r)
{
    const topic_message *m;
    int err;
    while (!(err = subscription_next(r->news, &m))) {
        if (m->id > r->last)                 /* else the outbox had it, too */
            err = await(event_reader_send(r, m->id, m->event, m->bytes));
        if (err && err != UV_EINVAL)
            break;
    }
    return err;
}

/* The subscription begins first: so nothing is between what was and what comes. If the topic has gone on too far by then, it
 * begins anew. */
static async int event_reader_catch_up(void *arg)
{
    event_reader *r = arg;
    int err = event_reader_wait(r);
    while (!err) {
        err = event_reader_subscribe(r);
        if (!err && !event_reader_is_complete(r))
            err = event_reader_send_past(r);
        if (!err)
            err = event_reader_send_news(r);
        if (err == UV_EAGAIN)
            return 0;
        if (err == SUBSCRIPTION_BEHIND)
            err = 0;
    }
    return err;
}

static event_reader *event_reader_keep(const event_reader *r)
{
    event_reader *kept = request_alloc(r->req, sizeof *kept);
    *kept = *r;
    return kept;
}

/* Of a client that is here for the first time: with what it can come back. */
static promise *event_reader_begin(event_reader *r)
{
    int err;
    promise *const sent = event_reader_send_id(r);
    if (!promise_take_if_settled(sent, &err))
        return then(sent, event_reader_follow, event_reader_keep(r));
    return err ? promise_settled(err) : event_reader_follow(r);
}

/* Of one that has been here, or came before the outbox had begun. */
static promise *event_reader_come_back(event_reader *r)
{
    if (event_reader_is_complete(r))
        return event_reader_follow(r);
    if (loop_here()) {
        event_reader *const kept = event_reader_keep(r);
        return then(task_start("/events: catching up", event_reader_catch_up, kept), event_reader_follow, kept);
    }
    const int err = event_reader_catch_up(r);
    return err ? promise_settled(err) : event_reader_follow(r);
}

promise *events(request *req)
{
    event_reader r = { .req = req, .last = TOPIC_NEW };
    const text name = request_param(req, "*");
    if (!topic_name_is_valid(name))
        return promise_settled(respond_problem(req, 400, "The name of a topic is like users/42 or chat/lobby."));
    if (!topic_is_public(name))
        return promise_settled(respond_problem(req, 404, "There is no such topic to listen to."));
    int err = request_last_event_id(req, &r.last);
    if (!err && r.last < TOPIC_NEW)
        err = E_BAD_REQUEST;
    const bool is_stored = topic_is_stored(name), is_new = r.last == TOPIC_NEW && is_stored;
    if (is_new)
        r.last = site_published();
    if (!err)
        err = event_reader_subscribe(&r);
    if (!err)
        err = respond_events(req);
    if (err)
        return promise_settled(err);
    if (!is_stored)
        return event_reader_follow(&r);
    return is_new && r.last >= 0 ? event_reader_begin(&r) : event_reader_come_back(&r);
}
