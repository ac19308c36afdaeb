/* advisor.c - GET /advisor: which model of concurrency suits each route, by what was measured since the start. */
#include "handlers/handlers.h"
#include "handlers/layout.h"
#include "handlers/site.h"
#include "places.h"
#include "usage.h"
#include "advice.h"
#include "waterfall.h"
#include "server/async/loop.h"

static const char HEAD[] = "<link rel=\"stylesheet\" href=\"/static/requests.css\">\n";

/* Where the time of a route's requests went: nanoseconds of all of them. */
typedef struct shares {
    uint64_t line, database, timers, sockets, files, others, computed, pooled;
} shares;

/* A route with its figures. */
typedef struct advised {
    const usage    *of;
    shares          shares;
    advice_figures figures;
    advice          verdict;
} advised;

/* In threads mode nobody measures what a thread computes: it is what is left. So it is of what answers at once. What is left of a
 * route that is estimated it may have waited or computed: such a handler is written to wait, so that is what it is taken for. */
static void shares_make(shares *s, const usage *u)
{
    const uint64_t runs = u->of[RECORD_RUN].ns, all = u->requests.ns;
    *s = (shares){ .line = u->of[RECORD_LINE].ns, .database = u->of[RECORD_DATABASE].ns, .timers = u->waits[USAGE_TIMERS],
                   .sockets = u->waits[USAGE_SOCKETS], .files = u->waits[USAGE_FILES], .others = u->waits[USAGE_OTHERS],
                   .pooled = u->of[RECORD_JOB].ns - u->of[RECORD_JOB].queued };
    const uint64_t known = s->line + s->database + s->timers + s->sockets + s->files + s->others + s->pooled;
    const uint64_t left = known < all ? all - known : 0;
    s->computed = runs > 0 ? runs : u->is_estimated ? 0 : left;
    s->others += u->is_estimated ? left : 0;
    if (!loop_here()) {                      /* there is no pool: its jobs run right there */
        s->computed += s->pooled;
        s->pooled = 0;
    }
}

static void advise(advised *a, const usage *u, uint64_t measured)
{
    a->of = u;
    shares_make(&a->shares, u);
    const shares *const s = &a->shares;
    a->figures = (advice_figures){ .requests = u->requests.count, .all = u->requests.ns, .computed = s->computed,
                                   .pooled = s->pooled,
                                    .waited = s->line + s->database + s->timers + s->sockets + s->files + s->others,
                                    .blocked = u->blocked.blocked, .measured = measured };
    a->verdict = advice_of(&a->figures);
}

/* What there was none of is left out. */
static void write_figure(buffer *b, const char *name, uint64_t ns, uint64_t requests)
{
    if (ns == 0)
        return;
    buffer_printf(b, "<div><dt>%s</dt><dd>", name);
    waterfall_ms(b, ns / requests);
    buffer_text(b, TEXT(" ms</dd></div>\n"));
}

/* An SVG, for the page may style nothing by itself. */
static void write_share(buffer *b, const shares *s)
{
    const struct { const char *class; uint64_t ns; } parts[] = {
        { "line", s->line }, { "query", s->database }, { "await", s->timers + s->sockets + s->files + s->others },
        { "runs", s->computed }, { "job", s->pooled },
    };
    uint64_t all = 1;
    double x = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        all += parts[i].ns;
    buffer_text(b, TEXT("<figure class=\"waterfall\"><svg width=\"100%\" height=\"12\" aria-hidden=\"true\">"));
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const double width = (double)parts[i].ns * 100 / (double)all;
        if (parts[i].ns > 0)
            buffer_printf(b, "<rect class=\"%s\" x=\"%.2f%%\" y=\"0\" width=\"%.2f%%\" height=\"12\"/>", parts[i].class, x,
                          width);
        x += width;
    }
    buffer_text(b, TEXT("</svg></figure>\n"));
}

static void write_places(buffer *b, const usage *u)
{
    if (!u->places[0].place)
        return;
    buffer_text(b, TEXT("<details><summary>Where it waits</summary>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
                        "aria-label=\"Awaits of "));
    buffer_html(b, text_of(u->route));
    buffer_text(b, TEXT("\"><table class=\"spans\"><thead><tr><th>await</th><th>where</th><th>times</th><th>mean, ms</th>"
                        "</tr></thead><tbody>\n"));
    for (int i = 0; i < RECORD_PLACES && u->places[i].place; i++) {
        const usage_place *const p = &u->places[i];
        const char *const name = place_name(p->place);
        buffer_printf(b, "<tr><th scope=\"row\">%s</th><td><span class=\"place\">", p->what);
        place_write(b, name);
        buffer_text(b, TEXT("</span><br><code>"));
        buffer_html(b, place_line(name));
        buffer_printf(b, "</code></td><td>%llu</td><td>", (unsigned long long)p->all.count);
        waterfall_ms(b, p->all.count ? p->all.ns / p->all.count : 0);
        buffer_text(b, TEXT("</td></tr>\n"));
    }
    buffer_text(b, TEXT("</tbody></table></div></details>\n"));
}

static void write_advice(buffer *b, const advised *a)
{
    const uint64_t n = a->figures.requests;
    const shares *const s = &a->shares;
    buffer_text(b, TEXT("<section class=\"advice\">\n<h2>"));
    buffer_html(b, text_of(a->of->route));
    buffer_printf(b, ": <span class=\"verdict\">%s</span></h2>\n<p>%s It rests on %llu %s: %s sure.</p>\n",
                  advice_name(a->verdict.word),
                  a->verdict.why, (unsigned long long)n, n == 1 ? "request" : "requests", a->verdict.sure);
    if (a->of->is_estimated)
        buffer_text(b, TEXT("<p class=\"note\">Its handler is no task, so of its steps only queries and jobs are measured. "
                            "What is left of its time is taken for waiting: <em>other waits</em> is an estimate, and what it "
                            "computes on the loop is in it.</p>\n"));
    write_share(b, s);
    buffer_text(b, TEXT("<dl class=\"figures\">\n"));
    write_figure(b, "mean", a->figures.all, n);
    write_figure(b, "in line", s->line, n);
    write_figure(b, "database", s->database, n);
    write_figure(b, "timers", s->timers, n);
    write_figure(b, "sockets", s->sockets, n);
    write_figure(b, "files", s->files, n);
    write_figure(b, "other waits", s->others, n);
    write_figure(b, loop_here() ? "computes on the loop" : "computes in its thread", s->computed, n);
    write_figure(b, "computes in the pool", s->pooled, n);
    buffer_printf(b, "<div><dt>blocked its loop</dt><dd>%llu times</dd></div>\n<div><dt>at once, on "
                     "average</dt><dd>%.2f</dd></div>\n"
                     "</dl>\n", (unsigned long long)a->figures.blocked, advice_at_once(&a->figures));
    write_places(b, a->of);
    buffer_text(b, TEXT("</section>\n"));
}

static void write_limits(buffer *b)
{
    buffer_text(b, TEXT("<h2>By which figures</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Limits\">"
                        "<table class=\"why\"><thead><tr><th>limit</th><th>value</th><th>why there</th></tr></thead><tbody>\n"));
    for (int i = 0; i < ADVICE_LIMIT_COUNT; i++)
        buffer_printf(b, "<tr><th scope=\"row\">%s</th><td>%g %s</td><td>%s</td></tr>\n", ADVICE_LIMITS[i].name,
                      ADVICE_LIMITS[i].value, ADVICE_LIMITS[i].unit, ADVICE_LIMITS[i].why);
    buffer_text(b, TEXT("</tbody></table></div>\n"));
}

/* For one's own code, in general. */
static void write_models(buffer *b)
{
    buffer_text(b, TEXT("<h2>When to use what</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"When "
                        "to use what\">"
                        "<table class=\"why\"><thead><tr><th>work that</th><th>model</th><th>why</th></tr></thead><tbody>\n"));
    for (int i = 0; i < ADVICE_MODEL_COUNT; i++) {
        const advice_model *const m = &ADVICE_MODELS[i];
        buffer_printf(b, "<tr><th scope=\"row\">%s</th><td class=\"verdict\">%s</td><td>%s</td></tr>\n", m->work,
                      m->model ? m->model : advice_name(m->word), m->why);
    }
    buffer_text(b, TEXT("</tbody></table></div>\n"));
}

static void advisor_as_html(buffer *b, const advised all[], int count, uint64_t since)
{
    layout_begin_with(b, TEXT("Advisor"), HEAD);
    buffer_printf(b, "<h1>Advisor</h1>\n<p class=\"lead\">Which model suits each route, by what its requests have done here "
                     "since the "
                     "start, in %s mode. <a href=\"/requests\">Slow requests</a> has single ones.</p>\n",
                  loop_here() ? "async" : "threads");
    if (!since)
        buffer_text(b, TEXT("<p class=\"note\">Nothing is recorded: [log] recorder is 0.</p>\n"));
    if (!loop_here())
        buffer_text(b, TEXT("<p class=\"note\">In this mode nobody measures what a thread computes: it is what is left of a "
                            "request's time when its waits are taken off.</p>\n"));
    buffer_text(b, TEXT("<p class=\"note\">Figures are a request's, on average. Websockets, events and streams last as long "
                        "as their "
                        "clients like, and are not judged.</p>\n<figure><figcaption><span><i class=\"key line\"></i>in "
                        "line</span> "
                        "<span><i class=\"key query\"></i>database</span> <span><i class=\"key await\"></i>timers, sockets, "
                        "files</span> "
                        "<span><i class=\"key runs\"></i>computes</span> <span><i class=\"key job\"></i>in the pool</span>"
                        "</figcaption></figure>\n"));
    for (int i = 0; i < count; i++)
        write_advice(b, &all[i]);
    write_models(b);
    write_limits(b);
    layout_end(b);
}

static void json_each(buffer *b, const char *key, uint64_t ns, uint64_t requests)
{
    buffer_printf(b, ",\"%s\":", key);
    waterfall_ms(b, ns / requests);
}

static void json_advice(buffer *b, const advised *a)
{
    const uint64_t n = a->figures.requests;
    const shares *const s = &a->shares;
    buffer_text(b, TEXT("{\"route\":"));
    buffer_json(b, text_of(a->of->route));
    buffer_printf(b, ",\"verdict\":\"%s\",\"why\":", advice_name(a->verdict.word));
    buffer_json(b, text_of(a->verdict.why));
    buffer_printf(b, ",\"sure\":\"%s\",\"requests\":%llu,\"estimated\":%s", a->verdict.sure, (unsigned long long)n,
                  a->of->is_estimated ? "[\"others_ms\"]" : "[]");
    json_each(b, "mean_ms", a->figures.all, n);
    json_each(b, "line_ms", s->line, n);
    json_each(b, "database_ms", s->database, n);
    json_each(b, "timers_ms", s->timers, n);
    json_each(b, "sockets_ms", s->sockets, n);
    json_each(b, "files_ms", s->files, n);
    json_each(b, "others_ms", s->others, n);
    json_each(b, "computed_ms", s->computed, n);
    json_each(b, "pooled_ms", s->pooled, n);
    buffer_printf(b, ",\"blocked\":%llu,\"at_once\":%.3f,\"awaits\":[", (unsigned long long)a->figures.blocked,
                  advice_at_once(&a->figures));
    for (int i = 0; i < RECORD_PLACES && a->of->places[i].place; i++) {
        const usage_place *const p = &a->of->places[i];
        buffer_printf(b, "%s{\"for\":\"%s\",\"place\":", i ? "," : "", p->what);
        buffer_json(b, text_of(place_name(p->place)));
        buffer_printf(b, ",\"times\":%llu", (unsigned long long)p->all.count);
        json_each(b, "mean_ms", p->all.ns, p->all.count ? p->all.count : 1);
        buffer_text(b, TEXT("}"));
    }
    buffer_text(b, TEXT("]}"));
}

static void advisor_as_json(buffer *b, const advised all[], int count, uint64_t measured)
{
    buffer_printf(b, "{\"mode\":\"%s\",\"measured_ms\":", loop_here() ? "async" : "threads");
    waterfall_ms(b, measured);
    buffer_text(b, TEXT(",\"routes\":["));
    for (int i = 0; i < count; i++) {
        buffer_text(b, i ? TEXT(",") : TEXT(""));
        json_advice(b, &all[i]);
    }
    buffer_text(b, TEXT("],\"limits\":["));
    for (int i = 0; i < ADVICE_LIMIT_COUNT; i++) {
        buffer_printf(b, "%s{\"name\":\"%s\",\"value\":%g,\"unit\":", i ? "," : "", ADVICE_LIMITS[i].name,
                      ADVICE_LIMITS[i].value);
        buffer_json(b, text_of(ADVICE_LIMITS[i].unit));
        buffer_text(b, TEXT(",\"why\":"));
        buffer_json(b, text_of(ADVICE_LIMITS[i].why));
        buffer_text(b, TEXT("}"));
    }
    buffer_text(b, TEXT("]}\n"));
}

async int advisor(request *req)
{
    arena *const a = request_arena(req);
    usage *used;
    uint64_t since;
    buffer b;
    const int count = usage_read(a, &used, &since);
    const uint64_t measured = since ? uv_hrtime() - since : 0;
    advised *const all = arena_alloc(a, (size_t)(count + 1) * sizeof *all);
    int32_t *const values = arena_alloc(a, (size_t)(count * RECORD_PLACES + 1) * sizeof *values);
    places_wanted wanted = { 0, values };
    for (int i = 0; i < count; i++) {
        advise(&all[i], &used[i], measured);
        for (int p = 0; p < RECORD_PLACES && used[i].places[p].place; p++)
            values[wanted.count++] = used[i].places[p].place;
    }
    const int err = await(places_learn(&wanted));
    if (err)
        return err;
    const bool json = request_prefers_json(req);
    buffer_init(&b, a);
    if (json)
        advisor_as_json(&b, all, count, measured);
    else
        advisor_as_html(&b, all, count, since);
    respond_header(req, "Cache-Control", "no-store");
    return json ? respond_json(req, 200, buffer_all(&b)) : respond_html(req, 200, buffer_all(&b));
}
