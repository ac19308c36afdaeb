/* buffer.h - text that grows at its end, in an arena: how pages and JSON are written. */
#ifndef BUFFER_H
#define BUFFER_H

#include "arena.h"
#include "text.h"

#include <stdint.h>

typedef struct buffer {
    arena *arena;
    char  *at;
    size_t length, capacity;
} buffer;

void buffer_init(buffer *b, arena *a);
text buffer_all(const buffer *b);            /* what has been written: a view, until more is */

char *buffer_room(buffer *b, size_t length); /* so many bytes behind what has been written, or more */

/* Inline, because a literal is then a store or two. */
static inline void buffer_text(buffer *b, text t)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): an empty text may be nowhere */
    memcpy(b->capacity - b->length < t.length ? buffer_room(b, t.length) : b->at + b->length, t.at, t.length);
    b->length += t.length;
}

void buffer_html(buffer *b, text t);         /* escaped as escape.h says, for text and quoted attributes */
void buffer_json(buffer *b, text t);         /* a JSON string with its quotes; UTF-8 goes through */
void buffer_int(buffer *b, int64_t n);
void buffer_printf(buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
