/* immediate_before_timeout_in_io.c - in an I/O callback an immediate is nearer than a timeout of
 * nothing. See the .js. */
#include "order.h"

static void looked(void *arg)
{
    (void)arg;
    set_timeout(say, "timeout", 0);
    set_immediate(say, "immediate");
    next_tick(say, "tick");
    queue_microtask(say, "microtask");
    say("I/O");
}

void immediate_before_timeout_in_io(void) { stat_a_file(looked, NULL); }
