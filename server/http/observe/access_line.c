/* access_line.c - see access_line.h. */
#include "access_line.h"
#include "server/base/escape.h"
#include "server/base/utf8.h"

/* How much of a line each value of a stranger may take, once escaped: with all else they fit. */
enum { PATH_MOST = 1400, QUERY_MOST = 600, REFERER_MOST = 600, AGENT_MOST = 500, CUT = 3 };

/* Most are short: those take no call, but two copies that may overlap. */
static __attribute__((noinline)) char *put(char *to, text t)
{
    const size_t n = t.length;
    if (n > 32)
        memcpy(to, t.at, n);
    else if (n >= 16)
        memcpy((char *)memcpy(to, t.at, 16) + n - 16, t.at + n - 16, 16);
    else if (n >= 8)
        memcpy((char *)memcpy(to, t.at, 8) + n - 8, t.at + n - 8, 8);
    else if (n >= 4)
        memcpy((char *)memcpy(to, t.at, 4) + n - 4, t.at + n - 4, 4);
    else
        for (size_t i = 0; i < n; i++)
            to[i] = t.at[i];
    return to + n;
}

/* Here the length is known. */
#define PUT(to, literal) ((char *)memcpy(to, literal, sizeof(literal) - 1) + sizeof(literal) - 1)

static char *put_number(char *to, uint64_t n)
{
    char digits[TEXT_DIGITS];
    return put(to, text_number(n, digits));
}

/* Microseconds are enough: 0.000412. */
static char *put_seconds(char *to, uint64_t ns)
{
    const uint64_t us = ns / 1000, whole = us / 1000000, part = us % 1000000;
    to = PUT(whole ? put_number(to, whole) : PUT(to, "0"), ".");
    memcpy(to, text_pair(part / 10000), 2);
    memcpy(to + 2, text_pair(part / 100 % 100), 2);
    memcpy(to + 4, text_pair(part % 100), 2);
    return to + 6;
}

/* A value that was cut is cut between two characters. */
static char *put_cut(const char *start, char *to)
{
    while (to > start && ((unsigned char)to[-1] & 0xc0) == 0x80)
        to--;
    if (to > start && (unsigned char)to[-1] >= 0xc0)
        to--;
    return PUT(to, "...");
}

static char *put_escaped(char *to, text t, size_t most, escape_function *escape)
{
    char *const start = to;
    to = escape(to, to + most - CUT, &t);
    return t.length > 0 ? put_cut(start, to) : to;
}

/* The longest part of it that is UTF-8, or one byte that is not. */
static text text_next_utf8(text t, bool *good)
{
    size_t n = 0;
    for (size_t one; n < t.length && (one = utf8_length(t.at + n)) > 0; n += one)
        ;
    *good = n > 0;
    return (text){ t.at, *good ? n : 1 };
}

static char *put_not_utf8(char *to, text t, size_t most)
{
    char *const start = to, *const end = to + most - CUT;
    while (t.length > 0 && end - to >= ESCAPE_LEAST) {
        bool good;
        text part = text_next_utf8(t, &good);
        const size_t length = part.length;
        to = good ? escape_json(to, end, &part) : PUT(to, "\\ufffd");
        t = good ? (text){ part.at, t.length - length + part.length } : (text){ t.at + 1, t.length - 1 };
        if (good && part.length > 0)
            break;
    }
    return t.length > 0 ? put_cut(start, to) : to;
}

static char *put_log_slowly(char *to, text t, size_t most)  { return put_escaped(to, t, most, escape_log); }

static char *put_json_slowly(char *to, text t, size_t most)
{
    return utf8_is(t.at, t.length) ? put_escaped(to, t, most, escape_json) : put_not_utf8(to, t, most);
}

/* Most are plain: those take one walk. */
static inline char *put_value(char *to, text t, size_t most, char *slowly(char *, text, size_t))
{
    return t.length <= most - CUT && escape_none(to, t) ? to + t.length : slowly(to, t, most);
}

/* Three digits. */
static inline char *put_three(char *to, uint64_t n)
{
    *to = (char)('0' + n / 100);
    memcpy(to + 1, text_pair(n % 100), 2);
    return to + 3;
}

/* Times, with what is around them, made once a second. */
struct second { time_t of; size_t length; char bytes[40]; };

static char *put_second(char *to, struct second *s, time_t now, const char *format, struct tm *split(const time_t *, struct tm *))
{
    if (s->of != now) {
        struct tm parts;
        s->length = strftime(s->bytes, sizeof s->bytes, format, split(&now, &parts));
        s->of = now;
    }
    return (char *)memcpy(to, s->bytes, sizeof s->bytes) + s->length;
}

static inline char *put_or_hyphen(char *to, text t) { return t.length > 0 ? put(to, t) : PUT(to, "-"); }

static char *put_quoted(char *to, text t, size_t most)
{
    return t.length > 0 ? PUT(put_value(PUT(to, " \""), t, most, put_log_slowly), "\"") : PUT(to, " \"-\"");
}

size_t access_line_combined(const accessed *a, char line[ACCESS_LINE])
{
    static _Thread_local struct second local;
    char *to = put_or_hyphen(line, a->client);
    to = put_second(to, &local, a->when.tv_sec, " - - [%d/%b/%Y:%H:%M:%S %z] \"", localtime_r);
    if (a->method.length > 0) {
        to = PUT(put(to, a->method), " ");
        to = put_value(to, a->path, PATH_MOST, put_log_slowly);
        if (a->query.length > 0)
            to = put_value(PUT(to, "?"), a->query, QUERY_MOST, put_log_slowly);
        to = a->minor ? PUT(to, " HTTP/1.1") : PUT(to, " HTTP/1.0");
    } else {
        to = PUT(to, "-");
    }
    to = put_three(PUT(to, "\" "), (uint64_t)a->status);
    to = put_number(PUT(to, " "), a->bytes);
    to = put_quoted(to, a->referer, REFERER_MOST);
    to = put_quoted(to, a->user_agent, AGENT_MOST);
    to = a->took ? put_seconds(PUT(to, " "), a->took) : PUT(to, " -");
    to = put_or_hyphen(PUT(to, " "), a->request_id);
    to = put_or_hyphen(PUT(to, " "), a->trace_id);
    to = PUT(put_or_hyphen(PUT(to, " \""), a->route), "\"\n");
    return (size_t)(to - line);
}

/* A member of ours, or of a stranger's; nothing if there is no value. */
#define PUT_OURS(to, name, value) ((value).length > 0 ? PUT(put(PUT(to, ",\"" name "\":\""), value), "\"") : (to))
#define PUT_THEIRS(to, name, value, most) \
    ((value).length > 0 ? PUT(put_value(PUT(to, ",\"" name "\":\""), value, most, put_json_slowly), "\"") : (to))

size_t access_line_json(const accessed *a, char line[ACCESS_LINE])
{
    static _Thread_local struct second utc;
    char *to = put_second(line, &utc, a->when.tv_sec, "{\"time\":\"%Y-%m-%dT%H:%M:%S.", gmtime_r);
    to = PUT(put_three(to, (uint64_t)a->when.tv_nsec / 1000000), "Z\"");
    to = PUT_OURS(to, "client", a->client);
    to = PUT_OURS(to, "method", a->method);
    to = PUT_THEIRS(to, "path", a->path, PATH_MOST);
    to = PUT_THEIRS(to, "query", a->query, QUERY_MOST);
    if (a->method.length > 0)
        to = a->minor ? PUT(to, ",\"protocol\":\"HTTP/1.1\"") : PUT(to, ",\"protocol\":\"HTTP/1.0\"");
    to = put_three(PUT(to, ",\"status\":"), (uint64_t)a->status);
    to = put_number(PUT(to, ",\"bytes\":"), a->bytes);
    if (a->took)
        to = put_seconds(PUT(to, ",\"seconds\":"), a->took);
    if (a->aborted)
        to = PUT(to, ",\"aborted\":true");
    to = PUT_THEIRS(to, "referer", a->referer, REFERER_MOST);
    to = PUT_THEIRS(to, "user_agent", a->user_agent, AGENT_MOST);
    to = PUT_OURS(to, "route", a->route);
    to = PUT_OURS(to, "request_id", a->request_id);
    to = PUT_OURS(to, "trace_id", a->trace_id);
    to = PUT(to, "}\n");
    return (size_t)(to - line);
}
