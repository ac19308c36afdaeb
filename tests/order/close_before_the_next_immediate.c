/* close_before_the_next_immediate.c - what an immediate closes is closed in the same turn, before
 * the immediates of the next. See the .js. */
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

static void close_it(void *arg)
{
    (void)arg;
    uv_pipe_init(loop_here(), &closing, 0);
    uv_close((uv_handle_t *)&closing, on_closed);
    set_immediate(say, "immediate");
    say("closes");
}

void close_before_the_next_immediate(void) { set_immediate(close_it, NULL); }
