/* task.c - see task.h. Tasks are resumed only by the loop and always pause back into it.
 *
 * A task and its room lie at the top of its own stack:
 *
 *     guard | ... stack, grows down ... | room | struct task |
 *
 * so that a task costs no memory but the page that its first frames touch anyway. */
#include "task.h"
#include "server/async/context/context.h"
#include "loop.h"
#include "scope.h"
#include "server/base/blocking_wait.h"
#include "server/base/observe/layout.h"
#include "server/base/observe/recorder.h"
#include "server/async/context/stack.h"
#include "timer.h"
#include "trace.h"
#include "unawaited.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__has_feature)                   /* clang spells it this way */
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

struct task {
    ready       ready;                       /* in the loop's lists */
    context     here, caller;                /* where I paused; who resumed me */
    stack       stack;
    void       *room;
    list_node   node;                        /* among all of this thread that have begun and not ended */
    scope       scope;                       /* of the promises that it makes; knows its name */
    int       (*fn)(void *);
    void       *arg;
    promise    *result;                      /* settles when fn returns */
    promise    *awaiting;                    /* NULL while it runs, or yields; in the end, of what was not awaited */
    const void *place;                       /* in the code: where its last await returns to */
    uint64_t    deadline;
    timer       timer;                       /* for the deadline; set while it awaits */
    track      *track;                       /* NULL while I am not recorded */
    int         outcome;                     /* of what I awaited; in the end, of fn */
    bool        cancelled, finished;
    bool        kept;                        /* task_free frees me, not my end */
#if defined(__SANITIZE_ADDRESS__)
    void       *fake_stack;
    const void *caller_base;
    size_t      caller_size;
#endif
#if defined(__SANITIZE_THREAD__)
    void       *fiber, *caller_fiber;
#endif
};

static size_t stack_size = 64 * 1024;

static _Thread_local task  *current;
static _Thread_local list   all;             /* the youngest first */
static _Thread_local size_t alive;

/* All that the sanitizers must know of switching stacks is in task_switch_in, task_switch_out and task_body. */
static void task_switch_in(task *t)
{
    current = t;
#if defined(__SANITIZE_ADDRESS__)
    void *fake;
    __sanitizer_start_switch_fiber(&fake, t->stack.base, t->stack.size);
#endif
#if defined(__SANITIZE_THREAD__)
    if (!t->fiber)
        t->fiber = __tsan_create_fiber(0);
    t->caller_fiber = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(t->fiber, 0);
#endif
    context_switch(&t->caller, t->here);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(fake, NULL, NULL);
#endif
    current = NULL;
}

static void task_switch_out(task *t)
{
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(t->finished ? NULL : &t->fake_stack, t->caller_base, t->caller_size);
#endif
#if defined(__SANITIZE_THREAD__)
    __tsan_switch_to_fiber(t->caller_fiber, 0);
#endif
    context_switch(&t->here, t->caller);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(t->fake_stack, &t->caller_base, &t->caller_size);
#endif
}

static void task_body(void *arg)
{
    task *t = arg;
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(NULL, &t->caller_base, &t->caller_size);
#endif
    if (t->track)
        track_wakes(t->track, 0);            /* it is its turn */
    t->outcome = t->fn(t->arg);
    t->finished = true;
    task_switch_out(t);
}

void task_free(task *t)
{
    stack s = t->stack;                      /* t lies on it */
#if defined(__SANITIZE_THREAD__)
    if (t->fiber)
        __tsan_destroy_fiber(t->fiber);
#endif
#if defined(__SANITIZE_ADDRESS__)
    __asan_unpoison_memory_region(s.base, s.size);           /* frames that never returned left marks */
#endif
    stack_put(&s);
}

static void task_finish(task *t)
{
    if (t->track)
        track_end(t->track, t->outcome);
    timer_stop(&t->timer);
    list_remove(&t->node);
    alive--;
    const size_t used = stack_used(&t->stack);
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
    task_switch_in(t);
    recorder_add(RECORD_RUN, since, t->scope.name, t->scope.label, 0);
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
    *t = (task){ .ready.run = task_on_ready, .stack = s, .room = (void *)top, .scope.name = name,
                  .deadline = NO_DEADLINE };
    t->here = context_make(s.base, top - (uintptr_t)s.base, task_body, t);
    *made = t;
    return 0;
}

/* In milliseconds; the loop's clock costs nothing to read. */
static uint64_t task_now(void) { return loop_here() ? uv_now(loop_here()) : uv_hrtime() / 1000000; }

static void task_begin(task *t, int (*fn)(void *), void *arg)
{
    t->fn = fn;
    t->arg = arg;
    t->scope.label = scope_here()->label;
    t->scope.since = (uint32_t)task_now();
    t->result = promise_new(task_on_cancel, t);
    t->track = track_here ? track_begin_task(track_here, t->scope.name) : NULL;
    list_push(&all, &t->node);
    alive++;
}

promise *task_start(const char *name, int (*fn)(void *), void *arg)
{
    task *t;
    int err = task_make(name, 0, &t);
    if (err)
        return promise_settled(err);
    task_begin(t, fn, arg);
    loop_ready(&t->ready);
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

promise *task_run(task *t, int (*fn)(void *), void *arg)
{
    assert(!current && "a task is run by the loop, not by another task");
    task_begin(t, fn, arg);
    promise *result = t->result;
    task_resume(t);
    return result;
}

static void task_on_settled(int err, void *arg)
{
    task *t = arg;
    t->awaiting = NULL;
    t->outcome = err;
    task_resume(t);                          /* already on the loop's stack: at once */
}

/* Neither is inlined, so that where it returns to is where its caller waits. */
__attribute__((noinline)) int await(promise *p)
{
    task *t = current;
    track *const recorded = track_here;
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
            when_settled(p, task_on_settled, t);
            task_switch_out(t);
            err = t->outcome;
            break;
        }
        bool progress = loop_run_ready();    /* a blocking thread has no loop: turn the crank here */
        assert(progress && "await() outside a task, on work that needs a loop");
        (void)progress;
    }
    if (t)
        err = task_verdict(t, err);
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
    if (t->track) {
        track_expects("task_yield()", 0);
        track_awaits(t->track);
    }
    loop_immediate(&t->ready);
    task_watch_deadline(t);
    task_switch_out(t);
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
    const uint64_t time = task_now();
    for (list_node *n = all.first; n; n = n->next) {
        const task *t = container_of(n, task, node);
        task_view v = { .name = t->scope.name, .label = t->scope.label, .age = scope_age(&t->scope, time),
                        .running = t == current, .place = t->place };
        if (t->awaiting)
            v.awaits = promise_origin_of(t->awaiting);
        show(&v, arg);
    }
}

const stack *task_stack(void) { return current ? &current->stack : NULL; }

size_t task_stack_left(void)
{
    return current ? (size_t)((char *)__builtin_frame_address(0) - current->stack.base) : SIZE_MAX;
}
const list  *task_list(void)  { return &all; }
