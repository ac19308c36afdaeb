/* loop_ring.c - see loop.h: the circle of phases, and the turns that were seen, for a page without scripts; with them, loop.js
 * goes on with the same picture.
 *
 *             timers | pending
 *        closing             idle
 *        check             prepare
 *              ---- poll ----
 *
 * Colours are the style sheet's, by class. */
#include "loop.h"
#include "server/async/observe/loop_events.h"

enum { MIDDLE_X = 240, MIDDLE_Y = 180, RADIUS = 118, NAME_RADIUS = 150, MOST_ROWS = 60 };

/* The middle of each, clockwise from the top in degrees, with its sine and cosine, and from where its name is written. The loop
 * spends its time in poll, so that has a third of the circle; the others have 40 degrees each. */
static const struct { int angle; double sine, cosine; const char *anchor; } PLACES[LOOP_PHASES] = {
    { -20, -0.3420, 0.9397, "end" },
    { 20, 0.3420, 0.9397, "start" },
    { 60, 0.8660, 0.5000, "start" },
    { 100, 0.9848, -0.1736, "start" },
    { 180, 0.0000, -1.0000, "middle" },
    { 260, -0.9848, -0.1736, "end" },
    { 300, -0.8660, 0.5000, "end" },
};

static double ring_x(int phase, double radius) { return MIDDLE_X + radius * PLACES[phase].sine; }
static double ring_y(int phase, double radius) { return MIDDLE_Y - radius * PLACES[phase].cosine; }

/* An arc at the top, turned to its place. */
static void draw_phase(buffer *b, int phase, bool lit, int calls)
{
    const bool poll = phase == LOOP_POLL;
    const double sine = poll ? 0.8526 : 0.3173, cosine = poll ? 0.5225 : 0.9483;     /* of half of it, less a gap */
    buffer_printf(b, "<g class=\"phase%s\" data-phase=\"%s\"><path class=\"arc\" transform=\"rotate(%d %d %d)\""
                     " d=\"M%.1f %.1f A%d %d 0 0 1 %.1f %.1f\"/>",
                  lit ? " lit" : "", LOOP_PHASE_NAMES[phase], PLACES[phase].angle, MIDDLE_X, MIDDLE_Y, MIDDLE_X - RADIUS * sine,
                  MIDDLE_Y - RADIUS * cosine, RADIUS, RADIUS, MIDDLE_X + RADIUS * sine, MIDDLE_Y - RADIUS * cosine);
    buffer_printf(b, "<text class=\"name\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>"
                     "<text class=\"calls\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">",
                  ring_x(phase, NAME_RADIUS), ring_y(phase, NAME_RADIUS) + (poll ? 12 : 5), PLACES[phase].anchor,
                  LOOP_PHASE_NAMES[phase], ring_x(phase, RADIUS), ring_y(phase, RADIUS) + 5);
    if (calls > 0)
        buffer_int(b, calls);
    buffer_text(b, TEXT("</text></g>\n"));
}

static bool event_is_call(const loop_event *e)
{
    return e->kind == RECORD_CALLBACK || e->kind == RECORD_TIMER_RAN || e->kind == RECORD_READY_RAN;
}

/* Of the last turn: the calls in each phase. What a list has runs in the phase that goes on. */
static int count_calls(const loop_view *v, int calls[LOOP_PHASES])
{
    int phase = LOOP_POLL;
    for (int i = 0; v && i < v->count; i++) {
        const loop_event *const e = &v->events[i];
        if (e->turn != v->events[v->count - 1].turn)
            continue;
        if (e->kind == RECORD_PHASE)
            phase = (int)e->value;
        calls[phase] += event_is_call(e);
    }
    return phase;
}

void loop_draw_ring(buffer *b, const loop_view *v)
{
    int calls[LOOP_PHASES] = { 0 };
    const int last = count_calls(v, calls);
    const bool seen = v && v->count > 0;
    buffer_text(b, TEXT("<svg class=\"ring\" viewBox=\"0 0 480 360\" role=\"img\" aria-labelledby=\"ring-title\">\n"
                        "<title id=\"ring-title\">The phases of a turn, clockwise: timers, pending, idle, prepare, poll, check,"
                        " closing</title>\n"));
    for (int phase = 0; phase < LOOP_PHASES; phase++)
        draw_phase(b, phase, seen && phase == last, calls[phase]);
    buffer_text(b, TEXT("<path class=\"way\" d=\"M198 107.3 A84 84 0 0 1 282 107.3 m-11 -1 l11 1 l-4 -10\"/>\n"));
    buffer_printf(b, "<g text-anchor=\"middle\"><text class=\"turn\" x=\"%d\" y=\"%d\" id=\"ring-turn\">", MIDDLE_X,
                  MIDDLE_Y - 16);
    if (seen)
        buffer_printf(b, "turn %lld", (long long)v->events[v->count - 1].turn);
    buffer_printf(b, "</text><text class=\"what\" x=\"%d\" y=\"%d\" id=\"ring-what\">%s</text>"
                     "<text class=\"time\" x=\"%d\" y=\"%d\" id=\"ring-time\"></text></g>\n</svg>\n",
                  MIDDLE_X, MIDDLE_Y + 8, seen ? LOOP_PHASE_NAMES[last] : "nothing seen", MIDDLE_X, MIDDLE_Y + 30);
}

static const char *event_detail(const loop_event *e)
{
    switch (e->kind) {
    case RECORD_PHASE:
    case RECORD_CALLBACK:    return LOOP_PHASE_NAMES[e->value];
    case RECORD_READY_ADDED:
    case RECORD_READY_RAN:   return LOOP_LIST_NAMES[e->value];
    default:                 return "";
    }
}

static void write_row(buffer *b, const loop_event *e, bool begins)
{
    buffer_printf(b, "<tr%s><td class=\"number\">%lld</td><td>%s %s</td><td>", begins ? " class=\"begins\"" : "",
                  (long long)e->turn, loop_event_kind(e->kind), event_detail(e));
    buffer_html(b, text_of(e->name ? e->name : ""));
    if (e->place) {
        buffer_text(b, TEXT(" <small>"));
        buffer_html(b, text_of(e->place));
        buffer_text(b, TEXT("</small>"));
    }
    buffer_text(b, TEXT("</td><td>"));
    buffer_html(b, text_of(e->whom ? e->whom : ""));
    buffer_text(b, TEXT("</td><td class=\"number\">"));
    if (e->took)
        buffer_printf(b, "%.1f", (double)e->took / 1000);
    buffer_text(b, TEXT("</td></tr>\n"));
}

void loop_draw_turns(buffer *b, const loop_view *v)
{
    const int first = v->count > MOST_ROWS ? v->count - MOST_ROWS : 0;
    buffer_text(b, TEXT("<table class=\"turns\"><thead><tr><th>turn</th><th>what</th><th>which</th><th>for</th><th>us</th></tr>"
                        "</thead>\n<tbody>\n"));
    for (int i = first; i < v->count; i++)
        write_row(b, &v->events[i], i == first || v->events[i].turn != v->events[i - 1].turn);
    buffer_text(b, TEXT("</tbody></table>\n"));
}
