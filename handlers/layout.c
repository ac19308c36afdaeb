/* layout.c - see layout.h. */
#include "layout.h"
#include "site.h"

#include <time.h>

/* What there is to go to from anywhere, in this order. */
static const struct { const char *path, *name; bool (*there)(void); } NAVIGATION[] = {       /* there: as a route's */
    { "/users",    "users",    NULL },
    { "/chat",     "chat",     NULL },
    { "/patterns", "patterns", site_has_gallery },
    { "/loop",     "loop",     site_has_gallery },
    { "/requests", "requests", site_has_gallery },
    { "/advisor",  "advisor",  site_has_gallery },
};

static void layout_navigation(buffer *b)
{
    buffer_text(b, TEXT("<header><a href=\"/\">tenk</a> <nav aria-label=\"The site\">"));
    for (size_t i = 0; i < sizeof NAVIGATION / sizeof NAVIGATION[0]; i++)
        if (!NAVIGATION[i].there || NAVIGATION[i].there())
            buffer_printf(b, "<a href=\"%s\">%s</a> ", NAVIGATION[i].path, NAVIGATION[i].name);
    buffer_text(b, TEXT("</nav></header>\n"));
}

void layout_begin(buffer *b, text title) { layout_begin_with(b, title, ""); }

void layout_begin_with(buffer *b, text title, const char *head)
{
    buffer_text(b, TEXT("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>"));
    buffer_html(b, title);
    buffer_text(b, TEXT(" - tenk</title>\n<link rel=\"stylesheet\" href=\"/static/style.css\">\n"
                        "<link rel=\"icon\" href=\"/static/icon.svg\">\n"));
    buffer_text(b, text_of(head));
    buffer_text(b, TEXT("</head>\n<body>\n"));
    layout_navigation(b);
    buffer_text(b, TEXT("<main>\n"));
}

void layout_end(buffer *b) { buffer_text(b, TEXT("</main>\n</body>\n</html>\n")); }

void layout_problem(buffer *b, int status, text reason, text detail)
{
    layout_begin(b, reason);
    buffer_text(b, TEXT("<h1>"));
    buffer_html(b, reason);
    buffer_printf(b, " <small>%d</small></h1>\n<p>", status);
    buffer_html(b, detail);
    buffer_text(b, TEXT("</p>\n<p><a href=\"/\">Back to the start</a></p>\n"));
    layout_end(b);
}

void layout_time(buffer *b, const char *format, int64_t seconds)
{
    const time_t at = (time_t)seconds;
    struct tm utc;
    char machine[32], person[32];
    if (!gmtime_r(&at, &utc))
        return;
    strftime(machine, sizeof machine, "%Y-%m-%dT%H:%M:%SZ", &utc);
    strftime(person, sizeof person, format, &utc);
    buffer_printf(b, "<time datetime=\"%s\">%s</time>", machine, person);
}

void layout_date(buffer *b, int64_t seconds) { layout_time(b, "%e %B %Y", seconds); }
