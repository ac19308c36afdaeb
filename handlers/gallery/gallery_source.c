/* gallery_source.c - the lines of a pattern, as an ordered list that begins with their number in the file: what is copied
 * from it is code without numbers. Comments step back, and the words of the toolkit lead to where they are declared:
 * GET /patterns/source/..., the whole of a file. */
#include "gallery.h"
#include "handlers/handlers.h"
#include "handlers/layout.h"
#include "sources.h"

#include <ctype.h>
#include <limits.h>

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

static void write_comment(buffer *b, text t)
{
    buffer_text(b, TEXT("<i>"));
    buffer_html(b, t);
    buffer_text(b, TEXT("</i>"));
}

/* of: the file that is written. */
static void write_word(buffer *b, text word, const source_file *of)
{
    const source_file *f = source_declaring(word);
    if (!f) {
        buffer_html(b, word);
    } else if (strcmp(f->path, of->path) == 0) {
        buffer_text(b, TEXT("<b>"));
        buffer_html(b, word);
        buffer_text(b, TEXT("</b>"));
    } else {
        buffer_printf(b, "<a href=\"/patterns/source/%s#", f->path);
        buffer_html(b, word);
        buffer_text(b, TEXT("\">"));
        buffer_html(b, word);
        buffer_text(b, TEXT("</a>"));
    }
}

/* comment: whether one that an earlier line began still goes on; returns whether it does after this one. */
static bool write_line(buffer *b, text line, bool comment, const source_file *of)
{
    while (line.length > 0) {
        const bool opens = line.length > 1 && memcmp(line.at, "/*", 2) == 0;
        size_t n = word_length(line);
        if (comment || opens) {
            n = through(line, "*/");
            write_comment(b, (text){ line.at, n });
            comment = n < 2 || memcmp(line.at + n - 2, "*/", 2) != 0;
        } else if (line.at[0] == '"') {
            n = 1 + through(rest(line, 1), "\"");
            buffer_html(b, (text){ line.at, n });
        } else if (n > 0) {
            write_word(b, (text){ line.at, n }, of);
        } else {
            n = 1;
            buffer_html(b, (text){ line.at, n });
        }
        line = rest(line, n);
    }
    return comment;
}

/* Where links to the words that are declared in this line lead to, if no line before has declared them. */
static void write_targets(buffer *b, text line, const source_file *of, uint64_t *written)
{
    const bool defines = line.length > 8 && memcmp(line.at, "#define ", 8) == 0;
    for (size_t n; line.length > 0; line = rest(line, n > 0 ? n : 1)) {
        n = word_length(line);
        const text word = { line.at, n };
        const int which = source_word(of, word);
        if (which < 0 || *written & (uint64_t)1 << which || !(defines || (n < line.length && line.at[n] == '(')))
            continue;
        *written |= (uint64_t)1 << which;
        buffer_text(b, TEXT("<span id=\""));
        buffer_html(b, word);
        buffer_text(b, TEXT("\"></span>"));
    }
}

/* Those lines of f, without blank ones at the beginning and the end. */
static void write_lines(buffer *b, const source_file *f, int first, int last)
{
    text all = text_of(f->all);
    bool comment = false, begun = false;
    uint64_t written = 0;
    int blank = 0;

    for (int number = 1; number <= last && all.length > 0; number++) {
        const size_t length = through(all, "\n");
        const text line = { all.at, length - (all.at[length - 1] == '\n') };
        all = rest(all, length);
        if (number < first)
            continue;
        if (text_is_blank(line)) {           /* written only between two others */
            blank += begun;
            continue;
        }
        if (!begun)
            buffer_printf(b, "<ol class=\"source\" start=\"%d\">", number);
        for (begun = true; blank > 0; blank--)
            buffer_text(b, TEXT("<li>\n</li>"));
        buffer_printf(b, "<li id=\"L%d\">", number);
        if (!comment)
            write_targets(b, line, f, &written);
        comment = write_line(b, line, comment, f);
        buffer_text(b, TEXT("\n</li>"));
    }
    buffer_text(b, begun ? TEXT("</ol>\n") : TEXT(""));
}

void pattern_write_source(buffer *b, const pattern *p)
{
    write_lines(b, &(source_file){ p->file, p->source, "" }, p->first, p->last);
}

int pattern_source(request *req)
{
    source_file f;
    buffer b;
    if (!source_find(request_param(req, "*"), &f))
        return E_NOT_FOUND;
    buffer_init(&b, request_arena(req));
    layout_begin_with(&b, text_of(f.path), "<link rel=\"stylesheet\" href=\"/static/patterns.css\">\n");
    buffer_printf(&b, "<p class=\"up\"><a href=\"/patterns\">All patterns</a> &middot; a file that they are made of</p>\n"
                      "<h1 class=\"path\">%s</h1>\n", f.path);
    write_lines(&b, &f, 1, INT_MAX);
    layout_end(&b);
    return respond_html(req, 200, buffer_all(&b));
}
