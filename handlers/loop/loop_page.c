/* loop_page.c - GET /loop?loop=1&for=250: what a loop has done in so many milliseconds from now on, as a page or as JSON.
 *
 *   {"turns": ..., "look": ...}        as loop_json.h and loop_look.h have them; turns is null in threads mode
 *
 * With scripts, static/loop.js goes on from there, by /loop/events. */
#include "handlers/handlers.h"
#include "handlers/layout.h"
#include "handlers/site.h"
#include "loop.h"
#include "loop_json.h"
#include "loop_look.h"
#include "server/async/loop.h"
#include "server/async/timing.h"
#include "server/executor/thread_pool.h"

enum { USUAL = 250, LONGEST = 5000 };        /* milliseconds */

static const char HEAD[] = "<link rel=\"stylesheet\" href=\"/static/loop.css\">\n"
                           "<script src=\"/static/loop.js\" defer></script>\n";

typedef struct seen_page {
    request  *req;
    loop_view view;
    loop_look look;
    int       loop, err;
    char      why[256];
} seen_page;

static void seen_page_end(void *arg) { loop_view_end(&((seen_page *)arg)->view); }

/* On the pool: both of them read debug information. */
static int seen_page_take(void *arg)
{
    seen_page *const s = arg;
    if (s->view.records)
        loop_view_collect(&s->view);
    s->err = loop_look_take(&s->look, request_arena(s->req), s->loop, s->why, sizeof s->why);
    return 0;
}

static text seen_page_json(seen_page *s)
{
    buffer b;
    buffer_init(&b, request_arena(s->req));
    buffer_text(&b, TEXT("{\"turns\":"));
    if (s->view.records)
        loop_view_write_json(&b, &s->view, s->loop);
    else
        buffer_text(&b, TEXT("null"));
    buffer_text(&b, TEXT(",\"look\":"));
    loop_look_write_json(&b, &s->look);
    buffer_text(&b, TEXT("}\n"));
    return buffer_all(&b);
}

static void write_loops(buffer *b, const seen_page *s)
{
    const int count = recorder_watch_count(NULL, 0);
    if (count < 2)
        return;
    buffer_text(b, TEXT("<p class=\"loops\">Each worker has a loop of its own: "));
    for (int i = 1; i <= count; i++)
        buffer_printf(b, "<a href=\"/loop?loop=%d\" data-loop=\"%d\"%s>loop %d</a> ", i, i,
                      i == s->loop ? " aria-current=\"page\"" : "", i);
    buffer_text(b, TEXT("</p>\n"));
}

static void write_controls(buffer *b, int loop)
{
    buffer_printf(b, "<div class=\"controls\" role=\"group\" aria-label=\"How fast\" hidden data-loop=\"%d\""
                     " data-database=\"%s\">\n", loop,
                  site_on_postgres() ? "postgres" : "sqlite");
    buffer_text(b, TEXT(
        "<button type=\"button\" id=\"live\" aria-pressed=\"true\" title=\"l\">Live</button>\n"
        "<button type=\"button\" id=\"slow\" aria-pressed=\"false\" title=\"s\">Slow</button>\n"
        "<label>by <select id=\"speed\"><option value=\"10\">1/10</option><option value=\"100\" selected>1/100</option>"
        "<option value=\"1000\">1/1000</option></select></label>\n"
        "<button type=\"button\" id=\"pause\" aria-pressed=\"false\" title=\"space\">Pause</button>\n"
        "<button type=\"button\" id=\"back\" title=\"left arrow\">Back</button>\n"
        "<button type=\"button\" id=\"event\" title=\"right arrow\">Next event</button>\n"
        "<button type=\"button\" id=\"turn\" title=\"n\">Next turn</button>\n"
        "</div>\n<div class=\"controls make\" role=\"group\" aria-label=\"Something to look at\" hidden>\n"
        "<span>Something to look at:</span>\n"
        "<button type=\"button\" data-make=\"/users/42\">/users/42</button>\n"
        "<button type=\"button\" data-make=\"/sleep?ms=200\">/sleep?ms=200</button>\n"
        "<button type=\"button\" data-make=\"/sleep/promise?ms=200\">/sleep/promise?ms=200</button>\n"
        "<button type=\"button\" data-make=\"/patterns/all?run=1\">a pattern: all</button>\n"
        "<button type=\"button\" data-make=\"/users?page=2\" data-times=\"20\">/users, 20 times</button>\n"
        "</div>\n<p class=\"said\" id=\"said\" role=\"status\"></p>\n<p class=\"said\" id=\"missed\" hidden></p>\n"));
}

static void write_panel(buffer *b, const char *id, const char *title, const char *about)
{
    buffer_printf(b, "<section class=\"panel\" id=\"%s-panel\"><h2>%s</h2>\n<p class=\"meta\">%s</p>\n"
                     "<div id=\"%s\"></div></section>\n", id, title, about, id);
}

static void write_waits(buffer *b, const seen_page *s)
{
    buffer_printf(b, "<section class=\"panel wide\" id=\"waits-panel\"><h2>%s</h2>\n<p class=\"meta\" id=\"waits-said\">",
                  !s->look.loop ? "Threads with a request" : "What waits for what");
    if (!s->look.loop)
        buffer_printf(b, "%zu with a request, %zu idle. The oldest first.", s->look.count, s->look.idle);
    else
        buffer_printf(b, "%zu. The oldest first.", s->look.count);
    buffer_printf(b, "</p>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"What waits\"><table><thead>"
                     "<tr><th>for</th><th>%s</th><th>age</th></tr></thead>\n<tbody id=\"waits\">\n",
                  !s->look.loop ? "is, and where: the innermost first" : "awaits, and where");
    loop_look_write_rows(b, &s->look);
    buffer_text(b, TEXT("</tbody></table></div></section>\n"));
}

static void write_loop(buffer *b, seen_page *s, int64_t ms)
{
    write_loops(b, s);
    write_controls(b, s->loop);
    buffer_text(b, TEXT("<div class=\"stage\">\n<figure>\n"));
    loop_draw_ring(b, &s->view);
    buffer_text(b, TEXT("<figcaption>What was called in each phase of the turn beside it. Lit: where the loop is.</figcaption>\n"
                        "</figure>\n"
                        "<section class=\"panel\" id=\"turn-panel\" hidden><h2 id=\"turn-title\">This turn</h2>\n"
                        "<ol id=\"events\" tabindex=\"0\" aria-labelledby=\"turn-title\"></ol>"
                        "</section>\n</div>\n"
                        "<section class=\"panel wide\" id=\"strip-panel\" hidden><h2>The last turns</h2>\n"
                        "<p class=\"meta\">How long each was busy: the lines are 10 µs, 100 µs, 1 ms, 10 ms and 100 ms. Below,"
                        " how long poll slept before.</p>\n<div id=\"strip\"></div></section>\n<div class=\"panels\" hidden>\n"));
    write_panel(b, "ready", "Ready", "What runs before the loop sleeps, list by list.");
    write_panel(b, "timers", "Timers", "Those that are due next.");
    write_panel(b, "queries", "Queries", "In flight, by connection.");
    write_panel(b, "jobs", "Jobs on the pool", "Work off the loop, by thread.");
    buffer_text(b, TEXT("</div>\n"));
    write_waits(b, s);
    buffer_printf(b, "<div id=\"plain\"><h2>The turns of %lld ms</h2>\n", (long long)ms);
    loop_draw_turns(b, &s->view);
    buffer_printf(b, "<form class=\"again\"><input type=\"hidden\" name=\"loop\" value=\"%d\"><button name=\"for\""
                     " value=\"1000\">"
                     "Look for a second</button></form></div>\n", s->loop);
}

static void write_no_loop(buffer *b, const seen_page *s)
{
    buffer_text(b, TEXT("<p class=\"lead\" id=\"no-loop\">You are served in threads mode, where there is none: each connection"
                        " has a thread, which runs one request after the other and blocks wherever that has to wait.</p>\n"
                        "<p>So there are no phases, and no list of what is ready: the kernel does that work, and lets each thread"
                        " go on when it may. With <code>--mode async</code> there is a loop to be seen here. What the threads do,"
                        " and where they block, is this:</p>\n"
                        "<div class=\"controls make\" role=\"group\" aria-label=\"Something to look at\" hidden>\n"
                        "<span>Something to look at:</span>\n"
                        "<button type=\"button\" data-make=\"/users/42\">/users/42</button>\n"
                        "<button type=\"button\" data-make=\"/sleep?ms=2000\">/sleep?ms=2000</button>\n"
                        "<button type=\"button\" data-make=\"/sleep?ms=2000\" data-times=\"5\">5 at once</button>\n"
                        "</div>\n<p class=\"said\" id=\"said\" role=\"status\"></p>\n"));
    write_waits(b, s);
}

static text seen_page_html(seen_page *s, int64_t ms)
{
    buffer b;
    buffer_init(&b, request_arena(s->req));
    layout_begin_with(&b, TEXT("The loop"), HEAD);
    buffer_text(&b, TEXT("<h1>The loop</h1>\n"));
    if (loop_here())
        buffer_text(&b, TEXT("<p class=\"lead\">One thread runs everything here, one callback after the other, and sleeps in poll"
                             " when there is nothing left to run. This is what it does, as it does it.</p>\n"));
    if (s->view.records)
        write_loop(&b, s, ms);
    else if (loop_here())
        buffer_text(&b, TEXT("<p class=\"refusal\">Nothing is recorded here: <code>[log] recorder</code> is 0, so there is"
                             " nothing to be shown.</p>\n"));
    else
        write_no_loop(&b, s);
    layout_end(&b);
    return buffer_all(&b);
}

async int loop_page(request *req)
{
    int64_t loop = 1, ms = USUAL;
    if (request_query_int(req, "loop", &loop) || request_query_int(req, "for", &ms) || loop < 1 || loop > INT32_MAX || ms < 0 ||
        ms > LONGEST)
        return respond_problem(req, 400, "Say which loop, and for how long: /loop?loop=1&for=MS, with MS from 0 to %d.", LONGEST);
    if (text_equal(request_method(req), TEXT("HEAD")) || text_equal(request_header(req, "sec-fetch-site"), TEXT("cross-site")))
        ms = 0;                              /* a picture on a stranger's page keeps nothing busy */
    seen_page *const s = request_alloc(req, sizeof *s);
    s->req = req;
    s->loop = loop_here() ? (int)loop : 0;
    arena_defer(request_arena(req), seen_page_end, s);
    if (loop_here() && loop_view_begin(&s->view, s->loop, 0) && recorder_watch_count(NULL, 0) > 0)
        return respond_problem(req, 404, "There is no such loop.");
    int err = s->view.records ? await(sleep_for((uint64_t)ms)) : 0;
    if (!err && s->view.records)
        err = await(sleep_for(1));           /* so the turn in which this woke is over, and seen: there is always one */
    if (!err)
        err = await(in_thread(seen_page_take, s));
    if (err)
        return err;
    respond_header(req, "Cache-Control", "no-store");
    if (request_prefers_json(req))
        return s->err ? respond_problem(req, 500, "This process cannot look at itself: %s.", s->why)
                      : respond_json(req, 200, seen_page_json(s));
    return respond_html(req, 200, seen_page_html(s, ms));
}
