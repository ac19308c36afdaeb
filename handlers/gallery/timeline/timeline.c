/* timeline.c - a recording as a picture, with a legend of what occurs in it: see picture.h. */
#include "picture.h"

static void picture_describe_half(const picture *p, const half *h)
{
    char from[32], to[32];
    for (int i = 1, n = 0; i < h->track_count && n < 12; i++) {
        const shown *s = &h->tracks[i];
        if (s->lane < 0 || s->place > 0)
            continue;
        buffer_text(p->b, n++ ? TEXT("; ") : TEXT(": "));
        buffer_html(p->b, text_of(s->name));
        if (h->lanes[s->lane].tracks > 1)
            buffer_printf(p->b, ", %d times", h->lanes[s->lane].tracks);
        buffer_printf(p->b, " from %s to %s", gallery_time(from, s->begun), gallery_time(to, s->ended));
    }
}

static void picture_describe(const picture *p)
{
    char took[32];
    for (int i = 0; i < p->half_count; i++) {
        const half *h = &p->halves[i];
        buffer_printf(p->b, "%s%d %s in %s", i ? " " : "", h->lane_count, h->lane_count == 1 ? "line" : "lines",
                      gallery_time(took, h->took));
        picture_describe_half(p, h);
        buffer_text(p->b, TEXT("."));
    }
}

static void picture_write_waits(const picture *p, const lane *l)
{
    for (int i = 0; i < 2 && l->waits[0].line && l->waits[1].line; i++) {
        buffer_printf(p->b, "<span><i class=\"key waits%s\"></i>", i == 0 ? "" : " too");
        buffer_html(p->b, text_of(l->name));
        buffer_text(p->b, TEXT(" waits for <code>"));
        buffer_html(p->b, text_of(l->waits[i].words));
        buffer_text(p->b, TEXT("</code></span> "));
    }
}

static void picture_write_legend(const picture *p)
{
    static const struct { occurs occurs; const char *class, *words; } KEYS[] = {
        { OCCURS_RUNS, "runs", "a task runs" },       { OCCURS_WAITS, "waits", "it waits" },
        { OCCURS_WAKES, "wakes", "it is woken" },     { OCCURS_WORKS, "works", "work elsewhere" },
        { OCCURS_MARK, "mark", "a mark" },            { OCCURS_BAD, "bad", "an error" },
        { OCCURS_TOOK, "took", "a request of somebody else: as wide and as tall as it took long" },
    };
    buffer_text(p->b, TEXT("<figcaption>"));
    for (int i = 0; i < p->half_count; i++)
        for (int k = 0; k < p->halves[i].lane_count; k++)
            picture_write_waits(p, &p->halves[i].lanes[k]);
    for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++)
        if (p->occurs & KEYS[i].occurs)
            buffer_printf(p->b, "<span><i class=\"key %s\"></i>%s</span> ", KEYS[i].class, KEYS[i].words);
    buffer_text(p->b, TEXT("</figcaption>\n"));
}

static void picture_write_left_out(const picture *p)
{
    int tracks = 0, events = 0;
    for (int i = 0; i < p->half_count; i++) {
        tracks += p->halves[i].left_out;
        events += trace_dropped(p->halves[i].of->trace);
    }
    if (tracks > 0)
        buffer_printf(p->b, "<p class=\"meta\">%d more lines are not drawn.</p>\n", tracks);
    if (events > 0)
        buffer_printf(p->b, "<p class=\"meta\">A recording has room for %d events and %d lines: %d more events are not in"
                            " it.</p>\n", TRACE_EVENTS, TRACE_TRACKS, events);
}

static void half_draw_title(const picture *p, const half *h)
{
    buffer_printf(p->b, "<text class=\"title\" x=\"0\" y=\"%.0f\">", h->y + 16);
    buffer_html(p->b, text_of(h->of->pattern->title));
    buffer_text(p->b, TEXT("</text>\n"));
}

static void picture_draw(picture *p, const recording *r)
{
    const char *name = r->pattern->name;
    picture_read(p, r);
    buffer_printf(p->b, "<svg class=\"picture\" height=\"%.0f\" role=\"img\" aria-labelledby=\"t-%s d-%s\" data-total=\"%u\">\n"
                        "<title id=\"t-%s\">What ran when: ", p->height, name, name, p->total, name);
    buffer_html(p->b, text_of(r->pattern->title));
    buffer_printf(p->b, "</title>\n<desc id=\"d-%s\">", name);
    picture_describe(p);
    buffer_text(p->b, TEXT("</desc>\n"));
    axis_draw(p);
    for (int i = 0; i < p->half_count; i++) {
        half *h = &p->halves[i];
        if (p->half_count > 1)
            half_draw_title(p, h);
        spans_draw(p, h);
        plots_draw(p, h);
        marks_draw(p, h);
    }
    buffer_text(p->b, TEXT("</svg>\n"));
}

void recording_draw(buffer *b, const recording *r)
{
    picture *p = arena_alloc(b->arena, sizeof *p);
    *p = (picture){ .b = b };
    buffer_text(b, TEXT("<figure class=\"timeline\">\n"));
    if (r->pattern->in_order) {
        order_draw(b, r);
    } else {
        picture_draw(p, r);
        picture_write_legend(p);
    }
    buffer_text(b, TEXT("</figure>\n"));
    picture_write_left_out(p);
}
