/* race_and_any_beside_a_chain.c - race settles with the first, any with the first success. All
 * parts settle in one turn: ours drain. See the .js. */
#include "order.h"

static promise *nothing(void *arg)
{
    (void)arg;
    return promise_settled(0);
}

void race_and_any_beside_a_chain(void)
{
    promise *rungs = soon();
    rungs = then_say(rungs, "rung 1");
    rungs = then_say(rungs, "rung 2");
    rungs = then_say(rungs, "rung 3");
    rungs = then_say(rungs, "rung 4");
    last(rungs);
    last(catch_say(race(then(soon(), fails, NULL), then(soon(), nothing, NULL)), "race: the first failed"));
    then_last(any(then(soon(), fails, NULL), then(soon(), nothing, NULL)), "any: the second succeeded");
    last(catch_say(any(then(soon(), fails, NULL), then(soon(), fails, NULL)), "any: none succeeded"));
    then_last(race(promise_settled(0), promise_settled(0)), "race of two that had settled");
}
