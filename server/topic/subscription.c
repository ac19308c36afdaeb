/* subscription.c - see subscription.h. */
#include "subscription.h"
#include "audience.h"
#include "topic_internal.h"
#include "server/async/loop.h"
#include "server/async/task.h"

#include <assert.h>
#include <poll.h>
#include <uv.h>

enum { AT_ONCE = 64 };                       /* messages received without waiting: then all else has its turn */

struct subscription {
    audience_member       member;
    topic                *topic;             /* NULL: it has ended */
    uint64_t              place;             /* of the next message */
    uint64_t              start;             /* what was before does not count as being late */
    uint64_t              limit;             /* what is published from there on is missed; UINT64_MAX: nothing is */
    uint64_t              dropped;
    int64_t               last;              /* id of what was received last; of nothing: the one that was named */
    const topic_message  *lent;
    promise              *waiting;
    void                (*on_news)(void *arg);       /* NULL: it waits, or nothing does */
    union {
        const topic_message **to;            /* NULL: it waits only to know that there is one */
        void                 *arg;           /* of on_news */
    };
    uint8_t               at_once;           /* received since it waited last */
    bool                  complete;
    bool                  behind;
};

_Static_assert(sizeof(subscription) + 32 <= SUBSCRIPTION_ROOM, "with what arena_defer takes");

/* Where it is. */

static const topic_message *topic_at(const topic *t, uint64_t place) { return t->ring[place & (t->room - 1)]; }

static uint64_t topic_place_after(const topic *t, int64_t id, bool *complete)
{
    const uint64_t end = atomic_load(&t->end);
    uint64_t at = end;
    while (at > t->first && topic_at(t, at - 1)->id != id)
        at--;
    *complete = at > t->first || id == t->gone_id;
    if (*complete)
        return at;
    while (at < end && topic_at(t, at)->id <= id)
        at++;
    return at;
}

static void subscription_drop_until(subscription *s, uint64_t place)
{
    const uint64_t lost = place - s->place;
    s->place = place;
    s->dropped += lost;
    if (lost > 0)
        atomic_fetch_add_explicit(&topic_counted.dropped, lost, memory_order_relaxed);
}

/* With the topic's lock: what it has missed by now is behind it. */
static void subscription_catch_up(subscription *s)
{
    const topic *t = s->topic;
    if (s->place < t->first && t->policy == TOPIC_DISCONNECT) {
        s->behind = true;
        atomic_fetch_add_explicit(&topic_counted.disconnected, 1, memory_order_relaxed);
        return;
    }
    if (s->place < t->first) {
        subscription_drop_until(s, t->first);
        if (s->limit <= t->first)
            s->limit = UINT64_MAX;
    }
    const uint64_t late_from = s->place > s->start ? s->place : s->start;
    const uint64_t most = topics_keep() > 1 ? (uint64_t)topics_keep() / 2 : 1;
    if (t->policy == TOPIC_DROP_NEWEST && s->limit == UINT64_MAX && atomic_load(&t->end) > late_from + most)
        s->limit = late_from + most;
}

/* With the topic's lock, and there is one. */
static void subscription_take(subscription *s)
{
    s->lent = topic_at(s->topic, s->place++);
    s->last = s->lent->id;
    topic_message_hold(s->lent);
    if (s->place == s->limit) {              /* it has read what was before */
        subscription_drop_until(s, atomic_load(&s->topic->end));
        s->limit = UINT64_MAX;
    }
}

static void subscription_release(subscription *s)
{
    topic_message_release(s->lent);
    s->lent = NULL;
}

bool subscription_is_ready(const subscription *s)
{
    return !s->topic || s->behind || atomic_load(&s->topic->end) != s->place || topics_stopped();
}

/* Where the next message is, if there is one, with the topic's lock, which is taken then. */
static int subscription_find(subscription *s)
{
    topic *t = s->topic;
    if (!t)
        return UV_EOF;
    const bool stopped = topics_stopped();   /* before it looks what there is: that is the last */
    if (!s->behind && atomic_load(&t->end) == s->place)
        return stopped ? UV_EOF : UV_EAGAIN;
    pthread_mutex_lock(&t->lock);
    if (!s->behind)
        subscription_catch_up(s);
    if (!s->behind)
        return 0;
    pthread_mutex_unlock(&t->lock);
    return SUBSCRIPTION_BEHIND;
}

int subscription_look(subscription *s)
{
    const int err = subscription_find(s);
    if (!err)
        pthread_mutex_unlock(&s->topic->lock);
    return err;
}

int subscription_next(subscription *s, const topic_message **m)
{
    subscription_release(s);
    const int err = subscription_find(s);
    if (err)
        return err;
    subscription_take(s);
    pthread_mutex_unlock(&s->topic->lock);
    *m = s->lent;
    return 0;
}

/* Waiting. */

static void subscription_settle(subscription *s, int err)
{
    promise *p = s->waiting;
    s->waiting = NULL;
    audience_expect(&s->member, -1);
    promise_settle(p, err);
}

static void subscription_on_cancel(promise *p, void *arg)
{
    (void)p;
    subscription_settle(arg, UV_ECANCELED);
}

static void subscription_on_wake(audience_member *m)
{
    subscription *s = container_of(m, subscription, member);
    if (s->on_news)
        s->on_news(s->arg);
    else if (s->waiting) {
        const int err = s->to ? subscription_next(s, s->to) : subscription_is_ready(s) ? 0 : UV_EAGAIN;
        if (err != UV_EAGAIN)
            subscription_settle(s, err);
    }
}

static promise *subscription_wait(subscription *s, const topic_message **to)
{
    assert(!s->waiting && !s->on_news && "each is awaited before the next, or there is a callback");
    s->at_once = 0;
    s->to = to;
    audience_expect(&s->member, 1);
    return s->waiting = promise_new(subscription_on_cancel, s);
}

static bool source_is_ready(const source *s) { return subscription_is_ready(s->of); }

static promise *source_ready(const source *s) { return promise_named(subscription_wait(s->of, NULL)); }

static void source_expect(const source *s, blocking_set *set)
{
    const int fd = audience_descriptor();
    (void)s;
    audience_look();
    if (fd >= 0)
        blocking_add(set, fd, POLLIN);
    else                                     /* there was none left: it has to look now and then */
        set->until = deadline_sooner(set->until, deadline_in(BLOCKING_LOOK_MS));
}

source subscription_source(subscription *s)
{
    static const source_kind kind = { source_is_ready, source_ready, source_expect };
    return (source){ .kind = &kind, .of = s };
}

static int subscription_block(subscription *s, const topic_message **m)
{
    int which = 0;
    const int err = await(either(&which, subscription_source(s)));
    return err ? err : subscription_next(s, m);
}

promise *subscription_receive(subscription *s, const topic_message **m)
{
    const bool loop = loop_here();
    if (loop && s->at_once == AT_ONCE && subscription_is_ready(s) && s->topic) {
        audience_ring(s->member.audience);
        return promise_named(subscription_wait(s, m));
    }
    const int err = subscription_next(s, m);
    if (err == UV_EAGAIN)
        return loop ? promise_named(subscription_wait(s, m)) : promise_settled(subscription_block(s, m));
    s->at_once++;
    return promise_settled(err);
}

void subscription_on_news(subscription *s, void (*on_news)(void *arg), void *arg)
{
    assert(!s->waiting && s->topic);
    audience_expect(&s->member, (on_news != NULL) - (s->on_news != NULL));
    s->on_news = on_news;
    s->arg = arg;
    if (on_news && subscription_is_ready(s))
        audience_ring(s->member.audience);
}

/* Coming and going. */

static void subscription_on_arena_end(void *arg) { subscription_end(arg); }

/* With the topic's lock. */
static void subscription_place(subscription *s, int64_t after)
{
    s->start = atomic_load(&s->topic->end);
    s->limit = UINT64_MAX;
    s->complete = true;
    s->last = after;
    s->place = after == TOPIC_NEW ? s->start : topic_place_after(s->topic, after, &s->complete);
}

subscription *topic_subscribe(arena *a, topic *t, int64_t after)
{
    subscription *s = arena_alloc(a, sizeof *s);
    *s = (subscription){ .member.wake = subscription_on_wake, .topic = t };
    topic_use(t);
    pthread_mutex_lock(&t->lock);
    subscription_place(s, after);
    audience_join(&t->audiences, &s->member);
    pthread_mutex_unlock(&t->lock);
    atomic_fetch_add_explicit(&topic_counted.subscriptions, 1, memory_order_relaxed);
    arena_defer(a, subscription_on_arena_end, s);
    return s;
}

void subscription_again(subscription *s, int64_t after)
{
    assert(!s->waiting && s->topic);
    subscription_release(s);
    pthread_mutex_lock(&s->topic->lock);
    s->behind = false;
    subscription_place(s, after);
    pthread_mutex_unlock(&s->topic->lock);
    if (s->on_news && subscription_is_ready(s))
        audience_ring(s->member.audience);
}

void subscription_end(subscription *s)
{
    topic *t = s ? s->topic : NULL;
    if (!t)
        return;
    assert(!s->waiting);
    if (s->on_news)
        subscription_on_news(s, NULL, NULL);
    pthread_mutex_lock(&t->lock);
    if (t->policy != TOPIC_DISCONNECT)
        subscription_catch_up(s);            /* so that what it missed is counted */
    audience_leave(&s->member);
    pthread_mutex_unlock(&t->lock);
    subscription_release(s);
    s->topic = NULL;
    atomic_fetch_sub_explicit(&topic_counted.subscriptions, 1, memory_order_relaxed);
    topic_close(t);
}

topic   *subscription_topic(const subscription *s)       { return s->topic; }
int64_t  subscription_last(const subscription *s)        { return s->last; }
bool     subscription_is_complete(const subscription *s) { return s->complete; }
uint64_t subscription_dropped(const subscription *s)     { return s->dropped; }
