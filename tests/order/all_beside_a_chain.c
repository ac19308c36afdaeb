/* all_beside_a_chain.c - all settles one turn after its last part: seen beside a chain that goes
 * on a rung a turn. See the .js. */
#include "order.h"

void all_beside_a_chain(void)
{
    promise *rungs = soon();
    rungs = then_say(rungs, "rung 1");
    rungs = then_say(rungs, "rung 2");
    rungs = then_say(rungs, "rung 3");
    rungs = then_say(rungs, "rung 4");
    rungs = then_say(rungs, "rung 5");
    last(rungs);
    then_last(gather(soon(), promise_settled(0), then_say(soon(), "part")), "all");
    then_last(gather(promise_settled(0), promise_settled(0)), "all that had settled");
}
