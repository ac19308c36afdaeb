/* timeline.c - a recording as a picture: a row for each track, time to the right.
 *
 *     task | ##.....................##.....####         it ran # and waited .; a tick where it woke
 *     work |   ===================== x cancelled         elsewhere; how it ended, if not well
 *
 * and below them, as steps, whatever was plotted. Where a pattern is about the order of things and not
 * about their time, each mark takes one step to the right. Colours are the style sheet's, by class, so
 * that the picture is light or dark as its page is. */
#include "picture.h"

enum { MOST_ROWS = 120 };

typedef struct executor {                        /* a track, as far as the events have been read */
    uint32_t    begun, since;                /* since: it has run, or waited */
    const char *name, *waits_for;
    bool        task, waiting;
} executor;

static double height_of_rows(int rows)
{
    return rows <= 14 ? 28 : rows <= 30 ? 18 : rows <= 60 ? 10 : 5;
}

static void put_in_order(picture *p)
{
    trace_event *copy = arena_room(p->b->arena, (size_t)p->count * sizeof *copy);
    uint32_t steps = 0;
    for (int i = 0; i < p->count; i++) {
        const bool forward = p->events[i].kind == TRACE_MARK || i == p->count - 1;
        copy[i] = p->events[i];
        copy[i].at = STEP * (steps += forward);
    }
    p->events = copy;
}

static void look(picture *p)
{
    for (int i = 0; i < p->count; i++) {
        const trace_event *e = &p->events[i];
        if (e->kind == TRACE_BEGIN)
            p->tracks++;
        if (e->kind != TRACE_VALUE)
            continue;
        int s = 0;
        while (s < p->series_count && strcmp(p->series[s], e->name) != 0)
            s++;
        if (s == p->series_count && s < SERIES)
            p->series[p->series_count++] = e->name;
    }
    p->total = p->events[p->count - 1].at ? p->events[p->count - 1].at : 1;
    p->rows = p->tracks - 1 < MOST_ROWS ? p->tracks - 1 : MOST_ROWS;
    p->row = height_of_rows(p->rows);
    p->executors = arena_alloc(p->b->arena, (size_t)p->tracks * sizeof *p->executors);
}

static void draw_span(picture *p, int track, const executor *l, uint32_t until)
{
    const double x = x_of(p, l->since), width = x_of(p, until) - x, gap = p->row > 8 ? 3 : .75;
    const double y = y_of(p, track) + gap, height = p->row - 2 * gap;
    buffer_printf(p->b, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>",
                  l->waiting ? "waits" : l->task ? "runs" : "works", x, y, width > 1.2 || l->waiting ? width : 1.2, height);
    buffer_html(p->b, text_of(l->name));
    buffer_text(p->b, l->waiting ? TEXT(" waits ") : l->task ? TEXT(" runs ") : TEXT(" takes "));
    write_ms(p->b, until - l->since);
    if (l->waiting && l->waits_for) {
        buffer_text(p->b, TEXT(" for "));
        buffer_html(p->b, text_of(l->waits_for));
    }
    buffer_text(p->b, TEXT("</title></rect>"));
    if (l->waiting && l->waits_for && has_words(p) && width > 40) {
        buffer_printf(p->b, "<text class=\"code\" x=\"%.1f\" y=\"%.1f\">", x + 6, y + height / 2 + 4);
        write_within(p, l->waits_for, width - 10, CODE_LETTER);
        buffer_text(p->b, TEXT("</text>"));
    }
    buffer_text(p->b, TEXT("\n"));
}

static void draw_wake(const picture *p, const trace_event *e)
{
    const double x = x_of(p, e->at), y = y_of(p, e->track);
    buffer_printf(p->b, "<path class=\"%s\" d=\"M%.1f %.1f v%.1f\"/>\n", e->value ? "wakes bad" : "wakes", x,
                  y + (p->row > 8 ? 1 : 0), p->row - (p->row > 8 ? 2 : 0));
}

static void draw_end(picture *p, const trace_event *e)
{
    if (!e->value)
        return;
    const double x = x_of(p, e->at), y = y_of(p, e->track) + p->row / 2;
    buffer_printf(p->b, "<path class=\"cross\" d=\"M%.1f %.1f l6 6 m0 -6 l-6 6\"/>", x + 3, y - 3);
    if (has_words(p)) {
        const char *word = outcome_word(e->value);
        const bool fits = x + 13 + (double)strlen(word) * LETTER < PICTURE_WIDTH;
        buffer_printf(p->b, "<text class=\"bad\" x=\"%.1f\" y=\"%.1f\"%s>", fits ? x + 13 : x - 4, y + 4,
                      fits ? "" : " text-anchor=\"end\"");
        buffer_html(p->b, text_of(word));
        buffer_text(p->b, TEXT("</text>"));
    }
    buffer_text(p->b, TEXT("\n"));
}

/* Low rows have one name for all that follow of the same. */
static void draw_name(picture *p, int track, const char *name)
{
    if (!has_words(p) && ((p->named && strcmp(p->named, name) == 0) || (track - p->named_at) * p->row < 16))
        return;
    p->named = name;
    p->named_at = track;
    buffer_printf(p->b, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", AXIS_LEFT - 10, y_of(p, track) + p->row / 2 + 4);
    write_within(p, name, AXIS_LEFT - 14, LETTER);
    buffer_text(p->b, TEXT("</text>"));
}

static void draw_mark(picture *p, const trace_event *e, int number)
{
    const double x = x_of(p, e->at), y = e->track ? y_of(p, e->track) + p->row / 2 : TOP - 4;
    buffer_printf(p->b, "<path class=\"mark\" d=\"M%.1f %.1f l5 5 l-5 5 l-5 -5 z\"><title>%d: ", x, y - 5, number);
    buffer_html(p->b, text_of(e->name));
    buffer_text(p->b, TEXT("</title></path>\n"));
    if (!p->in_order)
        return;
    const bool left = x > PICTURE_WIDTH * 5 / 8;
    buffer_printf(p->b, "<text x=\"%.1f\" y=\"%.1f\"%s>", left ? x - 10 : x + 10, y + 4, left ? " text-anchor=\"end\"" : "");
    buffer_html(p->b, text_of(e->name));
    buffer_text(p->b, TEXT("</text>\n"));
}

static void draw_marks(picture *p)
{
    int marks = 0;
    for (int i = 0; i < p->count; i++)
        if (p->events[i].kind == TRACE_MARK && ++marks && p->events[i].track <= p->rows)
            draw_mark(p, &p->events[i], marks);
}

static void draw_tracks(picture *p)
{
    for (int i = 0; i < p->count; i++) {
        const trace_event *e = &p->events[i];
        executor *l = &p->executors[e->track];
        if (e->track == 0 || e->track > p->rows || e->kind == TRACE_MARK || e->kind == TRACE_VALUE)
            continue;
        if (e->kind == TRACE_BEGIN) {
            *l = (executor){ .begun = e->at, .since = e->at, .name = e->name, .task = e->value,
                         .waiting = e->value, .waits_for = "its turn" };
            draw_name(p, e->track, e->name);
            continue;
        }
        if (!p->in_order)
            draw_span(p, e->track, l, e->at);
        if (e->kind == TRACE_WAKE)
            draw_wake(p, e);
        if (e->kind == TRACE_END)
            draw_end(p, e);
        l->since = e->at;
        l->waiting = e->kind == TRACE_AWAIT;
        l->waits_for = e->name;
    }
}

static void describe(picture *p)
{
    buffer_printf(p->b, "%d %s in ", p->tracks - 1, p->tracks == 2 ? "line" : "lines");
    write_ms(p->b, p->total);
    for (int i = 0; i < p->rows && i < 12; i++) {
        const executor *l = &p->executors[i + 1];
        buffer_text(p->b, i ? TEXT("; ") : TEXT(": "));
        buffer_html(p->b, text_of(l->name));
        buffer_text(p->b, TEXT(" from "));
        write_ms(p->b, l->begun);
        buffer_text(p->b, TEXT(" to "));
        write_ms(p->b, l->since);
    }
    buffer_text(p->b, TEXT("."));
}

static void write_legend(buffer *b)
{
    static const char *const KEYS[][2] = {
        { "runs", "a task runs" }, { "waits", "it waits" }, { "wakes", "it is woken" },
        { "works", "work elsewhere" }, { "mark", "a mark" },
    };
    buffer_text(b, TEXT("<figcaption>"));
    for (int i = 0; i < 5; i++)
        buffer_printf(b, "<span><i class=\"key %s\"></i>%s</span> ", KEYS[i][0], KEYS[i][1]);
    buffer_text(b, TEXT("</figcaption>\n"));
}

void write_timeline(buffer *b, const recording *r)
{
    picture p = { .b = b, .in_order = r->pattern->in_order, .events = trace_events(r->trace), .count = trace_count(r->trace), .named_at = -MOST_ROWS };
    if (p.in_order)
        put_in_order(&p);
    look(&p);
    const double plots = TOP + p.rows * p.row + 8, height = plots + p.series_count * PLOT + 4;

    buffer_printf(b, "<figure class=\"timeline\">\n<div class=\"scroll\" tabindex=\"0\">\n"
                     "<svg viewBox=\"0 0 %d %.0f\" role=\"img\" aria-labelledby=\"t-%s d-%s\">\n<title id=\"t-%s\">What ran when: ",
                  PICTURE_WIDTH, height, r->pattern->name, r->pattern->name, r->pattern->name);
    buffer_html(b, text_of(r->pattern->title));
    buffer_text(b, TEXT("</title>\n"));
    draw_axis(&p, height - 4);
    draw_tracks(&p);
    draw_marks(&p);
    for (int i = 0; i < p.series_count; i++)
        draw_series(&p, p.series[i], plots + i * PLOT);
    buffer_printf(b, "<desc id=\"d-%s\">", r->pattern->name);
    describe(&p);
    buffer_text(b, TEXT("</desc>\n</svg>\n</div>\n"));
    write_legend(b);
    buffer_text(b, TEXT("</figure>\n"));
    if (p.tracks - 1 > p.rows || trace_dropped(r->trace) > 0)
        buffer_printf(b, "<p class=\"meta\">The first %d lines are drawn.</p>\n", p.rows);
}
