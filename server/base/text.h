/* text.h - bytes with a length: most text here is a view into a buffer of another. */
#ifndef TEXT_H
#define TEXT_H

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct text {
    const char *at;                          /* not terminated; never NULL, "" when empty */
    size_t      length;
} text;

#define TEXT(literal) ((text){ (literal), sizeof(literal) - 1 })

static inline text text_of(const char *s) { return (text){ s, strlen(s) }; }

static inline bool text_equal(text a, text b)
{
    return a.length == b.length && memcmp(a.at, b.at, a.length) == 0;
}

static inline bool text_is_blank(text t)
{
    size_t i = 0;
    while (i < t.length && isspace((unsigned char)t.at[i]))
        i++;
    return i == t.length;
}

/* n in decimal digits, in the last bytes of room. */
enum { TEXT_DIGITS = 20 };
static inline text text_number(uint64_t n, char room[TEXT_DIGITS])
{
    size_t i = TEXT_DIGITS;
    do
        room[--i] = (char)('0' + n % 10);
    while (n /= 10);
    return (text){ room + i, TEXT_DIGITS - i };
}

#endif
