/* scope.h - on whose behalf code runs: a task, a request, or a thread.
 *
 * A scope knows its name, since when it is there, and its label. It also holds the promises that were made on its
 * behalf and have not been given on: what becomes of those at its end is unawaited.h's.
 *
 * A task is a scope while it runs, a request while its handler does. What follows a promise runs on behalf of the
 * scope in which that was made; once that has ended, of the thread, whose label is then the promise's. */
#ifndef SCOPE_H
#define SCOPE_H

#include "label.h"
#include "server/base/list.h"
#include "server/base/observe/record_for.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct scope {
    list              promises;              /* made on its behalf, and not given on yet; promise.c's */
    struct scope_ref *ref;                   /* how its promises know it; NULL before the first */
    const char       *name;                  /* static */
    uint32_t          since;                 /* milliseconds of uv_hrtime's clock, of which these are the low bits; 0: it
                                                was always there */
    label             label;
    uint16_t          request : 15;          /* which one it is for (recorder.h); 0: none */
    bool              at_once : 1;           /* its code may not await: it is no task, and ends before anything else runs */
} scope;

_Static_assert(sizeof(scope) <= 32, "each waiting request has one");

extern _Thread_local scope *scope_entered;   /* NULL: the thread's own */
extern _Thread_local scope  scope_thread;

static inline scope *scope_here(void) { return scope_entered ? scope_entered : &scope_thread; }

/* Milliseconds, now being those of uv_hrtime's clock; of one that is there for seven weeks it begins anew. */
static inline uint32_t scope_age(const scope *s, uint64_t now) { return (uint32_t)now - s->since; }

/* From now on this thread runs on behalf of s, which must stay where it is until scope_end; NULL: of its
 * own. Returns who it was before, to be entered again. */
static inline scope *scope_enter(scope *s)
{
    scope *const before = scope_entered;
    scope_entered = s;
    return before;
}

static inline record_for scope_is_for(const scope *s) { return (record_for){ s->label, s->request }; }

/* The same, of what it is for alone. */
static inline record_for scope_be_for(record_for whom)
{
    scope *const s = scope_here();
    const record_for before = scope_is_for(s);
    s->label = whom.label;
    s->request = whom.request & (RECORD_REQUESTS - 1);
    return before;
}

static inline label scope_relabel(label l) { return scope_be_for((record_for){ .label = l }).label; }

/* Has it promises that were not given on? */
static inline bool scope_keeps(const scope *s) { return s->promises.first; }

/* What stays of a scope for what may outlive it. */
typedef struct scope_ref {
    scope   *scope;                          /* NULL once it has ended */
    uint32_t count;                          /* of those who have it */
    uint16_t request;                        /* as it was */
} scope_ref;

scope_ref *scope_ref_new(scope *s);
void       scope_ref_free(scope_ref *r);

/* NULL stands for the thread. */
static inline scope_ref *scope_ref_get(scope *s)
{
    if (s == &scope_thread)
        return NULL;
    scope_ref *const r = s->ref ? s->ref : scope_ref_new(s);
    r->count++;
    return r;
}

static inline void scope_ref_put(scope_ref *r)
{
    if (r && --r->count == 0)
        scope_ref_free(r);
}

/* Code no longer runs on behalf of s, which keeps no promises. */
static inline void scope_end(scope *s)
{
    assert(!scope_keeps(s) && "drained before its end");
    if (scope_entered == s)
        scope_entered = NULL;
    if (s->ref) {
        s->ref->scope = NULL;
        scope_ref_put(s->ref);
        s->ref = NULL;
    }
}

#endif
