/* ticks_in_ticks.c - a tick that a tick asks for runs before any microtask. See the .js. */
#include "order.h"

static void one(void *arg)
{
    (void)arg;
    say("tick 1");
}

static void two(void *arg)
{
    say("tick 2");
    next_tick(one, arg);
}

static void three(void *arg)
{
    say("tick 3");
    next_tick(two, arg);
}

void ticks_in_ticks(void)
{
    queue_microtask(say, "microtask");
    next_tick(three, NULL);
    next_tick(say, "another tick");
}
