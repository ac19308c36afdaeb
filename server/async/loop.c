/* loop.c - see loop.h. What is ready is drained after every callback, and before the loop goes to
 * sleep: what has become ready needs no callback of libuv's to run. */
#include "loop.h"
#include "server/base/observe/layout.h"
#include "server/base/observe/recorder.h"
#include "server/base/reserve.h"
#include "loop_latency.h"

#include <assert.h>
#include <string.h>

struct ready_list { ready *head, **last; };

static _Thread_local struct loop {
    uv_loop_t    uv;
    uv_prepare_t before;
    uv_check_t   after;
    uv_timer_t   tick;                       /* of what is kept for reuse: active while there is something to give back */
    uv_idle_t    awake;                      /* active while something is immediate: poll must not sleep */
    struct ready_list ticks, ready, turn_end, immediate;
    int          gathered;                   /* at least so many wait for the turn's end */
    int          depth;                      /* of callbacks: above 0, one runs */
    uint64_t     woke;                       /* uv_hrtime of this turn's first callback; 0: none has run */
    loop_activity activity;
    loop_latency latency;
    bool         started, stopping;
} here;

static const layout_entry LOOP_LAYOUT[] LAYOUT_ENTRIES = {
    LAYOUT_SIZE("loop", struct loop),
    LAYOUT_FIELD("loop.woke", struct loop, woke),
    LAYOUT_FIELD("loop.activity", struct loop, activity),
    LAYOUT_FIELD("loop.latency", struct loop, latency.counts),
};

static void ready_list_append(struct ready_list *l, ready *r)
{
    r->next = NULL;
    if (l->head)
        *l->last = r;
    else
        l->head = r;
    l->last = &r->next;
}

static void loop_begin_turn(void)
{
    if (!here.woke)
        here.woke = uv_hrtime();
}

/* libuv's clock stands still while callbacks run: how long poll may sleep is to count from now. */
static void loop_end_turn(void)
{
    const uint64_t now = uv_hrtime();
    if (here.woke) {
        const uint64_t ms = (now - here.woke) / 1000000;
        loop_latency_count(&here.latency, ms);
        if (ms > 0)
            recorder_add(RECORD_TURN, here.woke, NULL, 0, 0);
    }
    here.woke = 0;
    if (uv_now(&here.uv) < now / 1000000)
        uv_update_time(&here.uv);
}

/* One writer: a plain addition, but one that other threads may watch. */
static inline void loop_count_activity(void)
{
    atomic_store_explicit(&here.activity.sequence, loop_activity_sequence(&here.activity) + 1, memory_order_relaxed);
}

void loop_enter(void)
{
    if (here.depth++ > 0)
        return;
    loop_count_activity();
    loop_begin_turn();
}

/* True if that was the outermost. */
static bool loop_leave_callback(void)
{
    assert(here.depth > 0);
    if (--here.depth > 0)
        return false;
    loop_count_activity();
    return true;
}

static bool ready_list_drain(struct ready_list *l)
{
    bool ran = false;
    for (ready *r; (r = l->head); ran = true) {
        l->head = r->next;
        loop_enter();
        r->run(r);
        loop_leave_callback();
    }
    return ran;
}

/* Most lists are empty most of the time: no call for those. */
static inline bool ready_list_run(struct ready_list *l) { return l->head && ready_list_drain(l); }

static bool loop_drain_ticks_and_ready(void)
{
    bool ran = false;
    while (ready_list_run(&here.ticks) || ready_list_run(&here.ready))
        ran = true;
    return ran;
}

static bool loop_drain_turn_end(void)
{
    const bool ran = ready_list_run(&here.turn_end);
    here.gathered = 0;
    return ran;
}

static bool loop_drain_all(void)
{
    bool ran = false;
    while (loop_drain_ticks_and_ready() || loop_drain_turn_end())
        ran = true;
    return ran;
}

void loop_leave(void)
{
    if (!loop_leave_callback())
        return;
    loop_drain_ticks_and_ready();
    if (here.gathered >= LOOP_GATHERS)
        loop_drain_all();
}

static bool loop_run_immediate(void)
{
    ready *now = here.immediate.head;        /* what these make immediate waits for the next turn */
    const bool any = now;
    here.immediate = (struct ready_list){ 0 };
    for (ready *next; now; now = next) {
        next = now->next;
        loop_enter();
        now->run(now);
        loop_leave();
    }
    return any;
}

/* A blocking thread has no turns: there, immediate is what is left when nothing else is ready. */
bool loop_run_ready(void)
{
    const bool ran = loop_drain_all();
    return ran || (!here.started && loop_run_immediate());
}

static void loop_on_tick(uv_timer_t *t)
{
    const uint64_t ms = reserve_tick(uv_now(&here.uv));
    if (ms > 0)
        uv_timer_start(t, loop_on_tick, ms, 0);
}

static void loop_before_poll(uv_prepare_t *h)
{
    (void)h;
    loop_run_ready();
    if (reserve_is_watched() && !uv_is_active((uv_handle_t *)&here.tick))
        uv_timer_start(&here.tick, loop_on_tick, 0, 0);
    loop_end_turn();
}

static void loop_stay_awake(uv_idle_t *h) { (void)h; }

static void loop_after_poll(uv_check_t *h)
{
    (void)h;
    loop_begin_turn();                       /* if nothing has come */
    uv_idle_stop(&here.awake);               /* unless these ask for it anew */
    loop_run_immediate();
    loop_run_ready();
}

uv_loop_t *loop_here(void) { return here.started ? &here.uv : NULL; }

int loop_start(void)
{
    assert(!here.started);
    int err = uv_loop_init(&here.uv);
    if (err)
        return err;
    uv_prepare_init(&here.uv, &here.before);
    uv_check_init(&here.uv, &here.after);
    uv_idle_init(&here.uv, &here.awake);
    uv_timer_init(&here.uv, &here.tick);
    uv_prepare_start(&here.before, loop_before_poll);
    uv_check_start(&here.after, loop_after_poll);
    uv_unref((uv_handle_t *)&here.before);
    uv_unref((uv_handle_t *)&here.after);
    uv_unref((uv_handle_t *)&here.tick);
    memset(&here.latency, 0, sizeof here.latency);
    loop_latency_begin(&here.latency);
    atomic_store_explicit(&here.activity.sequence, 0, memory_order_relaxed);
    reserve_begin();
    here.started = true;
    return 0;
}

void loop_run(void)
{
    here.woke = 0;                           /* what ran before was no turn */
    do
        uv_run(&here.uv, UV_RUN_DEFAULT);
    while (loop_run_ready() && uv_loop_alive(&here.uv) && !here.stopping);   /* the turn's last phases */
    here.stopping = false;                                                   /* may have readied more */
    loop_end_turn();
}

void loop_stop(void)
{
    here.stopping = true;
    uv_stop(&here.uv);
}

static void loop_close_handle(uv_handle_t *h)
{
    if (!uv_is_closing(h))
        uv_close(h, NULL);
}

int loop_done(void)
{
    loop_close_handle((uv_handle_t *)&here.before);
    loop_close_handle((uv_handle_t *)&here.after);
    loop_close_handle((uv_handle_t *)&here.awake);
    loop_close_handle((uv_handle_t *)&here.tick);
    uv_run(&here.uv, UV_RUN_NOWAIT);
    int err = uv_loop_close(&here.uv);
    if (err)
        return err;
    loop_latency_end(&here.latency);
    reserve_end();
    here.started = false;
    return 0;
}

loop_activity *loop_activity_here(void) { return &here.activity; }

void loop_next_tick(ready *r) { ready_list_append(&here.ticks, r); }
void loop_ready(ready *r)     { ready_list_append(&here.ready, r); }

void loop_at_turn_end(ready *r)
{
    ready_list_append(&here.turn_end, r);
    here.gathered++;
}

void loop_immediate(ready *r)
{
    ready_list_append(&here.immediate, r);
    if (here.started)
        uv_idle_start(&here.awake, loop_stay_awake);
}
