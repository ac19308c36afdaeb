/* secret.c - see secret.h. It follows what libpq takes for a password, without asking libpq: that
 * would refuse a malformed URL, which is one to show, too. */
#include "secret.h"

#include "memory.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char MASK[] = "***";

static void copy(FILE *out, const char *from, const char *to)
{
    fwrite(from, 1, (size_t)(to - from), out);
}

static int hex(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* p%61ssword is a password, too. */
static bool is_secret(const char *key, const char *end)
{
    char name[128];
    size_t n = 0;
    for (; key < end && n < sizeof name - 1; key++) {
        if (*key == '%' && end - key > 2 && isxdigit((unsigned char)key[1]) &&
            isxdigit((unsigned char)key[2])) {
            name[n++] = (char)(hex(key[1]) << 4 | hex(key[2]));
            key += 2;
        } else
            name[n++] = *key;
    }
    name[n] = '\0';
    return strcasestr(name, "password") || strcasestr(name, "secret") || strcasestr(name, "scram_");
}

/* Where the user and password end, or NULL if there are none. To libpq it is the first @ before any
 * slash; a later one, or one behind a slash, is part of a password that nobody escaped. */
static const char *end_of_user(const char *from)
{
    const char *stop = from + strcspn(from, "@/");
    const char *query = stop + strcspn(stop, "?");
    const char *end = *stop == '@' ? stop : NULL;
    for (const char *at = from; (at = strchr(at, '@')) && at < query; at++)
        end = at;
    return end;
}

static void mask_query(FILE *out, const char *p)
{
    while (*p) {
        const char *key = p, *end = p + strcspn(p, "&");
        const char *equals = memchr(key, '=', (size_t)(end - key));
        if (equals && is_secret(key, equals)) {
            copy(out, key, equals + 1);
            fputs(MASK, out);
        } else
            copy(out, key, end);
        if (*end)
            fputc(*end++, out);
        p = end;
    }
}

static void mask_url(FILE *out, const char *url, const char *rest)
{
    const char *user_end = end_of_user(rest);
    const char *colon = user_end ? memchr(rest, ':', (size_t)(user_end - rest)) : NULL;
    if (colon) {
        copy(out, url, colon + 1);
        fputs(MASK, out);
        url = user_end;
    }
    const char *query = strchr(user_end ? user_end : rest, '?');
    if (!query) {
        fputs(url, out);
        return;
    }
    copy(out, url, query + 1);
    mask_query(out, query + 1);
}

static const char *skip_space(const char *p) { return p + strspn(p, " \t\r\n\f\v"); }

static const char *end_of_value(const char *p)
{
    const bool quoted = *p == '\'';
    for (p += quoted; *p; p++) {
        if (*p == '\\' && p[1])
            p++;
        else if (quoted ? *p == '\'' : isspace((unsigned char)*p))
            return p + quoted;
    }
    return p;
}

static void mask_pairs(FILE *out, const char *p)             /* key = value key = 'value' */
{
    while (*p) {
        const char *key = skip_space(p), *key_end = key + strcspn(key, "= \t\r\n\f\v");
        const char *equals = skip_space(key_end);
        if (*equals != '=') {
            copy(out, p, key_end);
            p = key_end;
            continue;
        }
        const char *value = skip_space(equals + 1), *end = end_of_value(value);
        copy(out, p, value);
        if (is_secret(key, key_end))
            fputs(MASK, out);
        else
            copy(out, value, end);
        p = end;
    }
}

char *secret_mask(const char *url)
{
    char *masked;
    size_t size;
    FILE *out = open_memstream(&masked, &size);
    if (!out)
        abort();
    const char *scheme = strstr(url, "://");
    if (scheme && scheme < url + strcspn(url, "= \t"))
        mask_url(out, url, scheme + 3);
    else if (strncmp(url, "sqlite:", 7) == 0)
        fputs(url, out);
    else
        mask_pairs(out, url);
    fclose(out);
    return masked;
}
