/* owner.h - on whose behalf code runs: a task, a request, or a thread.
 *
 * An owner knows its name, since when it is there, and its label. It also knows the promises that were
 * made on its behalf and have not been given on: when it ends, those are forgotten ones (forgotten.h).
 *
 * A task is an owner while it runs. Whatever else a thread does, followers of promises for one, it does
 * on behalf of the thread's own owner, whose label is that of the promise that is followed. */
#ifndef OWNER_H
#define OWNER_H

#include "label.h"
#include "promise.h"

typedef struct owner {
    promise    *first;                       /* made on its behalf, and not given on yet */
    const char *name;                        /* static */
    uint64_t    since;                       /* milliseconds of uv_hrtime's clock; 0: it was always there */
    label       label;
} owner;

extern _Thread_local owner *owner_entered;   /* NULL: the thread's own */
extern _Thread_local owner  owner_thread;

static inline owner *owner_here(void) { return owner_entered ? owner_entered : &owner_thread; }

/* From now on this thread runs on behalf of o, which must stay where it is until owner_end; NULL: of its
 * own. Returns who it was before, to be entered again. */
static inline owner *owner_enter(owner *o)
{
    owner *const before = owner_entered;
    owner_entered = o;
    return before;
}

/* The same, of the label alone. */
static inline label owner_relabel(label l)
{
    owner *const o = owner_here();
    const label before = o->label;
    o->label = l;
    return before;
}

void owner_report(owner *o);

/* Nothing will be given on any more: what is left is reported, and is freed when it settles. */
static inline void owner_end(owner *o)
{
    if (o->first)
        owner_report(o);
}

#endif
