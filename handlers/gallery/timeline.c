/* timeline.c - a recording as a picture: a row for each track, time to the right.
 *
 *     task | ##.....................##.....####         it ran # and waited .; a tick where it woke
 *     work |   ===================== x cancelled         elsewhere; how it ended, if not well
 *
 * and below them, as steps, whatever was plotted. Where a pattern is about the order of things and not
 * about their time, each mark takes one step to the right. Colours are the style sheet's, by class, so
 * that the picture is light or dark as its page is. */
#include "gallery.h"

#include <stdio.h>

enum {
    PICTURE_WIDTH = 960,
    AXIS_LEFT = 186, AXIS_END = 870,         /* of the time's axis; more of the picture is behind it */
    TOP = 26,                                /* the axis' own height */
    PLOT = 74,                               /* height of one plotted value, with its name */
    PLOT_TOP = 24,                           /* of that, for the name */
    MOST_ROWS = 120,
    SERIES = 6,                              /* values that are plotted, at most */
    STEP = 1000,                             /* microseconds that stand for one step of an order */
};

static const double LETTER = 7.2, CODE_LETTER = 6.2;         /* widths of one: of names, of source */

typedef struct drawn {                       /* a track, as far as the events have been read */
    uint32_t    begun, since;                /* since: it has run, or waited */
    const char *name, *waits_for;
    bool        task, waiting;
} drawn;

typedef struct picture {                     /* what a timeline is drawn on */
    buffer            *b;
    bool               in_order;             /* the axis counts steps */
    const trace_event *events;
    int                count;
    uint32_t           total;                /* microseconds */
    int                tracks, rows;         /* there are; are drawn */
    double             row;                  /* height of one */
    const char        *series[SERIES];       /* names of values */
    int                series_count;
    drawn             *drawn;                /* by track */
    const char        *named;                /* the track's that got its name last */
    int                named_at;
} picture;

static double x_of(const picture *p, uint32_t at)
{
    return AXIS_LEFT + (double)at * (AXIS_END - AXIS_LEFT) / p->total;
}

static double y_of(const picture *p, int track) { return TOP + (track - 1) * p->row; }
static bool has_words(const picture *p) { return p->row >= 18; }

static void write_within(picture *p, const char *s, double width, double letter)
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

static void write_ms(buffer *b, uint32_t us)
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
    p->row = p->rows <= 14 ? 28 : p->rows <= 30 ? 18 : p->rows <= 60 ? 10 : 5;
    p->drawn = arena_alloc(p->b->arena, (size_t)p->tracks * sizeof *p->drawn);
}

static void draw_span(picture *p, int track, const drawn *d, uint32_t until)
{
    const double x = x_of(p, d->since), width = x_of(p, until) - x, gap = p->row > 8 ? 3 : .75;
    const double y = y_of(p, track) + gap, height = p->row - 2 * gap;
    buffer_printf(p->b, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>",
                  d->waiting ? "waits" : d->task ? "runs" : "works", x, y, width > 1.2 || d->waiting ? width : 1.2, height);
    buffer_html(p->b, text_of(d->name));
    buffer_text(p->b, d->waiting ? TEXT(" waits ") : d->task ? TEXT(" runs ") : TEXT(" takes "));
    write_ms(p->b, until - d->since);
    if (d->waiting && d->waits_for) {
        buffer_text(p->b, TEXT(" for "));
        buffer_html(p->b, text_of(d->waits_for));
    }
    buffer_text(p->b, TEXT("</title></rect>"));
    if (d->waiting && d->waits_for && has_words(p) && width > 40) {
        buffer_printf(p->b, "<text class=\"code\" x=\"%.1f\" y=\"%.1f\">", x + 6, y + height / 2 + 4);
        write_within(p, d->waits_for, width - 10, CODE_LETTER);
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
        const char *word = gallery_outcome_word(e->value);
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
    const bool left = x > PICTURE_WIDTH * 5.0 / 8;
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
        drawn *d = &p->drawn[e->track];
        if (e->track == 0 || e->track > p->rows || e->kind == TRACE_MARK || e->kind == TRACE_VALUE)
            continue;
        if (e->kind == TRACE_BEGIN) {
            *d = (drawn){ .begun = e->at, .since = e->at, .name = e->name, .task = e->value,
                         .waiting = e->value, .waits_for = "its turn" };
            draw_name(p, e->track, e->name);
            continue;
        }
        if (!p->in_order)
            draw_span(p, e->track, d, e->at);
        if (e->kind == TRACE_WAKE)
            draw_wake(p, e);
        if (e->kind == TRACE_END)
            draw_end(p, e);
        d->since = e->at;
        d->waiting = e->kind == TRACE_AWAIT;
        d->waits_for = e->name;
    }
}

/* 1, 2 or 5 of a power of ten, at most eight of them. */
static uint32_t step_of_axis(uint32_t total)
{
    for (uint64_t ten = 1;; ten *= 10)
        for (int i = 0; i < 3; i++)
            if ((const uint64_t[]){ 1, 2, 5 }[i] * ten * 8 >= total)
                return (uint32_t)((const uint64_t[]){ 1, 2, 5 }[i] * ten);
}

static void draw_axis(picture *p, double bottom)
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

static void draw_series(picture *p, const char *name, double top)
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

static void describe(picture *p)
{
    buffer_printf(p->b, "%d %s in ", p->tracks - 1, p->tracks == 2 ? "line" : "lines");
    write_ms(p->b, p->total);
    for (int i = 0; i < p->rows && i < 12; i++) {
        const drawn *d = &p->drawn[i + 1];
        buffer_text(p->b, i ? TEXT("; ") : TEXT(": "));
        buffer_html(p->b, text_of(d->name));
        buffer_text(p->b, TEXT(" from "));
        write_ms(p->b, d->begun);
        buffer_text(p->b, TEXT(" to "));
        write_ms(p->b, d->since);
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

void recording_draw(buffer *b, const recording *r)
{
    picture p = {
        .b = b, .in_order = r->pattern->in_order, .events = trace_events(r->trace), .count = trace_count(r->trace),
        .named_at = -MOST_ROWS,
    };
    if (p.in_order)
        put_in_order(&p);
    look(&p);
    const double plots = TOP + p.rows * p.row + 8, height = plots + p.series_count * PLOT + 4;

    buffer_printf(b, "<figure class=\"timeline\">\n<div class=\"scroll\" tabindex=\"0\">\n"
                     "<svg viewBox=\"0 0 %d %.0f\" role=\"img\" aria-labelledby=\"t-%s d-%s\">\n"
                     "<title id=\"t-%s\">What ran when: ",
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
