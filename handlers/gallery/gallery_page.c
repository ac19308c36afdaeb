/* gallery_page.c - GET /patterns, and GET /patterns/:name: a page, or as JSON a run.
 *
 * Run is a form that asks for ?run=1, and the answer is the page with the timeline on it. With scripts,
 * static/patterns.js takes the timeline out of that page and puts it into the one that is open. */
#include "handlers/handlers.h"
#include "handlers/layout.h"
#include "gallery.h"
#include "server/async/loop.h"
#include "server/async/task.h"

static const char HEAD[] = "<link rel=\"stylesheet\" href=\"/static/patterns.css\">\n"
                           "<script src=\"/static/patterns.js\" defer></script>\n";

static void pattern_write_run_form(buffer *b, const pattern *p, int chosen)
{
    const char *why = gallery_refusal(p);
    if (why) {
        buffer_text(b, TEXT("<p class=\"refusal\">"));
        buffer_html(b, text_of(why));
        buffer_text(b, TEXT("</p>\n"));
        return;
    }
    buffer_printf(b, "<form class=\"run\" action=\"/patterns/%s\">", p->name);
    choices_write_field(b, p, chosen);
    buffer_text(b, TEXT("<button name=\"run\" value=\"1\" aria-label=\"Run: "));
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
    pattern_write_run_form(b, p, 0);
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
    choices_write_json(b, p);
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

static void pattern_write_code(buffer *b, const pattern *p, const char *title, const char *id)
{
    buffer_printf(b, "<section class=\"code\" aria-labelledby=\"%s\">\n<h2 id=\"%s\">", id, id);
    buffer_html(b, text_of(title));
    buffer_printf(b, "</h2>\n<p class=\"meta\"><a href=\"/patterns/source/%s\">%s</a></p>\n", p->file, p->file);
    pattern_write_source(b, p);
    buffer_text(b, TEXT("</section>\n"));
}

static text pattern_page_as_html(request *req, const pattern *p, int chosen, const recording *r)
{
    buffer b;

    buffer_init(&b, request_arena(req));
    layout_begin_with(&b, text_of(p->title), HEAD);
    buffer_printf(&b, "<p class=\"up\"><a href=\"/patterns#%s\">All patterns</a> &middot; %s</p>\n<h1>", p->name,
                  GROUP_TITLES[p->group]);
    buffer_html(&b, text_of(p->title));
    buffer_text(&b, TEXT("</h1>\n<p class=\"lead\">"));
    buffer_html(&b, text_of(p->shows));
    buffer_text(&b, TEXT("</p>\n"));
    pattern_write_run_form(&b, p, chosen);
    buffer_printf(&b, "<div class=\"stage%s\">\n", p->twins[0] ? " twins" : "");
    if (r)
        result_write(&b, r);
    else
        pattern_write_empty_result(&b);
    if (p->twins[0]) {
        pattern_write_code(&b, p->twins[0], p->twins[0]->title, "bad");
        pattern_write_code(&b, p->twins[1], p->twins[1]->title, "good");
    } else {
        pattern_write_code(&b, p, "What runs", "runs");
    }
    buffer_text(&b, TEXT("</div>\n"));
    layout_end(&b);
    return buffer_all(&b);
}

static int pattern_respond_without_run(request *req, const pattern *p, int chosen, bool json)
{
    buffer b;
    if (!json)
        return respond_html(req, 200, pattern_page_as_html(req, p, chosen, NULL));
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
    int chosen;
    if (choices_read(p, req, &chosen))
        return choices_respond_unknown(p, req);
    if (!(json || request_has_query(req, "run")) || gallery_refusal(p) || !pattern_may_run(req))
        return pattern_respond_without_run(req, p, chosen, json);

    recording r;
    const int err = gallery_run(p, chosen, req, &r);
    if (err)
        return err;
    respond_header(req, "Cache-Control", "no-store");
    if (!json)
        return respond_html(req, 200, pattern_page_as_html(req, p, chosen, &r));
    buffer b;
    buffer_init(&b, request_arena(req));
    recording_write_json(&b, &r);
    return respond_json(req, 200, buffer_all(&b));
}
