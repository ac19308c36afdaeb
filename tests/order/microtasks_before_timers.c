/* microtasks_before_timers.c - microtasks that ask for microtasks keep everybody else waiting. See
 * the .js. */
#include "order.h"

static int left = 100;

static void again(void *arg)
{
    if (--left > 0)
        queue_microtask(again, arg);
    else
        say("the last microtask");
}

static promise *ask_for_a_tick(void *arg)
{
    next_tick(say, arg);
    return promise_settled(0);
}

void microtasks_before_timers(void)
{
    set_timeout(say, "timeout", 0);
    next_tick(say, "tick");
    queue_microtask(again, NULL);
    last(then(soon(), ask_for_a_tick, "tick of a promise"));
}
