/* all_that_fails.c - the first error of all is the error of all. The other parts settle in the
 * same turn: ours drain. See the .js. */
#include "order.h"

static promise *part(void *line)
{
    say(line);
    return promise_settled(0);
}

void all_that_fails(void)
{
    promise *rungs = soon();
    rungs = then_say(rungs, "rung 1");
    rungs = then_say(rungs, "rung 2");
    rungs = then_say(rungs, "rung 3");
    rungs = then_say(rungs, "rung 4");
    last(rungs);
    promise *all = gather(then(soon(), part, "part"), then(soon(), fails, NULL), then(soon(), fails, NULL));
    then_last(catch_say(then_say(all, "not this"), "caught"), "goes on");
}
