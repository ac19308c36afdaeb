/* redaction.c - see redaction.h. It follows what libpq takes for a password, without asking libpq: that
 * would refuse a malformed URL, in words that have all of it. */
#include "redaction.h"

#include "server/base/memory.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char MASK[] = "***";

static void write_part(FILE *out, const char *from, const char *to)
{
    fwrite(from, 1, (size_t)(to - from), out);
}

static int hex(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* p%61ssword is a password, too. */
static bool key_is_secret(const char *key, const char *end)
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

/* Whether any of it is named like a password. */
static bool text_names_secret(const char *s) { return key_is_secret(s, s + strlen(s)); }

bool redaction_needed(const char *url) { return strchr(url, '@') || text_names_secret(url); }

/* What comes behind the scheme; NULL if it is not PostgreSQL's. */
static const char *url_behind_scheme(const char *url)
{
    static const char *const SCHEMES[] = { "postgresql://", "postgres://" };
    for (int i = 0; i < 2; i++)
        if (strncmp(url, SCHEMES[i], strlen(SCHEMES[i])) == 0)
            return url + strlen(SCHEMES[i]);
    return NULL;
}

/* Pairs have a = before anything that looks like a URL. */
static bool url_is_one(const char *url)
{
    const char *scheme = strstr(url, "://"), *equals = strchr(url, '=');
    return scheme ? !equals || scheme < equals : !equals && strchr(url, '@');
}

static bool url_has_stray_percent(const char *url)
{
    for (const char *p = url; (p = strchr(p, '%')); p++)
        if (!isxdigit((unsigned char)p[1]) || !isxdigit((unsigned char)p[2]) || (p[1] == '0' && p[2] == '0'))
            return true;
    return false;
}

/* The @ behind user and password, or NULL if there are none: to libpq it is the first one before any slash. */
static const char *url_end_of_user(const char *rest)
{
    const char *stop = rest + strcspn(rest, "@/");
    return *stop == '@' ? stop : NULL;
}

const char *redaction_flaw(const char *url)
{
    const size_t length = strlen(url);
    if (length > 0 && (strchr("\"'`", url[0]) || strchr("\"`", url[length - 1])))
        return "it has quotes around it that are taken for a part of it; write it without them";
    if (!url_is_one(url))
        return NULL;
    for (const char *p = url; *p; p++)
        if ((unsigned char)*p <= ' ' || *p == 0x7f)
            return "it has a space or another character that cannot be seen; in a URL it is written %20, or whatever it is";
    const char *rest = url_behind_scheme(url);
    if (!rest)
        return "it does not begin with postgresql:// or sqlite:";
    if (url_has_stray_percent(url))
        return "it has a % without the two hexadecimal digits of a character behind it; a % itself is written %25";
    const char *user_end = url_end_of_user(rest), *host = user_end ? user_end + 1 : rest;
    if (memchr(host, '@', strcspn(host, "?")))               /* it belongs to a password that was not escaped */
        return "it has more than one @, or one behind a slash; in a user or password @ is written %40, / %2F and : %3A";
    return NULL;
}

/* No part of it can be taken for another. */
static bool url_is_regular(const char *url)
{
    const char *rest = url_behind_scheme(url), *user_end = rest ? url_end_of_user(rest) : NULL;
    if (!rest || redaction_flaw(url) || (user_end && memchr(rest, '?', (size_t)(user_end - rest))))
        return false;
    if (user_end)
        return true;
    const char *end = rest + strcspn(rest, "/?"), *port = rest;      /* a password without a host looks like one */
    while ((port = memchr(port, ':', (size_t)(end - port)))) {
        port++;
        if (*rest != '[' && !isdigit((unsigned char)*port) && port < end && *port != ',')
            return false;
    }
    return true;
}

static void mask_query(FILE *out, const char *p)
{
    while (*p) {
        const char *key = p, *end = p + strcspn(p, "&");
        const char *equals = memchr(key, '=', (size_t)(end - key));
        if (equals && key_is_secret(key, equals)) {
            write_part(out, key, equals + 1);
            fputs(MASK, out);
        } else
            write_part(out, key, end);
        if (*end)
            fputc(*end++, out);
        p = end;
    }
}

static void mask_url(FILE *out, const char *url)
{
    const char *rest = url_behind_scheme(url), *user_end = url_end_of_user(rest);
    const char *colon = user_end ? memchr(rest, ':', (size_t)(user_end - rest)) : NULL;
    if (colon) {
        write_part(out, url, colon + 1);
        fputs(MASK, out);
        url = user_end;
    }
    const char *query = strchr(user_end ? user_end : rest, '?');
    if (!query) {
        fputs(url, out);
        return;
    }
    write_part(out, url, query + 1);
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

/* Of anything that is no password, all the same what is before an @. */
static void write_visible(FILE *out, const char *from, const char *to)
{
    const char *at = memrchr(from, '@', (size_t)(to - from));
    if (at)
        fputs(MASK, out);
    write_part(out, at ? at : from, to);
}

static bool text_is_pairs(const char *p)
{
    for (p = skip_space(p); *p; p = skip_space(p)) {
        const char *key_end = p + strcspn(p, "= \t\r\n\f\v"), *equals = skip_space(key_end);
        if (key_end == p || *equals != '=')
            return false;
        p = end_of_value(skip_space(equals + 1));
    }
    return true;
}

static void mask_pairs(FILE *out, const char *p)             /* key = value key = 'value' */
{
    while (*p) {
        const char *key = skip_space(p), *key_end = key + strcspn(key, "= \t\r\n\f\v");
        const char *value = skip_space(key_end);
        if (*value == '=')
            value = skip_space(value + 1);
        const char *end = end_of_value(value);
        write_visible(out, p, value);
        if (key_is_secret(key, key_end))
            fputs(MASK, out);
        else
            write_visible(out, value, end);
        p = end;
    }
}

char *redaction_mask(const char *url)
{
    char *masked;
    size_t size;
    FILE *out = open_memstream(&masked, &size);
    if (!out)
        abort();
    if (strncmp(url, "sqlite:", 7) == 0 && !(strncmp(url + 7, "//", 2) == 0 && url[9] != '/'))
        fputs(url, out);
    else if (url_is_regular(url))
        mask_url(out, url);
    else if (!url_is_one(url) && text_is_pairs(url))
        mask_pairs(out, url);
    else if (redaction_needed(url) || strstr(url, "://")) {
        const char *at = strrchr(url, '@');
        fputs(MASK, out);
        if (at && !text_names_secret(at))
            fputs(at, out);
    } else
        fputs(url, out);
    fclose(out);
    return masked;
}
