/* chain_with_one_catch.c - one handler at the end answers for every step, and may fail itself. See
 * the .js. */
#include "order.h"

static promise *step(void *line)
{
    say(line);
    return promise_settled(0);
}

static promise *failing_step(void *line)
{
    say(line);
    return promise_settled(UV_EIO);
}

static promise *fails_again(int err, void *arg)
{
    (void)arg;
    return promise_settled(err);
}

void chain_with_one_catch(void)
{
    promise *p = then(soon(), failing_step, "chain 1, step 1");
    last(catch_say(then(then(p, step, "chain 1, step 2"), step, "chain 1, step 3"), "caught: chain 1"));
    p = then(then(soon(), step, "chain 2, step 1"), failing_step, "chain 2, step 2");
    last(catch_say(then(p, step, "chain 2, step 3"), "caught: chain 2"));
    p = then(then(soon(), step, "chain 3, step 1"), step, "chain 3, step 2");
    last(catch_say(then(p, failing_step, "chain 3, step 3"), "caught: chain 3"));
    last(catch_say(catch(then(soon(), fails, NULL), fails_again, NULL), "caught: what a handler threw"));
}
