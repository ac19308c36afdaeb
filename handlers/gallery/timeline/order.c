/* order.c - see picture.h: marks one below the other, each as far to the right as the track stands on which it was made. */
#include "picture.h"

enum { ROW = 30, INDENT = 14, RADIUS = 9 };

void order_draw(buffer *b, const recording *r)
{
    const trace_event *events = trace_events(r->trace);
    const char **names = arena_alloc(b->arena, TRACE_TRACKS * sizeof *names);
    int count = 0, number = 0, x = 0, y = 0;
    for (int i = 0; i < trace_count(r->trace); i++)
        count += events[i].kind == TRACE_MARK;
    buffer_printf(b, "<svg class=\"picture\" height=\"%d\" role=\"img\" aria-labelledby=\"t-%s\">\n<title id=\"t-%s\">What came"
                     " after what: ", count * ROW + 8, r->pattern->name, r->pattern->name);
    buffer_html(b, text_of(r->pattern->title));
    buffer_printf(b, "</title>\n<desc>%d marks, one below the other.</desc>\n", count);
    for (int i = 0; i < trace_count(r->trace); i++) {
        const trace_event *e = &events[i];
        if (e->kind == TRACE_BEGIN)
            names[e->track] = e->name;
        if (e->kind != TRACE_MARK)
            continue;
        const int was_x = x, was_y = y;
        x = RADIUS + 2 + (e->track > 0 ? (e->track - 1) % 8 * INDENT : 0);
        y = number++ * ROW + ROW / 2;
        if (number > 1)
            buffer_printf(b, "<path class=\"next\" d=\"M%d %d C%d %d %d %d %d %d\"/>", was_x, was_y + RADIUS, was_x,
                          was_y + ROW / 2 + 3, x, y - ROW / 2 - 3, x, y - RADIUS);
        buffer_printf(b, "<svg class=\"at mark\" x=\"%d\" y=\"%d\" data-track=\"0.%d\" data-at=\"%u\" data-to=\"%u\"", x, y,
                      e->track, e->at, e->at);
        if (e->line > 0)
            buffer_printf(b, " data-line=\"%u\"", e->line);
        buffer_printf(b, "><circle r=\"%d\"/><text y=\"3.5\" text-anchor=\"middle\">%d</text></svg><text x=\"%d\" y=\"%d\">",
                      RADIUS, number, x + RADIUS + 8, y + 4);
        buffer_html(b, text_of(e->name));
        if (e->track > 0 && names[e->track]) {
            buffer_text(b, TEXT("<tspan class=\"soft\" dx=\"8\">"));
            buffer_html(b, text_of(names[e->track]));
            buffer_text(b, TEXT("</tspan>"));
        }
        buffer_text(b, TEXT("</text>\n"));
    }
    buffer_text(b, TEXT("</svg>\n"));
}
