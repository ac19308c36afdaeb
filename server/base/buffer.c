/* buffer.c - see buffer.h. */
#include "buffer.h"
#include "escape.h"

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

char *buffer_room(buffer *b, size_t length)
{
    if (b->capacity - b->length < length)
        buffer_grow(b, length);
    return b->at + b->length;
}

/* What is harmless, as most is, fits at once; what is not makes a text grow sixfold at most. */
static void buffer_escaped(buffer *b, text t, escape_function *escape)
{
    while (t.length > 0) {
        char *to = buffer_room(b, t.length + ESCAPE_LEAST);
        b->length = (size_t)(escape(to, b->at + b->capacity, &t) - b->at);
    }
}

void buffer_html(buffer *b, text t) { buffer_escaped(b, t, escape_html); }

void buffer_json(buffer *b, text t)
{
    buffer_text(b, TEXT("\""));
    buffer_escaped(b, t, escape_json);
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
