/* await_that_fails.c - an error that nobody handles ends the function; one that is handled does
 * not. See the .js. */
#include "order.h"

static int handles(void *arg)
{
    if (await(then(soon(), fails, arg)))
        say("handled in place");
    await(soon());
    say("and on");
    return 0;
}

static int passes_on(void *arg)
{
    int err = await(then(soon(), fails, arg));
    if (err)
        return err;
    say("nor this");
    return 0;
}

void await_that_fails(void)
{
    then_last(call(handles, NULL), "it succeeded");
    last(catch_say(then_say(call(passes_on, NULL), "nor that"), "its caller handles it"));
}
