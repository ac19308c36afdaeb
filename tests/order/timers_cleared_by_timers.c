/* timers_cleared_by_timers.c - a timer may clear one of the same moment, one of later, and itself.
 * See the .js. */
#include "order.h"

static scheduled own, same, later;

static void clears(void *arg)
{
    (void)arg;
    say("clears");
    clear_timeout(same);
    clear_timeout(later);
    clear_timeout(own);
    set_timeout(say, "set anew", 20);
    clear_timeout(own);
}

void timers_cleared_by_timers(void)
{
    own = set_timeout(clears, NULL, 5);
    same = set_timeout(say, "not this", 5);
    set_timeout(say, "the next", 5);
    later = set_timeout(say, "nor this", 10);
}
