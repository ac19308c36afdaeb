/* chains_of_different_length.c - promise chains go on in turns, a step each. See the .js. */
#include "order.h"

void chains_of_different_length(void)
{
    last(then_say(then_say(then_say(soon(), "a1"), "a2"), "a3"));
    then_last(soon(), "b1");
    last(then_say(then_say(then_say(then_say(promise_settled(0), "c1"), "c2"), "c3"), "c4"));
}
