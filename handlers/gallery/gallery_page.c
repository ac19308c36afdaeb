/* gallery_page.c - GET /patterns, and GET /patterns/:name: a page, or as JSON a run.
 *
 * Run is a form that asks for ?run=1, and the answer is the page with the timeline on it. With scripts,
 * static/patterns.js takes the timeline out of that page and puts it into the one that is open. */
#include "handlers/handlers.h"
#include "handlers/layout.h"
#include "gallery.h"
#include "server/async/loop.h"
#include "server/executor/process/process_pool.h"
#include "server/async/task.h"
#include "server/base/overload/refusal.h"

static const char HEAD[] = "<link rel=\"stylesheet\" href=\"/static/patterns.css\">\n"
                           "<script src=\"/static/patterns.js\" defer></script>\n";

const char *gallery_outcome_word(int outcome)
{
    switch (outcome) {
    case 0:                return "";
    case UV_ECANCELED:     return "cancelled";
    case UV_ETIMEDOUT:     return "timed out";
    case ERR_UNCERTAIN:    return "may have happened, or not";
    case UV_ECONNRESET:    return "broke off";
    case UV_ECONNREFUSED:  return "refused";
    case UV_EAGAIN:
    case REFUSED(REFUSED_CPU_LINE):
    case REFUSED(REFUSED_PROCESSES_LINE): return "no room";
    case UV_EOF:           return "the end";
    case PROCESS_EDIED:    return "its process died";
    case DB_ESERIALIZATION:
    case DB_EDEADLOCK:     return "undone for another";
    case DB_EQUERY:        return "the database said no";
    case E_NOT_FOUND:      return "not found";
    default:               return uv_strerror(outcome);
    }
}

static void pattern_write_run_form(buffer *b, const pattern *p)
{
    const char *why = gallery_refusal(p);
    if (why) {
        buffer_text(b, TEXT("<p class=\"refusal\">"));
        buffer_html(b, text_of(why));
        buffer_text(b, TEXT("</p>\n"));
        return;
    }
    buffer_printf(b, "<form class=\"run\" action=\"/patterns/%s\"><button name=\"run\" value=\"1\" "
                     "aria-label=\"Run: ", p->name);
    buffer_html(b, text_of(p->title));
    buffer_text(b, TEXT("\">Run</button></form>\n"));
}

static void pattern_write_empty_result(buffer *b)
{
    buffer_text(b, TEXT("<div class=\"result\" aria-live=\"polite\"></div>\n"));
}

static void pattern_write_card(buffer *b, const pattern *p)
{
    buffer_printf(b, "<section class=\"card\" id=\"%s\">\n<h3><a href=\"/patterns/%s\">", p->name, p->name);
    buffer_html(b, text_of(p->title));
    buffer_text(b, TEXT("</a></h3>\n<p>"));
    buffer_html(b, text_of(p->shows));
    buffer_text(b, TEXT("</p>\n"));
    pattern_write_run_form(b, p);
    pattern_write_empty_result(b);
    buffer_text(b, TEXT("</section>\n"));
}

static text gallery_as_html(request *req)
{
    buffer b;
    int group = -1;

    buffer_init(&b, request_arena(req));
    layout_begin_with(&b, TEXT("Patterns"), HEAD);
    buffer_text(&b, TEXT(
        "<h1>Patterns</h1>\n<p class=\"lead\">Every way to write something that waits, small enough to be read. Run one,"
        " and see what this server really did: each run is recorded while it runs, and drawn from its record.</p>\n"));
    for (int i = 0; i < PATTERN_COUNT; i++) {
        if ((int)PATTERNS[i]->group != group)
            buffer_printf(&b, "<h2>%s</h2>\n", GROUP_TITLES[group = PATTERNS[i]->group]);
        pattern_write_card(&b, PATTERNS[i]);
    }
    layout_end(&b);
    return buffer_all(&b);
}

static void pattern_write_about(buffer *b, const pattern *p)
{
    const char *why = gallery_refusal(p);
    buffer_text(b, TEXT("{\"pattern\":"));
    buffer_json(b, text_of(p->name));
    buffer_text(b, TEXT(",\"title\":"));
    buffer_json(b, text_of(p->title));
    buffer_text(b, TEXT(",\"shows\":"));
    buffer_json(b, text_of(p->shows));
    buffer_printf(b, ",\"mode\":\"%s\",\"ran\":false,\"why\":", loop_here() ? "async" : "threads");
    if (why)
        buffer_json(b, text_of(why));
    else
        buffer_text(b, TEXT("null"));
    buffer_text(b, TEXT("}"));
}

static text gallery_as_json(request *req)
{
    buffer b;
    buffer_init(&b, request_arena(req));
    buffer_text(&b, TEXT("{\"patterns\":["));
    for (int i = 0; i < PATTERN_COUNT; i++) {
        buffer_text(&b, i ? TEXT(",\n") : TEXT(""));
        pattern_write_about(&b, PATTERNS[i]);
    }
    buffer_text(&b, TEXT("]}\n"));
    return buffer_all(&b);
}

int patterns(request *req)
{
    return request_prefers_json(req) ? respond_json(req, 200, gallery_as_json(req))
                                     : respond_html(req, 200, gallery_as_html(req));
}

static void result_write_figures(buffer *b, const recording *r)
{
    const trace_event *events = trace_events(r->trace);
    buffer_printf(b, "<dl class=\"figures\"><div><dt>took</dt><dd>%.1f ms</dd></div>",
                  events[trace_count(r->trace) - 1].at / 1000.0);
    for (const figure *f = r->run.figures; f < r->run.figures + r->run.figure_count; f++) {
        buffer_text(b, TEXT("<div><dt>"));
        buffer_html(b, text_of(f->name));
        buffer_printf(b, "</dt><dd>%lld ", (long long)f->value);
        buffer_html(b, text_of(f->unit));
        buffer_text(b, TEXT("</dd></div>"));
    }
    if (r->outcome) {
        buffer_text(b, TEXT("<div><dt>ended with</dt><dd>"));
        buffer_html(b, text_of(gallery_outcome_word(r->outcome)));
        buffer_text(b, TEXT("</dd></div>"));
    }
    buffer_text(b, TEXT("</dl>\n"));
}

enum { MOST_MARKS = 60 };

static void result_write_marks(buffer *b, const recording *r)
{
    int marks = 0;
    for (int i = 0; i < trace_count(r->trace) && marks < MOST_MARKS; i++) {
        const trace_event *e = &trace_events(r->trace)[i];
        if (e->kind != TRACE_MARK)
            continue;
        buffer_text(b, marks++ == 0 ? TEXT("<ol class=\"marks\">\n<li>") : TEXT("<li>"));
        buffer_html(b, text_of(e->name));
        buffer_printf(b, " <span class=\"meta\">%.3f ms</span></li>\n", e->at / 1000.0);
    }
    if (marks > 0)
        buffer_text(b, TEXT("</ol>\n"));
}

static void result_write(buffer *b, const recording *r)
{
    buffer_text(b, TEXT("<div class=\"result\" aria-live=\"polite\">\n"));
    recording_draw(b, r);
    result_write_figures(b, r);
    result_write_marks(b, r);
    buffer_printf(b, "<p class=\"meta\">Recorded by this run: %d events. <code>curl -H 'Accept: application/json'</code>"
                     " on this address runs it too, and tells them all.</p>\n</div>\n", trace_count(r->trace));
}

static text pattern_page_as_html(request *req, const pattern *p, const recording *r)
{
    const pattern *twin = p->twin ? gallery_find(text_of(p->twin)) : NULL;
    buffer b;

    buffer_init(&b, request_arena(req));
    layout_begin_with(&b, text_of(p->title), HEAD);
    buffer_printf(&b, "<p class=\"up\"><a href=\"/patterns#%s\">All patterns</a> &middot; %s</p>\n<h1>", p->name,
                  GROUP_TITLES[p->group]);
    buffer_html(&b, text_of(p->title));
    buffer_text(&b, TEXT("</h1>\n<p class=\"lead\">"));
    buffer_html(&b, text_of(p->shows));
    buffer_text(&b, TEXT("</p>\n"));
    if (twin) {
        buffer_printf(&b, "<p>Compare it with <a href=\"/patterns/%s\">", twin->name);
        buffer_html(&b, text_of(twin->title));
        buffer_text(&b, TEXT("</a>.</p>\n"));
    }
    pattern_write_run_form(&b, p);
    if (r)
        result_write(&b, r);
    else
        pattern_write_empty_result(&b);
    buffer_printf(&b, "<h2>What runs</h2>\n<p class=\"meta\"><code>%s</code>, from line %d</p>\n", p->file, p->first);
    pattern_write_source(&b, p);
    layout_end(&b);
    return buffer_all(&b);
}

static int pattern_respond_without_run(request *req, const pattern *p, bool json)
{
    buffer b;
    if (!json)
        return respond_html(req, 200, pattern_page_as_html(req, p, NULL));
    buffer_init(&b, request_arena(req));
    pattern_write_about(&b, p);
    return respond_json(req, 200, buffer_all(&b));
}

/* HEAD asks what there is; and a picture on a stranger's page must not keep this server busy. */
static bool pattern_may_run(request *req)
{
    return text_equal(request_method(req), TEXT("GET"))
        && !text_equal(request_header(req, "sec-fetch-site"), TEXT("cross-site"));
}

async int pattern_page(request *req)
{
    const pattern *p = gallery_find(request_param(req, "name"));
    if (!p)
        return E_NOT_FOUND;
    const bool json = request_prefers_json(req);
    if (!(json || request_has_query(req, "run")) || gallery_refusal(p) || !pattern_may_run(req))
        return pattern_respond_without_run(req, p, json);

    recording r;
    const int err = gallery_run(p, req, &r);
    if (err)
        return err;
    respond_header(req, "Cache-Control", "no-store");
    if (!json)
        return respond_html(req, 200, pattern_page_as_html(req, p, &r));
    buffer b;
    buffer_init(&b, request_arena(req));
    recording_write_json(&b, &r);
    return respond_json(req, 200, buffer_all(&b));
}
