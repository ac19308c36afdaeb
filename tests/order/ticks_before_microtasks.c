/* ticks_before_microtasks.c - ticks run before microtasks, whoever asked first, and both after the
 * script. See the .js. */
#include "order.h"

void ticks_before_microtasks(void)
{
    queue_microtask(say, "microtask 1");
    next_tick(say, "tick 1");
    then_last(soon(), "promise");
    queue_microtask(say, "microtask 2");
    next_tick(say, "tick 2");
    say("script");
}
