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

static inline text text_trim(text t)         /* without spaces and tabs at both ends */
{
    while (t.length > 0 && (t.at[0] == ' ' || t.at[0] == '\t'))
        t.at++, t.length--;
    while (t.length > 0 && (t.at[t.length - 1] == ' ' || t.at[t.length - 1] == '\t'))
        t.length--;
    return t;
}

/* Takes the next member off the front of a list whose members commas part (RFC 9110, 5.6.1), trimmed: may be
 * empty. False when there are no more. */
static inline bool text_next_member(text *list, text *member)
{
    if (list->length == 0)
        return false;
    const char *const comma = memchr(list->at, ',', list->length);
    const size_t length = comma ? (size_t)(comma - list->at) : list->length, used = length + (comma != NULL);
    *member = text_trim((text){ list->at, length });
    *list = (text){ list->at + used, list->length - used };
    return true;
}

/* The two decimal digits of a number below 100. */
static inline const char *text_pair(uint64_t n)
{
    static const char PAIRS[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                                "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                                "8081828384858687888990919293949596979899";
    return PAIRS + 2 * n;
}

/* n in decimal digits, in the last bytes of room; made two at a time. */
enum { TEXT_DIGITS = 20 };
static inline text text_number(uint64_t n, char room[TEXT_DIGITS])
{
    size_t i = TEXT_DIGITS;
    for (; n >= 100; n /= 100)
        memcpy(room + (i -= 2), text_pair(n % 100), 2);
    if (n >= 10)
        memcpy(room + (i -= 2), text_pair(n), 2);
    else
        room[--i] = (char)('0' + n);
    return (text){ room + i, TEXT_DIGITS - i };
}

#endif
