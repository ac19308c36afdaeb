/* timers_set_by_timers.c - a timer that a timer sets waits for the next turn: an immediate comes
 * before it. See the .js. */
#include "order.h"

struct lines { char *timeout, *immediate, *microtask; };

static struct lines all[] = {
    { "timeout 1", "immediate of 1", "microtask of 1" },
    { "timeout 2", "immediate of 2", "microtask of 2" },
    { "timeout 3", NULL, NULL },
};

static void again(void *arg)
{
    struct lines *l = arg;
    say(l->timeout);
    if (!l->immediate)
        return;
    set_timeout(again, l + 1, 0);
    set_immediate(say, l->immediate);
    queue_microtask(say, l->microtask);
}

void timers_set_by_timers(void) { set_timeout(again, &all[0], 0); }
