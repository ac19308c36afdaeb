/* buffer.c - see buffer.h. Escaping copies runs of harmless bytes at once. */
#include "buffer.h"

#include <stdarg.h>
#include <stdio.h>

enum { FIRST = 1024 };

void buffer_init(buffer *b, arena *a) { *b = (buffer){ .arena = a, .at = "" }; }

text buffer_all(const buffer *b) { return (text){ b->at, b->length }; }

static char *room(buffer *b, size_t length)
{
    if (b->length + length > b->capacity) {
        size_t capacity = b->capacity ? b->capacity * 2 : FIRST;
        while (capacity < b->length + length)
            capacity *= 2;
        char *grown = arena_alloc(b->arena, capacity);
        memcpy(grown, b->at, b->length);
        b->at = grown;
        b->capacity = capacity;
    }
    return b->at + b->length;
}

void buffer_text(buffer *b, text t)
{
    memcpy(room(b, t.length), t.at, t.length);
    b->length += t.length;
}

/* Writes t with each byte for which escapes has an entry replaced by it. */
static void escape(buffer *b, text t, const text escapes[256])
{
    const char *from = t.at, *const end = t.at + t.length;
    for (const char *at = from; at < end; at++) {
        const text *e = &escapes[(unsigned char)*at];
        if (!e->at)
            continue;
        buffer_text(b, (text){ from, (size_t)(at - from) });
        buffer_text(b, *e);
        from = at + 1;
    }
    buffer_text(b, (text){ from, (size_t)(end - from) });
}

#define SAME(literal) { literal, sizeof(literal) - 1 }

void buffer_html(buffer *b, text t)
{
    static const text ESCAPES[256] = {
        ['&'] = SAME("&amp;"), ['<'] = SAME("&lt;"), ['>'] = SAME("&gt;"),
        ['"'] = SAME("&quot;"), ['\''] = SAME("&#39;"),
    };
    escape(b, t, ESCAPES);
}

/* RFC 8259, 7: the quotation mark, the backslash and all below 0x20. */
void buffer_json(buffer *b, text t)
{
    static const text ESCAPES[256] = {
        SAME("\\u0000"), SAME("\\u0001"), SAME("\\u0002"), SAME("\\u0003"), SAME("\\u0004"),
        SAME("\\u0005"), SAME("\\u0006"), SAME("\\u0007"), SAME("\\b"), SAME("\\t"), SAME("\\n"),
        SAME("\\u000b"), SAME("\\f"), SAME("\\r"), SAME("\\u000e"), SAME("\\u000f"), SAME("\\u0010"),
        SAME("\\u0011"), SAME("\\u0012"), SAME("\\u0013"), SAME("\\u0014"), SAME("\\u0015"),
        SAME("\\u0016"), SAME("\\u0017"), SAME("\\u0018"), SAME("\\u0019"), SAME("\\u001a"),
        SAME("\\u001b"), SAME("\\u001c"), SAME("\\u001d"), SAME("\\u001e"), SAME("\\u001f"),
        ['"'] = SAME("\\\""), ['\\'] = SAME("\\\\"),
    };
    buffer_text(b, TEXT("\""));
    escape(b, t, ESCAPES);
    buffer_text(b, TEXT("\""));
}

void buffer_int(buffer *b, int64_t n)
{
    char digits[TEXT_DIGITS];
    if (n < 0)
        buffer_text(b, TEXT("-"));
    buffer_text(b, text_number(n < 0 ? 0 - (uint64_t)n : (uint64_t)n, digits));
}

void buffer_printf(buffer *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    const int length = vsnprintf(NULL, 0, format, args);
    vsnprintf(room(b, (size_t)length + 1), (size_t)length + 1, format, again);
    b->length += (size_t)length;
    va_end(again);
    va_end(args);
}
