/* line_reader.c - see line_reader.h. */
#include "line_reader.h"
#include "server/base/memory.h"

void line_reader_feed(line_reader *l, text piece) { l->rest = piece; }

/* Puts a part behind the beginning of a line. */
static void line_keep(line_reader *l, text part)
{
    l->cut = true;
    l->too_long |= part.length > l->limit + 1 - l->length;   /* there may be a CR */
    if (l->too_long) {
        l->length = 0;
        return;
    }
    if (l->length + part.length > l->capacity) {
        l->capacity = 2 * l->capacity + part.length;
        l->open = mem_resize(l->open, l->capacity);
    }
    memcpy(l->open + l->length, part.at, part.length);
    l->length += part.length;
}

static void line_forget(line_reader *l)
{
    l->length = 0;
    l->cut = l->too_long = l->given = false;
}

static line_reader_found line_give(line_reader *l, text *line)
{
    l->number++;
    l->given = true;
    if (line->length > 0 && line->at[line->length - 1] == '\r')
        line->length--;
    return l->too_long || line->length > l->limit ? LINE_READER_TOO_LONG : LINE_READER_LINE;
}

static text line_kept(const line_reader *l) { return l->length > 0 ? (text){ l->open, l->length } : TEXT(""); }

line_reader_found line_reader_next(line_reader *l, text *line)
{
    if (l->given)
        line_forget(l);
    if (l->rest.length == 0)
        return LINE_READER_MORE;
    const char *end = memchr(l->rest.at, '\n', l->rest.length);
    const text part = { l->rest.at, end ? (size_t)(end - l->rest.at) : l->rest.length };
    l->rest.at += part.length + (end != NULL);
    l->rest.length -= part.length + (end != NULL);
    if (!end || l->cut)
        line_keep(l, part);
    if (!end)
        return LINE_READER_MORE;
    *line = l->cut ? line_kept(l) : part;
    return line_give(l, line);
}

line_reader_found line_reader_last(line_reader *l, text *line)
{
    if (l->given)
        line_forget(l);
    if (!l->cut)
        return LINE_READER_MORE;
    *line = line_kept(l);
    return line_give(l, line);
}

void line_reader_done(line_reader *l)
{
    mem_free(l->open);
    *l = (line_reader){ 0 };
}
