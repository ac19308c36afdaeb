/* escape.c - see escape.h. Texts are looked at in blocks, which are copied first, then searched for what is harmful: with
 * vectors where this machine has them, else eight bytes as one number. The number is also for what is left of a text. */
#include "escape.h"

#if defined __SSE2__ && !defined ESCAPE_PORTABLE
#include <emmintrin.h>
#elif defined __aarch64__ && defined __ARM_NEON && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && !defined ESCAPE_PORTABLE
#include <arm_neon.h>
#else
#define ESCAPE_WORDS                         /* and no vectors */
#endif

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

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Of each kind of block: which of its bytes are harmful, 0 for none, and the index of the first of these. In HTML < and >
 * differ in one bit, and so do & and '. */

/* 0x80 where a byte is 0, else 0: no carry leaves a byte. */
static inline uint64_t word_zeros(uint64_t w) { return ~(((w & EACH(0x7f)) + EACH(0x7f)) | w) & EACH(0x80); }

static inline uint64_t word_json(uint64_t w)
{
    return word_zeros(w & EACH(0xe0)) | word_zeros(w ^ EACH('"')) | word_zeros(w ^ EACH('\\'));
}

static inline uint64_t word_html(uint64_t w)
{
    return word_zeros((w | EACH(2)) ^ EACH('>')) | word_zeros((w | EACH(1)) ^ EACH('\'')) | word_zeros(w ^ EACH('"'));
}

static inline size_t word_index(uint64_t found)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return (size_t)__builtin_ctzll(found) / 8;
#else
    return (size_t)__builtin_clzll(found) / 8;
#endif
}

#if defined ESCAPE_WORDS

typedef uint64_t block;
#define block_json  word_json
#define block_html  word_html
#define block_index word_index

#elif defined __SSE2__

typedef __m128i block;

static inline block    block_equals(block b, char c) { return _mm_cmpeq_epi8(b, _mm_set1_epi8(c)); }
static inline block    block_or(block a, block b)    { return _mm_or_si128(a, b); }
static inline block    block_with(block b, char bit) { return _mm_or_si128(b, _mm_set1_epi8(bit)); }
static inline block    block_control(block b)        { return _mm_cmpeq_epi8(_mm_min_epu8(b, _mm_set1_epi8(0x1f)), b); }
static inline uint64_t block_found(block b)          { return (unsigned)_mm_movemask_epi8(b); }
static inline size_t   block_index(uint64_t found)   { return (size_t)__builtin_ctzll(found); }

#else

typedef uint8x16_t block;

static inline block  block_equals(block b, char c) { return vceqq_u8(b, vdupq_n_u8((uint8_t)c)); }
static inline block  block_or(block a, block b)    { return vorrq_u8(a, b); }
static inline block  block_with(block b, char bit) { return vorrq_u8(b, vdupq_n_u8((uint8_t)bit)); }
static inline block  block_control(block b)        { return vcltq_u8(b, vdupq_n_u8(0x20)); }
static inline size_t block_index(uint64_t found)   { return (size_t)__builtin_ctzll(found) / 4; }

static inline uint64_t block_found(block b)        /* narrowed to four bits of each byte */
{
    return vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(b), 4)), 0);
}

#endif

#if !defined ESCAPE_WORDS

static inline uint64_t block_json(block b)
{
    return block_found(block_or(block_control(b), block_or(block_equals(b, '"'), block_equals(b, '\\'))));
}

static inline uint64_t block_html(block b)
{
    const block angles = block_equals(block_with(b, 2), '>'), others = block_equals(block_with(b, 1), '\'');
    return block_found(block_or(angles, block_or(others, block_equals(b, '"'))));
}

#endif

/* Inline, so that what it is called with becomes part of it. */
static inline __attribute__((always_inline)) char *escape(char *to, const char *const end, text *t, const escaped table[256],
                                                          uint64_t of_block(block), uint64_t of_word(uint64_t))
{
    const char *at = t->at, *const last = at + t->length;
    uint64_t found = 1;
    while (found && end - to >= ESCAPE_LEAST) {
        const size_t left = (size_t)(last - at), room = (size_t)(end - to) - sizeof(escaped), most = left < room ? left : room;
        size_t n = 0;
        found = 0;
        while (most - n >= sizeof(block)) {
            block b;
            memcpy(&b, at + n, sizeof b);
            memcpy(to + n, &b, sizeof b);
            if ((found = of_block(b))) {
                n += block_index(found);
                break;
            }
            n += sizeof b;
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

char *escape_json(char *to, const char *end, text *t) { return escape(to, end, t, JSON, block_json, word_json); }
char *escape_html(char *to, const char *end, text *t) { return escape(to, end, t, HTML, block_html, word_html); }
