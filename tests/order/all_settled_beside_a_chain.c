/* all_settled_beside_a_chain.c - allSettled waits for all, never fails, and tells what became of
 * each. See the .js. */
#include "order.h"

static int outcomes[3];

static promise *tell(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++)
        say(outcomes[i] ? "rejected" : "fulfilled");
    return promise_settled(0);
}

void all_settled_beside_a_chain(void)
{
    promise *rungs = soon();
    rungs = then_say(rungs, "rung 1");
    rungs = then_say(rungs, "rung 2");
    rungs = then_say(rungs, "rung 3");
    rungs = then_say(rungs, "rung 4");
    last(rungs);
    promise *parts = all_settled(outcomes, then_say(soon(), "part 1"), then(soon(), fails, NULL),
                                 promise_settled(0));
    last(then(parts, tell, NULL));
}
