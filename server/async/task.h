/* task.h - a function that may pause: async/await over stackful coroutines.
 *
 *   async    marks a function that may pause, and so may only be called from another one.
 *            It is documentation for people and for grep, as QEMU's coroutine_fn is.
 *   await    gives a promise to the running task and pauses it until the promise settles.
 *            In a blocking thread (threads mode) it simply blocks, so a handler cannot tell.
 *
 * A task lives on its own guarded stack, on one thread, from start to return. What it starts, it
 * awaits: a local may be passed to work that is awaited before the function returns. What it did not
 * await is cancelled when the function has returned, and the task ends when that has settled (unawaited.h);
 * its outcome is the function's all the same.
 *
 *   Cancelling  a task cancels what it awaits, and so what that awaits, down to the innermost wait, and
 *               whatever it awaits from then on.
 *   A deadline  does the same when it comes, but then await returns UV_ETIMEDOUT where it would return
 *               UV_ECANCELED. In a blocking thread it is the thread's: see blocking_wait.h. */
#ifndef TASK_H
#define TASK_H

#include <uv.h>                              /* before async: uv.h has a member of that name */

#include "server/base/deadline.h"
#include "promise.h"
#include "scope.h"

#include <stdbool.h>
#include <stddef.h>

#define async                                /* "this function may pause" */

/* Pause until p settles and return its outcome: 0 or a negative error. Takes p.
 * If the task itself is cancelled, p is cancelled and drained first. For code that may not await (scope.h) this
 * ends the process, whether p has settled or not. */
async int await(promise *p);

/* Let everything else that is ready, and I/O, have a turn. UV_ECANCELED if cancelled meanwhile, or
 * UV_ETIMEDOUT. */
async int task_yield(void);

/* Start fn(arg) as a task, from the loop, soon. The promise settles with what fn returns;
 * UV_ENOMEM or so when the kernel refuses a stack. name is static, here as in task_new. */
MUST_AWAIT promise *task_start(const char *name, int (*fn)(void *arg), void *arg);

/* For a server that starts a task for each request: a stack first, with room bytes set aside at
 * its top for the caller's own, so that a waiting request and its stack share a page.
 * NULL when the kernel refuses. task_run starts it here and now, up to its first pause, for the request of whom (scope.h);
 * only from the loop itself, not from a task. The room lasts until task_free, after the promise has settled. */
typedef struct task task;
task *task_new(const char *name, size_t room);
void *task_room(task *t);
MUST_AWAIT promise *task_run(task *t, const scope *whom, int (*fn)(void *arg), void *arg);
void  task_free(task *t);

/* Gives t another deadline; NO_DEADLINE, which it has at first: none. When one has come, it is too late.
 * t may be NULL: the task that runs, or in a blocking thread the thread. */
void     task_limit(task *t, uint64_t deadline);
uint64_t task_deadline(void);                /* of the same; NO_DEADLINE in neither */

/* What can be seen of a task from outside. */
typedef struct task_view {
    const char    *name;
    label          label;                    /* for whom it runs (scope.h) */
    uint64_t       age;                      /* milliseconds */
    bool           running;                  /* it does so now; else: */
    promise_origin awaits;                   /* maker NULL: it yields, or has not begun */
    const void    *place;                    /* in the code: where its await returns to; NULL: it has not begun */
} task_view;

/* Shows all tasks of this thread, the youngest first; none may begin or end meanwhile. */
void task_each(void (*show)(const task_view *v, void *arg), void *arg);

struct stack;
struct list;
const struct list  *task_list(void);         /* of this thread's, the youngest first; for a debugger */
const struct stack *task_stack(void);        /* of the one that runs; NULL outside a task */

bool        task_running(void);              /* am I inside a task? */
size_t      task_stack_left(void);           /* bytes of its stack below here; outside of one, or on a thread's: SIZE_MAX */
const char *task_name(void);                 /* for logs; "main" outside a task */
size_t      task_count(void);                /* alive on this thread right now */
void        task_set_stack_size(size_t bytes);  /* of every task, before the first; 64 KiB until then */

#endif
