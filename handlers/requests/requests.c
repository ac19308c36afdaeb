/* requests.c - GET /requests: the slowest requests of each route; with ?route=, of one, drawn. GET /requests/:id: one of them. */
#include "handlers/handlers.h"
#include "handlers/layout.h"
#include "handlers/site.h"
#include "places.h"
#include "usage.h"
#include "waterfall.h"
#include "server/async/loop.h"

#include <ctype.h>
#include <stdlib.h>

static const char HEAD[] = "<link rel=\"stylesheet\" href=\"/static/requests.css\">\n";

/* A route, and the slowest of its requests. */
typedef struct kept_route {
    usage        of;
    int          count;
    slow_request slowest[SLOWEST_KEPT];
} kept_route;

static int by_slowest(const void *a, const void *b)
{
    const kept_route *const x = *(kept_route *const *)a, *const y = *(kept_route *const *)b;
    return (x->slowest[0].took < y->slowest[0].took) - (x->slowest[0].took > y->slowest[0].took);
}

/* Those of which any is kept, the route with the slowest one first; only that one if route is not "". */
static int routes_read(request *req, kept_route ***all, text route, bool *recorded)
{
    usage *used;
    uint64_t since;
    int count = 0;
    arena *const a = request_arena(req);
    const int used_count = usage_read(a, &used, &since);
    *recorded = since > 0;
    *all = arena_alloc(a, (size_t)(used_count + 1) * sizeof **all);
    for (int i = 0; i < used_count; i++) {
        if (route.length > 0 && !text_equal(route, text_of(used[i].route)))
            continue;
        kept_route *const k = (*all)[count] = arena_room(a, sizeof *k);
        k->of = used[i];
        k->count = slowest_of(used[i].label, k->slowest);
        count += k->count > 0;
    }
    qsort(*all, (size_t)count, sizeof **all, by_slowest);
    return count;
}

static MUST_AWAIT promise *places_of(arena *a, const slow_request requests[], int count)
{
    places_wanted *const w = arena_alloc(a, sizeof *w);
    int32_t *const values = arena_alloc(a, (size_t)(count * SLOWEST_SPANS + 1) * sizeof *values);
    w->values = values;
    for (int i = 0; i < count; i++)
        for (int s = 0; s < requests[i].count; s++)
            if (requests[i].spans[s].kind == RECORD_WAITED)
                values[w->count++] = requests[i].spans[s].value;
    return promise_named(places_learn(w));
}

static waterfall *waterfall_of(arena *a, const slow_request *r)
{
    waterfall *const w = arena_alloc(a, sizeof *w);
    waterfall_make(w, r);
    return w;
}

static void write_age(buffer *b, const slow_request *r)
{
    const uint64_t now = uv_hrtime(), ago = now > r->ended ? (now - r->ended) / 1000000000 : 0;
    buffer_printf(b, ago < 120 ? "%llu s ago" : "%llu min ago", (unsigned long long)(ago < 120 ? ago : ago / 60));
}

static void write_notes(buffer *b, const slow_request *r)
{
    if (r->partial)
        buffer_text(b, TEXT("<p class=\"note\">The recorder had already forgotten its beginning: more happened than a ring of "
                            "[log] recorder bytes holds, so what came first is missing here.</p>\n"));
    if (r->left_out > 0)
        buffer_printf(b, "<p class=\"note\">%d shorter steps are left out.</p>\n", r->left_out);
    if (r->wrote == SLOWEST_WRITING)
        buffer_text(b, TEXT("<p class=\"note\">Its answer was not written when this was read, or its client had gone.</p>\n"));
}

/* What its drawing cannot have. */
static void write_measured(buffer *b, label of)
{
    if (usage_is_estimated(of))
        buffer_text(b, TEXT("<p class=\"note\">Its handler returns a promise, or calls back: it is no task. Measured are the "
                            "whole of it, its queries and jobs, how long it was in line, and the writing. When it ran on the "
                            "loop, and what else it waited for, is not recorded: that is the time between.</p>\n"));
}

static void write_request(buffer *b, const slow_request *r, const waterfall *w, const char *heading)
{
    buffer_printf(b, "<%s><a href=\"/requests/%llu\">", heading, (unsigned long long)r->id);
    waterfall_ms(b, r->took);
    buffer_text(b, TEXT(" ms</a> <small>"));
    write_age(b, r);
    buffer_printf(b, "</small></%s>\n", heading);
    waterfall_draw(b, w);
    write_notes(b, r);
    buffer_text(b, TEXT("<details><summary>As a table, with the lines of the source</summary>\n"));
    waterfall_table(b, w);
    buffer_text(b, TEXT("</details>\n"));
}

static void write_route_link(buffer *b, const char *route)
{
    buffer_text(b, TEXT("<a href=\"/requests?route="));
    for (const char *at = route; *at; at++)
        if (*at == ' ')
            buffer_text(b, TEXT("+"));
        else
            buffer_printf(b, isalpha((unsigned char)*at) || *at == '/' || *at == '.' ? "%c" : "%%%02X", (unsigned char)*at);
    buffer_text(b, TEXT("\">"));
    buffer_html(b, text_of(route));
    buffer_text(b, TEXT("</a>"));
}

static void index_as_html(buffer *b, kept_route *const all[], int count, bool recorded)
{
    buffer_text(b, TEXT("<h1>Slow requests</h1>\n<p class=\"lead\">Of each route the slowest requests of the last ten "
                        "minutes, and "
                        "what each of them did: where it waited, for what, and what took the time. "
                        "<a href=\"/advisor\">The advisor</a> says what that means for the route.</p>\n"));
    if (!recorded)
        buffer_text(b, TEXT("<p class=\"note\">Nothing is recorded: [log] recorder is 0.</p>\n"));
    else if (count == 0)
        buffer_text(b, TEXT("<p class=\"note\">No request has ended yet. Ask for a page, and come back.</p>\n"));
    if (count == 0)
        return;
    buffer_text(b, TEXT("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Routes\">\n<table "
                        "class=\"routes\"><thead><tr>"
                        "<th>route</th><th>requests</th><th>mean, ms</th><th>the slowest, ms</th></tr></thead><tbody>\n"));
    for (int i = 0; i < count; i++) {
        const kept_route *const k = all[i];
        buffer_text(b, TEXT("<tr><th scope=\"row\">"));
        write_route_link(b, k->of.route);
        buffer_printf(b, "</th><td>%llu</td><td>", (unsigned long long)k->of.requests.count);
        waterfall_ms(b, k->of.requests.ns / k->of.requests.count);
        buffer_text(b, TEXT("</td><td>"));
        for (int j = 0; j < k->count; j++) {
            buffer_printf(b, "<a href=\"/requests/%llu\">", (unsigned long long)k->slowest[j].id);
            waterfall_ms(b, k->slowest[j].took);
            buffer_text(b, TEXT("</a> "));
        }
        buffer_text(b, TEXT("</td></tr>\n"));
    }
    buffer_text(b, TEXT("</tbody></table></div>\n"));
}

static void route_as_html(buffer *b, arena *a, const kept_route *k)
{
    buffer_text(b, TEXT("<p class=\"up\"><a href=\"/requests\">All routes</a></p>\n<h1>"));
    buffer_html(b, text_of(k->of.route));
    buffer_printf(b, "</h1>\n<p>The slowest of %llu requests, which took ", (unsigned long long)k->of.requests.count);
    waterfall_ms(b, k->of.requests.ns / k->of.requests.count);
    buffer_text(b, TEXT(" ms on average.</p>\n"));
    write_measured(b, k->of.label);
    for (int i = 0; i < k->count; i++)
        write_request(b, &k->slowest[i], waterfall_of(a, &k->slowest[i]), "h2");
}

static void json_route(buffer *b, arena *a, const kept_route *k, bool whole)
{
    buffer_text(b, TEXT("{\"route\":"));
    buffer_json(b, text_of(k->of.route));
    buffer_printf(b, ",\"requests\":%llu,\"mean_ms\":", (unsigned long long)k->of.requests.count);
    waterfall_ms(b, k->of.requests.ns / k->of.requests.count);
    buffer_printf(b, ",\"measured\":\"%s\",\"slowest\":[", k->of.is_estimated ? "queries and jobs" : "all");
    for (int i = 0; i < k->count; i++) {
        if (i > 0)
            buffer_text(b, TEXT(","));
        if (whole) {
            waterfall_json(b, waterfall_of(a, &k->slowest[i]));
            continue;
        }
        buffer_printf(b, "{\"id\":%llu,\"at\":%lld,\"took_ms\":", (unsigned long long)k->slowest[i].id,
                      (long long)k->slowest[i].at);
        waterfall_ms(b, k->slowest[i].took);
        buffer_printf(b, ",\"outcome\":%d}", k->slowest[i].outcome);
    }
    buffer_text(b, TEXT("]}"));
}

static int respond_view(request *req, const buffer *b, bool json)
{
    respond_header(req, "Cache-Control", "no-store");
    return json ? respond_json(req, 200, buffer_all(b)) : respond_html(req, 200, buffer_all(b));
}

async int requests_slowest(request *req)
{
    const text route = request_query(req, "route");
    const bool json = request_prefers_json(req), one = route.length > 0;
    arena *const a = request_arena(req);
    kept_route **all;
    bool recorded;
    buffer b;
    const int count = routes_read(req, &all, route, &recorded);
    if (one && count == 0)
        return respond_problem(req, 404, "Of that route no request is kept. They are named as on /requests: GET /users/:id");
    const int err = one ? await(places_of(a, all[0]->slowest, all[0]->count)) : 0;
    if (err)
        return err;
    buffer_init(&b, a);
    if (json) {
        buffer_printf(&b, "{\"mode\":\"%s\",\"recorded\":%s,\"routes\":[", loop_here() ? "async" : "threads",
                      recorded ? "true" : "false");
        for (int i = 0; i < count; i++) {
            buffer_text(&b, i ? TEXT(",") : TEXT(""));
            json_route(&b, a, all[i], one);
        }
        buffer_text(&b, TEXT("]}\n"));
        return respond_view(req, &b, true);
    }
    layout_begin_with(&b, TEXT("Slow requests"), HEAD);
    if (one)
        route_as_html(&b, a, all[0]);
    else
        index_as_html(&b, all, count, recorded);
    layout_end(&b);
    return respond_view(req, &b, false);
}

async int request_one(request *req)
{
    int64_t id;
    arena *const a = request_arena(req);
    slow_request *const r = arena_room(a, sizeof *r);
    buffer b;
    int err = request_param_int(req, "id", &id);
    if (err)
        return err;
    if (id < 1 || !slowest_find((uint64_t)id, r))
        return respond_problem(req, 404, "That request is not kept any more: slower ones of its route have taken its place.");
    err = await(places_of(a, r, 1));
    if (err)
        return err;
    const waterfall *const w = waterfall_of(a, r);
    buffer_init(&b, a);
    if (request_prefers_json(req)) {
        waterfall_json(&b, w);
        return respond_view(req, &b, true);
    }
    layout_begin_with(&b, TEXT("A slow request"), HEAD);
    buffer_text(&b, TEXT("<p class=\"up\"><a href=\"/requests\">All routes</a></p>\n<h1>"));
    write_route_link(&b, label_name(r->label));
    buffer_text(&b, TEXT("</h1>\n"));
    write_measured(&b, r->label);
    write_request(&b, r, w, "h2");
    layout_end(&b);
    return respond_view(req, &b, false);
}
