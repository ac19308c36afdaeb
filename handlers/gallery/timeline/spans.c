/* spans.c - see picture.h: what tracks did, as bars along time; where they woke, how they ended, and what was marked. */
#include "picture.h"

enum { TICKS = 40 };                         /* of a track; where there are more they would hide its bars */

typedef struct span {                        /* of a track, as far as the events have been read */
    uint32_t    since;
    const char *waits_for;
    uint16_t    line;                        /* of the await that it waits in, or has waited in */
    bool        waiting;
} span;

static bool is_thin(const lane *l) { return l->tracks > 1; }
static bool is_crowd(const lane *l) { return l->tracks > THIN_LINES; }

static double span_height(const lane *l) { return l->height / l->tracks; }
static double span_y(const half *h, const shown *s)
{
    const lane *l = &h->lanes[s->lane];
    return l->y + s->place * span_height(l);
}

static int half_number(const picture *p, const half *h) { return (int)(h - p->halves); }

/* Which lines of the source it is about, for a script that lights them: those that run, or the one that waits. */
static void span_write_lines(buffer *b, int from, int to)
{
    if (from > 0 && to >= from)
        buffer_printf(b, " data-line=\"%d-%d\"", from, to);
    else if (from > 0 || to > 0)
        buffer_printf(b, " data-line=\"%d\"", to > 0 ? to : from);
}

static void span_draw_words(const picture *p, const char *words, double x, double width, double y, double height)
{
    if (!words || width < 6)
        return;
    buffer_printf(p->b, "<foreignObject x=\"%.2f%%\" y=\"%.1f\" width=\"%.2f%%\" height=\"%.1f\"><div class=\"words\"><span>",
                  x, y, width, height);
    buffer_html(p->b, text_of(words));
    buffer_text(p->b, TEXT("</span></div></foreignObject>"));
}

/* In which shade a folded lane has that await: bars as thin as these have no words. */
static const char *span_shade(lane *l, const span *s)
{
    for (int i = 0; i < 2 && s->line > 0; i++) {
        if (!l->waits[i].line) {
            l->waits[i].line = s->line;
            l->waits[i].words = s->waits_for;
        }
        if (l->waits[i].line == s->line)
            return i == 0 ? "waits" : "waits too";
    }
    return "waits";
}

/* until: the next event of its track, in that line. */
static void span_draw(picture *p, half *h, int track, const span *s, uint32_t until, int line)
{
    const shown *t = &h->tracks[track];
    lane *l = &h->lanes[t->lane];
    const double x = axis_at(p, s->since), width = axis_at(p, until) - x, y = span_y(h, t), height = span_height(l);
    const char *class = s->waiting && is_thin(l) ? span_shade(l, s) : s->waiting ? "waits" : t->task ? "runs" : "works";
    const bool is_short = width < .4 && !s->waiting && t->wakes <= TICKS;
    char took[32];
    p->occurs |= s->waiting ? OCCURS_WAITS : t->task ? OCCURS_RUNS : OCCURS_WORKS;
    if (s->waiting && until == s->since)
        return;
    buffer_printf(p->b, "<rect class=\"%s%s\" x=\"%.2f%%\" y=\"%.1f\" width=\"%.2f%%\" height=\"%.1f\" data-track=\"%d.%d\""
                        " data-at=\"%u\" data-to=\"%u\"",
                  class, is_short ? " short" : "", x, y, width > .15 ? width : .15,
                  is_thin(l) && height > 3 ? height - .6 : height, half_number(p, h), track, s->since, until);
    if (s->waiting || t->task)
        span_write_lines(p->b, s->line, s->waiting ? s->line : line);
    else
        span_write_lines(p->b, t->line, t->line);
    buffer_text(p->b, TEXT("><title>"));
    buffer_html(p->b, text_of(t->name));
    buffer_printf(p->b, " %s %s", s->waiting ? "waits" : t->task ? "runs" : "takes", gallery_time(took, until - s->since));
    if (s->waiting && s->waits_for) {
        buffer_text(p->b, TEXT(" for "));
        buffer_html(p->b, text_of(s->waits_for));
    }
    buffer_text(p->b, TEXT("</title></rect>"));
    if (s->waiting && !is_thin(l))
        span_draw_words(p, s->waits_for, x, width, y, height);
    buffer_text(p->b, TEXT("\n"));
}

static void wake_draw(picture *p, const half *h, const trace_event *e)
{
    const shown *t = &h->tracks[e->track];
    const lane *l = &h->lanes[t->lane];
    if (is_thin(l) || (t->wakes > TICKS && !e->value))
        return;
    const double x = axis_at(p, e->at);
    p->occurs |= e->value ? OCCURS_BAD : OCCURS_WAKES;
    buffer_printf(p->b, "<line class=\"%s\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%.1f\" y2=\"%.1f\"/>\n",
                  e->value ? "wakes bad" : "wakes", x, x, l->y - 2, l->y + l->height + 2);
}

/* Above its bars: beside where they begin, or, if that is far to the right, where they end. */
static void lane_draw_name(const picture *p, const half *h, int number, const shown *only)
{
    const lane *l = &h->lanes[number];
    const double begun = only ? axis_at(p, only->begun) : 0, ended = only ? axis_at(p, only->ended) : 100;
    const bool right = begun > 45;
    buffer_printf(p->b, "<text x=\"%.2f%%\" y=\"%.1f\"%s>", right ? ended : begun, l->y - 5, right ? " text-anchor=\"end\"" : "");
    buffer_html(p->b, text_of(l->name));
    if (l->tracks > 1)
        buffer_printf(p->b, " \xc3\x97 %d", l->tracks);
    if (only && only->outcome) {
        buffer_text(p->b, TEXT("<tspan class=\"bad\">: "));
        buffer_html(p->b, text_of(gallery_outcome_word(only->outcome)));
        buffer_text(p->b, TEXT("</tspan>"));
    } else if (l->failed > 0 && l->failed < l->tracks) {
        buffer_printf(p->b, "<tspan class=\"bad\">: %d did not end well</tspan>", l->failed);
    } else if (l->failed > 0) {
        buffer_text(p->b, TEXT("<tspan class=\"bad\">: none ended well</tspan>"));
    }
    buffer_text(p->b, TEXT("</text>\n"));
}

static void end_draw(picture *p, const half *h, const trace_event *e)
{
    const shown *t = &h->tracks[e->track];
    if (!e->value)
        return;
    p->occurs |= OCCURS_BAD;
    buffer_printf(p->b, "<svg class=\"at\" x=\"%.2f%%\" y=\"%.1f\"><path class=\"cross\" d=\"M-3 -3 l6 6 m0 -6 l-6 6\"/></svg>\n",
                  axis_at(p, e->at), span_y(h, t) + span_height(&h->lanes[t->lane]) / 2);
}

static void lanes_draw_names(const picture *p, const half *h)
{
    for (int i = 1; i < h->track_count; i++)
        if (h->tracks[i].lane >= 0 && h->tracks[i].place == 0)
            lane_draw_name(p, h, h->tracks[i].lane, h->lanes[h->tracks[i].lane].tracks == 1 ? &h->tracks[i] : NULL);
}

void spans_draw(picture *p, half *h)
{
    span *spans = arena_alloc(p->b->arena, (size_t)h->track_count * sizeof *spans);
    for (int i = 0; i < h->count; i++) {
        const trace_event *e = &h->events[i];
        const shown *t = &h->tracks[e->track];
        span *s = &spans[e->track];
        const bool moves = e->kind != TRACE_MARK && e->kind != TRACE_VALUE && e->kind != TRACE_TOOK;
        if (!moves || t->lane < 0 || is_crowd(&h->lanes[t->lane]))
            continue;
        if (e->kind == TRACE_BEGIN) {
            *s = (span){ .since = e->at, .waiting = t->task, .waits_for = "its turn" };
            continue;
        }
        span_draw(p, h, e->track, s, e->at, e->line);
        if (e->kind == TRACE_WAKE)
            wake_draw(p, h, e);
        if (e->kind == TRACE_END)
            end_draw(p, h, e);
        s->since = e->at;
        s->waiting = e->kind == TRACE_AWAIT;
        s->waits_for = e->name;
        s->line = e->kind == TRACE_AWAIT ? e->line : s->line;
    }
    for (int i = 0; i < h->lane_count; i++)
        if (is_crowd(&h->lanes[i]))
            crowd_draw(p, h, i);
    lanes_draw_names(p, h);
}

/* A circle with its number, by which the list below the picture has it. Of the run as a whole it lies on the axis. */
void marks_draw(picture *p, const half *h)
{
    int number = 0;
    for (int i = 0; i < h->count; i++) {
        const trace_event *e = &h->events[i];
        const shown *t = &h->tracks[e->track];
        if (e->kind != TRACE_MARK || ++number > MARKS || (t->lane >= 0 && is_crowd(&h->lanes[t->lane])))
            continue;
        p->occurs |= OCCURS_MARK;
        buffer_printf(p->b, "<svg class=\"at mark\" x=\"%.2f%%\" y=\"%.1f\" data-track=\"%d.%d\" data-at=\"%u\" data-to=\"%u\"",
                      axis_at(p, e->at), t->lane < 0 ? 24 : span_y(h, t) + span_height(&h->lanes[t->lane]) / 2, half_number(p, h),
                      e->track, e->at, e->at);
        span_write_lines(p->b, e->line, e->line);
        buffer_text(p->b, TEXT("><title>"));
        buffer_html(p->b, text_of(e->name));
        buffer_printf(p->b, "</title><circle r=\"7\"/><text y=\"3.2\" text-anchor=\"middle\">%d</text></svg>\n", number);
    }
}
