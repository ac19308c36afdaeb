/* close_after_immediates.c - close callbacks come after the immediates of their turn, and ticks
 * after each of them. See the .js. */
#include "order.h"

static uv_pipe_t closing;

static void on_closed(uv_handle_t *h)
{
    (void)h;
    loop_enter();
    say("closed");
    next_tick(say, "tick of the close");
    loop_leave();
}

static void immediate(void *arg)
{
    (void)arg;
    say("immediate");
    set_immediate(say, "immediate of the next turn");
}

static void looked(void *arg)
{
    uv_pipe_init(loop_here(), &closing, 0);
    uv_close((uv_handle_t *)&closing, on_closed);
    set_immediate(immediate, arg);
    then_last(soon(), "promise");
}

void close_after_immediates(void) { stat_a_file(looked, NULL); }
