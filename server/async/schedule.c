/* schedule.c - see schedule.h.
 *
 * A callback is freed once it has been called, but its name may be cleared at any time later. So a name
 * says which slot of a table to look at, and how many names had been given before it. */
#include "schedule.h"
#include "loop.h"
#include "server/base/list.h"
#include "server/base/memory.h"
#include "timer.h"

#include <stddef.h>

enum { SLOT_BITS = 24 };                     /* 16 million at once; the rest of a name counts them */

static const uint64_t SLOT = (1 << SLOT_BITS) - 1;

struct call {
    union {
        timer timer;
        ready ready;
    };
    void    (*fn)(void *);
    void     *arg;
    scheduled name;                          /* 0: it has none */
};

struct slot { struct call *call; size_t next_free; };

static _Thread_local pool calls = POOL(struct call);

static _Thread_local struct {
    struct slot *slots;                      /* the first is never used, so that no name is 0 */
    size_t        count, used, first_free;
    uint64_t      names;                     /* given so far */
} table;

static scheduled call_give_name(struct call *c)
{
    size_t slot = table.first_free;
    if (!slot) {
        const size_t more = table.count ? table.count : 32;
        table.slots = mem_resize(table.slots, (table.count + more) * sizeof *table.slots);
        for (size_t i = table.count + more; i-- > table.count;) {
            table.slots[i] = (struct slot){ .next_free = table.first_free };
            table.first_free = i ? i : 1;
        }
        table.count += more;
        slot = table.first_free;
    }
    table.first_free = table.slots[slot].next_free;
    table.slots[slot].call = c;
    table.used++;
    return c->name = ++table.names << SLOT_BITS | slot;
}

static void call_take_name(struct call *c)
{
    const size_t slot = c->name & SLOT;
    table.slots[slot] = (struct slot){ .next_free = table.first_free };
    table.first_free = slot;
    c->name = 0;
    if (--table.used > 0)
        return;
    mem_free(table.slots);                   /* a thread that ends leaves nothing behind */
    table.slots = NULL;
    table.count = table.first_free = 0;
}

/* NULL if it has been called or cleared. */
static struct call *call_find(scheduled name)
{
    const size_t slot = name & SLOT;
    struct call *c = slot < table.count ? table.slots[slot].call : NULL;
    return c && c->name == name ? c : NULL;
}

static struct call *call_new(void (*fn)(void *), void *arg)
{
    struct call *c = pool_get(&calls);
    *c = (struct call){ .fn = fn, .arg = arg };
    return c;
}

static void call_run(struct call *c)
{
    const struct call made = *c;
    if (c->name)
        call_take_name(c);
    pool_put(&calls, c);
    if (made.fn)
        made.fn(made.arg);
}

static void call_on_timer(timer *t)  { call_run(container_of(t, struct call, timer)); }
static void call_on_ready(ready *r)   { call_run(container_of(r, struct call, ready)); }

scheduled set_timeout(void (*fn)(void *), void *arg, uint64_t ms)
{
    struct call *c = call_new(fn, arg);
    timer_set(&c->timer, ms ? ms : 1, call_on_timer);
    return call_give_name(c);
}

scheduled set_immediate(void (*fn)(void *), void *arg)
{
    struct call *c = call_new(fn, arg);
    c->ready.run = call_on_ready;
    loop_immediate(&c->ready);
    return call_give_name(c);
}

void clear_timeout(scheduled name)
{
    struct call *c = call_find(name);
    if (!c)
        return;
    timer_stop(&c->timer);
    call_take_name(c);
    pool_put(&calls, c);
}

/* It stays in the loop's list, and does nothing when it is its turn. */
void clear_immediate(scheduled name)
{
    struct call *c = call_find(name);
    if (!c)
        return;
    call_take_name(c);
    c->fn = NULL;
}

void next_tick(void (*fn)(void *), void *arg)
{
    struct call *c = call_new(fn, arg);
    c->ready.run = call_on_ready;
    loop_next_tick(&c->ready);
}

void queue_microtask(void (*fn)(void *), void *arg)
{
    struct call *c = call_new(fn, arg);
    c->ready.run = call_on_ready;
    loop_ready(&c->ready);
}
