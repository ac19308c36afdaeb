/* vector.h - many bytes at once: sixteen where this machine has vectors for them (SSE2, NEON), else eight as one number.
 *
 * A question to a vector is answered for each of its bytes; answers are vectors, too, and good for nothing but vector_or,
 * vector_but, vector_not and vector_found. VECTOR_PORTABLE, defined before, leaves out what this machine has. */
#ifndef VECTOR_H
#define VECTOR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined __SSE2__ && !defined VECTOR_PORTABLE
#include <emmintrin.h>
#elif defined __aarch64__ && defined __ARM_NEON && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && !defined VECTOR_PORTABLE
#include <arm_neon.h>
#else
#define VECTOR_IS_WORD
#endif

/* Eight bytes as a number. An answer is 0x80 where it is yes, else 0: no carry leaves a byte. */

#define WORD_OF(byte) (UINT64_C(0x0101010101010101) * (uint8_t)(byte))

static inline uint64_t word_zeros(uint64_t w) { return ~(((w & WORD_OF(0x7f)) + WORD_OF(0x7f)) | w) & WORD_OF(0x80); }

/* Both ends below 0x80. */
static inline uint64_t word_within(uint64_t w, uint8_t low, uint8_t high)
{
    const uint64_t ascii = w & WORD_OF(0x7f);
    return (ascii + WORD_OF(0x80 - low)) & ~(ascii + WORD_OF(0x7f - high)) & ~w & WORD_OF(0x80);
}

static inline size_t word_index(uint64_t found)      /* of the first byte that was found: found is not 0 */
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return (size_t)__builtin_ctzll(found) / 8;
#else
    return (size_t)__builtin_clzll(found) / 8;
#endif
}

static inline uint64_t word_skip(uint64_t found, size_t bytes)       /* without the first ones, fewer than eight */
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return found >> (8 * bytes);
#else
    return found << (8 * bytes);
#endif
}

/*   vector_equals   is it that byte?          vector_within  is it one from low to high, both below 0x80?
 *   vector_with     each byte with these bits, which is no answer
 *   vector_found    an answer as a number, 0 if it is no for all; then vector_index is the first that it is yes for,
 *                   and vector_skip the number without those of so many bytes at the front, fewer than all. */

#if defined VECTOR_IS_WORD

typedef uint64_t vector;

static inline vector   vector_with(vector v, uint8_t bits)   { return v | WORD_OF(bits); }
static inline vector   vector_equals(vector v, uint8_t byte) { return word_zeros(v ^ WORD_OF(byte)); }
static inline vector   vector_within(vector v, uint8_t low, uint8_t high) { return word_within(v, low, high); }
static inline vector   vector_or(vector a, vector b)         { return a | b; }
static inline vector   vector_but(vector a, vector b)        { return a & ~b; }
static inline vector   vector_not(vector a)                  { return a ^ WORD_OF(0x80); }
static inline uint64_t vector_found(vector a)                { return a; }
static inline size_t   vector_index(uint64_t found)          { return word_index(found); }
static inline uint64_t vector_skip(uint64_t found, size_t n) { return word_skip(found, n); }

#elif defined __SSE2__

typedef __m128i vector;

static inline vector   vector_with(vector v, uint8_t bits)   { return _mm_or_si128(v, _mm_set1_epi8((char)bits)); }
static inline vector   vector_equals(vector v, uint8_t byte) { return _mm_cmpeq_epi8(v, _mm_set1_epi8((char)byte)); }
static inline vector   vector_or(vector a, vector b)         { return _mm_or_si128(a, b); }
static inline vector   vector_but(vector a, vector b)        { return _mm_andnot_si128(b, a); }
static inline vector   vector_not(vector a)                  { return _mm_cmpeq_epi8(a, _mm_setzero_si128()); }
static inline uint64_t vector_found(vector a)                { return (unsigned)_mm_movemask_epi8(a); }
static inline size_t   vector_index(uint64_t found)          { return (unsigned)__builtin_ctzll(found); }
static inline uint64_t vector_skip(uint64_t found, size_t n) { return found >> n; }

static inline vector vector_within(vector v, uint8_t low, uint8_t high)
{
    const vector above = _mm_sub_epi8(v, _mm_set1_epi8((char)low));
    return _mm_cmpeq_epi8(_mm_min_epu8(above, _mm_set1_epi8((char)(high - low))), above);
}

#else

typedef uint8x16_t vector;

static inline vector   vector_with(vector v, uint8_t bits)   { return vorrq_u8(v, vdupq_n_u8(bits)); }
static inline vector   vector_equals(vector v, uint8_t byte) { return vceqq_u8(v, vdupq_n_u8(byte)); }
static inline vector   vector_or(vector a, vector b)         { return vorrq_u8(a, b); }
static inline vector   vector_but(vector a, vector b)        { return vbicq_u8(a, b); }
static inline vector   vector_not(vector a)                  { return vmvnq_u8(a); }
static inline size_t   vector_index(uint64_t found)          { return (size_t)__builtin_ctzll(found) / 4; }
static inline uint64_t vector_skip(uint64_t found, size_t n) { return found >> (4 * n); }

static inline vector vector_within(vector v, uint8_t low, uint8_t high)
{
    return vcleq_u8(vsubq_u8(v, vdupq_n_u8(low)), vdupq_n_u8((uint8_t)(high - low)));
}

static inline uint64_t vector_found(vector a)        /* narrowed to four bits of each byte */
{
    return vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(a), 4)), 0);
}

#endif

static inline vector vector_at(const char *at)
{
    vector v;
    memcpy(&v, at, sizeof v);
    return v;
}

/* The bytes at, fewer than there are in a vector, and zeros. */
static __attribute__((noinline, cold, unused)) vector vector_of_few(const char *at, size_t length)
{
    char room[sizeof(vector)] = "";
    memcpy(room, at, length);
    return vector_at(room);
}

/* The first byte from at on for which the answer is yes, or end. The bytes from start on may be looked at, too: of what is
 * behind the last whole vector, the last vector of all is. Inline, so that the question becomes part of it. */
static inline __attribute__((always_inline)) const char *vector_find(const char *start, const char *at, const char *end,
                                                                     vector question(vector))
{
    for (; end - at >= (ptrdiff_t)sizeof(vector); at += sizeof(vector)) {
        const uint64_t found = vector_found(question(vector_at(at)));
        if (found)
            return at + vector_index(found);
    }
    const size_t left = (size_t)(end - at);
    if (left == 0)
        return end;
    const uint64_t found = end - start >= (ptrdiff_t)sizeof(vector)
        ? vector_skip(vector_found(question(vector_at(end - sizeof(vector)))), sizeof(vector) - left)
        : vector_found(question(vector_of_few(at, left)));
    const size_t index = found ? vector_index(found) : left;
    return index < left ? at + index : end;
}

#endif
