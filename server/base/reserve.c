/* reserve.c - see reserve.h. */
#include "reserve.h"
#include "list.h"
#include "machine.h"

#include <assert.h>
#include <malloc.h>
#include <uv.h>

enum {
    TICK = 50,                               /* ms between two that give back */
    BUDGET = 500 * 1000,                     /* ns of one, and of the trim that may follow it */
    TRIM_AFTER = 2 * 1024 * 1024,            /* bytes: so many go back to the kernel in less than BUDGET */
    TRIM_SHARE = 100,                        /* of all time, at most one part in so many is spent on trimming */
    LEAVE = 4 * RESERVE_LEAST,               /* bytes that are not worth a trim */
    FREED_AT_ONCE = 32,                      /* objects of a free list */
};

static _Thread_local struct {
    reserve *first;                          /* all that are watched */
    bool     ticks;
    uint64_t period;                         /* ms, when it began; 0: it has not */
    size_t   freed;                          /* bytes that the allocator has and the kernel has not */
    uint64_t next_trim;                      /* ms, not before */
} here;

void reserve_begin(void) { here.ticks = true; }

void reserve_end(void)
{
    here.ticks = false;
    here.period = 0;
    while (here.first)
        reserve_unwatch(here.first);
}

bool reserve_is_watched(void) { return here.first != NULL; }

bool reserve_watch(reserve *r)
{
    assert(r->age && r->give_back);
    if (!here.ticks)
        return false;
    if (!r->watched) {
        r->watched = true;
        r->other = here.first;
        here.first = r;
    }
    return true;
}

void reserve_unwatch(reserve *r)
{
    if (!r->watched)
        return;
    reserve **at = &here.first;
    while (*at != r)
        at = &(*at)->other;
    *at = r->other;
    r->watched = false;
}

static void reserve_end_period(uint64_t now)
{
    here.period = now;
    for (reserve *r = here.first, *other; r; r = other) {
        other = r->other;
        if (!r->age(r))
            reserve_unwatch(r);
    }
}

/* True if something idle is left: time is up. */
static bool reserve_give_back(void)
{
    const uint64_t until = uv_hrtime() + BUDGET;
    for (reserve *r = here.first; r; r = r->other)
        while (r->give_back(r))
            if (here.freed >= TRIM_AFTER || uv_hrtime() >= until)
                return true;
    return false;
}

/* What was freed lies between what is in use, in pages that only malloc_trim gives to the kernel. It looks
 * at everything that is free, which may take long where that is in many pieces: then it comes seldom.
 * True if it is to come later. */
static bool reserve_trim(size_t least, uint64_t now)
{
    if (here.freed < least)
        return false;
    if (now < here.next_trim)
        return true;
    const uint64_t begun = uv_hrtime();
    reserve_trim_allocator();
    here.freed = 0;
    here.next_trim = now + (uv_hrtime() - begun) * TRIM_SHARE / 1000000;
    return false;
}

uint64_t reserve_tick(uint64_t now)
{
    if (here.period == 0)
        here.period = now;
    else if (now - here.period >= RESERVE_PERIOD)
        reserve_end_period(now);
    bool more = reserve_trim(TRIM_AFTER, now) || reserve_give_back();
    more |= reserve_trim(more ? TRIM_AFTER : LEAVE, now);
    if (more)
        return TICK;
    if (here.first)
        return RESERVE_PERIOD - (now - here.period);
    here.period = 0;
    return 0;
}

void reserve_trim_allocator(void) { malloc_trim(0); }

void reserve_freed(size_t size)
{
    if (here.ticks)
        here.freed += size;
}

/* glibc gives a heap's top to the kernel as soon as 128 KiB of it are free, and takes it back, a page fault
 * each, with the next request. It also learns from what is freed how much to map by itself. Here reserves
 * decide what is kept: so the top may be a few megabytes, it grows by more than a request needs, and what is
 * large is mapped by itself, and goes back by itself. Any of these turns the learning off. Many threads have
 * up to eight heaps a core, and of those malloc_trim leaves the top: there it must be small. */
void reserve_tune_allocator(bool loops)
{
    mallopt(M_TRIM_THRESHOLD, loops ? 4 * 1024 * 1024 : 256 * 1024);
    mallopt(M_TOP_PAD, loops ? 256 * 1024 : 64 * 1024);
    mallopt(M_MMAP_THRESHOLD, 256 * 1024);
    const uint64_t left = machine_memory_left();             /* a heap takes 64 MiB of it at once */
    if (left < UINT64_MAX)
        mallopt(M_ARENA_MAX, 1 + (int)(left >> 30));
}

/* Free lists. */

struct free_object { struct free_object *next; };

static size_t freelist_least(const freelist *f) { return RESERVE_LEAST / f->size; }

static void *freelist_pop(struct free_object **list)
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
    return freelist_pop(f->recent ? &f->recent : f->old ? &f->old : &f->idle);
}

void freelist_put(freelist *f, void *object)
{
    const bool enough = f->out <= 0 || (f->count >= freelist_least(f) && !f->reserve.watched && !reserve_watch(&f->reserve));
    f->out -= f->out > 0;
    if (enough || RESERVE_NOTHING) {
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
    freelist *f = container_of(r, freelist, reserve);
    if (f->count <= freelist_least(f))
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
    freelist *f = container_of(r, freelist, reserve);
    size_t given = 0;
    for (; given < FREED_AT_ONCE && f->idle && f->count > freelist_least(f); given++, f->count--)
        f->end(freelist_pop(&f->idle));
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
