/* gallery_source.c - the lines of a pattern, as an ordered list that begins with their number in the
 * file: what is copied from it is code without numbers. Comments step back, and the words of the
 * toolkit stand out. */
#include "gallery.h"

#include <ctype.h>

static const char *const WORDS[] = {
    "await", "async", "gather", "race", "any", "all_settled", "then", "catch", "finally", "query", "with_timeout",
    "in_thread", "in_process", "task_start", "sleep_for", "when_settled", "http_get", "file_read", "semaphore_enter",
    "semaphore_leave", "queue_push", "queue_pop", "queue_close", "background_start", "background_join", "next_tick",
    "queue_microtask", "set_timeout", "set_immediate",
};

static bool stands_out(text word)
{
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++)
        if (text_equal(word, text_of(WORDS[i])))
            return true;
    return false;
}

static size_t word_length(text t)
{
    size_t n = 0;
    while (n < t.length && (isalnum((unsigned char)t.at[n]) || t.at[n] == '_'))
        n++;
    return n;
}

static text rest(text t, size_t from) { return (text){ t.at + from, t.length - from }; }

/* The part of t that ends with mark, or all of it. */
static size_t through(text t, const char *mark)
{
    const char *at = memmem(t.at, t.length, mark, strlen(mark));
    return at ? (size_t)(at - t.at) + strlen(mark) : t.length;
}

static void write_as(buffer *b, const char *element, text t)
{
    buffer_printf(b, "<%s>", element);
    buffer_html(b, t);
    buffer_printf(b, "</%s>", element);
}

/* comment: whether one that an earlier line began still goes on; returns whether it does after this one. */
static bool write_line(buffer *b, text line, bool comment)
{
    while (line.length > 0) {
        const bool opens = line.length > 1 && memcmp(line.at, "/*", 2) == 0;
        size_t n = word_length(line);
        if (comment || opens) {
            n = through(line, "*/");
            write_as(b, "i", (text){ line.at, n });
            comment = n < 2 || memcmp(line.at + n - 2, "*/", 2) != 0;
        } else if (line.at[0] == '"') {
            n = 1 + through(rest(line, 1), "\"");
            buffer_html(b, (text){ line.at, n });
        } else if (n > 0 && stands_out((text){ line.at, n })) {
            write_as(b, "b", (text){ line.at, n });
        } else {
            n = n > 0 ? n : 1;
            buffer_html(b, (text){ line.at, n });
        }
        line = rest(line, n);
    }
    return comment;
}

void pattern_write_source(buffer *b, const pattern *p)
{
    text all = text_of(p->source);
    bool comment = false, begun = false;
    int blank = 0;

    for (int number = 1; number <= p->last && all.length > 0; number++) {
        const size_t length = through(all, "\n");
        const text line = { all.at, length - (all.at[length - 1] == '\n') };
        all = rest(all, length);
        if (number < p->first)
            continue;
        if (text_is_blank(line)) {           /* written only between two others */
            blank += begun;
            continue;
        }
        if (!begun)
            buffer_printf(b, "<ol class=\"source\" start=\"%d\">", number);
        for (begun = true; blank > 0; blank--)
            buffer_text(b, TEXT("<li>\n</li>"));
        buffer_text(b, TEXT("<li>"));
        comment = write_line(b, line, comment);
        buffer_text(b, TEXT("\n</li>"));
    }
    buffer_text(b, begun ? TEXT("</ol>\n") : TEXT(""));
}
