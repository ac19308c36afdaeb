/* everything_at_once_in_io.c - one I/O callback asks for everything, and an async function is
 * under way. See the .js. */
#include "order.h"

static int waits(void *arg)
{
    (void)arg;
    say("called");
    await(soon());
    say("goes on");
    await(sleep_for(1));
    say("has slept");
    return 0;
}

static void immediate(void *arg)
{
    (void)arg;
    say("immediate");
    next_tick(say, "tick of the immediate");
}

static promise *ask_for_a_tick(void *arg)
{
    next_tick(say, arg);
    return promise_settled(0);
}

static void tick(void *arg)
{
    (void)arg;
    say("tick");
    queue_microtask(say, "microtask of the tick");
}

static void looked(void *arg)
{
    set_timeout(say, "timeout", 20);
    set_immediate(immediate, arg);
    then_last(call(waits, arg), "returned");
    last(then(then_say(soon(), "promise"), ask_for_a_tick, "tick of the promise"));
    next_tick(tick, arg);
    say("I/O");
}

void everything_at_once_in_io(void) { stat_a_file(looked, NULL); }
