/* units.c - see units.h. */
#include "units.h"

#include <stddef.h>
#include <string.h>
#include <uv.h>

typedef struct unit {
    const char *name;
    uint64_t    worth;
} unit;

static const unit PLAIN[] = { { "", 1 }, { 0 } };
static const unit SIZES[] = { { "", 1 }, { "KiB", 1 << 10 }, { "MiB", 1 << 20 }, { "GiB", 1 << 30 },
                              { 0 } };
static const unit TIMES[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { 0 } };

static int units_read(const char *text, const unit *units, uint64_t *out)
{
    const size_t digits = strspn(text, "0123456789");
    const unit *u = units;
    while (u->name && strcmp(u->name, text + digits) != 0)
        u++;
    if (!digits || !u->name)
        return UV_EINVAL;

    uint64_t value = 0;
    for (size_t i = 0; i < digits; i++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value))
            return UV_ERANGE;
    if (__builtin_mul_overflow(value, u->worth, &value))
        return UV_ERANGE;
    *out = value;
    return 0;
}

int units_number(const char *text, uint64_t *out) { return units_read(text, PLAIN, out); }
int units_size(const char *text, uint64_t *out)   { return units_read(text, SIZES, out); }

int units_duration(const char *text, uint64_t *out)
{
    return units_read(text, strcmp(text, "0") == 0 ? PLAIN : TIMES, out);
}

int units_switch(const char *text, bool *out)
{
    static const char *const WORDS[] = { "off", "on", "false", "true", "no", "yes" };
    for (int i = 0; i < 6; i++)
        if (strcmp(text, WORDS[i]) == 0) {
            *out = i % 2;
            return 0;
        }
    return UV_EINVAL;
}

/* The length of the UTF-8 character at p, or 0: overlong forms, surrogates and what is beyond
 * U+10FFFF are none. A terminator within is no continuation byte, so it ends the reading. */
static size_t utf8_length(const unsigned char *p)
{
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

bool units_is_line(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    for (size_t length; *p; p += length) {
        length = utf8_length(p);
        if (!length || (*p < ' ' && *p != '\t') || *p == 0x7f)
            return false;
    }
    return true;
}
