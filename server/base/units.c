/* units.c - see units.h. */
#include "units.h"
#include "utf8.h"

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

bool units_is_line(const char *text)
{
    for (size_t length; *text; text += length) {
        length = utf8_length(text);
        if (!length || ((unsigned char)*text < ' ' && *text != '\t') || *text == 0x7f)
            return false;
    }
    return true;
}
