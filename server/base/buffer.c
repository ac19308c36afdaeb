/* buffer.c - see buffer.h. Escaping looks at sixteen bytes at once, and copies runs of harmless ones. */
#include "buffer.h"

#include <stdarg.h>
#include <stdio.h>

/* Most of what is written is either a line or a page: a page is copied once on its way to its size. */
enum { LINE = 512, PAGE = 15 * 1024 };

void buffer_init(buffer *b, arena *a) { *b = (buffer){ .arena = a, .at = "" }; }

text buffer_all(const buffer *b) { return (text){ b->at, b->length }; }

static void buffer_grow(buffer *b, size_t length)
{
    const size_t usual = b->capacity == 0 ? LINE : b->capacity < PAGE ? PAGE : 2 * b->capacity;
    const size_t need = b->length + length > usual ? b->length + length : usual;
    size_t capacity = need;
    char *grown = need < PAGE ? arena_room(b->arena, need) : arena_room_alone(b->arena, need, &capacity);
    memcpy(grown, b->at, b->length);
    b->at = grown;
    b->capacity = capacity;
}

static char *buffer_room(buffer *b, size_t length)
{
    if (b->capacity - b->length < length)
        buffer_grow(b, length);
    return b->at + b->length;
}

void buffer_text(buffer *b, text t)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): an empty text may be nowhere */
    memcpy(buffer_room(b, t.length), t.at, t.length);
    b->length += t.length;
}

/* Sixteen bytes, which compilers know how to compare at once: of a comparison each becomes 0 or 0xff. */
typedef uint8_t sixteen __attribute__((vector_size(16)));

static inline sixteen load(const char *at)
{
    sixteen s;
    memcpy(&s, at, sizeof s);
    return s;
}

/* The first that is not 0; 16 if there is none. */
static inline size_t first(sixteen s)
{
    uint64_t half[2];
    memcpy(half, &s, sizeof half);
    for (int i = 0; i < 2; i++)
        if (half[i])
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
            return (size_t)(8 * i + __builtin_ctzll(half[i]) / 8);
#else
            return (size_t)(8 * i + __builtin_clzll(half[i]) / 8);
#endif
    return sizeof s;
}

static inline sixteen harmful_in_html(sixteen s)
{
    return (sixteen)((s == '&') | (s == '<') | (s == '>') | (s == '"') | (s == '\''));
}

static inline sixteen harmful_in_json(sixteen s) { return (sixteen)((s < 0x20) | (s == '"') | (s == '\\')); }

/* Writes t with each byte for which escapes has an entry replaced by it: harmful finds those. Inline, so
 * that harmful is, too. */
static inline __attribute__((always_inline)) void escape(buffer *b, text t, const text escapes[256],
                                                         sixteen (*harmful)(sixteen))
{
    const char *from = t.at, *at = from, *const end = t.at + t.length;
    for (;;) {
        size_t n = sizeof(sixteen);
        while (end - at >= (ptrdiff_t)sizeof(sixteen) && (n = first(harmful(load(at)))) == sizeof(sixteen))
            at += sizeof(sixteen);
        if (n < sizeof(sixteen))
            at += n;
        else
            while (at < end && !escapes[(unsigned char)*at].at)
                at++;
        buffer_text(b, (text){ from, (size_t)(at - from) });
        if (at == end)
            return;
        buffer_text(b, escapes[(unsigned char)*at]);
        from = ++at;
    }
}

#define SAME(literal) { literal, sizeof(literal) - 1 }

void buffer_html(buffer *b, text t)
{
    static const text ESCAPES[256] = {
        ['&'] = SAME("&amp;"), ['<'] = SAME("&lt;"), ['>'] = SAME("&gt;"),
        ['"'] = SAME("&quot;"), ['\''] = SAME("&#39;"),
    };
    escape(b, t, ESCAPES, harmful_in_html);
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
    escape(b, t, ESCAPES, harmful_in_json);
    buffer_text(b, TEXT("\""));
}

void buffer_int(buffer *b, int64_t n)
{
    char digits[TEXT_DIGITS];
    if (n < 0)
        buffer_text(b, TEXT("-"));
    buffer_text(b, text_number(n < 0 ? 0 - (uint64_t)n : (uint64_t)n, digits));
}

/* Into what room there is: most fits, and is printed once. */
void buffer_printf(buffer *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    const size_t there = b->capacity - b->length;
    const size_t length = (size_t)vsnprintf(there > 0 ? b->at + b->length : NULL, there, format, args);
    if (length >= there)
        vsnprintf(buffer_room(b, length + 1), length + 1, format, again);
    b->length += length;
    va_end(again);
    va_end(args);
}
