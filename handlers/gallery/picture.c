/* picture.c - see picture.h. */
#include "picture.h"

#include <stdio.h>

enum { PLOT_TOP = 24 };                      /* for the name of a plot */

void write_within(picture *p, const char *s, double width, double letter)
{
    const text all = text_of(s);
    const size_t fits = width > 0 ? (size_t)(width / letter) : 0;
    if (all.length <= fits) {
        buffer_html(p->b, all);
    } else {
        buffer_html(p->b, (text){ s, fits > 1 ? fits - 1 : 0 });
        buffer_text(p->b, TEXT("\xe2\x80\xa6"));
    }
}

void write_ms(buffer *b, uint32_t us)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%.3f", us / 1000.0);
    size_t n = strlen(digits);
    while (digits[n - 1] == '0')
        n--;
    if (digits[n - 1] == '.')
        n--;
    buffer_text(b, (text){ digits, n });
    buffer_text(b, TEXT(" ms"));
}

/* 1, 2 or 5 of a power of ten, at most eight of them. */
static uint32_t step_of_axis(uint32_t total)
{
    for (uint64_t ten = 1;; ten *= 10)
        for (int i = 0; i < 3; i++)
            if ((const uint64_t[]){ 1, 2, 5 }[i] * ten * 8 >= total)
                return (uint32_t)((const uint64_t[]){ 1, 2, 5 }[i] * ten);
}

void draw_axis(picture *p, double bottom)
{
    const uint32_t each = p->in_order ? STEP : step_of_axis(p->total);
    for (uint64_t at = p->in_order ? each : 0; at <= p->total; at += each) {
        const double x = x_of(p, (uint32_t)at);
        buffer_printf(p->b, "<path class=\"grid\" d=\"M%.1f %d V%.0f\"/><text class=\"soft\" x=\"%.1f\" y=\"12\""
                            " text-anchor=\"middle\">", x, TOP - 8, bottom, x);
        if (p->in_order)
            buffer_int(p->b, (int64_t)at / STEP);
        else
            write_ms(p->b, (uint32_t)at);
        buffer_text(p->b, TEXT("</text>\n"));
    }
}

void draw_series(picture *p, const char *name, double top)
{
    const double floor = top + PLOT - 8, height = PLOT - 8 - PLOT_TOP;
    int32_t most = 1, last = 0;
    for (int i = 0; i < p->count; i++)
        if (p->events[i].kind == TRACE_VALUE && strcmp(p->events[i].name, name) == 0 && p->events[i].value > most)
            most = p->events[i].value;

    buffer_printf(p->b, "<text x=\"%d\" y=\"%.1f\">", AXIS_LEFT, top + 14);
    buffer_html(p->b, text_of(name));
    buffer_printf(p->b, "</text><text class=\"soft\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%d</text>"
                        "<text class=\"soft\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">0</text>"
                        "<path class=\"grid\" d=\"M%d %.1f H%d M%d %.1f H%d\"/>\n<path class=\"plot\" d=\"M%d %.1f",
                  AXIS_LEFT - 10, top + PLOT_TOP + 4, most, AXIS_LEFT - 10, floor + 4, AXIS_LEFT, floor, AXIS_END,
                  AXIS_LEFT, top + PLOT_TOP, AXIS_END, AXIS_LEFT, floor);
    for (int i = 0; i < p->count; i++) {
        const trace_event *e = &p->events[i];
        if (e->kind != TRACE_VALUE || strcmp(e->name, name) != 0)
            continue;
        last = e->value > 0 ? e->value : 0;
        buffer_printf(p->b, "H%.1f V%.1f", x_of(p, e->at), floor - height * last / most);
    }
    buffer_printf(p->b, "H%d V%.1f\"/>\n", AXIS_END, floor);
}
