/* users.c - the JSON of a user and their posts. */
#include "users.h"

#include <stdio.h>
#include <string.h>

static char *put(char *p, const char *text) { return stpcpy(p, text); }

static char *put_integer(char *p, int64_t value)
{
    char digits[20];
    int n = 0;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    if (value < 0)
        *p++ = '-';
    do
        digits[n++] = (char)('0' + rest % 10);
    while (rest /= 10);
    while (n > 0)
        *p++ = digits[--n];
    return p;
}

static char *put_escaped(char *p, unsigned char c)
{
    if (c == '\n')
        return put(p, "\\n");
    if (c < 0x20)
        return p + sprintf(p, "\\u%04x", c);
    *p++ = '\\';
    *p++ = (char)c;
    return p;
}

static char *put_string(char *p, const char *text, size_t length)
{
    size_t copied = 0;
    *p++ = '"';
    for (size_t i = 0; i < length; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        p = put_escaped(mempcpy(p, text + copied, i - copied), c);
        copied = i + 1;
    }
    p = mempcpy(p, text + copied, length - copied);
    *p++ = '"';
    return p;
}

static char *put_cell(char *p, const cell *c)
{
    return c->text ? put_string(p, c->text, c->length) : put_integer(p, c->integer);
}

char *put_user(char *p, const cell columns[4])
{
    p = put_cell(put(p, "{\"user\":{\"id\":"), &columns[0]);
    p = put_cell(put(p, ",\"name\":"), &columns[1]);
    p = put_cell(put(p, ",\"email\":"), &columns[2]);
    p = put_cell(put(p, ",\"created_at\":"), &columns[3]);
    return put(p, "},\"posts\":[");
}

char *put_post(char *p, const cell columns[4], int index)
{
    p = put_cell(put(p, index > 0 ? ",{\"id\":" : "{\"id\":"), &columns[0]);
    p = put_cell(put(p, ",\"title\":"), &columns[1]);
    p = put_cell(put(p, ",\"body\":"), &columns[2]);
    p = put_cell(put(p, ",\"created_at\":"), &columns[3]);
    return put(p, "}");
}

char *put_end(char *p) { return put(p, "],\"previous\":null,\"next\":null}"); }
