/* deflate.c - see deflate.h. */
#include "deflate.h"
#include "server/base/memory.h"
#include "server/http/message/head.h"

#include <stdio.h>
#include <zlib.h>

enum { NOT_DATA = 1007, TOO_BIG = 1009, TRY_AGAIN = 1013 };
enum { WINDOW_LEAST = 9, WINDOW_MOST = 15 }; /* bits of zlib's; the RFC's are from 8 on */
enum { OUR_WINDOW = 12, OUR_TABLES = 5, LEVEL = 1 };         /* 32 KB, where the largest window takes 256 */

enum { AT_BLOCK = 128 };                     /* of zlib's data_type: inflate has come to the end of one */

static const char TAIL[] = { 0, 0, (char)0xff, (char)0xff };

static _Thread_local struct {
    z_stream deflating, inflating;
    int      window;                         /* of deflating; 0: there is none */
    bool     inflates;
} here;

/* Offers. */

typedef struct offer { bool server_anew, client_anew, client_window; int window; } offer;

/* The next part of an offer, before a semicolon. */
static bool offer_next_part(text *rest, text *part)
{
    if (rest->length == 0)
        return false;
    const char *end = memchr(rest->at, ';', rest->length);
    const size_t length = end ? (size_t)(end - rest->at) : rest->length, used = length + (end != NULL);
    *part = text_trim((text){ rest->at, length });
    *rest = (text){ rest->at + used, rest->length - used };
    return true;
}

/* 8 to 15, in quotes or not; else 0. */
static int window_of(text value)
{
    if (value.length > 2 && value.at[0] == '"' && value.at[value.length - 1] == '"')
        value = (text){ value.at + 1, value.length - 2 };
    if (value.length == 1 && (value.at[0] == '8' || value.at[0] == '9'))
        return value.at[0] - '0';
    return value.length == 2 && value.at[0] == '1' && value.at[1] >= '0' && value.at[1] <= '5' ? 10 + value.at[1] - '0' : 0;
}

/* Each parameter may be there once, and be what it is; any other makes it an offer of something else. */
static bool offer_take(offer *o, text part)
{
    const char *equals = memchr(part.at, '=', part.length);
    const text name = text_trim((text){ part.at, equals ? (size_t)(equals - part.at) : part.length });
    const text value = equals ? text_trim((text){ equals + 1, (size_t)(part.at + part.length - equals - 1) }) : TEXT("");
    bool *const once = text_is(name, "server_no_context_takeover")   ? &o->server_anew
                       : text_is(name, "client_no_context_takeover") ? &o->client_anew
                       : text_is(name, "client_max_window_bits")     ? &o->client_window
                                                                     : NULL;
    if (once == &o->client_window ? equals && !window_of(value) : once && equals)
        return false;
    if (once) {
        const bool again = *once;
        *once = true;
        return !again;
    }
    if (!text_is(name, "server_max_window_bits") || o->window || !window_of(value))
        return false;
    o->window = window_of(value);
    return true;
}

static bool offer_read(text t, offer *o)
{
    text part;
    *o = (offer){ 0 };
    if (!offer_next_part(&t, &part) || !text_is(part, "permessage-deflate"))
        return false;
    while (offer_next_part(&t, &part))
        if (!offer_take(o, part))
            return false;
    return o->window == 0 || o->window >= WINDOW_LEAST;
}

int deflate_negotiate(text offers, char answer[DEFLATE_ANSWER])
{
    for (text member; text_next_member(&offers, &member);) {
        offer o;
        if (!offer_read(member, &o))
            continue;
        const int used = snprintf(answer, DEFLATE_ANSWER,
                                  "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
        if (o.window)
            snprintf(answer + used, DEFLATE_ANSWER - (size_t)used, "; server_max_window_bits=%d", o.window);
        return o.window ? o.window : WINDOW_MOST;
    }
    return 0;
}

/* Messages. */

static bool deflating_begin(int window)
{
    if (window > OUR_WINDOW)                 /* one may use less than may be used */
        window = OUR_WINDOW;
    if (here.window == window)
        return deflateReset(&here.deflating) == Z_OK;
    if (here.window)
        deflateEnd(&here.deflating);
    here.deflating = (z_stream){ 0 };
    const bool made = deflateInit2(&here.deflating, LEVEL, Z_DEFLATED, -window, OUR_TABLES, Z_DEFAULT_STRATEGY) == Z_OK;
    here.window = made ? window : 0;
    return made;
}

text deflate_message(text t, int window)
{
    if (!deflating_begin(window))
        return (text){ 0 };
    z_stream *z = &here.deflating;
    char *out = mem_resize(NULL, t.length);
    z->next_in = (Bytef *)t.at;
    z->avail_in = (uInt)t.length;
    z->next_out = (Bytef *)out;
    z->avail_out = (uInt)t.length;
    const int err = deflate(z, Z_SYNC_FLUSH);
    if (err == Z_OK && z->avail_in == 0 && z->avail_out > 0 && z->total_out > sizeof TAIL)
        return (text){ out, z->total_out - sizeof TAIL };
    mem_free(out);
    return (text){ 0 };
}

static bool inflating_begin(void)
{
    if (here.inflates)
        return inflateReset(&here.inflating) == Z_OK;
    here.inflating = (z_stream){ 0 };
    return here.inflates = inflateInit2(&here.inflating, -WINDOW_MOST) == Z_OK;
}

/* So many bytes, and one behind them; NULL if there is no memory. */
static char *inflated_grow(char *bytes, size_t size)
{
    enum { LARGE = 128 * 1024 };
    return (size > LARGE ? mem_has(size) : !mem_is_short()) ? mem_resize(bytes, size + 1) : NULL;
}

/* Inflates a part of the message behind what there is. A block that says it is the last one may be followed by others
 * (7.2.3.4). */
static int inflate_part(text t, size_t most, char **out, size_t *length, size_t *capacity)
{
    z_stream *z = &here.inflating;
    z->next_in = (Bytef *)t.at;
    z->avail_in = (uInt)t.length;
    for (;;) {
        if (*length == *capacity && *capacity <= most) {     /* one byte too many is how it is seen to be too many */
            const size_t twice = 2 * *capacity, now = twice <= most ? twice : most + 1;
            char *more = inflated_grow(*out, now);
            if (!more)
                return TRY_AGAIN;
            *out = more;
            *capacity = now;
        }
        const size_t room = *capacity - *length;
        z->next_out = (Bytef *)*out + *length;
        z->avail_out = (uInt)room;
        const int err = inflate(z, Z_SYNC_FLUSH);
        *length += room - z->avail_out;
        if (*length > most)
            return TOO_BIG;
        if (err == Z_STREAM_END && inflateReset(z) == Z_OK && z->avail_in > 0)
            continue;
        if (err == Z_STREAM_END || (z->avail_in == 0 && z->avail_out > 0))
            return 0;
        if (err != Z_OK)
            return NOT_DATA;
    }
}

int deflate_inflate(text t, size_t most, char **out, size_t *length)
{
    enum { LEAST = 1024, TIMES = 4 };
    size_t capacity = t.length * TIMES > LEAST ? t.length * TIMES : LEAST;
    if (capacity > most + 1)
        capacity = most + 1;
    char *bytes = inflating_begin() ? inflated_grow(NULL, capacity) : NULL;
    if (!bytes)
        return TRY_AGAIN;
    size_t all = 0;
    int code = inflate_part(t, most, &bytes, &all, &capacity);
    if (!code)
        code = inflate_part((text){ TAIL, sizeof TAIL }, most, &bytes, &all, &capacity);
    if (!code && !(here.inflating.data_type & AT_BLOCK))     /* some of it is missing */
        code = NOT_DATA;
    if (code) {
        mem_free(bytes);
        return code;
    }
    bytes[all] = '\0';
    *out = bytes;
    *length = all;
    return 0;
}

void deflate_trim(void)
{
    if (here.window)
        deflateEnd(&here.deflating);
    if (here.inflates)
        inflateEnd(&here.inflating);
    here.window = 0;
    here.inflates = false;
}
