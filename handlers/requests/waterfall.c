/* waterfall.c - see waterfall.h: the rows, and all ways to tell of them but the drawing. */
#include "waterfall.h"
#include "places.h"
#include "handlers/gallery/gallery.h"
#include "server/async/label.h"

#include <string.h>

static const char *const WORDS[WATERFALL_KINDS] = {
    [WATERFALL_WHOLE] = "handler", [WATERFALL_LINE] = "line",   [WATERFALL_RUNS] = "runs",   [WATERFALL_AWAIT] = "await",
    [WATERFALL_QUERY] = "query",   [WATERFALL_JOB]  = "job",    [WATERFALL_WRITE] = "write",
};

const char *waterfall_word(waterfall_kind kind) { return WORDS[kind]; }

static bool kind_of(const record *e, waterfall_kind *kind)
{
    switch (e->kind) {
    case RECORD_LINE:   *kind = WATERFALL_LINE;  return true;
    case RECORD_RUN:    *kind = WATERFALL_RUNS;  return true;
    case RECORD_WAITED: *kind = WATERFALL_AWAIT; return true;
    case RECORD_QUERY:  *kind = WATERFALL_QUERY; return true;
    case RECORD_JOB:    *kind = WATERFALL_JOB;   return true;
    default:            return false;
    }
}

/* Which row a span goes on with: one of the same that is over by then. */
static waterfall_row *row_for(waterfall *w, waterfall_kind kind, const char *what, int32_t number, uint64_t since)
{
    for (waterfall_row *r = w->rows; r < w->rows + w->row_count; r++)
        if (r->kind == kind && r->what == what && r->number == number && r->end <= since)
            return r;
    waterfall_row *const r = &w->rows[w->row_count++];
    *r = (waterfall_row){ .kind = kind, .what = what, .number = number, .since = since,
                          .place = kind == WATERFALL_AWAIT ? place_name(number) : "" };
    return r;
}

static void span_add(waterfall *w, waterfall_kind kind, const char *what, int32_t number, waterfall_span span, int outcome)
{
    waterfall_row *const r = row_for(w, kind, what, number, span.since);
    r->count++;
    r->outcome = outcome ? outcome : r->outcome;
    r->end = span.end;
    r->total += span.end - span.since;
    r->queued += span.began - span.since;
    span.row = (int)(r - w->rows);
    w->spans[w->span_count++] = span;
    w->end = span.end > w->end ? span.end : w->end;
}

void waterfall_make(waterfall *w, const slow_request *r)
{
    waterfall_kind kind;
    w->of = r;
    w->end = 1;
    w->row_count = w->span_count = 0;
    span_add(w, WATERFALL_WHOLE, label_name(r->label), 0, (waterfall_span){ 0, 0, r->took, 0 }, r->outcome);
    for (int i = 0; i < r->count; i++) {
        const record *const e = &r->spans[i];
        if (!kind_of(e, &kind))
            continue;
        const bool numbered = kind == WATERFALL_AWAIT || kind == WATERFALL_RUNS;
        const bool queues = kind == WATERFALL_QUERY || kind == WATERFALL_JOB;
        const uint64_t queued = queues ? (e->end - e->since) / 255 * e->lane : 0;
        span_add(w, kind, record_what(e), numbered ? e->value : 0, (waterfall_span){ e->since, e->since + queued, e->end, 0 },
                 queues ? e->value : 0);
    }
    if (r->wrote != SLOWEST_WRITING)
        span_add(w, WATERFALL_WRITE, "the answer", 0, (waterfall_span){ r->took, r->took, r->took + r->wrote, 0 }, 0);
}

void waterfall_ms(buffer *b, uint64_t ns)
{
    const uint64_t us = (ns + 500) / 1000;
    buffer_printf(b, "%llu.%03llu", (unsigned long long)(us / 1000), (unsigned long long)(us % 1000));
}

static void cell_ms(buffer *b, uint64_t ns)
{
    buffer_text(b, TEXT("<td>"));
    waterfall_ms(b, ns);
    buffer_text(b, TEXT("</td>"));
}

static void row_write_where(buffer *b, const waterfall_row *r)
{
    const text line = place_line(r->place);
    buffer_html(b, text_of(r->what));
    if (r->count > 1)
        buffer_printf(b, ", %d times", r->count);
    if (r->outcome) {
        buffer_text(b, TEXT(": "));
        buffer_html(b, text_of(gallery_outcome_word(r->outcome)));
    }
    if (*r->place) {
        buffer_text(b, TEXT("<br><span class=\"place\">"));
        place_write(b, r->place);
        buffer_text(b, TEXT("</span>"));
    }
    if (line.length > 0) {
        buffer_text(b, TEXT("<br><code>"));
        buffer_html(b, line);
        buffer_text(b, TEXT("</code>"));
    }
}

void waterfall_table(buffer *b, const waterfall *w)
{
    buffer_printf(b, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Request %llu as a table\">\n"
                     "<table class=\"spans\"><thead><tr><th>what</th><th>which</th><th>from, ms</th><th>for, ms</th>"
                     "<th>of which queued</th></tr></thead><tbody>\n", (unsigned long long)w->of->id);
    for (const waterfall_row *r = w->rows; r < w->rows + w->row_count; r++) {
        buffer_printf(b, "<tr><th scope=\"row\">%s</th><td>", WORDS[r->kind]);
        row_write_where(b, r);
        buffer_text(b, TEXT("</td>"));
        cell_ms(b, r->since);
        cell_ms(b, r->total);
        if (r->kind == WATERFALL_QUERY || r->kind == WATERFALL_JOB)
            cell_ms(b, r->queued);
        else
            buffer_text(b, TEXT("<td></td>"));
        buffer_text(b, TEXT("</tr>\n"));
    }
    buffer_text(b, TEXT("</tbody></table></div>\n"));
}

static void json_ms(buffer *b, const char *key, uint64_t ns)
{
    buffer_printf(b, ",\"%s\":", key);
    waterfall_ms(b, ns);
}

static void json_text(buffer *b, const char *key, text t)
{
    buffer_printf(b, ",\"%s\":", key);
    buffer_json(b, t);
}

static void json_spans(buffer *b, const waterfall *w, int row)
{
    const char *comma = "";
    buffer_text(b, TEXT(",\"spans\":["));
    for (const waterfall_span *s = w->spans; s < w->spans + w->span_count; s++) {
        if (s->row != row)
            continue;
        buffer_printf(b, "%s{\"from_ms\":", comma);
        waterfall_ms(b, s->since);
        json_ms(b, "queued_ms", s->began - s->since);
        json_ms(b, "ms", s->end - s->since);
        buffer_text(b, TEXT("}"));
        comma = ",";
    }
    buffer_text(b, TEXT("]}"));
}

void waterfall_json(buffer *b, const waterfall *w)
{
    const slow_request *const of = w->of;
    buffer_printf(b, "{\"id\":%llu,\"at\":%lld", (unsigned long long)of->id, (long long)of->at);
    json_text(b, "route", text_of(label_name(of->label)));
    json_ms(b, "took_ms", of->took);
    if (of->wrote == SLOWEST_WRITING)
        buffer_text(b, TEXT(",\"wrote_ms\":null"));
    else
        json_ms(b, "wrote_ms", of->wrote);
    buffer_printf(b, ",\"outcome\":%d,\"thread\":%d,\"partial\":%s,\"left_out\":%d,\"rows\":[", of->outcome, (int)of->thread,
                  of->partial ? "true" : "false", of->left_out);
    for (int i = 0; i < w->row_count; i++) {
        const waterfall_row *const r = &w->rows[i];
        buffer_printf(b, "%s{\"kind\":\"%s\"", i ? "," : "", WORDS[r->kind]);
        json_text(b, "what", text_of(r->what));
        json_text(b, "place", text_of(r->place));
        json_text(b, "source", place_line(r->place));
        buffer_printf(b, ",\"outcome\":%d", r->outcome);
        json_ms(b, "total_ms", r->total);
        json_spans(b, w, i);
    }
    buffer_text(b, TEXT("]}"));
}
