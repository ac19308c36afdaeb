/* timers_in_order.c - timers ring in the order of their times; 0 counts as 1. See the .js. */
#include "order.h"

void timers_in_order(void)
{
    set_timeout(say, "120", 120);
    set_timeout(say, "1", 1);
    set_timeout(say, "80", 80);
    set_timeout(say, "0", 0);
    set_timeout(say, "40", 40);
}
