/* two_functions_awaiting_in_turns.c - two async functions in loops take turns; a tick comes when
 * both pause. See the .js. */
#include "order.h"

struct counter { char *lines[3], *tick; };

static int counts(void *arg)
{
    const struct counter *c = arg;
    for (int i = 0; i < 3; i++) {
        say(c->lines[i]);
        if (i == 1)
            next_tick(say, c->tick);
        await(soon());
    }
    return 0;
}

static struct counter a = { { "a 1", "a 2", "a 3" }, "tick of a" },
                      b = { { "b 1", "b 2", "b 3" }, "tick of b" };

void two_functions_awaiting_in_turns(void)
{
    then_last(call(counts, &a), "a ends");
    then_last(call(counts, &b), "b ends");
}
