/* head.c - see head.h. */
#include "head.h"
#include "status.h"

#include <ctype.h>

text header_find(const char *at, const header headers[], int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (text_is(header_name(at, headers[i]), name))
            return header_value(at, headers[i]);
    return TEXT("");
}

text text_trim(text t)
{
    while (t.length > 0 && (t.at[0] == ' ' || t.at[0] == '\t'))
        t.at++, t.length--;
    while (t.length > 0 && (t.at[t.length - 1] == ' ' || t.at[t.length - 1] == '\t'))
        t.length--;
    return t;
}

static int on_target(llhttp_t *parser, const char *at, size_t length)
{
    head *h = parser->data;
    h->path = (text){ at, length };          /* all of it for now; split_target cuts it */
    return 0;
}

static int on_name(llhttp_t *parser, const char *at, size_t length)
{
    head *h = parser->data;
    if (h->count == MAX_HEADERS)
        return HPE_USER;
    h->headers[h->count++] = (header){ .name = (uint16_t)(at - h->at), .name_length = (uint16_t)length };
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t length)
{
    head *h = parser->data;
    text value = text_trim((text){ at, length });
    h->headers[h->count - 1].value = (uint16_t)(value.at - h->at);
    h->headers[h->count - 1].value_length = (uint16_t)value.length;
    return 0;
}

static const llhttp_settings_t on_head = {
    .on_url = on_target, .on_header_field = on_name, .on_header_value = on_value,
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
static bool read_connection(head *h, text list)
{
    bool close = false;
    while (list.length > 0) {
        const char *comma = memchr(list.at, ',', list.length);
        const size_t length = comma ? (size_t)(comma - list.at) : list.length;
        text option = text_trim((text){ list.at, length });
        if (text_is(option, "close"))
            close = true;
        else if (text_is(option, "keep-alive"))
            h->keep_alive = true;
        list.at += length + (comma != NULL);
        list.length -= length + (comma != NULL);
    }
    return close;
}

static int check(head *h)
{
    int hosts = 0, lengths = 0, encodings = 0;
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
                close |= read_connection(h, value);
            break;
        case 14:
            if (text_is(name, "content-length") && ++lengths > 1)
                return HTTP_STATUS(400);
            break;
        case 17:
            if (text_is(name, "transfer-encoding")) {
                if (++encodings > 1 || h->minor == 0 || value.length == 0)
                    return HTTP_STATUS(400);
                if (!text_is(value, "chunked"))
                    return HTTP_STATUS(501);
                h->chunked = true;
            }
            break;
        }
    }
    if (close)
        h->keep_alive = false;
    if (encodings > 0 && lengths > 0)
        return HTTP_STATUS(400);
    return hosts == 0 && h->minor == 1 ? HTTP_STATUS(400) : 0;
}

/* Origin-form, absolute-form, or the asterisk; we answer for every host, so that part is dropped. */
static int split_target(head *h)
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

int head_read(head *h, llhttp_t *parser, const char *at, size_t length)
{
    h->at = at;
    h->length = length;
    h->count = 0;
    h->path = h->query = TEXT("");
    h->chunked = h->expects_continue = false;
    llhttp_init(parser, HTTP_REQUEST, &on_head);
    parser->data = h;
    const llhttp_errno_t said = llhttp_execute(parser, at, length);

    h->method = parser->method;
    h->minor = parser->http_minor;
    int err = check(h);                      /* its answers say more than the parser's */
    if (err)
        return err;
    if (said == HPE_INVALID_METHOD || h->method == HTTP_CONNECT)
        return HTTP_STATUS(501);
    if (said == HPE_USER)
        return HTTP_STATUS(431);
    if (said != HPE_OK && said != HPE_PAUSED_UPGRADE)
        return HTTP_STATUS(400);
    h->content_length = h->chunked ? 0 : parser->content_length;
    h->has_body = h->chunked || h->content_length > 0;
    return split_target(h);
}
