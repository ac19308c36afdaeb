/* accept_header.c - see accept_header.h. */
#include "accept_header.h"
#include "head.h"

#include <strings.h>

enum { WEIGHT = 4 };                         /* more than the best specificity */

/* How well a media range names a type: 3 exactly, 2 by its main type, 1 as anything, 0 not at all. */
static int range_specificity(text range, text type)
{
    if (text_equal(range, TEXT("*/*")))
        return 1;
    const size_t main_length = (size_t)((const char *)memchr(type.at, '/', type.length) - type.at) + 1;
    if (range.length == main_length + 1 && range.at[main_length] == '*' && strncasecmp(range.at, type.at, main_length) == 0)
        return 2;
    return range.length == type.length && strncasecmp(range.at, type.at, type.length) == 0 ? 3 : 0;
}

/* A qvalue (RFC 9110, 12.4.2), 0 to 1 with up to three decimals, in thousandths; -1 if it is none. */
static int quality_thousandths(text t)
{
    int n = 0, place = 1000;
    if (t.length > 5 || (t.length > 1 && t.at[1] != '.'))
        return -1;
    for (size_t i = 0; i < t.length; i++) {
        if (i == 1)
            continue;
        if (t.at[i] < '0' || t.at[i] > '9')
            return -1;
        n += (t.at[i] - '0') * place;
        place /= 10;
    }
    return n > 1000 ? -1 : n;
}

/* q of parameters like ";q=0.8;level=1", in thousandths. */
static int range_quality(text parameters)
{
    for (const char *at = parameters.at, *end = at + parameters.length; at < end;) {
        const char *next = memchr(at, ';', (size_t)(end - at));
        if (!next)
            next = end;
        const text p = text_trim((text){ at, (size_t)(next - at) });
        if (p.length > 2 && (p.at[0] | 0x20) == 'q' && p.at[1] == '=') {
            const int q = quality_thousandths((text){ p.at + 2, p.length - 2 });
            return q < 0 ? 1000 : q;
        }
        at = next + 1;
    }
    return 1000;
}

/* Quality, and as the lesser digit how well the type is named. */
static int accept_weigh(text accept, text type)
{
    int best = 0, q = 0;
    if (accept.length == 0)
        return 1000 * WEIGHT;
    for (const char *at = accept.at, *end = at + accept.length; at < end;) {
        const char *next = memchr(at, ',', (size_t)(end - at));
        if (!next)
            next = end;
        const char *semicolon = memchr(at, ';', (size_t)(next - at));
        const char *range_end = semicolon ? semicolon : next;
        const int s = range_specificity(text_trim((text){ at, (size_t)(range_end - at) }), type);
        if (s > best) {
            best = s;
            q = range_quality((text){ range_end, (size_t)(next - range_end) });
        }
        at = next + 1;
    }
    return q * WEIGHT + (q > 0 ? best : 0);
}

int accept_header_quality(text accept, text type) { return accept_weigh(accept, type) / WEIGHT; }

bool accept_header_prefers(text accept, text a, text b) { return accept_weigh(accept, a) > accept_weigh(accept, b); }

static const char *const CODING_NAMES[CODINGS][2] = { { "identity", "identity" }, { "gzip", "x-gzip" }, { "br", "br" } };

const char *coding_name(coding c) { return CODING_NAMES[c][0]; }

/* In thousandths; -1 for one that is neither named nor meant by *. */
static int accept_encoding_quality(text accept, coding c)
{
    int any = -1;
    text list = accept, member;
    while (text_next_member(&list, &member)) {
        const char *semicolon = memchr(member.at, ';', member.length);
        const size_t length = semicolon ? (size_t)(semicolon - member.at) : member.length;
        const text name = text_trim((text){ member.at, length });
        if (text_is(name, CODING_NAMES[c][0]) || text_is(name, CODING_NAMES[c][1]))
            return range_quality((text){ member.at + length, member.length - length });
        if (text_equal(name, TEXT("*")))
            any = range_quality((text){ member.at + length, member.length - length });
    }
    return any;
}

coding accept_encoding_best(text accept, unsigned codings)
{
    coding best = CODING_IDENTITY;
    int most = accept_encoding_quality(accept, CODING_IDENTITY);
    for (coding c = CODING_GZIP; c < CODINGS; c++) {
        const int q = codings & 1u << c ? accept_encoding_quality(accept, c) : 0;
        if (q > 0 && q >= most) {
            most = q;
            best = c;
        }
    }
    return best;
}

bool accept_encoding_takes_identity(text accept) { return accept_encoding_quality(accept, CODING_IDENTITY) != 0; }
