/* promise.c - see promise.h. A promise has at most one follower, because it has one scope.
 *
 * Thousands wait at once, so what is not needed at the same time shares its place. */
#include "promise.h"
#include "loop.h"
#include "scope.h"
#include "server/base/observe/layout.h"
#include "server/base/observe/recorder.h"
#include "server/base/memory.h"

#include <assert.h>
#include <stddef.h>

struct promise {
    union {
        list_node kept;                      /* until it is given on: among those of its scope */
        struct { void (*done)(int err, void *arg); void *done_arg; };        /* from then on */
    };
    int         err;
    label       label;
    enum { KEPT, GIVEN_ON, ABANDONED } state : 2;
    bool        settled : 1;
    bool        has_room;
    scope_ref  *of;                          /* on whose behalf it was made */
    const char *maker;
    const void *place;
    union {
        struct {                             /* until it settles */
            promise_cancel_fn *cancel;       /* NULL once used */
            void *cancel_arg;                /* of one with room: that begins here, and is the argument */
        };
        ready ready;                         /* from then on, if given on: how the follower gets scheduled */
    };
};

enum { ROOM = offsetof(promise, cancel_arg) };

_Static_assert(sizeof(promise) <= 64, "a waiting request has several");

static const layout_entry PROMISE_LAYOUT[] LAYOUT_ENTRIES = {
    LAYOUT_SIZE("promise", promise),
    LAYOUT_FIELD("promise.cancel", promise, cancel),
    LAYOUT_FIELD("promise.cancel_arg", promise, cancel_arg),
    LAYOUT_FIELD("promise.has_room", promise, has_room),
    LAYOUT_FIELD("promise.label", promise, label),
    LAYOUT_FIELD("promise.maker", promise, maker),
    LAYOUT_FIELD("promise.place", promise, place),
};

static _Thread_local pool promises = POOL(promise), with_room = POOL_OF_SIZE(ROOM + PROMISE_ROOM);

static void promise_free(promise *p)
{
    scope_ref_put(p->of);
    pool_put(p->has_room ? &with_room : &promises, p);
}

static void promise_run_follower(ready *r)
{
    promise *p = container_of(r, promise, ready);
    void (*done)(int, void *) = p->done;
    void *arg = p->done_arg;
    const int err = p->err;
    const record_for of_thread = scope_is_for(&scope_thread), whom = promise_is_for(p);
    scope *const before = scope_enter(p->of ? p->of->scope : NULL);

    scope_thread.label = whom.label;
    scope_thread.request = whom.request;
    promise_free(p);
    done(err, arg);
    scope_thread.label = of_thread.label;
    scope_thread.request = of_thread.request;
    scope_enter(before);
}

static promise *promise_begin(promise *p, promise made)
{
    scope *s = scope_here();
    *p = made;
    list_push(&s->promises, &p->kept);
    p->label = s->label;
    p->of = scope_ref_get(s);
    return p;
}

promise *promise_make(promise_cancel_fn *cancel, void *arg, const char *maker, const void *place)
{
    return promise_begin(pool_get(&promises), (promise){ .cancel = cancel, .cancel_arg = arg, .maker = maker, .place = place });
}

promise *promise_make_with_room(promise_cancel_fn *cancel, const char *maker, const void *place)
{
    return promise_begin(pool_get(&with_room), (promise){ .cancel = cancel, .has_room = true, .maker = maker, .place = place });
}

void *promise_room(promise *p)
{
    assert(p->has_room && !p->settled);
    return (char *)p + ROOM;
}

promise *promise_of_room(void *room) { return (promise *)((char *)room - ROOM); }

promise *promise_make_settled(int err, const char *maker, const void *place)
{
    promise *p = promise_make(NULL, NULL, maker, place);
    p->settled = true;
    p->err = err;
    return p;
}

promise *promise_rename(promise *p, const char *maker, const void *place)
{
    p->maker = maker;
    p->place = place;
    return p;
}

promise_origin promise_origin_of(const promise *p) { return (promise_origin){ p->maker, p->place, p->label }; }

/* What the thread itself makes is for whom it was when it made it, of which the label is left. */
record_for promise_is_for(const promise *p) { return (record_for){ p->label, p->of ? p->of->request : 0 }; }

promise *promise_kept_in(const scope *s)
{
    return s->promises.first ? container_of(s->promises.first, promise, kept) : NULL;
}

void promise_abandon(promise *p)
{
    assert(p->state == KEPT);
    list_unlink(&p->kept);
    p->state = ABANDONED;
    if (p->settled)
        promise_free(p);
}

static void promise_follow_soon(promise *p)
{
    p->ready.run = promise_run_follower;
    loop_ready_named(&p->ready, p->maker, p->label);
}

void promise_settle(promise *p, int err)
{
    assert(!p->settled && err <= 0);
    p->settled = true;
    p->err = err;
    if (recorder_here) {
        const uint64_t now = recorder_clock();
        recorder_add_here(RECORD_SETTLED, now, now, p->maker, promise_is_for(p), err);
    }
    if (p->state == GIVEN_ON)
        promise_follow_soon(p);
    else if (p->state == ABANDONED)
        promise_free(p);
}

void promise_cancel(promise *p)
{
    promise_cancel_fn *const cancel = p->settled ? NULL : p->cancel;
    if (!cancel)
        return;
    p->cancel = NULL;
    cancel(p, p->has_room ? promise_room(p) : p->cancel_arg);
}

void when_settled(promise *p, void (*done)(int, void *), void *arg)
{
    assert(p->state != GIVEN_ON && "a promise is given on exactly once");
    if (p->state == KEPT)
        list_unlink(&p->kept);
    p->state = GIVEN_ON;
    p->done = done;
    p->done_arg = arg;
    if (p->settled)
        promise_follow_soon(p);
}

bool promise_take_if_settled(promise *p, int *err)
{
    if (!p->settled)
        return false;
    assert(p->state == KEPT);
    list_unlink(&p->kept);
    *err = p->err;
    promise_free(p);
    return true;
}
