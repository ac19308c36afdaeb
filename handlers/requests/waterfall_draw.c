/* waterfall_draw.c - see waterfall.h: the drawing.
 *
 * It is as wide as there is room: what goes from left to right is in hundredths of that, and what goes down in pixels, so that
 * letters keep their size on a phone. Above each bar stands what it is. Colours are the style sheet's, by class. */
#include "waterfall.h"

#include <string.h>

enum { ROW = 36, BAR_TOP = 18, BAR = 10, TOP = 20, BOTTOM = 6, MOST_STEPS = 5 };

static double percent(const waterfall *w, uint64_t ns) { return (double)ns * 100 / (double)w->end; }

/* 1, 2 or 5 of a power of ten. */
static uint64_t step_of(uint64_t all)
{
    for (uint64_t ten = 1;; ten *= 10)
        for (int i = 0; i < 3; i++)
            if ((const uint64_t[]){ 1, 2, 5 }[i] * ten * MOST_STEPS >= all)
                return (const uint64_t[]){ 1, 2, 5 }[i] * ten;
}

static void draw_axis(buffer *b, const waterfall *w, int height)
{
    const uint64_t step = step_of(w->end);
    for (uint64_t at = 0; at <= w->end; at += step) {
        const double x = percent(w, at);
        buffer_printf(b, "<line class=\"grid\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" y2=\"%d\"/><text class=\"soft\" "
                         "x=\"%.2f%%\" "
                         "y=\"11\" text-anchor=\"%s\">%g ms</text>\n",
                      x, x, TOP - 5, height, x, at == 0 ? "start" : x > 92 ? "end" : "middle", (double)at / 1e6);
    }
}

static void draw_bar(buffer *b, const char *class, double from, double to, int y)
{
    buffer_printf(b, "<rect class=\"%s\" x=\"%.3f%%\" y=\"%d\" width=\"%.3f%%\" height=\"%d\"/>", class, from, y,
                  to - from > .15 ? to - from : .15, BAR);
}

/* Only the file's own name: there is little room. */
static void write_label(buffer *b, const waterfall_row *r)
{
    const char *const slash = strrchr(r->place, '/');
    buffer_printf(b, "%s ", waterfall_word(r->kind));
    buffer_html(b, text_of(r->what));
    if (*r->place) {
        buffer_text(b, TEXT(" \xc2\xb7 "));
        buffer_html(b, text_of(slash ? slash + 1 : r->place));
    }
    if (r->count > 1)
        buffer_printf(b, " \xc3\x97%d", r->count);
}

static void draw_row(buffer *b, const waterfall *w, int i)
{
    const waterfall_row *const r = &w->rows[i];
    const int y = TOP + i * ROW;
    buffer_text(b, TEXT("<g class=\"row\"><title>"));
    buffer_printf(b, "%s ", waterfall_word(r->kind));
    buffer_html(b, text_of(r->what));
    buffer_text(b, TEXT(" "));
    buffer_html(b, text_of(r->place));
    buffer_printf(b, "</title><text x=\"0\" y=\"%d\">", y + 12);
    write_label(b, r);
    buffer_printf(b, "</text><text class=\"time%s\" x=\"100%%\" y=\"%d\" text-anchor=\"end\">", r->outcome ? " bad" : "", y + 12);
    waterfall_ms(b, r->total);
    buffer_printf(b, " ms</text>\n<rect class=\"track\" x=\"0\" y=\"%d\" width=\"100%%\" height=\"%d\"/>", y + BAR_TOP, BAR);
    for (const waterfall_span *s = w->spans; s < w->spans + w->span_count; s++) {
        if (s->row != i)
            continue;
        if (s->began > s->since)
            draw_bar(b, "queued", percent(w, s->since), percent(w, s->began), y + BAR_TOP);
        draw_bar(b, waterfall_word(r->kind), percent(w, s->began), percent(w, s->end), y + BAR_TOP);
    }
    buffer_text(b, TEXT("</g>\n"));
}

static void write_legend(buffer *b, const waterfall *w)
{
    static const char *const MEANS[WATERFALL_KINDS] = {
        [WATERFALL_WHOLE] = "from head to handler's end", [WATERFALL_LINE] = "in line to be admitted",
        [WATERFALL_RUNS] = "runs on the loop", [WATERFALL_AWAIT] = "awaits", [WATERFALL_QUERY] = "query",
        [WATERFALL_JOB] = "job of the pool", [WATERFALL_WRITE] = "answer being written",
    };
    bool occurs[WATERFALL_KINDS] = { false }, queued = false;
    for (const waterfall_row *r = w->rows; r < w->rows + w->row_count; r++) {
        occurs[r->kind] = true;
        queued = queued || r->queued > 0;
    }
    buffer_text(b, TEXT("<figcaption>"));
    for (int kind = 0; kind < WATERFALL_KINDS; kind++)
        if (occurs[kind])
            buffer_printf(b, "<span><i class=\"key %s\"></i>%s</span> ", waterfall_word((waterfall_kind)kind), MEANS[kind]);
    if (queued)
        buffer_text(b, TEXT("<span><i class=\"key queued\"></i>waits for a connection or a thread</span>"));
    buffer_text(b, TEXT("</figcaption>\n"));
}

void waterfall_draw(buffer *b, const waterfall *w)
{
    const int height = TOP + w->row_count * ROW + BOTTOM;
    const unsigned long long id = w->of->id;
    buffer_printf(b, "<figure class=\"waterfall\">\n<svg width=\"100%%\" height=\"%d\" role=\"img\" aria-labelledby=\"w-%llu\">\n"
                     "<title id=\"w-%llu\">What happened in the ", height, id, id);
    waterfall_ms(b, w->end);
    buffer_text(b, TEXT(" ms of this request, a row for each: the table below has the same.</title>\n"));
    draw_axis(b, w, height - BOTTOM);
    for (int i = 0; i < w->row_count; i++)
        draw_row(b, w, i);
    buffer_text(b, TEXT("</svg>\n"));
    write_legend(b, w);
    buffer_text(b, TEXT("</figure>\n"));
}
