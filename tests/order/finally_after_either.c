/* finally_after_either.c - finally runs after success and after failure, and passes either on. A
 * chain apart for each: what follows a finally comes two microtasks later in Node. See the .js. */
#include "order.h"

static promise *tidy(void *line)
{
    say(line);
    return promise_settled(0);
}

static promise *fail_and_tidy(void *arg)
{
    (void)arg;
    say("a: goes on");
    return catch_say(finally(then(soon(), fails, NULL), tidy, "b: finally"), "b: caught");
}

void finally_after_either(void)
{
    promise *p = finally(then_say(soon(), "a: step"), tidy, "a: finally");
    then_last(then(p, fail_and_tidy, NULL), "the end");
}
