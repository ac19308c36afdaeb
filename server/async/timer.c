/* timer.c - see timer.h.
 *
 * Level 0 has a slot for each of the next 64 grains, level 1 one for each 64 grains, and so on: a
 * timer stands on the level of the highest 6-bit digit in which its time differs from the wheel's,
 * in the slot of that digit. When the wheel comes to a slot of a higher level, the timers in it
 * move down; when it comes to one of level 0, they are due.
 *
 * The wheel turns before each poll, by a clock finer than libuv's. The uv_timer_t only bounds how long poll
 * may sleep. */
#include "timer.h"
#include "loop.h"
#include "server/base/list.h"
#include "server/base/memory.h"

#include <assert.h>
#include <stddef.h>

enum { DIGIT = 6, SLOTS = 1 << DIGIT, LEVELS = 7, MS = 1000000 };            /* 2^42 grains: 36 years */

static const uint64_t LONGEST = (uint64_t)1 << 39, NEVER = UINT64_MAX;       /* LONGEST in milliseconds */

/* Of this thread's loop; NULL until it has a timer. A blocking thread has none, and need not carry it. */
static _Thread_local struct wheel {
    timer        slots[LEVELS][SLOTS];       /* circular lists; each starts at a timer that only holds it together */
    uint64_t     occupied[LEVELS];           /* a bit a slot: 0 where no timer is */
    uint64_t     now;                        /* no timer is due before or at it */
    uint64_t     turn;                       /* what is set now is due after it: it waits for the next turn */
    uint64_t     next;                       /* it need not turn before */
    uint64_t     next_ms;                    /* the same, by libuv's clock */
    uint64_t     count;
    uv_prepare_t before_poll;                /* referenced while there are timers: they keep the loop running */
    uv_timer_t   wake;                       /* active while poll is bounded; never referenced */
    int          open;                       /* handles */
} *wheel;

struct turn { uint64_t begun, called; bool over; };          /* of the wheel, within one of the loop */

static void wheel_before_poll(uv_prepare_t *h);

static void wheel_start(void)
{
    wheel = mem_alloc(sizeof *wheel);
    for (int l = 0; l < LEVELS; l++)
        for (int s = 0; s < SLOTS; s++)
            wheel->slots[l][s].next = wheel->slots[l][s].prev = &wheel->slots[l][s];
    uv_prepare_init(loop_here(), &wheel->before_poll);
    uv_prepare_start(&wheel->before_poll, wheel_before_poll);
    uv_unref((uv_handle_t *)&wheel->before_poll);
    uv_timer_init(loop_here(), &wheel->wake);
    uv_unref((uv_handle_t *)&wheel->wake);
    wheel->open = 2;
    wheel->now = wheel->turn = uv_hrtime() >> TIMER_GRAIN;
    wheel->next = wheel->next_ms = NEVER;
}

static int wheel_digit(uint64_t time, int level) { return (int)(time >> (DIGIT * level)) & (SLOTS - 1); }

static void wheel_insert(timer *t)
{
    const uint64_t differs = (t->due ^ wheel->now) | (SLOTS - 1);
    const int level = (63 - __builtin_clzll(differs)) / DIGIT;
    const int slot = wheel_digit(t->due, level);
    timer *head = &wheel->slots[level][slot];

    t->next = head;
    t->prev = head->prev;
    head->prev->next = t;
    head->prev = t;
    wheel->occupied[level] |= (uint64_t)1 << slot;
}

static void wheel_remove(timer *t)
{
    t->prev->next = t->next;
    t->next->prev = t->prev;
    t->next = t->prev = NULL;
}

/* Poll may still be woken for one that is gone: that is cheaper than to look for the next each time. */
static void wheel_lose_one(void)
{
    if (--wheel->count == 0)
        uv_unref((uv_handle_t *)&wheel->before_poll);
}

static void wheel_on_wake(uv_timer_t *t) { (void)t; }

/* Poll sleeps whole milliseconds, so the bound is laid where it will have slept at least the rest. */
static void wheel_set_next(uint64_t next)
{
    const uint64_t time = next << TIMER_GRAIN, now = uv_hrtime(), rest = time > now ? time - now : 0;
    const uint64_t wake = now / MS + (rest + MS - 1) / MS, loop = uv_now(loop_here());
    wheel->next = next;
    wheel->next_ms = time / MS;
    uv_timer_start(&wheel->wake, wheel_on_wake, wake > loop ? wake - loop : 0, 0);
}

/* The first slot that the wheel will come to, and when: the time itself on level 0, on a higher
 * level the earliest that its timers can have. */
static uint64_t wheel_next_slot(int *level, int *slot)
{
    for (int l = 0; l < LEVELS; l++) {
        const uint64_t ahead = wheel->occupied[l] & (~(uint64_t)0 << wheel_digit(wheel->now, l));
        if (!ahead)
            continue;
        *level = l;
        *slot = __builtin_ctzll(ahead);
        const uint64_t round = wheel->now >> (DIGIT * (l + 1)) << (DIGIT * (l + 1));
        return round + ((uint64_t)*slot << (DIGIT * l));
    }
    return NEVER;
}

/* Looked at ever more rarely while they prove quick. */
static bool turn_is_spent(struct turn *turn)
{
    const uint64_t n = ++turn->called;
    return (n % 16 == 0 || (n & (n - 1)) == 0) && uv_hrtime() - turn->begun >= TIMER_BUDGET * MS;
}

/* The timers of a slot of level 0 are called, those of a higher one move down. */
static void wheel_empty_slot(struct turn *turn, int level, int slot)
{
    const struct wheel *const mine = wheel;
    timer *head = &wheel->slots[level][slot];

    wheel->occupied[level] &= ~((uint64_t)1 << slot);
    for (timer *t; !turn->over && (t = head->next) != head;) {
        wheel_remove(t);
        if (level > 0) {
            wheel_insert(t);
            continue;
        }
        wheel_lose_one();
        loop_enter();
        t->on_due(t);
        loop_leave();
        if (wheel != mine) {                  /* timer_end: it is freed when it has closed */
            turn->over = true;
            return;
        }
        turn->over = turn_is_spent(turn);
    }
    if (head->next != head)
        wheel->occupied[level] |= (uint64_t)1 << slot;
}

static void wheel_turn(uint64_t begun)
{
    const struct wheel *const mine = wheel;
    const uint64_t now = begun >> TIMER_GRAIN;
    struct turn turn = { .begun = begun };
    uint64_t due;
    int level = 0, slot = 0;

    wheel->turn = now;
    wheel->next = 0;                          /* nothing is earlier: what is set meanwhile need not look */
    while ((due = wheel_next_slot(&level, &slot)) <= now && !turn.over) {
        if (due > wheel->now)
            wheel->now = due;
        wheel_empty_slot(&turn, level, slot);
        if (wheel != mine)
            return;
    }
    if (due > now)
        wheel->now = now;
    if (wheel->count > 0)                     /* a slot may be marked whose timers were all stopped */
        wheel_set_next(due);
    else
        wheel->next = wheel->next_ms = NEVER;
}

/* libuv calls what was started last first: the loop's own, which runs what has become ready, comes after this. */
static void wheel_before_poll(uv_prepare_t *h)
{
    if (uv_now(h->loop) < wheel->next_ms)
        return;
    const uint64_t now = uv_hrtime();
    if (now >> TIMER_GRAIN >= wheel->next)
        wheel_turn(now);
    else if (!uv_is_active((uv_handle_t *)&wheel->wake))     /* it ended early, within the very millisecond */
        wheel_set_next(wheel->next);
}

static void timer_set_due(timer *t, uint64_t due, void (*on_due)(timer *))
{
    if (!wheel)
        wheel_start();
    if (t->next)
        wheel_remove(t);
    else if (wheel->count++ == 0)
        uv_ref((uv_handle_t *)&wheel->before_poll);
    t->due = due > wheel->turn ? due : wheel->turn + 1;
    t->on_due = on_due;
    wheel_insert(t);
    if (t->due < wheel->next)
        wheel_set_next(t->due);
}

/* Of a time in nanoseconds: the first grain that is not before it. */
static uint64_t grain_of(uint64_t time) { return (time + (1 << TIMER_GRAIN) - 1) >> TIMER_GRAIN; }

void timer_set(timer *t, uint64_t ms, void (*on_due)(timer *))
{
    timer_set_due(t, grain_of(uv_hrtime() + (ms < LONGEST ? ms : LONGEST) * MS), on_due);
}

void timer_set_at(timer *t, uint64_t time, void (*on_due)(timer *))
{
    timer_set_due(t, grain_of(time < LONGEST * MS ? time : LONGEST * MS), on_due);
}

void timer_unset(timer *t)
{
    wheel_remove(t);
    wheel_lose_one();
}

uint64_t timer_now(void) { return uv_hrtime() / MS; }

static void wheel_on_closed(uv_handle_t *h)
{
    struct wheel *w = h->data;
    if (--w->open == 0)
        mem_free(w);
}

void timer_end(void)
{
    if (!wheel)
        return;
    assert(wheel->count == 0);
    wheel->before_poll.data = wheel->wake.data = wheel;
    uv_close((uv_handle_t *)&wheel->before_poll, wheel_on_closed);
    uv_close((uv_handle_t *)&wheel->wake, wheel_on_closed);
    wheel = NULL;
}
