/* task.c - see task.h. Tasks are resumed only by the loop and always pause back into it.
 *
 * A task and its room lie at the top of its own stack:
 *
 *     guard | ... stack, grows down ... | room | struct task |
 *
 * so that a task costs no memory but the page that its first frames touch anyway. */
#include "task.h"
#include "server/async/context/fiber.h"
#include "loop.h"
#include "scope.h"
#include "server/base/blocking_wait.h"
#include "server/base/observe/layout.h"
#include "server/base/observe/recorder.h"
#include "server/base/observe/shard.h"
#include "timer.h"
#include "trace.h"
#include "unawaited.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

struct task {
    ready       ready;                       /* in the loop's lists */
    fiber       fiber;                       /* its stack, and where it has paused there */
    void       *room;
    list_node   node;                        /* among all of this thread that have begun and not ended */
    scope       scope;                       /* of the promises that it makes; knows its name */
    int       (*fn)(void *);
    void       *arg;
    promise    *result;                      /* settles when fn returns */
    promise    *awaiting;                    /* NULL while it runs, or yields; in the end, of what was not awaited */
    const void *place;                       /* in the code: where its last await returns to */
    const char *awaits;                      /* the function whose promise that is; NULL: it has not begun */
    uint64_t    paused;                      /* recorder_clock, when it did so */
    uint64_t    deadline;
    timer       timer;                       /* for the deadline; set while it awaits */
    track      *track;                       /* NULL while I am not recorded */
    int         outcome;                     /* of what I awaited; in the end, of fn */
    bool        cancelled, finished;
    bool        kept;                        /* task_free frees me, not my end */
};

static size_t stack_size = 64 * 1024;

static _Thread_local task  *current;
static _Thread_local list   all;             /* the youngest first */
static _Thread_local size_t alive;

/* By which it is known to who watches: they lie on stacks, a page apart at least. */
static int task_number(const task *t) { return (int)((uintptr_t)t >> 6); }

static FOR_WATCHERS void task_record(record_kind kind, const task *t, uint64_t since, const char *what)
{
    recorder_add_detail(&(record){ since, recorder_clock(), what, task_number(t), t->scope.label, (uint8_t)kind, 0 });
}

static void task_body(void *arg)
{
    task *t = arg;
    fiber_begin(&t->fiber);
    if (t->track)
        track_wakes(t->track, 0);            /* it is its turn */
    t->outcome = t->fn(t->arg);
    t->finished = true;
    fiber_leave(&t->fiber, true);
}

void task_free(task *t) { fiber_done(&t->fiber); }           /* t lies on its stack */

static void task_finish(task *t)
{
    if (t->track)
        track_end(t->track, t->outcome);
    if (recorder_is_watched())
        task_record(RECORD_TASK_ENDED, t, recorder_clock(), t->scope.name);
    timer_stop(&t->timer);
    list_remove(&t->node);
    alive--;
    shard_add(SHARD_TASKS, -1);
    const size_t used = stack_used(&t->fiber.stack);
    if (used)
        label_note_stack(t->scope.label, used);
    scope_end(&t->scope);
    promise_settle(t->result, t->outcome);
    if (!t->kept)
        task_free(t);
}

static void task_on_drained(int err, void *arg)
{
    task *t = arg;
    (void)err;
    t->awaiting = NULL;
    task_finish(t);
}

static void task_resume(task *t)
{
    track *const outside = track_enter(t->track);
    scope *const before = scope_enter(&t->scope);
    const uint64_t since = recorder_since();
    if (since && t->awaits)
        recorder_add_here(RECORD_WAITED, t->paused, since, t->awaits, scope_is_for(&t->scope), record_place(t->place));
    current = t;
    fiber_enter(&t->fiber);
    current = NULL;
    if (since) {
        t->paused = recorder_clock();
        recorder_add_here(RECORD_RUN, since, t->paused, t->scope.name, scope_is_for(&t->scope), task_number(t));
    }
    scope_enter(before);
    track_enter(outside);
    if (!t->finished)
        return;
    if (!scope_keeps(&t->scope)) {
        task_finish(t);
        return;
    }
    t->awaiting = unawaited_drain(&t->scope);                /* what it did not await may write to its stack */
    when_settled(t->awaiting, task_on_drained, t);
}

static void task_on_ready(ready *r) { task_resume(container_of(r, task, ready)); }

static void task_stop(task *t)
{
    t->cancelled = true;
    if (t->awaiting)
        promise_cancel(t->awaiting);
}

static void task_on_cancel(promise *p, void *arg)
{
    (void)p;
    task_stop(arg);
}

static const layout_entry TASK_LAYOUT[] LAYOUT_ENTRIES = {
    LAYOUT_SIZE("task", task),
    LAYOUT_FIELD("task.node", task, node),
    LAYOUT_FIELD("task.scope", task, scope),
    LAYOUT_FIELD("task.awaiting", task, awaiting),
    LAYOUT_FIELD("task.place", task, place),
    LAYOUT_ADDRESS("task.cancel", task_on_cancel),
};

static void task_on_deadline(timer *t) { task_stop(container_of(t, task, timer)); }

/* A deadline that has come without a wait to be stopped is noticed by the next. */
static void task_watch_deadline(task *t)
{
    if (t->deadline != NO_DEADLINE && !t->cancelled && loop_here() && !timer_is_set(&t->timer))
        timer_set_at(&t->timer, t->deadline, task_on_deadline);
}

/* What a wait has come to: one that was stopped for want of time is told so. */
static int task_verdict(const task *t, int err)
{
    return err == UV_ECANCELED && t->cancelled && uv_hrtime() >= t->deadline ? UV_ETIMEDOUT : err;
}

static int task_make(const char *name, size_t room, task **made)
{
    stack s;
    int err = stack_get(&s, stack_size);
    if (err)
        return err;
    uintptr_t top = ((uintptr_t)s.base + s.size - sizeof(task)) & ~(uintptr_t)63;
    task *t = (task *)top;
    top = (top - room) & ~(uintptr_t)63;
    *t = (task){ .ready.run = task_on_ready, .room = (void *)top, .scope.name = name, .deadline = NO_DEADLINE };
    fiber_init(&t->fiber, s, (void *)top, task_body, t);
    *made = t;
    return 0;
}

/* The loop's clock costs nothing to read, but stands still in a turn: what this is for may have begun later in it. */
static uint32_t task_since(const scope *whom)
{
    const uint32_t now = (uint32_t)(loop_here() ? uv_now(loop_here()) : uv_hrtime() / 1000000);
    return whom->since && (int32_t)(whom->since - now) > 0 ? whom->since : now;
}

static void task_begin(task *t, const scope *whom, int (*fn)(void *), void *arg)
{
    t->fn = fn;
    t->arg = arg;
    t->scope.label = whom->label;
    t->scope.request = whom->request;
    t->scope.since = task_since(whom);
    t->result = promise_new(task_on_cancel, t);
    t->track = track_here ? track_begin_task(track_here, t->scope.name) : NULL;
    list_push(&all, &t->node);
    alive++;
    shard_add(SHARD_TASKS, 1);
    shard_add(SHARD_TASKS_STARTED, 1);
}

promise *task_start(const char *name, int (*fn)(void *), void *arg)
{
    task *t;
    int err = task_make(name, 0, &t);
    if (err)
        return promise_settled(err);
    task_begin(t, scope_here(), fn, arg);
    loop_ready_named(&t->ready, name, t->scope.label);
    return promise_named(t->result);
}

task *task_new(const char *name, size_t room)
{
    task *t;
    if (task_make(name, room, &t))
        return NULL;
    t->kept = true;
    return t;
}

void *task_room(task *t) { return t->room; }

promise *task_run(task *t, const scope *whom, int (*fn)(void *), void *arg)
{
    assert(!current && "a task is run by the loop, not by another task");
    const record_for before = scope_be_for(scope_is_for(whom));
    task_begin(t, whom, fn, arg);
    promise *result = t->result;
    task_resume(t);
    scope_be_for(before);
    return result;
}

static void task_on_settled(int err, void *arg)
{
    task *t = arg;
    t->awaiting = NULL;
    t->outcome = err;
    task_resume(t);                          /* already on the loop's stack: at once */
}

/* For how long this thread has blocked on the way here. */
static void await_record_blocked(const char *what, const void *place)
{
    uint64_t since, end;
    if (!blocking_waited(&since, &end))
        return;
    const uint64_t clock = recorder_clock(), now = uv_hrtime();
    recorder_add_here(RECORD_WAITED, clock - recorder_ticks_of(now - since), clock - recorder_ticks_of(now - end), what,
                      scope_is_for(scope_here()), record_place(place));
}

/* Neither is inlined, so that where it returns to is where its caller waits. */
__attribute__((noinline)) int await(promise *p)
{
    task *t = current;
    track *const recorded = track_here;
    const char *const what = t ? NULL : promise_origin_of(p).maker;
    int err;

    assert(!scope_here()->at_once && "await() in a handler that is to answer at once: give its route .await for .answer");
    if (recorded)
        track_awaits(recorded);
    if (t && t->cancelled)
        promise_cancel(p);
    while (!promise_take_if_settled(p, &err)) {
        if (t) {
            t->awaiting = p;
            task_watch_deadline(t);
            t->place = __builtin_return_address(0);
            t->awaits = promise_origin_of(p).maker;
            if (recorder_is_watched())
                task_record(RECORD_AWAIT, t, (uintptr_t)t->place, t->awaits);
            when_settled(p, task_on_settled, t);
            fiber_leave(&t->fiber, false);
            err = t->outcome;
            break;
        }
        bool progress = loop_run_ready();    /* a blocking thread has no loop: turn the crank here */
        assert(progress && "await() outside a task, on work that needs a loop");
        (void)progress;
    }
    if (t)
        err = task_verdict(t, err);
    else if (recorder_here)
        await_record_blocked(what, __builtin_return_address(0));
    if (recorded)
        track_wakes(recorded, err);
    return err;
}

__attribute__((noinline)) int task_yield(void)
{
    task *t = current;
    if (!t)
        return 0;
    t->place = __builtin_return_address(0);
    t->awaits = "task_yield";
    if (t->track) {
        track_expects("task_yield()", 0);
        track_awaits(t->track);
    }
    if (recorder_is_watched())
        task_record(RECORD_AWAIT, t, (uintptr_t)t->place, "task_yield");
    loop_immediate(&t->ready);
    task_watch_deadline(t);
    fiber_leave(&t->fiber, false);
    const int err = t->cancelled ? task_verdict(t, UV_ECANCELED) : 0;
    if (t->track)
        track_wakes(t->track, err);
    return err;
}

void task_limit(task *t, uint64_t deadline)
{
    if (!t && !loop_here())
        blocking_limit(deadline);
    t = t ? t : current;
    if (!t)
        return;
    t->deadline = deadline;
    timer_stop(&t->timer);
    if (t->awaiting)
        task_watch_deadline(t);
}

uint64_t task_deadline(void)
{
    return !loop_here() ? blocking_deadline() : current ? current->deadline : NO_DEADLINE;
}

bool        task_running(void)               { return current != NULL; }
const char *task_name(void)                  { return current ? current->scope.name : "main"; }
size_t      task_count(void)                 { return alive; }
void        task_set_stack_size(size_t size) { stack_size = size; }

void task_each(void (*show)(const task_view *v, void *arg), void *arg)
{
    const uint64_t time = uv_hrtime() / 1000000;
    for (list_node *n = all.first; n; n = n->next) {
        const task *t = container_of(n, task, node);
        task_view v = { .name = t->scope.name, .label = t->scope.label, .age = scope_age(&t->scope, time),
                        .running = t == current, .place = t->place };
        if (t->awaiting)
            v.awaits = promise_origin_of(t->awaiting);
        show(&v, arg);
    }
}

const stack *task_stack(void) { return current ? &current->fiber.stack : NULL; }

size_t task_stack_left(void)
{
    return current ? (size_t)((char *)__builtin_frame_address(0) - current->fiber.stack.base) : SIZE_MAX;
}
const list  *task_list(void)  { return &all; }
