/* immediate_against_tick.c - a tick always comes before an immediate, however deep it was asked
 * for. See the .js. */
#include "order.h"

static void deepest(void *arg)
{
    (void)arg;
    say("tick of the microtask");
    set_immediate(say, "immediate of the tick");
}

static void deeper(void *arg)
{
    say("microtask");
    next_tick(deepest, arg);
}

static void tick(void *arg)
{
    say("tick");
    queue_microtask(deeper, arg);
}

void immediate_against_tick(void)
{
    set_immediate(say, "immediate");
    next_tick(tick, NULL);
}
