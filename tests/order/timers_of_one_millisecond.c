/* timers_of_one_millisecond.c - between two timers of one moment ticks and microtasks run. See the
 * .js. */
#include "order.h"

struct lines { char *timeout, *promise, *tick; };

static void rang(void *arg)
{
    const struct lines *l = arg;
    say(l->timeout);
    then_last(soon(), l->promise);
    next_tick(say, l->tick);
}

static struct lines all[] = {
    { "timeout 1", "promise of 1", "tick of 1" },
    { "timeout 2", "promise of 2", "tick of 2" },
    { "timeout 3", "promise of 3", "tick of 3" },
};

void timers_of_one_millisecond(void)
{
    for (int i = 0; i < 3; i++)
        set_timeout(rang, &all[i], 5);
}
