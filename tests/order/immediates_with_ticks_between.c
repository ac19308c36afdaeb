/* immediates_with_ticks_between.c - between two immediates ticks and microtasks run. See the .js. */
#include "order.h"

struct lines { char *immediate, *microtask, *tick; };

static void run(void *arg)
{
    const struct lines *l = arg;
    say(l->immediate);
    queue_microtask(say, l->microtask);
    next_tick(say, l->tick);
}

static struct lines all[] = {
    { "immediate 1", "microtask of 1", "tick of 1" },
    { "immediate 2", "microtask of 2", "tick of 2" },
    { "immediate 3", "microtask of 3", "tick of 3" },
};

void immediates_with_ticks_between(void)
{
    for (int i = 0; i < 3; i++)
        set_immediate(run, &all[i]);
}
