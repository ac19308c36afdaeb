/* past.c - see past.h. */
#include "past.h"
#include "site.h"
#include "topics.h"
#include "server/http/message/status.h"

enum { PAGE = 20 };                          /* rows */

bool past_is_there(const past *p)
{
    return p->last >= 0 && (subscription_is_complete(p->news) || p->last == site_published());
}

static async int past_tell_missed(const past *p) { return p->last > 0 ? await(p->missed(p->arg, p->last)) : 0; }

/* A server that has just started, or whose database is away, does not know yet up to where the outbox has been handed out; and
 * the client may have had its last id of another one that is ahead of this. */
static async int past_wait(past *p)
{
    int err = site_wait_published(p->last > 0 ? p->last : 0);
    if (err && err != UV_ETIMEDOUT)
        return err;
    const int64_t known = site_published();
    if (known < 0)
        return PAST_UNREADABLE;
    err = known < p->last ? past_tell_missed(p) : 0;
    if (known < p->last || p->last == TOPIC_NEW)
        p->last = known;
    return err;
}

static promise *past_send(past *p, const outbox_row *row)
{
    p->last = p->sent = row->id;
    return p->send(p->arg, row);
}

/* What there is of a page, or what its client has room for. *more: there may be more. */
static async int past_send_page(past *p, bool *more)
{
    rows there;
    const text name = topic_name(subscription_topic(p->news));
    int err = await(site_read_published(&p->page, &there, name, topic_is_indexed(name), p->last, PAGE));
    if (err)
        return err != UV_ECANCELED && status_of(err) == 503 ? PAST_UNREADABLE : err;
    if (outbox_past_is_pruned(&there, p->last))
        err = past_tell_missed(p);
    const int count = err ? 0 : outbox_past_count(&there);
    *more = count == PAGE;
    for (int i = 0; i < count; i++) {
        const outbox_row row = outbox_past_row(&there, i);
        promise *const sent = past_send(p, &row);
        if (!promise_take_if_settled(sent, &err)) {
            arena_done(&p->page);
            *more = true;
            return await(sent);
        }
        if (err && err != UV_EINVAL)
            return err;
    }
    return err == UV_EINVAL ? 0 : err;
}

static async int past_send_rows(past *p)
{
    int64_t known = p->last;
    int err = 0;
    for (bool more = true; more && !err;) {
        known = site_published();
        err = past_send_page(p, &more);
        arena_done(&p->page);
        if (err == UV_EINVAL)
            err = 0;
    }
    if (!err && known > p->last)
        p->last = known;
    return err;
}

/* What has come meanwhile, until there is no more of it: UV_EAGAIN. */
static async int past_send_news(past *p)
{
    const topic_message *m;
    int err;
    while (!(err = subscription_next(p->news, &m))) {
        if (m->id <= p->last)                /* the outbox had it, too */
            continue;
        err = await(past_send(p, &(outbox_row){ .id = m->id, .event = m->event, .data = m->bytes }));
        if (err && err != UV_EINVAL)
            break;
    }
    return err;
}

async int past_catch_up(past *p)
{
    int err = past_wait(p);
    while (!err) {
        subscription_again(p->news, p->last);
        if (!past_is_there(p))
            err = past_send_rows(p);
        if (!err)
            err = past_send_news(p);
        if (err == UV_EAGAIN)
            return 0;
        if (err == SUBSCRIPTION_BEHIND)
            err = 0;
    }
    return err;
}
