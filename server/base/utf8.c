/* utf8.c - see utf8.h. */
#include "utf8.h"

#include <stdint.h>
#include <string.h>

enum { LONGEST = 4 };                        /* bytes of a character */

/* A NUL is no byte that continues a character, so it ends the reading. */
size_t utf8_length(const char *at)
{
    const unsigned char *p = (const unsigned char *)at;
    if (p[0] < 0x80)
        return 1;
    const size_t length = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    uint32_t c = p[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    static const uint32_t LEAST[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const bool good = p[0] >= 0xc2 && c >= LEAST[length] && c <= 0x10ffff && (c & ~0x7ffu) != 0xd800;
    return good && p[0] < 0xf8 ? length : 0;
}

bool utf8_is(const char *at, size_t length)
{
    const char *const end = at + length;
    while (at < end) {
        uint64_t eight;                      /* of ASCII, mostly */
        if (end - at >= (long)sizeof eight && (memcpy(&eight, at, sizeof eight), (eight & 0x8080808080808080) == 0)) {
            at += sizeof eight;
            continue;
        }
        char few[LONGEST] = "";              /* nothing behind the last ones is looked at */
        const bool last = end - at < LONGEST;
        const size_t one = utf8_length(last ? memcpy(few, at, (size_t)(end - at)) : at);
        if (one == 0)
            return false;
        at += one;
    }
    return true;
}
