/* lines.c - see lines.h. */
#include "lines.h"
#include "server/base/memory.h"

void lines_feed(lines *l, text piece) { l->rest = piece; }

/* Puts a part behind the beginning of a line. */
static void keep(lines *l, text part)
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

static void forget(lines *l)
{
    l->length = 0;
    l->cut = l->too_long = l->given = false;
}

static lines_what give(lines *l, text *line)
{
    l->number++;
    l->given = true;
    if (line->length > 0 && line->at[line->length - 1] == '\r')
        line->length--;
    return l->too_long || line->length > l->limit ? LINES_TOO_LONG : LINES_LINE;
}

static text kept(const lines *l) { return l->length > 0 ? (text){ l->open, l->length } : TEXT(""); }

lines_what lines_next(lines *l, text *line)
{
    if (l->given)
        forget(l);
    if (l->rest.length == 0)
        return LINES_MORE;
    const char *end = memchr(l->rest.at, '\n', l->rest.length);
    const text part = { l->rest.at, end ? (size_t)(end - l->rest.at) : l->rest.length };
    l->rest.at += part.length + (end != NULL);
    l->rest.length -= part.length + (end != NULL);
    if (!end || l->cut)
        keep(l, part);
    if (!end)
        return LINES_MORE;
    *line = l->cut ? kept(l) : part;
    return give(l, line);
}

lines_what lines_last(lines *l, text *line)
{
    if (l->given)
        forget(l);
    if (!l->cut)
        return LINES_MORE;
    *line = kept(l);
    return give(l, line);
}

void lines_done(lines *l)
{
    mem_free(l->open);
    *l = (lines){ 0 };
}
