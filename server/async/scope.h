/* scope.h - on whose behalf code runs: a task, a request, or a thread.
 *
 * An owner knows its name, since when it is there, and its label. It also knows the promises that were
 * made on its behalf and have not been given on: when it ends, those are forgotten ones (unawaited.h).
 *
 * A task is an owner while it runs, a request while its handler does. Whoever follows a promise runs on
 * behalf of the one that made it; once that has ended, of the thread, whose label is then the promise's.
 *
 *   The end.  What is done on behalf of an owner may write to what the owner has: its stack, its arena.
 *             So all of it is over before the owner is: what was forgotten is cancelled and waited for. */
#ifndef OWNER_H
#define OWNER_H

#include "label.h"
#include "promise.h"

typedef struct scope {
    promise          *first;                 /* made on its behalf, and not given on yet */
    struct scope_ref *ref;                   /* how its promises know it; NULL before the first */
    const char       *name;                  /* static */
    uint32_t          since;                 /* milliseconds of uv_hrtime's clock, of which these are the low bits; 0: it
                                                was always there */
    label             label;
} scope;

_Static_assert(sizeof(scope) <= 32, "each waiting request has one");

extern _Thread_local scope *scope_entered;   /* NULL: the thread's own */
extern _Thread_local scope  scope_thread;

static inline scope *scope_here(void) { return scope_entered ? scope_entered : &scope_thread; }

/* Milliseconds, now being those of uv_hrtime's clock; of one that is there for seven weeks it begins anew. */
static inline uint32_t scope_age(const scope *o, uint64_t now) { return (uint32_t)now - o->since; }

/* From now on this thread runs on behalf of o, which must stay where it is until scope_end; NULL: of its
 * own. Returns who it was before, to be entered again. */
static inline scope *scope_enter(scope *o)
{
    scope *const before = scope_entered;
    scope_entered = o;
    return before;
}

/* The same, of the label alone. */
static inline label scope_relabel(label l)
{
    scope *const o = scope_here();
    const label before = o->label;
    o->label = l;
    return before;
}

/* Has it promises that were not given on? */
static inline bool scope_keeps(const scope *o) { return o->first; }

/* Nothing will be given on any more: what is left is reported and cancelled, and so is what is made on
 * behalf of o meanwhile. Settles with 0 when all of it has settled: o may end then, and not before.
 * Work that cannot be cancelled is waited for. */
MUST_AWAIT promise *scope_drain(scope *o);

/* Code no longer runs on behalf of o. Only a thread may end with promises, when there is nobody left who
 * could settle them: they are reported. Most have nothing to end. */
void scope_end_slowly(scope *o);

static inline void scope_end(scope *o)
{
    if (o->first || o->ref || scope_entered == o)
        scope_end_slowly(o);
}

/* What stays of an owner for those who may outlive it. */
typedef struct scope_ref {
    scope *scope;                            /* NULL once it has ended */
    size_t count;                            /* of those who have it */
} scope_ref;

scope_ref *scope_ref_new(scope *o);
void       scope_ref_free(scope_ref *r);

/* NULL stands for the thread. */
static inline scope_ref *scope_ref_get(scope *o)
{
    if (o == &scope_thread)
        return NULL;
    scope_ref *const r = o->ref ? o->ref : scope_ref_new(o);
    r->count++;
    return r;
}

static inline void scope_ref_put(scope_ref *r)
{
    if (r && --r->count == 0)
        scope_ref_free(r);
}

#endif
