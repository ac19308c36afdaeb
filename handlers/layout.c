/* layout.c - see layout.h. */
#include "layout.h"
#include "site.h"

#include <time.h>

void layout_begin(buffer *b, text title) { layout_begin_with(b, title, ""); }

void layout_begin_with(buffer *b, text title, const char *head)
{
    buffer_text(b, TEXT("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>"));
    buffer_html(b, title);
    buffer_text(b, TEXT(" - tenk</title>\n<link rel=\"stylesheet\" href=\"/static/style.css\">\n"
                        "<link rel=\"icon\" href=\"/static/icon.svg\">\n"));
    buffer_text(b, text_of(head));
    buffer_text(b, TEXT("</head>\n<body>\n<header><a href=\"/\">tenk</a> <nav><a href=\"/users\">users</a>"
                        " <a href=\"/chat\">chat</a>"));
    if (site_has_gallery())
        buffer_text(b, TEXT(" <a href=\"/patterns\">patterns</a>"));
    buffer_text(b, TEXT("</nav></header>\n<main>\n"));
}

void layout_end(buffer *b) { buffer_text(b, TEXT("</main>\n</body>\n</html>\n")); }

void layout_date(buffer *b, int64_t seconds)
{
    const time_t at = (time_t)seconds;
    struct tm utc;
    char machine[32], person[32];
    if (!gmtime_r(&at, &utc))
        return;
    strftime(machine, sizeof machine, "%Y-%m-%dT%H:%M:%SZ", &utc);
    strftime(person, sizeof person, "%e %B %Y", &utc);
    buffer_printf(b, "<time datetime=\"%s\">%s</time>", machine, person);
}
