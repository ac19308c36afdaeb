/* timer.c - see timer.h.
 *
 * Level 0 has a slot for each of the next 64 milliseconds, level 1 one for each 64 ms, and so on: a
 * timer stands on the level of the highest 6-bit digit in which its time differs from the wheel's,
 * in the slot of that digit. When the wheel comes to a slot of a higher level, the timers in it
 * move down; when it comes to one of level 0, they ring. */
#include "timer.h"
#include "loop.h"
#include "server/base/memory.h"

#include <assert.h>
#include <stddef.h>

enum { DIGIT = 6, SLOTS = 1 << DIGIT, LEVELS = 7 };          /* 2^42 ms: 139 years */

static const uint64_t LONGEST = (uint64_t)1 << 40, NEVER = UINT64_MAX;

/* Of this thread's loop; NULL until it has a timer. A blocking thread has none, and need not carry it. */
static _Thread_local struct wheel {
    timer      slots[LEVELS][SLOTS];         /* rings; each starts at a timer that only holds it together */
    uint64_t   occupied[LEVELS];             /* a bit a slot: 0 where no timer is */
    uint64_t   now;                          /* no timer is due before or at it */
    uint64_t   armed;                        /* when uv rings */
    uint64_t   count;
    uv_timer_t uv;
} *wheel;

struct turn { uint64_t begun, rung; bool over; };            /* of the wheel, within one of the loop */

static void uv_rang(uv_timer_t *t);

static void start(void)
{
    wheel = mem_alloc(sizeof *wheel);
    for (int l = 0; l < LEVELS; l++)
        for (int s = 0; s < SLOTS; s++)
            wheel->slots[l][s].next = wheel->slots[l][s].prev = &wheel->slots[l][s];
    uv_timer_init(loop_here(), &wheel->uv);
    wheel->now = uv_now(loop_here());
    wheel->armed = NEVER;
}

static int digit(uint64_t time, int level) { return (int)(time >> (DIGIT * level)) & (SLOTS - 1); }

static void insert(timer *t)
{
    const uint64_t differs = (t->due ^ wheel->now) | (SLOTS - 1);
    const int level = (63 - __builtin_clzll(differs)) / DIGIT;
    const int slot = digit(t->due, level);
    timer *ring = &wheel->slots[level][slot];

    t->next = ring;
    t->prev = ring->prev;
    ring->prev->next = t;
    ring->prev = t;
    wheel->occupied[level] |= (uint64_t)1 << slot;
}

static void take_out(timer *t)
{
    t->prev->next = t->next;
    t->next->prev = t->prev;
    t->next = t->prev = NULL;
}

static void arm(uint64_t due)
{
    const uint64_t now = uv_now(loop_here());
    wheel->armed = due;
    uv_timer_start(&wheel->uv, uv_rang, due > now ? due - now : 1, 0);       /* 0 could be in this very turn */
}

/* The first slot that the wheel will come to, and when: the time itself on level 0, on a higher
 * level the earliest that its timers can have. */
static uint64_t next_slot(int *level, int *slot)
{
    for (int l = 0; l < LEVELS; l++) {
        const uint64_t ahead = wheel->occupied[l] & (~(uint64_t)0 << digit(wheel->now, l));
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
static bool is_spent(struct turn *turn)
{
    const uint64_t n = ++turn->rung;
    return (n % 16 == 0 || (n & (n - 1)) == 0) && uv_hrtime() - turn->begun >= TIMER_BUDGET * 1000000;
}

/* The timers of a slot of level 0 ring, those of a higher one move down. */
static void empty_slot(struct turn *turn, int level, int slot)
{
    const struct wheel *const mine = wheel;
    timer *ring = &wheel->slots[level][slot];

    wheel->occupied[level] &= ~((uint64_t)1 << slot);
    for (timer *t; !turn->over && (t = ring->next) != ring;) {
        take_out(t);
        if (level > 0) {
            insert(t);
            continue;
        }
        wheel->count--;
        loop_enter();
        t->rang(t);
        loop_leave();
        if (wheel != mine) {                  /* timer_end: it is freed when it has closed */
            turn->over = true;
            return;
        }
        turn->over = is_spent(turn);
    }
    if (ring->next != ring)
        wheel->occupied[level] |= (uint64_t)1 << slot;
}

static void uv_rang(uv_timer_t *uv)
{
    const uint64_t now = uv_now(uv->loop);
    const struct wheel *const mine = wheel;
    struct turn turn = { .begun = uv_hrtime() };
    uint64_t due;
    int level = 0, slot = 0;

    wheel->armed = 0;                         /* no arming from inside: once is enough, below */
    while ((due = next_slot(&level, &slot)) <= now && !turn.over) {
        if (due > wheel->now)
            wheel->now = due;
        empty_slot(&turn, level, slot);
        if (wheel != mine)
            return;
    }
    if (due > now)
        wheel->now = now;
    if (wheel->count > 0)                     /* a slot may be marked whose timers were all stopped */
        arm(due);
    else
        wheel->armed = NEVER;
}

static void set(timer *t, uint64_t due, void (*rang)(timer *))
{
    const uint64_t turn = uv_now(loop_here());               /* the wheel has not come further */
    if (!wheel)
        start();
    if (t->next)
        take_out(t);
    else
        wheel->count++;
    t->due = due > turn ? due : turn + 1;
    t->rang = rang;
    insert(t);
    if (t->due < wheel->armed)
        arm(t->due);
}

static uint64_t round_up(uint64_t time) { return (time + 999999) / 1000000; }

void timer_set(timer *t, uint64_t ms, void (*rang)(timer *))
{
    set(t, round_up(uv_hrtime()) + (ms < LONGEST ? ms : LONGEST), rang);
}

void timer_set_at(timer *t, uint64_t time, void (*rang)(timer *))
{
    set(t, time < LONGEST * 1000000 ? round_up(time) : LONGEST, rang);
}

void timer_unset(timer *t)
{
    take_out(t);
    if (--wheel->count == 0 && wheel->armed) { /* nothing left that would keep the loop running */
        uv_timer_stop(&wheel->uv);
        wheel->armed = NEVER;
    }
}

uint64_t timer_now(void) { return uv_hrtime() / 1000000; }

static void on_closed(uv_handle_t *h) { mem_free((char *)h - offsetof(struct wheel, uv)); }

void timer_end(void)
{
    if (!wheel)
        return;
    assert(wheel->count == 0);
    uv_close((uv_handle_t *)&wheel->uv, on_closed);
    wheel = NULL;
}
