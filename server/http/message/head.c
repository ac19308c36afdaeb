/* head.c - see head.h. */
#include "head.h"
#include "server/base/memory.h"
#include "status.h"

#include <ctype.h>
#include <strings.h>

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

text text_trim(text t)
{
    while (t.length > 0 && (t.at[0] == ' ' || t.at[0] == '\t'))
        t.at++, t.length--;
    while (t.length > 0 && (t.at[t.length - 1] == ' ' || t.at[t.length - 1] == '\t'))
        t.length--;
    return t;
}

bool text_next_member(text *list, text *member)
{
    if (list->length == 0)
        return false;
    const char *comma = memchr(list->at, ',', list->length);
    const size_t length = comma ? (size_t)(comma - list->at) : list->length, used = length + (comma != NULL);
    *member = text_trim((text){ list->at, length });
    *list = (text){ list->at + used, list->length - used };
    return true;
}

static int head_on_target(llhttp_t *parser, const char *at, size_t length)
{
    head *h = parser->data;
    h->path = (text){ at, length };          /* all of it for now; head_split_target cuts it */
    return 0;
}

static int head_on_name(llhttp_t *parser, const char *at, size_t length)
{
    head *h = parser->data;
    if (h->count == HEAD_MAX_HEADERS)
        return HPE_USER;
    h->headers[h->count++] = (header){ .name = (uint16_t)(at - h->at), .name_length = (uint16_t)length };
    return 0;
}

static int head_on_value(llhttp_t *parser, const char *at, size_t length)
{
    head *h = parser->data;
    text value = text_trim((text){ at, length });
    h->headers[h->count - 1].value = (uint16_t)(value.at - h->at);
    h->headers[h->count - 1].value_length = (uint16_t)value.length;
    return 0;
}

/* What the headers say of the body is not for the parser to judge. */
static int head_on_headers(llhttp_t *parser)
{
    (void)parser;
    return HPE_PAUSED;
}

static const llhttp_settings_t on_head = {
    .on_url = head_on_target,
    .on_header_field = head_on_name,
    .on_header_value = head_on_value,
    .on_headers_complete = head_on_headers,
};

/* What a name is made of (RFC 3986, 3.2.2). */
static const bool NAME[256] = {
    ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true,
    ['-'] = true, ['.'] = true, ['_'] = true, ['~'] = true, ['%'] = true, ['!'] = true, ['$'] = true, ['&'] = true,
    ['\''] = true, ['('] = true, [')'] = true, ['*'] = true, ['+'] = true, [','] = true, [';'] = true, ['='] = true,
};

/* uri-host [ ":" port ]; an empty one is allowed. */
static bool is_host(text t)
{
    const char *at = t.at, *const end = at + t.length;
    if (at < end && *at == '[') {
        for (at++; at < end && (isxdigit((unsigned char)*at) || *at == ':' || *at == '.'); at++)
            ;
        if (at == end || *at++ != ']')
            return false;
    } else {
        while (at < end && NAME[(unsigned char)*at])
            at++;
    }
    if (at < end && *at == ':')
        for (at++; at < end && isdigit((unsigned char)*at); at++)
            ;
    return at == end;
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

static int head_check(head *h)
{
    int hosts = 0, lengths = 0, encodings = 0, chunked = 0, unknown = 0;
    bool close = false;

    h->keep_alive = h->minor == 1;
    for (int i = 0; i < h->count; i++) {
        text name = header_name(h->at, h->headers[i]), value = header_value(h->at, h->headers[i]);
        switch (name.length) {               /* most names are none of these: look at the length first */
        case 4:
            if (text_is(name, "host") && (++hosts > 1 || !is_host(value)))
                return HTTP_STATUS(400);
            break;
        case 6:
            if (text_is(name, "expect")) {
                if (!text_is(value, "100-continue"))
                    return HTTP_STATUS(417);
                h->expects_continue = h->minor == 1;
            }
            break;
        case 10:
            if (text_is(name, "connection"))
                close |= head_read_connection(h, value);
            break;
        case 14:
            if (text_is(name, "content-length") && (++lengths > 1 || !head_read_length(value, &h->content_length)))
                return HTTP_STATUS(400);
            break;
        case 17:
            if (text_is(name, "transfer-encoding")) {
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
    if (encodings > 0 && (lengths > 0 || h->minor == 0 || chunked > 1 || chunked + unknown == 0))
        return HTTP_STATUS(400);
    if (unknown > 0)
        return HTTP_STATUS(501);
    return hosts == 0 && h->minor == 1 ? HTTP_STATUS(400) : 0;
}

/* Origin-form, absolute-form, or the asterisk; we answer for every host, so that part is dropped. */
static int head_split_target(head *h)
{
    text t = h->path;
    if (t.length > 7 && text_is((text){ t.at, 7 }, "http://")) {
        const char *const end = t.at + t.length, *path = t.at + 7;
        while (path < end && *path != '/' && *path != '?')
            path++;
        if (path == t.at + 7 || !is_host((text){ t.at + 7, (size_t)(path - t.at - 7) }))
            return HTTP_STATUS(400);
        t = (text){ path, (size_t)(end - path) };
    } else if (t.length == 0 || (t.at[0] != '/' && !(h->method == HTTP_OPTIONS && text_equal(t, TEXT("*"))))) {
        return HTTP_STATUS(400);
    }
    if (memchr(t.at, '#', t.length))
        return HTTP_STATUS(400);
    const char *mark = memchr(t.at, '?', t.length);
    h->path = (text){ t.at, mark ? (size_t)(mark - t.at) : t.length };
    h->query = mark ? (text){ mark + 1, (size_t)(t.at + t.length - mark - 1) } : TEXT("");
    if (h->path.length == 0)                 /* http://host, http://host?query */
        h->path = TEXT("/");
    return 0;
}

static llhttp_errno_t head_parse(head *h, const char *at, size_t length)
{
    llhttp_t parser;
    h->at = at;
    h->count = 0;
    h->path = TEXT("");
    llhttp_init(&parser, HTTP_REQUEST, &on_head);
    parser.data = h;
    const llhttp_errno_t said = llhttp_execute(&parser, at, length);
    h->method = parser.method;
    h->minor = parser.http_minor;
    return said;
}

/* llhttp refuses some of what RFC 9112 allows in the headers that say how long a body is, like a tab behind the
 * number, or an empty member of a list. head_check() is the judge of both: here llhttp sees them by other names. */
static llhttp_errno_t head_parse_unframed(head *h, const char *at, size_t length)
{
    static const char *const FRAMING[] = { "\r\ncontent-length:", "\r\ntransfer-encoding:" };
    char *const copy = mem_resize(NULL, length), *const end = copy + length;
    memcpy(copy, at, length);
    for (char *line = copy; (line = memmem(line, (size_t)(end - line), "\r\n", 2)); line += 2)
        for (int i = 0; i < 2; i++) {
            const size_t name = strlen(FRAMING[i]);
            if ((size_t)(end - line) > name && strncasecmp(line, FRAMING[i], name) == 0)
                line[2] = 'x';
        }
    const llhttp_errno_t said = head_parse(h, copy, length);
    h->path.at = at + (h->path.length > 0 ? h->path.at - copy : 0);
    h->at = at;
    mem_free(copy);
    return said;
}

int head_read(head *h, const char *at, size_t length)
{
    h->length = length;
    h->query = TEXT("");
    h->content_length = 0;
    h->expects_continue = false;
    llhttp_errno_t said = head_parse(h, at, length);
    if (said == HPE_INVALID_CONTENT_LENGTH || said == HPE_UNEXPECTED_CONTENT_LENGTH || said == HPE_INVALID_TRANSFER_ENCODING)
        said = head_parse_unframed(h, at, length);

    int err = head_check(h);                 /* its answers say more than the parser's */
    if (err)
        return err;
    if (said == HPE_INVALID_METHOD || h->method == HTTP_CONNECT)
        return HTTP_STATUS(501);
    if (said == HPE_USER)
        return HTTP_STATUS(431);
    return said == HPE_PAUSED ? head_split_target(h) : HTTP_STATUS(400);
}
