/* immediates_set_by_immediates.c - an immediate that an immediate sets waits for the next turn.
 * See the .js. */
#include "order.h"

static char *a[] = { "a 1", "a 2", "a 3", NULL }, *b[] = { "b 1", "b 2", "b 3", NULL };

static void again(void *arg)
{
    char **lines = arg;
    say(lines[0]);
    if (lines[1])
        set_immediate(again, lines + 1);
}

static void looked(void *arg)
{
    (void)arg;
    set_immediate(again, a);
    set_immediate(again, b);
    set_immediate(say, "c");
}

void immediates_set_by_immediates(void) { stat_a_file(looked, NULL); }
