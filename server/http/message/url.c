/* url.c - see url.h. */
#include "url.h"

static int url_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

text url_decode(arena *a, text t, bool form)
{
    if (!memchr(t.at, '%', t.length) && !(form && memchr(t.at, '+', t.length)))
        return t;
    char *out = arena_room(a, t.length), *to = out;
    for (const char *at = t.at, *end = t.at + t.length; at < end; at++) {
        if (*at == '%' && end - at > 2 && url_hex_digit(at[1]) >= 0 && url_hex_digit(at[2]) >= 0) {
            *to++ = (char)(url_hex_digit(at[1]) << 4 | url_hex_digit(at[2]));
            at += 2;
        } else {
            *to++ = form && *at == '+' ? ' ' : *at;
        }
    }
    return (text){ out, (size_t)(to - out) };
}

char *url_encode(arena *a, text t)
{
    static const char HEX[] = "0123456789ABCDEF";
    static const bool PLAIN[256] = {
        ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true,
        ['-'] = true, ['.'] = true, ['_'] = true, ['~'] = true,
    };
    char *out = arena_room(a, 3 * t.length + 1), *to = out;
    for (size_t i = 0; i < t.length; i++) {
        const unsigned char c = (unsigned char)t.at[i];
        *to++ = PLAIN[c] ? (char)c : '%';
        if (!PLAIN[c]) {
            *to++ = HEX[c >> 4];
            *to++ = HEX[c & 15];
        }
    }
    *to = '\0';
    return out;
}

bool form_find(arena *a, text form, const char *name, text *value)
{
    const text wanted = text_of(name);
    for (const char *at = form.at, *end = form.at + form.length; at < end;) {
        const char *next = memchr(at, '&', (size_t)(end - at));
        if (!next)
            next = end;
        const char *equals = memchr(at, '=', (size_t)(next - at));
        const char *name_end = equals ? equals : next;
        const text found = { at, (size_t)(name_end - at) };
        /* Decoded it is up to three times shorter: others are not worth the arena's memory. */
        if (found.length >= wanted.length && found.length <= 3 * wanted.length &&
            text_equal(url_decode(a, found, true), wanted)) {
            *value = equals ? url_decode(a, (text){ equals + 1, (size_t)(next - equals - 1) }, true) : TEXT("");
            return true;
        }
        at = next + 1;
    }
    return false;
}
