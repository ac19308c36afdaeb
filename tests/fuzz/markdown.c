/* markdown.c - any bytes as Markdown: what comes out has only the tags, and the addresses, that may be. */
#include "handlers/markdown.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define must(what) ((what) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what), abort()))

static bool starts(text t, const char *with) { return t.length >= strlen(with) && strncasecmp(t.at, with, strlen(with)) == 0; }

static bool is_tag(text t)
{
    static const char *const TAGS[] = {
        "p", "a", "img", "em", "strong", "code", "pre", "del", "blockquote", "ul", "ol", "li", "hr", "br", "table", "thead",
        "tbody", "tr", "th", "td", "h1", "h2", "h3", "h4", "h5", "h6",
    };
    for (size_t i = 0; i < sizeof TAGS / sizeof *TAGS; i++)
        if (t.length == strlen(TAGS[i]) && memcmp(t.at, TAGS[i], t.length) == 0)
            return true;
    return false;
}

/* Of a tag's attributes, only addresses can do harm. */
static void look_at_attributes(text t)
{
    static const char *const KNOWN[] = { "href", "src", "alt", "title", "class", "align", "start" };
    while (t.length > 0 && t.at[0] == ' ') {
        const char *equals = memmem(t.at, t.length, "=\"", 2);
        if (!equals)
            break;                           /* <br />, or <li> of a task */
        const text name = { t.at + 1, (size_t)(equals - t.at - 1) };
        const char *close = memchr(equals + 2, '"', (size_t)(t.at + t.length - equals - 2));
        bool known = false;
        must(close);
        for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
            known |= text_equal(name, (text){ KNOWN[i], strlen(KNOWN[i]) });
        must(known);
        const text value = { equals + 2, (size_t)(close - equals - 2) };
        if (text_equal(name, TEXT("href")) || text_equal(name, TEXT("src"))) {
            const char *colon = memchr(value.at, ':', value.length);
            bool relative = !colon;
            for (const char *c = value.at; colon && c < colon; c++)
                relative |= *c == '/' || *c == '?' || *c == '#';
            must(relative || starts(value, "http:") || starts(value, "https:") || starts(value, "mailto:"));
        }
        t.length -= (size_t)(close + 1 - t.at);
        t.at = close + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena a;
    buffer b;
    arena_init(&a, NULL, 0);
    buffer_init(&b, &a);
    markdown_html(&b, (text){ (const char *)data, size });
    const text html = buffer_all(&b);
    for (const char *at = html.at, *end = at + html.length; (at = memchr(at, '<', (size_t)(end - at)));) {
        const char *name = at + 1 + (at + 1 < end && at[1] == '/'), *after = name;
        while (after < end && isalnum((unsigned char)*after))
            after++;
        must(is_tag((text){ name, (size_t)(after - name) }));
        bool quoted = false;
        for (at = after; at < end && (quoted || *at != '>'); at++)
            quoted ^= *at == '"';
        must(at < end);
        look_at_attributes((text){ after, (size_t)(at - after) });
    }
    arena_done(&a);
    return 0;
}
