/* settled_first_or_followed_first.c - followers run in the order of settling, or of following what
 * has settled. See the .js. */
#include "order.h"

void settled_first_or_followed_first(void)
{
    promise *late = promise_new(NULL, NULL), *early = promise_new(NULL, NULL);
    then_last(late, "followed first, settled last");
    then_last(early, "followed second, settled first");
    promise_settle(early, 0);
    then_last(promise_settled(0), "had settled when it was followed");
    promise_settle(late, 0);
    say("nothing has run yet");
}
