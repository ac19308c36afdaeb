/* loop.c - see loop.h. What is ready is drained after every callback, and before the loop goes to
 * sleep: what has become ready needs no callback of libuv's to run. */
#include "loop.h"
#include "server/base/observe/layout.h"
#include "server/base/observe/recorder.h"
#include "server/base/reserve.h"
#include "server/async/observe/loop_latency.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

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
    bool         watched;                    /* since this turn began: it records its details */
    loop_phase   phase;                      /* of these: where it is, and since when */
    uint64_t     phase_since;
    int          calls;                      /* callbacks in it */
    const void  *caller;                     /* of loop_enter: where the callback is, and since when it runs; NULL: it is none */
    uint64_t     entered;
    int          turn;                       /* how many have begun */
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

/* Details, for who watches. */

static FOR_WATCHERS void loop_record(record_kind kind, uint64_t since, const void *what, int value)
{
    recorder_add_detail(&(record){ since, recorder_clock(), what, value, 0, (uint8_t)kind, 0 });
}

static FOR_WATCHERS void loop_record_phase(loop_phase next)
{
    if (here.phase == next)
        return;
    if (here.phase != LOOP_CLOSING || here.calls > 0)
        loop_record(RECORD_PHASE, here.phase_since, NULL, (int)here.phase);
    here.phase = next;
    here.calls = 0;
    here.phase_since = recorder_clock();
}

void loop_note_phase(loop_phase p)
{
    if (here.watched)
        loop_record_phase(p);
}

/* Poll has returned. */
static FOR_WATCHERS void loop_record_sleep(void)
{
    loop_record(RECORD_SLEEP, here.phase_since, NULL, ++here.turn);
    here.phase_since = recorder_clock();
}

static FOR_WATCHERS void loop_record_added(const ready *r, loop_list list, const char *name, uint16_t label)
{
    recorder_add_detail(&(record){ (uintptr_t)r->run, recorder_clock(), name, (int)list, label, RECORD_READY_ADDED, 0 });
}

static inline void loop_added(const ready *r, loop_list list)
{
    if (here.watched)
        loop_record_added(r, list, NULL, 0);
}

static FOR_WATCHERS void loop_record_poll(void)
{
    here.phase = LOOP_POLL;
    here.phase_since = recorder_clock();
}

/* Is somebody there to watch the turn that is about to begin? */
static void loop_look_for_watchers(void)
{
    here.watched = here.started && recorder_is_watched();
    if (here.watched)
        loop_record_poll();
}

static void loop_begin_turn(void)
{
    if (here.woke)
        return;
    here.woke = uv_hrtime();
    if (here.watched)
        loop_record_sleep();
}

/* libuv's clock stands still while callbacks run: how long poll may sleep is to count from now. */
static void loop_end_turn(void)
{
    const uint64_t now = uv_hrtime();
    if (here.woke) {
        loop_latency_count(&here.latency, now - here.woke);
        if (now - here.woke >= 1000000)
            recorder_add(RECORD_TURN, here.woke, NULL, (record_for){ 0 }, 0);
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

static FOR_WATCHERS void loop_record_entered(const void *caller)
{
    here.caller = caller;
    here.calls += caller != NULL;
    here.entered = recorder_clock();
}

static inline void loop_enter_for(const void *caller)
{
    if (here.depth++ > 0)
        return;
    loop_count_activity();
    loop_begin_turn();
    if (here.watched)
        loop_record_entered(caller);
}

__attribute__((noinline)) void loop_enter(void) { loop_enter_for(__builtin_return_address(0)); }

/* True if that was the outermost. */
static bool loop_leave_callback(void)
{
    assert(here.depth > 0);
    if (--here.depth > 0)
        return false;
    loop_count_activity();
    return true;
}

static loop_list loop_list_of(const struct ready_list *l)
{
    return l == &here.ticks ? LOOP_TICKS : l == &here.ready ? LOOP_READY : LOOP_TURN_END;
}

static bool ready_list_drain(struct ready_list *l)
{
    bool ran = false;
    for (ready *r; (r = l->head); ran = true) {
        l->head = r->next;
        void (*const run)(ready *) = r->run;
        const uint64_t since = here.watched ? recorder_clock() : 0;
        loop_enter_for(NULL);
        run(r);
        loop_leave_callback();
        if (since)
            loop_record(RECORD_READY_RAN, since, (const void *)(uintptr_t)run, (int)loop_list_of(l));
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
    if (here.watched && here.caller)
        loop_record(RECORD_CALLBACK, here.entered, here.caller, (int)here.phase);
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
        void (*const run)(ready *) = now->run;
        const uint64_t since = here.watched ? recorder_clock() : 0;
        loop_enter_for(NULL);
        run(now);
        if (since)
            loop_record(RECORD_READY_RAN, since, (const void *)(uintptr_t)run, LOOP_IMMEDIATES);
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
    loop_note_phase(LOOP_TIMERS);
    const uint64_t ms = reserve_tick(uv_now(&here.uv));
    if (ms > 0)
        uv_timer_start(t, loop_on_tick, ms, 0);
}

static void loop_before_poll(uv_prepare_t *h)
{
    (void)h;
    loop_note_phase(LOOP_PREPARE);
    loop_run_ready();
    if (reserve_is_watched() && !uv_is_active((uv_handle_t *)&here.tick))
        uv_timer_start(&here.tick, loop_on_tick, 0, 0);
    loop_end_turn();
    loop_note_phase(LOOP_POLL);
    loop_look_for_watchers();
}

static void loop_stay_awake(uv_idle_t *h)
{
    (void)h;
    loop_note_phase(LOOP_IDLE);
}

static void loop_after_poll(uv_check_t *h)
{
    (void)h;
    loop_begin_turn();                       /* if nothing has come */
    loop_note_phase(LOOP_CHECK);
    uv_idle_stop(&here.awake);               /* unless these ask for it anew */
    loop_run_immediate();
    loop_run_ready();
    loop_note_phase(LOOP_CLOSING);
}

uv_loop_t *loop_here(void) { return here.started ? &here.uv : NULL; }

int loop_start(void)
{
    assert(!here.started);
    here.uv.backend_fd = -1;
    int err = uv_loop_init(&here.uv);
    if (err) {
        if (uv_backend_fd(&here.uv) >= 0)    /* libuv 1.44 leaves its epoll behind when there is no descriptor for more */
            close(uv_backend_fd(&here.uv));
        return err;
    }
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
    here.watched = false;
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
    here.started = here.watched = false;
    return 0;
}

loop_activity *loop_activity_here(void) { return &here.activity; }

void loop_next_tick(ready *r)
{
    ready_list_append(&here.ticks, r);
    loop_added(r, LOOP_TICKS);
}

void loop_ready(ready *r)
{
    ready_list_append(&here.ready, r);
    loop_added(r, LOOP_READY);
}

void loop_ready_named(ready *r, const char *name, uint16_t label)
{
    ready_list_append(&here.ready, r);
    if (here.watched)
        loop_record_added(r, LOOP_READY, name, label);
}

void loop_at_turn_end(ready *r)
{
    ready_list_append(&here.turn_end, r);
    here.gathered++;
    loop_added(r, LOOP_TURN_END);
}

void loop_immediate(ready *r)
{
    ready_list_append(&here.immediate, r);
    loop_added(r, LOOP_IMMEDIATES);
    if (here.started)
        uv_idle_start(&here.awake, loop_stay_awake);
}
