/* gallery_result.c - what a run was, for people: its timeline, what it has made, its figures, and every event as a sentence,
 * which leads to its line of the source. A script goes through the events, and lights both. */
#include "gallery.h"
#include "server/executor/process/process_pool.h"
#include "server/base/overload/refusal.h"

enum { EVENTS = 400 };                       /* as many are listed */

const char *gallery_outcome_word(int outcome)
{
    if (refusal_is(outcome))
        return "no room";
    switch (outcome) {
    case 0:                return "";
    case UV_ECANCELED:     return "cancelled";
    case UV_ETIMEDOUT:     return "timed out";
    case ERR_UNCERTAIN:    return "may have happened, or not";
    case UV_ECONNRESET:    return "broke off";
    case UV_ECONNREFUSED:  return "refused";
    case UV_EAGAIN:        return "no room";
    case UV_EOF:           return "the end";
    case PROCESS_EDIED:    return "its process died";
    case DB_ESERIALIZATION:
    case DB_EDEADLOCK:     return "undone for another";
    case DB_EQUERY:        return "the database said no";
    case E_NOT_FOUND:      return "not found";
    default:               return uv_strerror(outcome);
    }
}

static void figure_write_value(buffer *b, const figure *f)
{
    char time[32];
    if (strcmp(f->unit, "us") == 0 && f->value >= 0 && f->value <= UINT32_MAX) {
        buffer_text(b, text_of(gallery_time(time, (uint32_t)f->value)));
    } else {
        buffer_int(b, f->value);
        buffer_text(b, TEXT(" "));
        buffer_html(b, text_of(f->unit));
    }
}

static void figure_write(buffer *b, const figure *f)
{
    buffer_text(b, TEXT("<div><dt>"));
    buffer_html(b, text_of(f->name));
    buffer_text(b, TEXT("</dt><dd>"));
    figure_write_value(b, f);
    buffer_text(b, TEXT("</dd></div>"));
}

static void result_write_figures(buffer *b, const recording *r)
{
    const figure took = { "took", "us", trace_events(r->trace)[trace_count(r->trace) - 1].at };
    buffer_text(b, TEXT("<dl class=\"figures\">"));
    figure_write(b, &took);
    for (const figure *f = r->run.figures; f < r->run.figures + r->run.figure_count; f++)
        figure_write(b, f);
    if (r->outcome) {
        buffer_text(b, TEXT("<div><dt>ended with</dt><dd>"));
        buffer_html(b, text_of(gallery_outcome_word(r->outcome)));
        buffer_text(b, TEXT("</dd></div>"));
    }
    buffer_text(b, TEXT("</dl>\n"));
}

/* of: which half; NULL: there is but one. */
static void result_write_marks(buffer *b, const recording *r, const char *of)
{
    const char **names = arena_alloc(b->arena, TRACE_TRACKS * sizeof *names);
    char time[32];
    int marks = 0;
    for (int i = 0; i < trace_count(r->trace) && marks < MARKS; i++) {
        const trace_event *e = &trace_events(r->trace)[i];
        if (e->kind == TRACE_BEGIN && e->track > 0)
            names[e->track] = e->name;
        if (e->kind != TRACE_MARK)
            continue;
        if (marks == 0 && of) {
            buffer_text(b, TEXT("<p class=\"meta\">Marks of \xe2\x80\x9c"));
            buffer_html(b, text_of(of));
            buffer_text(b, TEXT("\xe2\x80\x9d:</p>\n"));
        }
        buffer_text(b, marks++ == 0 ? TEXT("<ol class=\"marks\">\n<li>") : TEXT("<li>"));
        buffer_html(b, text_of(e->name));
        buffer_text(b, TEXT(" <span class=\"meta\">"));
        if (names[e->track]) {
            buffer_html(b, text_of(names[e->track]));
            buffer_text(b, TEXT(", "));
        }
        buffer_printf(b, "%s</span></li>\n", gallery_time(time, e->at));
    }
    if (marks > 0)
        buffer_text(b, TEXT("</ol>\n"));
}

static void event_write_outcome(buffer *b, int outcome)
{
    if (!outcome)
        return;
    buffer_text(b, TEXT(": "));
    buffer_html(b, text_of(gallery_outcome_word(outcome)));
}

/* who: whose track it is. first: it is the task's first turn. */
static void event_write_words(buffer *b, const trace_event *e, const char *who, bool first)
{
    char time[32];
    if (e->kind == TRACE_VALUE || e->kind == TRACE_TOOK) {
        buffer_html(b, text_of(e->name));
        if (e->kind == TRACE_VALUE)
            buffer_printf(b, " is now %d", e->value);
        else
            buffer_printf(b, " is answered, after %s", gallery_time(time, (uint32_t)e->value));
        return;
    }
    buffer_text(b, TEXT("\xe2\x80\x9c"));
    buffer_html(b, text_of(who));
    buffer_text(b, TEXT("\xe2\x80\x9d"));
    switch (e->kind) {
    case TRACE_BEGIN:
        buffer_text(b, e->value ? TEXT(" is started, and waits for its turn") : TEXT(" begins"));
        break;
    case TRACE_AWAIT:
        buffer_text(b, TEXT(" awaits <code>"));
        buffer_html(b, text_of(e->name ? e->name : "something"));
        buffer_text(b, TEXT("</code>"));
        break;
    case TRACE_WAKE:
        buffer_text(b, first ? TEXT(" has its turn") : e->value ? TEXT(" wakes") : TEXT(" wakes, and goes on"));
        event_write_outcome(b, e->value);
        break;
    case TRACE_MARK:
        buffer_text(b, TEXT(": "));
        buffer_html(b, text_of(e->name));
        break;
    default:
        buffer_text(b, e->value ? TEXT(" ends") : TEXT(" ends well"));
        event_write_outcome(b, e->value);
    }
}

static void event_write(buffer *b, const trace_event *e, int half, int line, const char *who, bool first)
{
    char time[32];
    buffer_printf(b, "<li data-track=\"%d.%d\" data-at=\"%u\"", half, e->track, e->at);
    if (line > 0)
        buffer_printf(b, " data-line=\"%d\"", line);
    buffer_printf(b, "><span class=\"meta\">%s</span> ", gallery_time(time, e->at));
    event_write_words(b, e, who, first);
    if (line > 0)
        buffer_printf(b, " <a href=\"#L%d\">line %d</a>", line, line);
    buffer_text(b, TEXT("</li>\n"));
}

typedef struct teller { const char *name; int line; bool had_turn; } teller;     /* of a track; line: where it awaited last */

static void result_write_events(buffer *b, const recording *r, int half, const char *of)
{
    teller *tellers = arena_alloc(b->arena, TRACE_TRACKS * sizeof *tellers);
    const int count = trace_count(r->trace);
    buffer_text(b, TEXT("<details class=\"events\"><summary>Every event"));
    if (of) {
        buffer_text(b, TEXT(" of \xe2\x80\x9c"));
        buffer_html(b, text_of(of));
        buffer_text(b, TEXT("\xe2\x80\x9d"));
    }
    buffer_printf(b, ": %d</summary>\n<ol>\n", count);
    for (int i = 0; i < count && i < EVENTS; i++) {
        const trace_event *e = &trace_events(r->trace)[i];
        teller *t = &tellers[e->track];
        if (e->kind == TRACE_BEGIN)
            *t = (teller){ .name = e->track == 0 ? "the run" : e->name };
        if (e->kind == TRACE_AWAIT)
            t->line = e->line;
        event_write(b, e, half, e->line ? e->line : e->kind == TRACE_WAKE ? t->line : 0, t->name, !t->had_turn);
        t->had_turn |= e->kind == TRACE_WAKE;
    }
    buffer_text(b, TEXT("</ol>\n"));
    if (count > EVENTS)
        buffer_printf(b, "<p class=\"meta\">These are the first %d; JSON has all.</p>\n", EVENTS);
    buffer_text(b, TEXT("</details>\n"));
}

static const figure *figure_called(const recording *r, const char *name)
{
    for (const figure *f = r->run.figures; f < r->run.figures + r->run.figure_count; f++)
        if (strcmp(f->name, name) == 0)
            return f;
    return NULL;
}

static void result_write_twin_figures(buffer *b, const recording *twins)
{
    buffer_text(b, TEXT("<table class=\"twins\"><caption>What somebody else had meanwhile, who asked every 10 ms</caption>\n"
                        "<thead><tr><td></td>"));
    for (int i = 0; i < 2; i++) {
        buffer_text(b, TEXT("<th scope=\"col\">"));
        buffer_html(b, text_of(twins[i].pattern->title));
        buffer_text(b, TEXT("</th>"));
    }
    buffer_text(b, TEXT("</tr></thead>\n<tbody>\n"));
    for (int k = 0; k < twins[0].run.figure_count; k++) {
        const char *name = twins[0].run.figures[k].name;
        buffer_text(b, TEXT("<tr><th scope=\"row\">"));
        buffer_html(b, text_of(name));
        buffer_text(b, TEXT("</th>"));
        for (int i = 0; i < 2; i++) {
            const figure *f = figure_called(&twins[i], name);
            buffer_text(b, TEXT("<td>"));
            if (f)
                figure_write_value(b, f);
            buffer_text(b, TEXT("</td>"));
        }
        buffer_text(b, TEXT("</tr>\n"));
    }
    buffer_text(b, TEXT("</tbody></table>\n"));
}

void result_write(buffer *b, const recording *r)
{
    const recording *parts = r->twins ? r->twins : r;
    buffer_text(b, TEXT("<div class=\"result\" aria-live=\"polite\">\n"));
    recording_draw(b, r);
    if (r->run.output.length > 0) {
        buffer_text(b, TEXT("<div class=\"output\">"));
        buffer_text(b, r->run.output);
        buffer_text(b, TEXT("</div>\n"));
    }
    if (r->twins)
        result_write_twin_figures(b, r->twins);
    else
        result_write_figures(b, r);
    for (int i = 0; i < (r->twins ? 2 : 1); i++) {
        const char *of = r->twins ? parts[i].pattern->title : NULL;
        if (!r->pattern->in_order)           /* else they are the picture */
            result_write_marks(b, &parts[i], of);
        result_write_events(b, &parts[i], i, of);
    }
    buffer_text(b, TEXT("<p class=\"meta\">Recorded while it ran. <code>curl -H 'Accept: application/json'</code> on this address"
                        " runs it too, and tells every event.</p>\n</div>\n"));
}
