/* json.c - see json.h. A byte at a time, and copies of what needs no escape. */
#include "json.h"

#include <stdio.h>
#include <string.h>

char *put_integer(char *p, int64_t value)
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
        return stpcpy(p, "\\n");
    if (c < 0x20)
        return p + sprintf(p, "\\u%04x", c);
    *p++ = '\\';
    *p++ = (char)c;
    return p;
}

char *put_string(char *p, const char *text, size_t length)
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
