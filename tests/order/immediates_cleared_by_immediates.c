/* immediates_cleared_by_immediates.c - an immediate may clear the next one, and itself. See the
 * .js. */
#include "order.h"

static scheduled own, next;

static void clears(void *arg)
{
    (void)arg;
    say("clears");
    clear_immediate(next);
    clear_immediate(own);
    set_immediate(say, "set anew");
    clear_immediate(own);
}

void immediates_cleared_by_immediates(void)
{
    own = set_immediate(clears, NULL);
    next = set_immediate(say, "not this");
    set_immediate(say, "the one behind");
}
