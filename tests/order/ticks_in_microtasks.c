/* ticks_in_microtasks.c - a tick that a microtask asks for waits until there are no more
 * microtasks. See the .js. */
#include "order.h"

static void tick(void *arg)
{
    (void)arg;
    say("tick");
    queue_microtask(say, "microtask of the tick");
}

static void inner(void *arg)
{
    (void)arg;
    say("microtask of microtask 1");
    next_tick(say, "another tick");
}

static void outer(void *arg)
{
    say("microtask 1");
    next_tick(tick, arg);
    queue_microtask(inner, arg);
}

void ticks_in_microtasks(void)
{
    queue_microtask(outer, NULL);
    queue_microtask(say, "microtask 2");
}
