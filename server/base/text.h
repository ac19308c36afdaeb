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

/* n in decimal digits, in the last bytes of room; made two at a time. */
enum { TEXT_DIGITS = 20 };
static inline text text_number(uint64_t n, char room[TEXT_DIGITS])
{
    static const char PAIRS[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                                "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                                "8081828384858687888990919293949596979899";
    size_t i = TEXT_DIGITS;
    for (; n >= 100; n /= 100)
        memcpy(room + (i -= 2), PAIRS + 2 * (n % 100), 2);
    if (n >= 10)
        memcpy(room + (i -= 2), PAIRS + 2 * n, 2);
    else
        room[--i] = (char)('0' + n);
    return (text){ room + i, TEXT_DIGITS - i };
}

#endif
