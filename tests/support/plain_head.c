/* plain_head.c - see plain_head.h. */
#include "plain_head.h"
#include "server/http/message/status.h"

#include <llhttp.h>

static bool is_control(char c) { return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f; }

static size_t plain_find(const char *at, size_t from, size_t end, char c)
{
    while (from < end && at[from] != c)
        from++;
    return from;
}

static size_t plain_token(const char *at, size_t from, size_t end)
{
    while (from < end && HEAD_TOKEN[(unsigned char)at[from]])
        from++;
    return from;
}

static int plain_unfinished(const char *at, size_t length, const head_limits *limits)
{
    const size_t space = plain_find(at, 0, length, ' ');
    if (space > 32)
        return HTTP_STATUS(501);
    return space < length && length - space - 1 > limits->uri + strlen(" HTTP/1.1") ? HTTP_STATUS(414) : 0;
}

static int plain_request_line(const char *at, size_t length, const head_limits *limits)
{
    const size_t method = plain_token(at, 0, length);
    if (method > 32)
        return HTTP_STATUS(501);
    if (method == 0 || method == length || at[method] != ' ')
        return HTTP_STATUS(400);
    const size_t target = plain_find(at, method + 1, length, ' ');
    if (target - method - 1 > limits->uri)
        return HTTP_STATUS(414);
    if (target == length || target == method + 1)
        return HTTP_STATUS(400);
    const char *version = at + target + 1;
    if (length - target - 1 != 8 || memcmp(version, "HTTP/", 5) != 0 || !isdigit((unsigned char)version[5]) ||
        version[6] != '.' || !isdigit((unsigned char)version[7]))
        return HTTP_STATUS(400);
    return version[5] == '1' && (version[7] == '0' || version[7] == '1') ? 0 : HTTP_STATUS(505);
}

static int plain_header(const char *at, size_t length)
{
    const size_t name = plain_token(at, 0, length);
    return name == 0 || name == length || at[name] != ':' ? HTTP_STATUS(400) : 0;
}

long plain_scan(const char *at, size_t length, const head_limits *limits)
{
    size_t line = 0;
    for (int lines = 0;;) {
        size_t stop = line;
        while (stop < length && !is_control(at[stop]))
            stop++;
        const int unfinished = lines == 0 ? plain_unfinished(at + line, stop - line, limits) : 0;
        if (stop + 2 > limits->head)
            return unfinished ? unfinished : HTTP_STATUS(431);
        if (stop + 1 >= length)
            return stop < length && at[stop] != '\r' ? HTTP_STATUS(400) : unfinished;
        if (at[stop] != '\r' || at[stop + 1] != '\n')
            return HTTP_STATUS(400);
        if (stop == line && lines > 0)
            return (long)stop + 2;
        if (stop > line) {
            const size_t size = stop - line;
            const int err = lines == 0 ? plain_request_line(at + line, size, limits) : plain_header(at + line, size);
            if (err)
                return err;
            if (lines++ > limits->headers)
                return HTTP_STATUS(431);
        }
        line = stop + 2;
    }
}

/* What llhttp calls back with. The last value that it tells of may be a part of one, if it refuses that. */
typedef struct heard { const head *h; text target, name, value; int count; const char *differs; } heard;

static int on_target(llhttp_t *parser, const char *at, size_t length)
{
    ((heard *)parser->data)->target = (text){ at, length };
    return 0;
}

static void heard_header(heard *r)
{
    const head *h = r->h;
    if (r->count > h->count)
        r->differs = "a header more";
    if (r->count == 0 || r->differs)
        return;
    const text name = header_name(h->at, h->headers[r->count - 1]), value = header_value(h->at, h->headers[r->count - 1]);
    if (name.at != r->name.at || name.length != r->name.length)
        r->differs = "a name";
    if (!text_equal(value, text_trim(r->value)) || value.at < h->at || value.at + value.length > h->at + h->length)
        r->differs = "a value";
}

static int on_name(llhttp_t *parser, const char *at, size_t length)
{
    heard *r = parser->data;
    heard_header(r);
    r->count++;
    r->name = (text){ at, length };
    r->value = TEXT("");
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t length)
{
    ((heard *)parser->data)->value = (text){ at, length };
    return 0;
}

static int on_headers(llhttp_t *parser)
{
    heard_header(parser->data);
    return HPE_PAUSED;
}

const char *plain_contradiction(const head *h, int err)
{
    static const llhttp_settings_t settings = {
        .on_url = on_target, .on_header_field = on_name, .on_header_value = on_value, .on_headers_complete = on_headers,
    };
    heard r = { .h = h };
    llhttp_t parser;
    llhttp_init(&parser, HTTP_REQUEST, &settings);
    parser.data = &r;
    const llhttp_errno_t said = llhttp_execute(&parser, h->at, h->length);
    const bool framing = said == HPE_INVALID_CONTENT_LENGTH || said == HPE_UNEXPECTED_CONTENT_LENGTH ||
                         said == HPE_INVALID_TRANSFER_ENCODING;
    if (r.differs)
        return r.differs;
    if (said != HPE_PAUSED && !framing)
        return !err ? "what is refused" : said == HPE_INVALID_METHOD && err != HTTP_STATUS(501) ? "the method" : NULL;
    if (said == HPE_PAUSED && r.count != h->count)
        return "a header less";
    if (h->target.at != r.target.at || h->target.length != r.target.length)
        return "the target";
    if (h->method != parser.method || h->minor != parser.http_minor)
        return "the request line";
    if (!err && said == HPE_PAUSED) {
        const int flag = h->chunked ? F_TRANSFER_ENCODING : F_CHUNKED;       /* a tab hides the coding from it */
        if (h->chunked != ((parser.flags & flag) != 0))
            return "the coding";
        if (h->content_length != (parser.flags & F_CONTENT_LENGTH ? parser.content_length : 0))
            return "the length";
    }
    return NULL;
}
