/* gallery_json.c - a run as JSON:
 *
 *   {"pattern": "race", "mode": "async", "chosen": {"slow": "primary"}, "ran": true, "outcome": 0, "error": "",
 *    "took_us": 20144, "output": "<p>what it has made</p>",
 *    "figures": {"answers": {"value": 1, "unit": ""}},
 *    "events": [{"at": 12, "kind": "begin", "track": 1, "parent": 0, "task": true, "name": "race"},
 *               {"at": 15, "kind": "await", "track": 1, "for": "race(...)", "line": 14},
 *               {"at": 9000, "kind": "wake", "track": 1, "outcome": 0},
 *               {"at": 9002, "kind": "mark", "track": 1, "name": "first", "line": 16},
 *               {"at": 9003, "kind": "value", "track": 1, "name": "queue", "value": 3},
 *               {"at": 9004, "kind": "took", "track": 0, "name": "GET /healthz", "value": 412},
 *               {"at": 9010, "kind": "end", "track": 1, "outcome": 0}], "dropped": 0}
 *
 * Of a pitfall:
 *
 *   {"pattern": "pitfall-sleep", "mode": "async", "ran": true,
 *    "twins": [{"twin": "sleep-bad", "title": "The sleep blocks", "outcome": 0, ... as above}, {"twin": "sleep-good", ...}]}
 *
 * Times are microseconds since the run began; outcomes are 0 or libuv's negative codes. Track 0 is
 * the run as a whole. What is no task is work that went on elsewhere: at the database, in a thread. */
#include "gallery.h"
#include "server/async/loop.h"

static void json_write_event(buffer *b, const trace_event *e)
{
    static const char *const KINDS[] = {
        [TRACE_BEGIN] = "begin", [TRACE_END] = "end",   [TRACE_AWAIT] = "await",
        [TRACE_WAKE] = "wake",   [TRACE_MARK] = "mark", [TRACE_VALUE] = "value", [TRACE_TOOK] = "took",
    };
    buffer_printf(b, "{\"at\":%u,\"kind\":\"%s\",\"track\":%u", e->at, KINDS[e->kind], e->track);
    if (e->kind == TRACE_BEGIN && e->track != 0)
        buffer_printf(b, ",\"parent\":%u,\"task\":%s", e->other, e->value ? "true" : "false");
    if (e->kind == TRACE_END || e->kind == TRACE_WAKE)
        buffer_printf(b, ",\"outcome\":%d", e->value);
    if (e->name) {
        buffer_text(b, e->kind == TRACE_AWAIT ? TEXT(",\"for\":") : TEXT(",\"name\":"));
        buffer_json(b, text_of(e->name));
    }
    if (e->line > 0)
        buffer_printf(b, ",\"line\":%u", e->line);
    if (e->kind == TRACE_VALUE || e->kind == TRACE_TOOK)
        buffer_printf(b, ",\"value\":%d", e->value);
    buffer_text(b, TEXT("}"));
}

static void json_write_figures(buffer *b, const run *r)
{
    for (int i = 0; i < r->figure_count; i++) {
        const figure *f = &r->figures[i];
        buffer_text(b, i ? TEXT(",") : TEXT(""));
        buffer_json(b, text_of(f->name));
        buffer_printf(b, ":{\"value\":%lld,\"unit\":", (long long)f->value);
        buffer_json(b, text_of(f->unit));
        buffer_text(b, TEXT("}"));
    }
}

/* The members of one recording, from its outcome on. */
static void json_write_recorded(buffer *b, const recording *r)
{
    const int count = trace_count(r->trace);
    const trace_event *events = trace_events(r->trace);

    buffer_printf(b, ",\"outcome\":%d,\"error\":", r->outcome);
    buffer_json(b, text_of(gallery_outcome_word(r->outcome)));
    buffer_printf(b, ",\"took_us\":%u", events[count - 1].at);
    if (r->run.output.length > 0) {
        buffer_text(b, TEXT(",\"output\":"));
        buffer_json(b, r->run.output);
    }
    buffer_text(b, TEXT(",\"figures\":{"));
    json_write_figures(b, &r->run);
    buffer_text(b, TEXT("},\"events\":["));
    for (int i = 0; i < count; i++) {
        buffer_text(b, i ? TEXT(",\n") : TEXT(""));
        json_write_event(b, &events[i]);
    }
    buffer_printf(b, "],\"dropped\":%d}", trace_dropped(r->trace));
}

void recording_write_json(buffer *b, const recording *r)
{
    buffer_text(b, TEXT("{\"pattern\":"));
    buffer_json(b, text_of(r->pattern->name));
    buffer_printf(b, ",\"mode\":\"%s\"", loop_here() ? "async" : "threads");
    choices_write_chosen_json(b, r->pattern, r->run.chosen);
    buffer_text(b, TEXT(",\"ran\":true"));
    if (r->twins) {
        for (int i = 0; i < 2; i++) {
            buffer_text(b, i == 0 ? TEXT(",\"twins\":[{\"twin\":") : TEXT(",\n{\"twin\":"));
            buffer_json(b, text_of(r->twins[i].pattern->name));
            buffer_text(b, TEXT(",\"title\":"));
            buffer_json(b, text_of(r->twins[i].pattern->title));
            json_write_recorded(b, &r->twins[i]);
        }
        buffer_text(b, TEXT("]}"));
    } else {
        json_write_recorded(b, r);
    }
    buffer_text(b, TEXT("\n"));
}
