/* freelist.c - see freelist.h. */
#include "freelist.h"
#include "memory.h"

enum { AT_ONCE = 32 };

struct free_object { struct free_object *next; };

static size_t least(const freelist *f) { return RESERVE_LEAST / f->size; }

static void *pop(struct free_object **list)
{
    struct free_object *o = *list;
    *list = o->next;
    return o;
}

void *freelist_get(freelist *f)
{
    f->out++;
    if (f->count == 0)
        return NULL;
    f->count--;
    return pop(f->recent ? &f->recent : f->old ? &f->old : &f->idle);
}

void freelist_put(freelist *f, void *object)
{
    const bool enough = f->out <= 0 || (f->count >= least(f) && !f->reserve.watched && !reserve_watch(&f->reserve));
    f->out -= f->out > 0;
    if (enough || mem_each_its_own) {
        f->end(object);
        return;
    }
    struct free_object *o = object;
    o->next = f->recent;
    f->recent = o;
    f->count++;
}

bool freelist_age(reserve *r)
{
    freelist *f = (freelist *)r;
    if (f->count <= least(f))
        return false;
    if (!f->idle) {                          /* else time was short, and they are still to go */
        f->idle = f->old;
        f->old = f->recent;
        f->recent = NULL;
    }
    return true;
}

bool freelist_give_back(reserve *r)
{
    freelist *f = (freelist *)r;
    size_t given = 0;
    for (; given < AT_ONCE && f->idle && f->count > least(f); given++, f->count--)
        f->end(pop(&f->idle));
    reserve_freed(given * f->size);
    return given > 0;
}

void freelist_done(freelist *f)
{
    reserve_unwatch(&f->reserve);
    for (void *object; (object = freelist_get(f));)
        f->end(object);
    f->out = 0;
}
