/* sleepers_and_timers.c - who sleeps wakes in line with timers of the same moment, a microtask
 * later. See the .js. */
#include "order.h"

static int sleeps(void *arg)
{
    char **lines = arg;
    await(sleep_for(5));
    say(lines[0]);
    await(sleep_for(5));
    say(lines[1]);
    return 0;
}

static void rang(void *arg)
{
    (void)arg;
    say("timeout");
    next_tick(say, "tick");
}

static char *a[] = { "a wakes", "a wakes again" }, *b[] = { "b wakes", "b wakes again" };

void sleepers_and_timers(void)
{
    last(call(sleeps, a));
    set_timeout(rang, NULL, 5);
    then_last(call(sleeps, b), "b has slept");
}
