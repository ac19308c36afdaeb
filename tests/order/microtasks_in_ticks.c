/* microtasks_in_ticks.c - what ticks make ready waits until there are no more ticks. See the .js. */
#include "order.h"

static void first(void *arg)
{
    (void)arg;
    say("tick 1");
    queue_microtask(say, "microtask of tick 1");
    then_last(soon(), "promise of tick 1");
}

static void second(void *arg)
{
    (void)arg;
    say("tick 2");
    queue_microtask(say, "microtask of tick 2");
}

void microtasks_in_ticks(void)
{
    next_tick(first, NULL);
    next_tick(second, NULL);
}
