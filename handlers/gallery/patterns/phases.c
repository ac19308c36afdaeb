/* phases.c - which callback comes first: ticks, microtasks, timers, I/O, immediates. */
#include "pattern.h"
#include "server/async/schedule.h"

SHOW_FROM(phases)
enum phase { SCRIPT, TICK, MICROTASK, TIMER, POLL, CHECK, PHASE_COUNT };

struct order {
    track *line[PHASE_COUNT];
    int    waiting;
    void (*done)(int err, void *arg);
    void  *arg;
};

static void arrived(struct order *o, enum phase p, const char *what)
{
    track_mark(o->line[p], what);
    if (--o->waiting > 0)
        return;
    for (int i = 0; i < PHASE_COUNT; i++)
        track_end(o->line[i], 0);
    o->done(0, o->arg);
}

static void ticked(void *arg)          { arrived(arg, TICK, "next_tick"); }
static void ticked_again(void *arg)    { arrived(arg, TICK, "next_tick, of the microtask"); }
static void tasked_by_timer(void *arg) { arrived(arg, MICROTASK, "queue_microtask, of the timer"); }
static void checked(void *arg)         { arrived(arg, CHECK, "set_immediate"); }
static void polled(int err, void *arg) { (void)err; arrived(arg, POLL, "a thread is done"); }

static void tasked(void *arg)
{
    struct order *o = arg;
    next_tick(ticked_again, o);
    arrived(o, MICROTASK, "queue_microtask");
}

static void timer_rang(void *arg)
{
    struct order *o = arg;
    queue_microtask(tasked_by_timer, o);     /* before any other timer */
    arrived(o, TIMER, "set_timeout of 1 ms");
}

static int nothing(void *arg) { (void)arg; return 0; }

static void run_phases(run *r, void (*done)(int err, void *arg), void *arg)
{
    static const char *const NAMES[] = {
        "this function", "ticks", "microtasks", "timers", "poll for I/O", "check",
    };
    struct order *o = run_alloc(r, sizeof *o);
    *o = (struct order){ .done = done, .arg = arg, .waiting = 8 };
    for (int i = 0; i < PHASE_COUNT; i++)
        o->line[i] = track_begin(run_track(r), NAMES[i]);

    set_timeout(timer_rang, o, 1);
    set_immediate(checked, o);
    when_settled(in_thread(nothing, NULL), polled, o);
    queue_microtask(tasked, o);
    next_tick(ticked, o);
    arrived(o, SCRIPT, "this function returns");
}
SHOW_TO(phases)

const pattern PATTERN_PHASES = {
    .name = "phases", .title = "Phases, ticks and microtasks", .group = GROUP_LOOP, .in_order = true,
    .callback = run_phases, SOURCE_OF(phases),
    .not_in_threads = "A blocking thread has no loop, and so no phases.",
    .shows = "Everything here is asked for in one function, in an order that is not that of their coming. Ticks come before"
             " microtasks, both before anything else; then timers, I/O and immediates, each in its phase of the loop, and"
             " after each callback the ticks and microtasks that it asked for: the order is Node's.",
};
