/* escape.c - see escape.h. Texts are looked at in blocks, which are copied first, then searched for what is harmful: with
 * vectors where this machine has them, else eight bytes as one number. The number is also for what is left of a text. */
#include "escape.h"
#include "vector.h"

typedef struct escaped { char bytes[7]; uint8_t length; } escaped;           /* 0: the byte stands for itself */

#define AS(literal) { literal, sizeof(literal) - 1 }

static const escaped JSON[256] = {
    AS("\\u0000"), AS("\\u0001"), AS("\\u0002"), AS("\\u0003"), AS("\\u0004"), AS("\\u0005"), AS("\\u0006"), AS("\\u0007"),
    AS("\\b"),     AS("\\t"),     AS("\\n"),     AS("\\u000b"), AS("\\f"),     AS("\\r"),     AS("\\u000e"), AS("\\u000f"),
    AS("\\u0010"), AS("\\u0011"), AS("\\u0012"), AS("\\u0013"), AS("\\u0014"), AS("\\u0015"), AS("\\u0016"), AS("\\u0017"),
    AS("\\u0018"), AS("\\u0019"), AS("\\u001a"), AS("\\u001b"), AS("\\u001c"), AS("\\u001d"), AS("\\u001e"), AS("\\u001f"),
    ['"'] = AS("\\\""), ['\\'] = AS("\\\\"),
};

static const escaped HTML[256] = {
    ['&'] = AS("&amp;"), ['<'] = AS("&lt;"), ['>'] = AS("&gt;"), ['"'] = AS("&quot;"), ['\''] = AS("&#39;"),
};

#define SIXTEEN(digit)                                                                                       \
    AS("\\x" digit "0"), AS("\\x" digit "1"), AS("\\x" digit "2"), AS("\\x" digit "3"), AS("\\x" digit "4"),      \
    AS("\\x" digit "5"), AS("\\x" digit "6"), AS("\\x" digit "7"), AS("\\x" digit "8"), AS("\\x" digit "9"),      \
    AS("\\x" digit "A"), AS("\\x" digit "B"), AS("\\x" digit "C"), AS("\\x" digit "D"), AS("\\x" digit "E"),      \
    AS("\\x" digit "F")

static const escaped LOG[256] = {
    SIXTEEN("0"), SIXTEEN("1"), ['"'] = AS("\\x22"), ['\\'] = AS("\\x5C"), [0x7f] = AS("\\x7F"),
    SIXTEEN("8"), SIXTEEN("9"), SIXTEEN("A"), SIXTEEN("B"), SIXTEEN("C"), SIXTEEN("D"), SIXTEEN("E"), SIXTEEN("F"),
};

/* Which of their bytes are harmful. In HTML < and > differ in one bit, and so do & and '. */

static inline uint64_t word_json(uint64_t w)
{
    return word_zeros(w & WORD_OF(0xe0)) | word_zeros(w ^ WORD_OF('"')) | word_zeros(w ^ WORD_OF('\\'));
}

static inline uint64_t word_html(uint64_t w)
{
    return word_zeros((w | WORD_OF(2)) ^ WORD_OF('>')) | word_zeros((w | WORD_OF(1)) ^ WORD_OF('\'')) |
           word_zeros(w ^ WORD_OF('"'));
}

static inline uint64_t word_log(uint64_t w)
{
    return (word_within(w, 0x20, 0x7e) ^ WORD_OF(0x80)) | word_zeros(w ^ WORD_OF('"')) | word_zeros(w ^ WORD_OF('\\'));
}

static inline vector vector_json(vector v)
{
    return vector_or(vector_within(v, 0, 0x1f), vector_or(vector_equals(v, '"'), vector_equals(v, '\\')));
}

static inline vector vector_html(vector v)
{
    const vector angles = vector_equals(vector_with(v, 2), '>'), others = vector_equals(vector_with(v, 1), '\'');
    return vector_or(angles, vector_or(others, vector_equals(v, '"')));
}

static inline vector vector_log(vector v)
{
    return vector_or(vector_not(vector_within(v, 0x20, 0x7e)), vector_or(vector_equals(v, '"'), vector_equals(v, '\\')));
}

/* Inline, so that what it is called with becomes part of it. */
static inline __attribute__((always_inline)) char *escape(char *to, const char *const end, text *t, const escaped table[256],
                                                          vector of_vector(vector), uint64_t of_word(uint64_t))
{
    const char *at = t->at, *const last = at + t->length;
    uint64_t found = 1;
    while (found && end - to >= ESCAPE_LEAST) {
        const size_t left = (size_t)(last - at), room = (size_t)(end - to) - sizeof(escaped), most = left < room ? left : room;
        size_t n = 0;
        found = 0;
        while (most - n >= sizeof(vector)) {
            const vector v = vector_at(at + n);
            memcpy(to + n, &v, sizeof v);
            if ((found = vector_found(of_vector(v)))) {
                n += vector_index(found);
                break;
            }
            n += sizeof v;
        }
        while (!found && most - n >= sizeof(uint64_t)) {
            uint64_t w;
            memcpy(&w, at + n, sizeof w);
            memcpy(to + n, &w, sizeof w);
            n += (found = of_word(w)) ? word_index(found) : sizeof w;
        }
        for (; !found && n < most && !(found = table[(unsigned char)at[n]].length); n++)
            to[n] = at[n];
        at += n;
        to += n;
        if (found) {
            const escaped *e = &table[(unsigned char)*at++];
            memcpy(to, e, sizeof *e);
            to += e->length;
        }
    }
    *t = (text){ at, (size_t)(last - at) };
    return to;
}

/* Copies a text in blocks, the last of which may overlap the one before it: is one of its bytes harmful in JSON, or in a log? */
static bool escape_any(char *to, const char *at, size_t length)
{
    uint64_t harmful = 0;
    for (size_t n = 0; n < length; n += sizeof(vector)) {
        const size_t here = length - n >= sizeof(vector) ? n : length - sizeof(vector);
        const vector v = vector_at(at + here);
        memcpy(to + here, &v, sizeof v);
        harmful |= vector_found(vector_log(v));
    }
    return harmful;
}

bool escape_none(char *to, text t)
{
    enum { HALF = 8 };
    char both[2 * HALF];
    if (t.length >= sizeof both)
        return !escape_any(to, t.at, t.length);
    if (t.length >= HALF) {                  /* its first bytes and its last ones, as one block */
        memcpy((char *)memcpy(both, t.at, HALF) + HALF, t.at + t.length - HALF, HALF);
        memcpy((char *)memcpy(to, both, HALF) + t.length - HALF, both + HALF, HALF);
        return !escape_any(both, both, sizeof both);
    }
    uint8_t longest = 0;
    for (size_t n = 0; n < t.length; n++)
        longest |= LOG[(unsigned char)(to[n] = t.at[n])].length;
    return longest == 0;
}

char *escape_json(char *to, const char *end, text *t) { return escape(to, end, t, JSON, vector_json, word_json); }
char *escape_html(char *to, const char *end, text *t) { return escape(to, end, t, HTML, vector_html, word_html); }
char *escape_log(char *to, const char *end, text *t)  { return escape(to, end, t, LOG, vector_log, word_log); }
