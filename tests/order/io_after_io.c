/* io_after_io.c - I/O begun by an I/O callback is over in a later turn: after its immediates, and
 * theirs. See the .js. */
#include "order.h"

static void looked_again(void *arg)
{
    (void)arg;
    say("I/O 2");
    then_last(soon(), "promise of 2");
}

static void looked(void *arg)
{
    say("I/O 1");
    stat_a_file(looked_again, arg);
    set_immediate(say, "immediate of 1");
    then_last(soon(), "promise of 1");
}

void io_after_io(void) { stat_a_file(looked, NULL); }
