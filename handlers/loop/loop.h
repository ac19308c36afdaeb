/* loop.h - the page that shows what a loop does: GET /loop, and what feeds it, GET /loop/events. */
#ifndef HANDLERS_LOOP_H
#define HANDLERS_LOOP_H

#include "loop_view.h"
#include "server/base/buffer.h"

/* The circle of phases, as SVG: how many callbacks each had in these events, of which the last one's phase is lit. v may be NULL:
 * nothing is known. */
void loop_draw_ring(buffer *b, const loop_view *v);

/* What happened in each turn, as a table. */
void loop_draw_turns(buffer *b, const loop_view *v);

#endif
