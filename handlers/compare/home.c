/* home.c - GET /: the point of tenk, to be seen by comparing both of its modes, and what one can try. */
#include "handlers/handlers.h"
#include "compare_html.h"
#include "handlers/layout.h"
#include "handlers/site.h"

static const struct { const char *method, *path, *what; } TRY[] = {
    { "GET", "/users", "the users, fifty a page" },
    { "GET", "/users/42", "a user and their posts: two queries at once, rendered off the loop" },
    { "GET", "/users/42/callbacks", "the same page, written with callbacks" },
    { "GET", "/users/42/promises", "the same page, written with promises" },
    { "GET", "/users/42/sequential", "the same page, one query after the other" },
    { "GET", "/posts/411", "one post" },
    { "GET", "/chat", "rooms to talk in, by websocket, over all servers of one database" },
    { "GET", "/patterns", "every asynchronous pattern, to be run and watched" },
    { "GET", "/workloads", "which way to serve suits which work, as it was measured" },
    { "GET", "/sleep?ms=1000", "waits a second, and holds nobody up" },
    { "GET", "/sleep/promise?ms=1000", "the same, without a stack of its own" },
    { "GET", "/plaintext", "Hello, World!" },
    { "GET", "/json", "the same, as JSON" },
    { "GET", "/healthz", "whether the server serves" },
};

/* With the name by which the client has reached us; one that gave none gets the address that we listen on. */
static void home_write_command(buffer *b, request *req, const char *begin, const char *path)
{
    const text host = request_header(req, "host");
    buffer_text(b, text_of(begin));
    buffer_html(b, host.length > 0 ? host : text_of(site_address()));
    buffer_text(b, text_of(path));
}

/* The point of it, to be seen; where strangers come, only to be read. */
static void home_begin(buffer *b, request *req)
{
    const bool compares = site_has_gallery();
    comparison *c = NULL;
    if (compares) {
        c = request_alloc(req, sizeof *c);
        comparison_look(c);
    }
    layout_begin_with(b, TEXT("One thread, ten thousand requests"), compares ? compare_html_head(c) : "");
    buffer_text(b, TEXT(
        "<h1>One thread, ten thousand requests</h1>\n"
        "<p class=\"lead\">tenk is an HTTP and database server in C. Most of what a network program does is wait:"
        " for a database, for a file, for another server. A thread that waits is memory and a place in the"
        " scheduler; an event loop holds what waits in a page each. What is that worth? Ask both: this server has two"
        " engines, a loop for each processor and a thread for each connection, and serves the same pages by either.</p>\n"));
    if (compares)
        compare_html_section(b, c);
    else
        buffer_text(b, TEXT("<p>Where only one's own machine can reach it, this page lets both serve the same load, and shows"
                            " which wins, and by what: <code>tenk --listen 127.0.0.1:8080</code>.</p>\n"));
}

int home(request *req)
{
    buffer b;
    buffer_init(&b, request_arena(req));
    home_begin(&b, req);
    buffer_text(&b, TEXT("<h2>Try it</h2>\n<dl class=\"try\">\n"));
    for (size_t i = 0; i < sizeof TRY / sizeof TRY[0]; i++)
        if (site_has_gallery() || strcmp(TRY[i].path, "/patterns") != 0)
            buffer_printf(&b, "<dt><a href=\"%s\"><code>%s %s</code></a></dt><dd>%s</dd>\n", TRY[i].path,
                          TRY[i].method, TRY[i].path, TRY[i].what);
    buffer_text(&b, TEXT(
        "</dl>\n<h2>From the shell</h2>\n<pre tabindex=\"0\">"));
    home_write_command(&b, req, "curl -i -H 'Accept: application/json' ", "/users/42\n");
    home_write_command(&b, req, "curl -i -d 'title=Hello' -d 'body=**Bold** words.' ", "/users/42/posts\n");
    home_write_command(&b, req, "curl -i --data-binary @README.md ", "/echo\n");
    home_write_command(&b, req, "echo '{\"user_id\": 42, \"title\": \"Hello\", \"body\": \"One of many.\"}'"
                                " | curl -X POST -T - ", "/import");
    buffer_text(&b, TEXT(
        "</pre>\n<p>The last takes a post a line, as many as there are: a file of a gigabyte in the memory of a small one.</p>\n"
        "<p>The answers of the database's routes carry <code>Server-Timing</code>: the browser's network panel"
        " shows what they spent on the database and on rendering.</p>\n"));
    layout_end(&b);
    return respond_html(req, 200, buffer_all(&b));
}
