/* promise.h - one outcome that arrives later.
 *
 * A promise is settled once, with 0 or a negative error (libuv's codes, see uv_strerror).
 * Values do not travel in it: the caller that starts the work names where the result goes.
 *
 *   Ownership.  A function that returns a promise gives it to its caller, who gives it on
 *               exactly once: to then(), gather(), race(), with_timeout(), when_settled() or
 *               await(). The work that settles it borrows it until that moment. No caller frees a
 *               promise by hand; to drop one is a compile error. One that is kept, and not given on
 *               before the task or request ends that made it, is logged as unawaited and cancelled, and
 *               they do not end before it has settled (unawaited.h): it may not be given on any more then.
 *
 *   Timing.     Followers never run inside promise_settle(); they run from the loop, in the
 *               order the promises were settled.
 *
 *   Threads.    A promise stays on the thread that made it. */
#ifndef PROMISE_H
#define PROMISE_H

#include "label.h"
#include "server/base/observe/record_for.h"

#include <stdbool.h>

typedef struct promise promise;

/* What a function that returns a promise must be declared with: its caller cannot forget it, and stays the one that it
 * returns to (PROMISE_ORIGIN), however the program is optimized. */
#define MUST_AWAIT __attribute__((warn_unused_result, returns_nonnull, noinline))

/* Ask the work behind p to stop early. It must still settle p, normally with UV_ECANCELED,
 * now or later. Called at most once, and never after p has settled. */
typedef void promise_cancel_fn(promise *p, void *arg);

/* MUST_AWAIT promise *promise_new(promise_cancel_fn *cancel, void *arg)
 * MUST_AWAIT promise *promise_new_with_room(promise_cancel_fn *cancel)        see promise_room
 * MUST_AWAIT promise *promise_settled(int err)                  one that is already done
 *
 * cancel may be NULL: such work cannot be stopped, and cancelling it does nothing. All are known by the
 * function that calls them, sleep_for() for one, and by the place that it was called from. One that gets
 * its promise from a helper says with promise_named that it should be known by itself. */
#define promise_new(cancel, arg) promise_make((cancel), (arg), PROMISE_ORIGIN)
#define promise_new_with_room(cancel) promise_make_with_room((cancel), PROMISE_ORIGIN)
#define promise_settled(err)     promise_make_settled((err), PROMISE_ORIGIN)
#define promise_named(p)         promise_rename((p), PROMISE_ORIGIN)
#define PROMISE_ORIGIN           __func__, __builtin_return_address(0)

MUST_AWAIT promise *promise_make(promise_cancel_fn *cancel, void *arg, const char *maker, const void *place);
MUST_AWAIT promise *promise_make_with_room(promise_cancel_fn *cancel, const char *maker, const void *place);
MUST_AWAIT promise *promise_make_settled(int err, const char *maker, const void *place);
MUST_AWAIT promise *promise_rename(promise *p, const char *maker, const void *place);

/* What the work behind p needs, in one piece with it: so many bytes, not zeroed, aligned for pointers and 64-bit
 * numbers, which are there until p has settled. cancel gets them as its arg. */
enum { PROMISE_ROOM = 32 };
void    *promise_room(promise *p);           /* of one made with room */
promise *promise_of_room(void *room);

void promise_settle(promise *p, int err);                     /* a second call is a bug */
void promise_cancel(promise *p);                              /* no-op once settled or cancelled */

/* The callback stage: done(err, arg) runs once, from the loop, when p has settled. Takes p. */
void when_settled(promise *p, void (*done)(int err, void *arg), void *arg);

/* Before p is followed: if it has settled already, take it and fetch its outcome. */
bool promise_take_if_settled(promise *p, int *err);

typedef struct promise_origin {
    const char *maker;                       /* "sleep_for" */
    const void *place;                       /* in the code: where it returned to */
    label       label;                       /* of those for whom it was made */
} promise_origin;

promise_origin promise_origin_of(const promise *p);
record_for     promise_is_for(const promise *p);     /* for recorder.h */

/* For unawaited.c, at a scope's end: the newest promise that was made in s and has not been given on, or NULL; and p, which
 * is one of these, will never be. */
struct scope;
promise *promise_kept_in(const struct scope *s);
void     promise_abandon(promise *p);

#endif
