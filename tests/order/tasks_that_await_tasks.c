/* tasks_that_await_tasks.c - a task begins in a microtask, and who awaits it goes on in the one
 * after its end. See the .js. */
#include "order.h"

static int inner(void *arg)
{
    (void)arg;
    say("inner begins");
    await(sleep_for(1));
    say("inner ends");
    return 0;
}

static int outer(void *arg)
{
    say("outer begins");
    promise *p = task_start("inner", inner, arg);
    say("inner has not begun");
    await(p);
    say("outer ends");
    return 0;
}

void tasks_that_await_tasks(void)
{
    then_last(task_start("outer", outer, NULL), "all over");
    queue_microtask(say, "microtask");
    next_tick(say, "tick");
}
