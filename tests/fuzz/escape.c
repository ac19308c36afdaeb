/* escape.c - any bytes, escaped in pieces of any size: the same as each byte alone. */
#include "server/base/escape.h"

#include <stdio.h>
#include <stdlib.h>

#define must(what) ((what) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what), abort()))

static void look(escape_function *escape, text t, size_t room)
{
    char *piece = malloc(room);
    while (t.length > 0) {
        text   before = t;
        char  *end = escape(piece, piece + room, &t), *at = piece;
        must(t.length < before.length);
        for (; before.at < t.at; before.at++) {
            char one[ESCAPE_LEAST];
            text byte = { before.at, 1 };
            const size_t length = (size_t)(escape(one, one + sizeof one, &byte) - one);
            must(length <= (size_t)(end - at) && memcmp(at, one, length) == 0);
            at += length;
        }
        must(at == end);
    }
    free(piece);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const text t = { (const char *)data + 1, size - 1 };
    look(escape_json, t, ESCAPE_LEAST + (size_t)data[0]);
    look(escape_html, t, ESCAPE_LEAST + (size_t)data[0]);
    return 0;
}
