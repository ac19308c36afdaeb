/* failing_chains.c - an error passes each step that it skips in a turn of its own. See the .js. */
#include "order.h"

void failing_chains(void)
{
    then_last(catch_say(then_say(then(soon(), fails, NULL), "a: skipped"), "a: caught"), "a: goes on");
    last(then_say(then_say(then_say(then_say(then_say(soon(), "b1"), "b2"), "b3"), "b4"), "b5"));
    then_last(catch_say(soon(), "c: skipped"), "c: behind a catch that had nothing to do");
}
