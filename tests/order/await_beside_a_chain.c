/* await_beside_a_chain.c - an await goes on one turn after its promise settles, as a then does.
 * See the .js. */
#include "order.h"

static int waits(void *arg)
{
    (void)arg;
    say("called: runs at once");
    await(soon());
    say("await 1");
    await(soon());
    say("await 2");
    return 0;
}

void await_beside_a_chain(void)
{
    last(then_say(then_say(then_say(then_say(soon(), "then 1"), "then 2"), "then 3"), "then 4"));
    then_last(call(waits, NULL), "returned");
    say("script");
}
