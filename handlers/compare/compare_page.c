/* compare_page.c - GET /compare: the last comparison of both modes, as a page or as JSON; POST /compare: a new one.
 *
 * A form with the fields "load", one of LOADS_ABOUT, "requests", how many at once, and "ms", how long each turn measures. Who
 * prefers JSON gets 202 and what is at GET /compare; others are led to that page, which loads itself anew until the run has
 * ended, where there are no scripts. */
#include "compare_html.h"
#include "handlers/handlers.h"
#include "handlers/layout.h"
#include "handlers/site.h"
#include "server/http/message/head.h"
#include "server/http/message/url.h"

static comparison *compare_look(request *req)
{
    comparison *c = request_alloc(req, sizeof *c);
    comparison_look(c);
    return c;
}

static text compare_json(request *req)
{
    buffer b;
    buffer_init(&b, request_arena(req));
    comparison_write_json(&b, compare_look(req));
    return buffer_all(&b);
}

int compare_page(request *req)
{
    buffer b;
    respond_header(req, "Cache-Control", "no-store");
    if (request_prefers_json(req))
        return respond_json(req, 200, compare_json(req));
    const comparison *c = compare_look(req);
    buffer_init(&b, request_arena(req));
    layout_begin_with(&b, TEXT("A loop, or a thread for each"), compare_html_head(c));
    buffer_text(&b, TEXT("<h1>A loop, or a thread for each</h1>\n"));
    compare_html_section(&b, c);
    layout_end(&b);
    return respond_html(req, 200, buffer_all(&b));
}

static int respond_not_started(request *req, int err)
{
    switch (err) {
    case UV_EBUSY:
        respond_header(req, "Retry-After", "%d", 20);
        return respond_problem(req, 409, "A comparison is running: one at a time. It takes some twenty seconds.");
    case UV_ESHUTDOWN:
    case UV_ENOTSUP:
        respond_header(req, "Retry-After", "%d", 5);
        return respond_problem(req, 503, "The server stops, and begins no comparison.");
    default:
        return err;
    }
}

/* The number in that field, which is in these bounds, or usual without one; 0: it is none. */
static int compare_number(request *req, const char *name, int usual, int least, int most)
{
    text t;
    int n = 0;
    if (!form_find(request_arena(req), request_body(req), name, &t))
        return usual;
    for (size_t i = 0; i < t.length && n <= most; i++) {
        if (t.at[i] < '0' || t.at[i] > '9')
            return 0;
        n = 10 * n + t.at[i] - '0';
    }
    return n >= least && n <= most ? n : 0;
}

int compare_start(request *req)
{
    text load = TEXT("waiting");
    if (request_body(req).length > 0 && !text_is(request_type(req), "application/x-www-form-urlencoded"))
        return respond_problem(req, 415, "What to compare comes as application/x-www-form-urlencoded: load=cpu&requests=100.");
    (void)form_find(request_arena(req), request_body(req), "load", &load);
    const load_kind kind = load_named(load);
    const int count = compare_number(req, "requests", COMPARISON_USUAL, COMPARISON_LEAST, COMPARISON_MOST);
    const int ms = compare_number(req, "ms", COMPARISON_MEASURES, COMPARISON_SHORTEST, COMPARISON_LONGEST);
    if (kind == LOADS)
        return respond_problem(req, 422, "The load is one of: waiting, database, cpu, mixed.");
    if (!count)
        return respond_problem(req, 422, "Requests at once: a number from %d to %d.", COMPARISON_LEAST, COMPARISON_MOST);
    if (!ms)
        return respond_problem(req, 422, "How long each turn measures: %d to %d ms.", COMPARISON_SHORTEST, COMPARISON_LONGEST);
    const int err = comparison_start(kind, count, ms);
    if (err)
        return respond_not_started(req, err);
    respond_header(req, "Location", "/compare");
    if (!request_prefers_json(req))
        return respond_nothing(req, 303);
    respond_header(req, "Cache-Control", "no-store");
    return respond(req, 202, "application/json", compare_json(req));
}
