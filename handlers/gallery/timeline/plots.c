/* plots.c - see picture.h: what has a value over time, as steps; what took long; and how many of very many tracks wait. */
#include "picture.h"

#include <stdio.h>

enum { WIDE = 1000 /* units of a plot's own width */, NAME = 18, PLOT = 54 };

static int plot_x(const picture *p, uint32_t at) { return (int)((uint64_t)at * WIDE / p->total); }

static void plot_draw_floor(const picture *p, double y)
{
    buffer_printf(p->b, "<line class=\"grid\" x1=\"0\" x2=\"100%%\" y1=\"%.1f\" y2=\"%.1f\"/>", y, y);
}

static void plot_begin(const picture *p, double y, double height)
{
    plot_draw_floor(p, y + height);
    buffer_printf(p->b, "<svg x=\"0\" y=\"%.1f\" width=\"100%%\" height=\"%.0f\" viewBox=\"0 0 %d %.0f\""
                        " preserveAspectRatio=\"none\">", y, height, WIDE, height);
}

static void plot_draw_name(const picture *p, const plotted *l, const char *most)
{
    buffer_printf(p->b, "<text x=\"0\" y=\"%.1f\">", l->y + 12);
    buffer_html(p->b, text_of(l->name));
    buffer_printf(p->b, "<tspan class=\"soft\">: %s</tspan></text>\n", most);
}

/* Steps that fall on one unit of the width are one, as high as the highest of them, and go on as low as the last. */
typedef struct steps { buffer *b; double floor, scale; int x, last, most; } steps;

static void steps_flush(steps *s)
{
    buffer_printf(s->b, "H%d V%.1f", s->x, s->floor - s->scale * s->most);
    if (s->most != s->last)
        buffer_printf(s->b, "V%.1f", s->floor - s->scale * s->last);
}

static void steps_to(steps *s, int x, int value)
{
    if (x > s->x) {
        steps_flush(s);
        s->x = x;
        s->most = value;
    }
    s->last = value;
    if (value > s->most)
        s->most = value;
}

static void steps_begin(steps *s, const char *class, double height, int most)
{
    s->floor = height;
    s->scale = (height - 1) / (most > 0 ? most : 1);
    buffer_printf(s->b, "<path class=\"%s\" d=\"M0 %.1f", class, height);
}

static void steps_end(steps *s, int x)
{
    steps_flush(s);
    buffer_printf(s->b, "H%d V%.1f Z\"/>\n", x, s->floor);
}

static void value_draw(const picture *p, const half *h, const plotted *l)
{
    char most[32];
    steps s = { .b = p->b };
    snprintf(most, sizeof most, "at most %d", l->most);
    plot_draw_name(p, l, most);
    plot_begin(p, l->y + NAME, PLOT);
    steps_begin(&s, "plot", PLOT, l->most);
    for (int i = 0; i < h->count; i++)
        if (h->events[i].kind == TRACE_VALUE && strcmp(h->events[i].name, l->name) == 0)
            steps_to(&s, plot_x(p, h->events[i].at), h->events[i].value > 0 ? h->events[i].value : 0);
    steps_end(&s, plot_x(p, h->took));
    buffer_text(p->b, TEXT("</svg>\n"));
}

/* From when it began to when it had ended, and as tall as that is long. */
static void took_draw(picture *p, const half *h, const plotted *l)
{
    char longest[32], words[48];
    int32_t most = 0;
    p->occurs |= OCCURS_TOOK;
    for (int i = 0; i < h->count; i++) {
        const trace_event *e = &h->events[i];
        if (e->kind != TRACE_TOOK || strcmp(e->name, l->name) != 0)
            continue;
        const double height = 2 + (PLOT - 2) * (double)e->value / l->most;
        const uint32_t since = (uint32_t)e->value < e->at ? e->at - (uint32_t)e->value : 0;
        const double x = axis_at(p, since), width = axis_at(p, e->at) - x;
        buffer_printf(p->b, "<rect class=\"took\" x=\"%.2f%%\" y=\"%.1f\" width=\"%.2f%%\" height=\"%.1f\"><title>", x,
                      l->y + NAME + PLOT - height, width > .3 ? width : .3, height);
        buffer_html(p->b, text_of(l->name));
        buffer_printf(p->b, " took %s</title></rect>\n", gallery_time(longest, (uint32_t)e->value));
        if (e->value > most)
            most = e->value;
    }
    plot_draw_floor(p, l->y + NAME + PLOT);
    snprintf(words, sizeof words, "at most %s", gallery_time(longest, (uint32_t)most));
    plot_draw_name(p, l, words);
}

void plots_draw(picture *p, const half *h)
{
    for (int i = 0; i < h->plot_count; i++)
        if (h->plots[i].kind == PLOT_TOOK)
            took_draw(p, h, &h->plots[i]);
        else
            value_draw(p, h, &h->plots[i]);
}

/* All that are there, and of them those that wait, or work. */
void crowd_draw(picture *p, const half *h, int number)
{
    const lane *l = &h->lanes[number];
    for (int pass = 0; pass < 2; pass++) {
        const bool only_waiting = pass == 1;
        int there = 0;
        steps s = { .b = p->b };
        if (pass == 0)
            plot_begin(p, l->y, l->height);
        steps_begin(&s, pass == 0 ? "runs" : l->task ? "waits" : "works", l->height, l->tracks);
        for (int i = 0; i < h->count; i++) {
            const trace_event *e = &h->events[i];
            if (h->tracks[e->track].lane != number)
                continue;
            there += e->kind == TRACE_BEGIN || (only_waiting && l->task && e->kind == TRACE_AWAIT);
            there -= only_waiting && l->task ? e->kind == TRACE_WAKE : e->kind == TRACE_END;
            steps_to(&s, plot_x(p, e->at), there);
        }
        steps_end(&s, plot_x(p, h->took));
        p->occurs |= pass == 0 ? 0 : l->task ? OCCURS_WAITS | OCCURS_RUNS : OCCURS_WORKS;
    }
    buffer_text(p->b, TEXT("</svg>\n"));
}
