/* schedule.c - see schedule.h.
 *
 * A callback is freed once it has been called, but its name may be cleared at any time later. So a name
 * says which place of a table to look at, and which of the place's tenants is meant. */
#include "schedule.h"
#include "loop.h"
#include "server/base/memory.h"
#include "timer.h"

#include <stddef.h>

enum { PLACE_BITS = 24 };                    /* 16 million at once; the rest of a name counts tenants */

static const uint64_t PLACE = (1 << PLACE_BITS) - 1;

struct call {
    union {
        timer timer;
        ready ready;
    };
    void    (*fn)(void *);
    void     *arg;
    scheduled name;                          /* 0: it has none */
};

struct place { struct call *tenant; size_t next_free; };

static _Thread_local pool calls = POOL(struct call);

static _Thread_local struct {
    struct place *places;                    /* the first is never let, so that no name is 0 */
    size_t        count, tenants, first_free;
    uint64_t      names;                     /* given so far */
} table;

static scheduled move_in(struct call *c)
{
    size_t place = table.first_free;
    if (!place) {
        const size_t more = table.count ? table.count : 32;
        table.places = mem_resize(table.places, (table.count + more) * sizeof *table.places);
        for (size_t i = table.count + more; i-- > table.count;) {
            table.places[i] = (struct place){ .next_free = table.first_free };
            table.first_free = i ? i : 1;
        }
        table.count += more;
        place = table.first_free;
    }
    table.first_free = table.places[place].next_free;
    table.places[place].tenant = c;
    table.tenants++;
    return c->name = ++table.names << PLACE_BITS | place;
}

static void move_out(struct call *c)
{
    const size_t place = c->name & PLACE;
    table.places[place] = (struct place){ .next_free = table.first_free };
    table.first_free = place;
    c->name = 0;
    if (--table.tenants > 0)
        return;
    mem_free(table.places);                  /* a thread that ends leaves nothing behind */
    table.places = NULL;
    table.count = table.first_free = 0;
}

/* NULL if it has been called or cleared. */
static struct call *call_of(scheduled name)
{
    const size_t place = name & PLACE;
    struct call *c = place < table.count ? table.places[place].tenant : NULL;
    return c && c->name == name ? c : NULL;
}

static struct call *call_new(void (*fn)(void *), void *arg)
{
    struct call *c = pool_get(&calls);
    *c = (struct call){ .fn = fn, .arg = arg };
    return c;
}

static void make(struct call *c)
{
    const struct call made = *c;
    if (c->name)
        move_out(c);
    pool_put(&calls, c);
    if (made.fn)
        made.fn(made.arg);
}

static void rang(timer *t)  { make((struct call *)((char *)t - offsetof(struct call, timer))); }
static void run(ready *r)   { make((struct call *)((char *)r - offsetof(struct call, ready))); }

scheduled set_timeout(void (*fn)(void *), void *arg, uint64_t ms)
{
    struct call *c = call_new(fn, arg);
    timer_set(&c->timer, ms ? ms : 1, rang);
    return move_in(c);
}

scheduled set_immediate(void (*fn)(void *), void *arg)
{
    struct call *c = call_new(fn, arg);
    c->ready.run = run;
    loop_immediate(&c->ready);
    return move_in(c);
}

void clear_timeout(scheduled name)
{
    struct call *c = call_of(name);
    if (!c)
        return;
    timer_stop(&c->timer);
    move_out(c);
    pool_put(&calls, c);
}

/* It stays in the loop's list, and does nothing when it is its turn. */
void clear_immediate(scheduled name)
{
    struct call *c = call_of(name);
    if (!c)
        return;
    move_out(c);
    c->fn = NULL;
}

void next_tick(void (*fn)(void *), void *arg)
{
    struct call *c = call_new(fn, arg);
    c->ready.run = run;
    loop_next_tick(&c->ready);
}

void queue_microtask(void (*fn)(void *), void *arg)
{
    struct call *c = call_new(fn, arg);
    c->ready.run = run;
    loop_ready(&c->ready);
}
