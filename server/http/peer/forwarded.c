/* forwarded.c - see forwarded.h.
 *
 * Lists are read from the left, for from the right it would not be known whether a comma is quoted. Where a walk from the right
 * would end is kept on the way: at the last one that is not trusted, or the first behind one that is hidden. */
#include "forwarded.h"

typedef struct walk {
    const trusted *trusted;
    forwarded      found;
    int            count, at;                /* of those that are named; which was found, -1: none since one was hidden */
} walk;

static const forwarded NOTHING = { .scheme = { "", 0 }, .host = { "", 0 } };

/* What else it says counts all the same. */
static void walk_hidden(walk *w, const forwarded *f)
{
    w->found = *f;
    w->at = -1;
}

static void walk_named(walk *w, const forwarded *f)
{
    if (w->at < 0 || !trusted_has(w->trusted, &f->client)) {
        w->found = *f;
        w->at = w->count;
    }
    w->count++;
}

/* 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1], [2001:db8::1]:80 */
static int node_read(text t, ip *a)
{
    const char *const end = t.length > 0 && t.at[0] == '[' ? memchr(t.at, ']', t.length) : NULL;
    if (end) {
        const char *const behind = end + 1;
        if (behind < t.at + t.length && *behind != ':')
            return -1;
        t = (text){ t.at + 1, (size_t)(end - t.at - 1) };
        return memchr(t.at, ':', t.length) ? ip_parse(a, t) : -1;
    }
    const char *const colon = memchr(t.at, ':', t.length);
    if (colon && !memchr(colon + 1, ':', (size_t)(t.at + t.length - colon - 1)))
        t.length = (size_t)(colon - t.at);
    return ip_parse(a, t);
}

static text scheme_read(text t) { return text_is(t, "https") ? TEXT("https") : text_is(t, "http") ? TEXT("http") : TEXT(""); }

/* It will be a part of URLs. */
static text host_read(text t)
{
    for (size_t i = 0; i < t.length; i++) {
        const char c = t.at[i];
        if (!isalnum((unsigned char)c) && !strchr("-._:[]", c))
            return TEXT("");
    }
    return t;
}

/* X-Forwarded-For and its like. */

static void addresses_walk(walk *w, text list)
{
    forwarded f = NOTHING;
    text member;
    while (text_next_member(&list, &member))
        if (node_read(member, &f.client) == 0)
            walk_named(w, &f);
        else
            walk_hidden(w, &NOTHING);
}

/* Of the headers of that name the member that is so many before the last, or the first. */
static text member_from_end(const char *at, const header headers[], int count, const char *name, int before)
{
    text list, member, found = TEXT("");
    for (int i = count; i-- > 0 && before >= 0;) {
        int members = 0, wanted;
        if (!text_is(header_name(at, headers[i]), name))
            continue;
        list = header_value(at, headers[i]);
        while (text_next_member(&list, &member))
            members++;
        wanted = members > before ? members - 1 - before : 0;
        list = header_value(at, headers[i]);
        for (int k = 0; k <= wanted && text_next_member(&list, &member); k++)
            found = member;
        before -= members;
    }
    return found;
}

static bool forwarded_find_x(walk *w, const char *at, const header headers[], int count)
{
    for (int i = 0; i < count; i++)
        if (text_is(header_name(at, headers[i]), "x-forwarded-for"))
            addresses_walk(w, header_value(at, headers[i]));
    const int before = w->at < 0 ? 0 : w->count - 1 - w->at;
    w->found.scheme = scheme_read(member_from_end(at, headers, count, "x-forwarded-proto", before));
    w->found.host = host_read(member_from_end(at, headers, count, "x-forwarded-host", before));
    return w->at >= 0;
}

/* Forwarded. */

static void skip_blanks(text *t)
{
    while (t->length > 0 && (t->at[0] == ' ' || t->at[0] == '\t'))
        t->at++, t->length--;
}

static text take(text *t, size_t length)
{
    const text taken = { t->at, length };
    *t = (text){ t->at + length, t->length - length };
    return taken;
}

static text take_token(text *t)
{
    size_t length = 0;
    while (length < t->length && !strchr("=;, \t\"", t->at[length]))
        length++;
    return take(t, length);
}

/* Of a quoted string what is between the quotes, as it is: in an address and a host nothing is escaped. -1: it does not end. */
static int take_value(text *t, text *value)
{
    if (t->length == 0 || t->at[0] != '"') {
        *value = take_token(t);
        return 0;
    }
    size_t end = 1;
    while (end < t->length && t->at[end] != '"')
        end += t->at[end] == '\\' ? 2 : 1;
    if (end >= t->length)
        return -1;
    *value = (text){ t->at + 1, end - 1 };
    take(t, end + 1);
    return 0;
}

/* The pairs of one element, up to its comma; *named: it says who asked. -1: it is malformed, and so is what follows. */
static int element_read(text *t, forwarded *f, bool *named, bool *empty)
{
    bool seen[3] = { false };
    *f = NOTHING;
    *named = false;
    *empty = true;
    for (skip_blanks(t); t->length > 0 && t->at[0] != ','; skip_blanks(t)) {
        text value;
        const text name = take_token(t);
        if (name.length == 0 || t->length == 0 || t->at[0] != '=')
            return -1;
        take(t, 1);
        const int which = text_is(name, "for") ? 0 : text_is(name, "proto") ? 1 : text_is(name, "host") ? 2 : -1;
        if (take_value(t, &value) || (which >= 0 && seen[which]))
            return -1;
        *empty = false;
        if (which >= 0)
            seen[which] = true;
        if (which == 0)
            *named = node_read(value, &f->client) == 0;
        else if (which == 1)
            f->scheme = scheme_read(value);
        else if (which == 2)
            f->host = host_read(value);
        skip_blanks(t);
        if (t->length > 0 && t->at[0] == ';')
            take(t, 1);
        else if (t->length > 0 && t->at[0] != ',')
            return -1;
    }
    if (t->length > 0)
        take(t, 1);
    return 0;
}

static void elements_walk(walk *w, text list)
{
    while (list.length > 0) {
        forwarded f;
        bool named, empty;
        if (element_read(&list, &f, &named, &empty)) {
            walk_hidden(w, &NOTHING);
            return;
        }
        if (named)
            walk_named(w, &f);
        else if (!empty)
            walk_hidden(w, &f);
    }
}

bool forwarded_find(forwarded *f, forwarded_way way, const trusted *t, const char *at, const header headers[], int count)
{
    walk w = { .trusted = t, .found = NOTHING, .at = -1 };
    bool found;
    if (way == FORWARDED_X) {
        found = forwarded_find_x(&w, at, headers, count);
    } else {
        for (int i = 0; i < count; i++)
            if (text_is(header_name(at, headers[i]), "forwarded"))
                elements_walk(&w, header_value(at, headers[i]));
        found = w.at >= 0;
    }
    *f = w.found;
    return found;
}
