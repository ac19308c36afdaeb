/* head.c - see head.h. */
#include "head.h"
#include "status.h"
#include "server/base/vector.h"

#include <ctype.h>

text header_find(const char *at, const header headers[], int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (text_is(header_name(at, headers[i]), name))
            return header_value(at, headers[i]);
    return TEXT("");
}

text header_list(arena *a, const char *at, const header headers[], int count, const char *name)
{
    text one = TEXT("");
    size_t length = 0;
    int lines = 0;
    for (int i = 0; i < count; i++)
        if (text_is(header_name(at, headers[i]), name) && headers[i].value_length > 0) {
            one = header_value(at, headers[i]);
            length += one.length + 1;
            lines++;
        }
    if (lines < 2)
        return one;
    char *const all = arena_room(a, length), *to = all;
    for (int i = 0; i < count; i++)
        if (text_is(header_name(at, headers[i]), name) && headers[i].value_length > 0) {
            to = mempcpy(to, at + headers[i].value, headers[i].value_length);
            *to++ = ',';
        }
    return (text){ all, length - 1 };
}

/* What a name is made of (RFC 3986, 3.2.2). */
static const bool NAME[256] = {
    ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true,
    ['-'] = true, ['.'] = true, ['_'] = true, ['~'] = true, ['%'] = true, ['!'] = true, ['$'] = true, ['&'] = true,
    ['\''] = true, ['('] = true, [')'] = true, ['*'] = true, ['+'] = true, [','] = true, [';'] = true, ['='] = true,
};

/* uri-host [ ":" port ]; an empty one is allowed. It is a part of a head, where none of these bytes is next to it. */
static bool is_host(text t)
{
    const char *at = t.at;
    if (*at == '[') {
        for (at++; isxdigit((unsigned char)*at) || *at == ':' || *at == '.'; at++)
            ;
        if (*at++ != ']')
            return false;
    } else {
        while (NAME[(unsigned char)*at])
            at++;
    }
    if (*at == ':')
        for (at++; head_is_digit(*at); at++)
            ;
    return at == t.at + t.length;
}

/* A client names the same host each time. */
static bool head_takes_host(head *h, text host)
{
    if (host.length == h->host_length && memcmp(host.at, h->host, host.length) == 0)
        return true;
    if (!is_host(host))
        return false;
    if (host.length <= sizeof h->host) {
        memcpy(h->host, host.at, host.length);
        h->host_length = host.length;
    }
    return true;
}

/* Of a header's name: among the bytes of a token none but a letter is a letter with this bit. A literal, of four bytes or
 * more, is compared four at a time. */
static inline bool name_is(text name, const char *lower)
{
    const size_t length = strlen(lower);
    uint32_t differs = 0;
    if (name.length != length)
        return false;
    for (size_t i = 0; i < length; i += 4) {
        const size_t from = i < length - 4 ? i : length - 4;
        uint32_t is, wanted;
        memcpy(&is, name.at + from, sizeof is);
        memcpy(&wanted, lower + from, sizeof wanted);
        differs |= (is | 0x20202020) ^ wanted;
    }
    return !differs;
}

/* The options of a Connection header: a list, in any case. Of all such headers together "close"
 * wins (RFC 9112, 9.3), and so is told by itself. */
static bool head_read_connection(head *h, text list)
{
    text option;
    bool close = false;
    while (text_next_member(&list, &option))
        if (text_is(option, "close"))
            close = true;
        else if (text_is(option, "keep-alive"))
            h->keep_alive = true;
    return close;
}

/* The codings of a Transfer-Encoding header: a list, too. */
static void head_read_codings(text list, int *chunked, int *unknown)
{
    for (text coding; text_next_member(&list, &coding);)
        if (text_is(coding, "chunked"))
            ++*chunked;
        else if (coding.length > 0)
            ++*unknown;
}

static bool head_read_length(text digits, uint64_t *length)
{
    uint64_t n = 0;
    for (size_t i = 0; i < digits.length; i++) {
        const unsigned digit = (unsigned)(digits.at[i] - '0');
        if (digit > 9 || __builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, digit, &n))
            return false;
    }
    *length = n;
    return digits.length > 0;
}

static int head_read_headers(head *h)
{
    int hosts = 0, lengths = 0, encodings = 0, chunked = 0, unknown = 0;
    bool close = false;

    h->keep_alive = h->minor == 1;
    for (int i = 0; i < h->count; i++) {
        text name = header_name(h->at, h->headers[i]), value = header_value(h->at, h->headers[i]);
        switch (name.length) {               /* most names are none of these: look at the length first */
        case 4:
            if (name_is(name, "host") && (++hosts > 1 || !head_takes_host(h, value)))
                return HTTP_STATUS(400);
            break;
        case 6:
            if (name_is(name, "expect")) {
                if (!text_is(value, "100-continue"))
                    return HTTP_STATUS(417);
                h->expects_continue = h->minor == 1;
            }
            break;
        case 10:
            if (name_is(name, "connection"))
                close |= head_read_connection(h, value);
            break;
        case 14:
            if (name_is(name, "content-length") && (++lengths > 1 || !head_read_length(value, &h->content_length)))
                return HTTP_STATUS(400);
            break;
        case 17:
            if (name_is(name, "transfer-encoding")) {
                encodings++;
                head_read_codings(value, &chunked, &unknown);
            }
            break;
        }
    }
    if (close)
        h->keep_alive = false;
    h->chunked = chunked > 0;
    h->has_body = h->chunked || h->content_length > 0;
    if (encodings > 0) {
        if (lengths > 0 || h->minor == 0 || chunked > 1 || chunked + unknown == 0)
            return HTTP_STATUS(400);
        if (unknown > 0)
            return HTTP_STATUS(501);
    }
    return hosts == 0 && h->minor == 1 ? HTTP_STATUS(400) : 0;
}

/* Where a path ends: the space is the end of the target. */
static inline vector ends_path(vector v)
{
    return vector_or(vector_equals(v, '?'), vector_or(vector_equals(v, '#'), vector_equals(v, ' ')));
}

/* Origin-form, absolute-form, or the asterisk; we answer for every host, so that part is dropped. */
static int head_split_target(head *h)
{
    text t = h->target;
    if (t.length > 7 && text_is((text){ t.at, 7 }, "http://")) {
        const char *path = t.at + 7, *const all = t.at + t.length;
        while (path < all && *path != '/' && *path != '?')
            path++;
        if (path == t.at + 7 || !is_host((text){ t.at + 7, (size_t)(path - t.at - 7) }))
            return HTTP_STATUS(400);
        t = (text){ path, (size_t)(all - path) };
    } else if (t.length == 0 || (t.at[0] != '/' && !(h->method == HTTP_OPTIONS && text_equal(t, TEXT("*"))))) {
        return HTTP_STATUS(400);
    }
    const char *const end = t.at + t.length, *const mark = vector_find(h->at, t.at, h->at + h->length, ends_path);
    h->path = (text){ t.at, (size_t)(mark - t.at) };
    h->query = mark < end ? (text){ mark + 1, (size_t)(end - mark - 1) } : TEXT("");
    if (mark < end && memchr(mark, '#', (size_t)(end - mark)))
        return HTTP_STATUS(400);
    if (h->path.length == 0)                 /* http://host, http://host?query */
        h->path = TEXT("/");
    return 0;
}

/* Neither a letter nor a digit, nor one of - . / : _ ? = & and %, of which nearly every target is made, and llhttp takes any. */
static inline vector is_rare(vector v)
{
    const vector named = vector_or(vector_within(vector_with(v, 0x20), 'a', 'z'), vector_within(v, '-', ':'));
    const vector marks = vector_or(vector_or(vector_equals(v, '_'), vector_equals(v, '?')),
                                   vector_or(vector_equals(v, '='), vector_equals(v, '&')));
    return vector_not(vector_or(vector_or(named, marks), vector_equals(v, '%')));
}

/* A line of which llhttp could say nothing else. */
static bool line_is_usual(const head *h)
{
    static const char BEFORE[] = "GET ", BEHIND[] = " HTTP/1.1\r\n";
    const char *const target = h->target.at, *const end = target + h->target.length;
    return h->line.length == strlen(BEFORE) + h->target.length + strlen(BEHIND) && h->target.length > 0 && *target == '/' &&
           memcmp(h->line.at, BEFORE, strlen(BEFORE)) == 0 && memcmp(end, BEHIND, strlen(BEHIND)) == 0 &&
           vector_find(h->at, target, end, is_rare) == end;
}

/* The request line, of which llhttp knows the methods, what a target is made of, and the versions. PRI is none that it
 * has read: with that HTTP/2 begins, and it waits for the rest. */
static int head_read_line(head *h)
{
    if (line_is_usual(h)) {
        h->method = HTTP_GET;
        h->minor = 1;
        return 0;
    }
    static const llhttp_settings_t no_callbacks;
    llhttp_t parser;
    llhttp_init(&parser, HTTP_REQUEST, &no_callbacks);
    const llhttp_errno_t said = llhttp_execute(&parser, h->line.at, h->line.length);
    h->method = parser.method;
    h->minor = parser.http_minor;
    if (said == HPE_OK && h->method != HTTP_PRI)
        return 0;
    return said == HPE_INVALID_METHOD || h->method == HTTP_CONNECT ? HTTP_STATUS(501) : HTTP_STATUS(400);
}

int head_read(head *h)
{
    h->content_length = 0;
    h->expects_continue = false;
    int err = head_read_line(h);
    if (!err)
        err = head_read_headers(h);
    if (err)
        return err;
    return h->method == HTTP_CONNECT ? HTTP_STATUS(501) : head_split_target(h);
}
