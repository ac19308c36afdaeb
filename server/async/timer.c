/* timer.c - see timer.h.
 *
 * Level 0 has a slot for each of the next 64 milliseconds, level 1 one for each 64 ms, and so on: a
 * timer stands on the level of the highest 6-bit digit in which its time differs from the wheel's,
 * in the slot of that digit. When the wheel comes to a slot of a higher level, the timers in it
 * move down; when it comes to one of level 0, they are due.
 *
 * libuv calls the wheel in its turn's phase of timers. But it sleeps for whole milliseconds from wherever in one
 * it begins, and would be late by half of one: a timerfd ends that sleep when the millisecond itself begins. */
#include "timer.h"
#include "loop.h"
#include "scope.h"
#include "server/base/list.h"
#include "server/base/memory.h"
#include "server/base/observe/recorder.h"

#include <assert.h>
#include <stddef.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { DIGIT = 6, SLOTS = 1 << DIGIT, LEVELS = 7 };          /* 2^42 ms: 139 years */

static const uint64_t LONGEST = (uint64_t)1 << 40, NEVER = UINT64_MAX;

/* Of this thread's loop; NULL until it has a timer. A blocking thread has none, and need not carry it. */
static _Thread_local struct wheel {
    timer      slots[LEVELS][SLOTS];         /* circular lists; each starts at a timer that only holds it together */
    uint64_t   occupied[LEVELS];             /* a bit a slot: 0 where no timer is */
    uint64_t   now;                          /* no timer is due before or at it */
    uint64_t   armed;                        /* when uv's timer is due */
    uint64_t   count;
    uv_timer_t uv;
    uv_poll_t  on_time;                      /* of fd: wakes the loop, and no more */
    int        told;                         /* of who began to watch: up to which one */
    int        open;                         /* of these, while they are closing */
    int        fd;                           /* a timerfd; negative: there is none, and the loop sleeps a little longer */
} *wheel;

struct turn { uint64_t begun, called; bool over; };          /* of the wheel, within one of the loop */

static void wheel_on_uv_timer(uv_timer_t *t);

/* The next turn of the loop calls the wheel, which arms it anew. Else nothing does, and it would keep the loop awake. */
static void wheel_on_time(uv_poll_t *p, int status, int events)
{
    uint64_t times;
    (void)status, (void)events;
    if (wheel->armed > uv_now(p->loop))
        (void)!read(wheel->fd, &times, sizeof times);
}

static void wheel_start(void)
{
    wheel = mem_alloc(sizeof *wheel);
    for (int l = 0; l < LEVELS; l++)
        for (int s = 0; s < SLOTS; s++)
            wheel->slots[l][s].next = wheel->slots[l][s].prev = &wheel->slots[l][s];
    uv_timer_init(loop_here(), &wheel->uv);
    wheel->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (wheel->fd >= 0 && uv_poll_init(loop_here(), &wheel->on_time, wheel->fd)) {
        close(wheel->fd);
        wheel->fd = -1;
    }
    if (wheel->fd >= 0) {
        uv_poll_start(&wheel->on_time, UV_READABLE, wheel_on_time);
        uv_unref((uv_handle_t *)&wheel->on_time);
    }
    wheel->now = uv_now(loop_here());
    wheel->armed = NEVER;
}

/* For who watches. */

static int timer_number(const timer *t) { return (int)((uintptr_t)t >> 3); }

static FOR_WATCHERS void timer_record(record_kind kind, const timer *t, label whom, uint8_t lane)
{
    recorder_add_detail(&(record){ (uintptr_t)t->on_due, recorder_clock(), (const char *)(uintptr_t)t->due, timer_number(t),
                                   whom, (uint8_t)kind, lane });
}

static FOR_WATCHERS void timer_record_run(uint64_t since, void (*on_due)(timer *), int number)
{
    recorder_add_detail(&(record){ since, recorder_clock(), (const char *)(uintptr_t)on_due, number, 0, RECORD_TIMER_RAN, 0 });
}

/* To each who begins to, those that are set already; the soonest ones, if there are many. */
static FOR_WATCHERS bool wheel_tell(void)
{
    const int looks = atomic_load_explicit(&recorder_here->looks, memory_order_relaxed);
    int left = wheel->told == looks ? 0 : 256;
    wheel->told = looks;
    for (int l = 0; left > 0 && l < LEVELS; l++)
        for (int s = 0; s < SLOTS; s++) {
            const timer *const head = &wheel->slots[l][s];
            for (const timer *t = head->next; t != head && left > 0; t = t->next, left--)
                timer_record(RECORD_TIMER_SET, t, 0, 1);
        }
    return true;
}

static inline bool wheel_is_watched(void) { return recorder_is_watched() && wheel_tell(); }

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

static void wheel_arm(uint64_t due)
{
    const uint64_t now = uv_now(loop_here()), next = due > now ? due : now + 1; /* now could be in this very turn */
    wheel->armed = due;
    uv_timer_start(&wheel->uv, wheel_on_uv_timer, next - now, 0);
    if (wheel->fd >= 0) {
        const struct itimerspec at = { .it_value = { (time_t)(next / 1000), (long)(next % 1000 * 1000000) } };
        timerfd_settime(wheel->fd, TFD_TIMER_ABSTIME, &at, NULL);
    }
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
    return (n % 16 == 0 || (n & (n - 1)) == 0) && uv_hrtime() - turn->begun >= TIMER_BUDGET * 1000000;
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
        wheel->count--;
        void (*const on_due)(timer *) = t->on_due;
        const int number = timer_number(t);
        const uint64_t since = wheel_is_watched() ? recorder_clock() : 0;
        loop_enter();
        on_due(t);
        if (since)
            timer_record_run(since, on_due, number);
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

static void wheel_on_uv_timer(uv_timer_t *uv)
{
    loop_note_phase(LOOP_TIMERS);
    const uint64_t now = uv_now(uv->loop);
    const struct wheel *const mine = wheel;
    struct turn turn = { .begun = uv_hrtime() };
    uint64_t due;
    int level = 0, slot = 0;

    wheel->armed = 0;                         /* no arming from inside: once is enough, below */
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
        wheel_arm(due);
    else
        wheel->armed = NEVER;
}

static void timer_set_due(timer *t, uint64_t due, void (*on_due)(timer *))
{
    const uint64_t turn = uv_now(loop_here());               /* the wheel has not come further */
    if (!wheel)
        wheel_start();
    if (t->next)
        wheel_remove(t);
    else
        wheel->count++;
    t->due = due > turn ? due : turn + 1;
    t->on_due = on_due;
    wheel_insert(t);
    if (wheel_is_watched())
        timer_record(RECORD_TIMER_SET, t, scope_here()->label, 0);
    if (t->due < wheel->armed)
        wheel_arm(t->due);
}

static uint64_t round_up(uint64_t time) { return (time + 999999) / 1000000; }

void timer_set(timer *t, uint64_t ms, void (*on_due)(timer *))
{
    timer_set_due(t, round_up(uv_hrtime()) + (ms < LONGEST ? ms : LONGEST), on_due);
}

void timer_set_at(timer *t, uint64_t time, void (*on_due)(timer *))
{
    timer_set_due(t, time < LONGEST * 1000000 ? round_up(time) : LONGEST, on_due);
}

void timer_unset(timer *t)
{
    wheel_remove(t);
    if (wheel_is_watched())
        timer_record(RECORD_TIMER_UNSET, t, scope_here()->label, 0);
    if (--wheel->count == 0 && wheel->armed) { /* nothing left that would keep the loop running */
        uv_timer_stop(&wheel->uv);
        wheel->armed = NEVER;
    }
}

uint64_t timer_now(void) { return uv_hrtime() / 1000000; }

static void wheel_on_closed(uv_handle_t *h)
{
    struct wheel *const w = h->data;
    if (--w->open == 0)
        mem_free(w);
}

static void wheel_close(uv_handle_t *h)
{
    h->data = wheel;
    wheel->open++;
    uv_close(h, wheel_on_closed);
}

void timer_end(void)
{
    if (!wheel)
        return;
    assert(wheel->count == 0);
    wheel_close((uv_handle_t *)&wheel->uv);
    if (wheel->fd >= 0) {
        wheel_close((uv_handle_t *)&wheel->on_time);
        close(wheel->fd);
    }
    wheel = NULL;
}
