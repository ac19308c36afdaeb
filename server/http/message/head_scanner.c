/* head_scanner.c - see head_scanner.h. */
#include "head_scanner.h"
#include "server/base/vector.h"
#include "status.h"

const bool HEAD_TOKEN[256] = {
    ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true,
    ['!'] = true, ['#'] = true, ['$'] = true, ['%'] = true, ['&'] = true, ['\''] = true, ['*'] = true, ['+'] = true,
    ['-'] = true, ['.'] = true, ['^'] = true, ['_'] = true, ['`'] = true, ['|'] = true, ['~'] = true,
};

enum { METHOD = 32, VERSION = sizeof "HTTP/1.1" - 1 };       /* bytes; no method is longer than 16 */

/* All below 0x20 but the tab, and 0x7f. */
static inline vector is_control(vector v)
{
    return vector_or(vector_but(vector_within(v, 0, 0x1f), vector_equals(v, '\t')), vector_equals(v, 0x7f));
}

static inline vector is_space_or_control(vector v) { return vector_or(is_control(v), vector_equals(v, ' ')); }

/* Not what most names are made of: letters and hyphens. */
static inline vector is_strange(vector v)
{
    return vector_not(vector_or(vector_within(vector_with(v, 0x20), 'a', 'z'), vector_equals(v, '-')));
}

static inline const char *token_end(const char *at, const char *end)
{
    while (at < end && HEAD_TOKEN[(unsigned char)*at])
        at++;
    return at;
}

/* A request line that is not complete yet: is it too long already? */
static int scan_unfinished_line(const char *at, const char *end, const head_limits *limits)
{
    const char *space = memchr(at, ' ', (size_t)(end - at));
    if ((space ? space : end) - at > METHOD)
        return HTTP_STATUS(501);
    return space && (size_t)(end - space - 1) > limits->uri + 1 + VERSION ? HTTP_STATUS(414) : 0;
}

static int scan_version(text t)
{
    if (text_equal(t, TEXT("HTTP/1.1")))
        return 0;
    if (t.length != VERSION || memcmp(t.at, "HTTP/", 5) != 0 || !head_is_digit(t.at[5]) || t.at[6] != '.' ||
        !head_is_digit(t.at[7]))
        return HTTP_STATUS(400);
    return t.at[5] == '1' && t.at[7] <= '1' ? 0 : HTTP_STATUS(505);
}

/* method SP target SP HTTP-version; first and second are where the spaces should be. */
static int scan_request_line(const char *at, const char *first, const char *second, const char *end, const head_limits *limits)
{
    if (first - at > METHOD)
        return HTTP_STATUS(501);
    if (first == at || *first != ' ')
        return HTTP_STATUS(400);
    const size_t target = (size_t)(second - first - 1);
    if (target > limits->uri)
        return HTTP_STATUS(414);
    return target > 0 && second < end ? scan_version((text){ second + 1, (size_t)(end - second - 1) }) : HTTP_STATUS(400);
}

/* What stands between the colon and the end, which is a CR, without spaces and tabs around it. */
static inline void scan_header(const char *start, const char *name, const char *colon, const char *end, header *to)
{
    const char *value = colon + 1;
    while (*value == ' ' || *value == '\t')
        value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    to->name = (uint16_t)(name - start);
    to->name_length = (uint16_t)(colon - name);
    to->value = (uint16_t)(value - start);
    to->value_length = (uint16_t)(end - value);
}

/* Of a line that does not end within the limit, or has not come as a whole. */
static long scan_no_end(head_scanner *s, const char *at, size_t length, const head_limits *limits, const char *line, int lines)
{
    const char *const end = at + length, *const stop = vector_find(at, line, end, is_control);
    const int err = lines == 0 ? scan_unfinished_line(line, stop, limits) : 0;
    if ((size_t)(stop - at) + 2 > limits->head)
        return err ? err : HTTP_STATUS(431);
    if (stop < end && *stop != '\r')
        return HTTP_STATUS(400);
    *s = (head_scanner){ (size_t)(line - at), lines };
    return err;
}

static inline bool is_crlf(const char *at) { return memcmp(at, "\r\n", 2) == 0; }

long head_scan(head_scanner *s, const char *at, size_t length, const head_limits *limits, head *h)
{
    const char *const end = at + (length < limits->head ? length : limits->head), *line = at + s->line;
    int lines = s->lines;

    if (lines == 0) {
        while (end - line >= 2 && is_crlf(line))
            line += 2;
        const char *const first = token_end(line, end);
        const char *const second = first < end && *first == ' ' ? vector_find(at, first + 1, end, is_space_or_control) : first;
        /* What nearly always follows needs no search. */
        const bool usual = end - second >= 1 + VERSION + 2 && memcmp(second, " HTTP/1.1\r\n", 1 + VERSION + 2) == 0;
        const char *const stop = usual ? second + 1 + VERSION : vector_find(at, second, end, is_control);
        if (end - stop < 2)
            return scan_no_end(s, at, length, limits, line, 0);
        const int err = is_crlf(stop) ? scan_request_line(line, first, second, stop, limits) : HTTP_STATUS(400);
        if (err)
            return err;
        if (h) {
            h->at = at;
            h->line = (text){ line, (size_t)(stop + 2 - line) };
            h->target = (text){ first + 1, (size_t)(second - first - 1) };
        }
        line = stop + 2;
        lines = 1;
    }
    for (; end - line < 2 || !is_crlf(line); lines++) {
        const char *colon = vector_find(at, line, end, is_strange);
        if (colon < end && *colon != ':')
            colon = token_end(colon, end);
        const char *const stop = vector_find(at, colon, end, is_control);
        if (end - stop < 2)
            return scan_no_end(s, at, length, limits, line, lines);
        if (!is_crlf(stop) || colon == line || *colon != ':')
            return HTTP_STATUS(400);
        if (lines > limits->headers)
            return HTTP_STATUS(431);
        if (h)
            scan_header(at, line, colon, stop, &h->headers[lines - 1]);
        line = stop + 2;
    }
    const size_t size = (size_t)(line + 2 - at);
    if (h && s->line > 0) {                  /* the table has its first lines only if all has come at once */
        *s = (head_scanner){ 0 };
        return head_scan(s, at, size, limits, h);
    }
    if (h) {
        h->length = size;
        h->count = lines - 1;
    }
    return (long)size;
}
