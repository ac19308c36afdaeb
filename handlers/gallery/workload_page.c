/* workload_page.c - GET /workloads: which way to serve suits which work, and why, as make loadtest has measured it.
 *
 * The table is built in. Its two forms are written by loadtest/report --publish, from one run. */
#include "handlers/handlers.h"
#include "handlers/layout.h"
#include "handlers/site.h"
#include "server/base/embed.h"

EMBED(workload_table_html, "handlers/gallery/workload_table.html");
EMBED(workload_table_json, "handlers/gallery/workload_table.json");

static text workloads_as_html(request *req)
{
    buffer b;
    buffer_init(&b, request_arena(req));
    layout_begin_with(&b, TEXT("Which model for which workload"), "<link rel=\"stylesheet\" href=\"/static/workloads.css\">\n");
    buffer_text(&b, TEXT(
        "<h1>Which model for which workload</h1>\n"
        "<p class=\"lead\">The same handlers, served in two ways: <b>async</b>, a loop on which whatever waits costs no"
        " thread; and <b>threads</b>, one for each connection, in which every call blocks. Neither is the better one for"
        " everything.</p>\n"));
    buffer_text(&b, text_of(workload_table_html));
    buffer_text(&b, TEXT(
        "<p>Best is by answers a second and their 99th percentile together. <b>No difference</b> means that the medians are less"
        " than 3 % apart, or that rounds of the one reach into those of the other. To measure it on another machine:"
        " <code>make loadtest</code>.</p>\n"));
    layout_end(&b);
    return buffer_all(&b);
}

int workloads(request *req)
{
    return request_prefers_json(req) ? respond_json(req, 200, text_of(workload_table_json))
                                     : respond_html(req, 200, workloads_as_html(req));
}
