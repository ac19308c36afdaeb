/* head_validator.c - see head_validator.h. */
#include "head_validator.h"
#include "status.h"

#include <ctype.h>
#include <endian.h>
#include <stdint.h>
#include <string.h>

/* The first byte from at on that is a control byte (below 0x20, or 0x7f), or end. Eight at a time:
 * in each byte of x - 0x20.. a borrow sets the top bit if it was smaller; the first such is exact. */
static const char *control_byte(const char *at, const char *end)
{
    const uint64_t ONES = 0x0101010101010101, TOPS = 0x8080808080808080;
    for (; end - at >= 8; at += 8) {
        uint64_t x;
        memcpy(&x, at, 8);
        x = le64toh(x);
        const uint64_t del = x ^ (ONES * 0x7f);
        const uint64_t found = ((x - ONES * 0x20) & ~x & TOPS) | ((del - ONES) & ~del & TOPS);
        if (found)
            return at + __builtin_ctzll(found) / 8;
    }
    while (at < end && (unsigned char)*at >= 0x20 && *at != 0x7f)
        at++;
    return at;
}

const bool HEAD_TOKEN[256] = {
    ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true,
    ['!'] = true, ['#'] = true, ['$'] = true, ['%'] = true, ['&'] = true, ['\''] = true, ['*'] = true, ['+'] = true,
    ['-'] = true, ['.'] = true, ['^'] = true, ['_'] = true, ['`'] = true, ['|'] = true, ['~'] = true,
};

enum { METHOD = 32, VERSION = sizeof "HTTP/1.1" - 1 };       /* bytes; no method is longer than 16 */

/* A request line that is not complete yet: is it too long already? */
static int validate_unfinished_line(const char *at, const char *end, const head_validator_limits *limits)
{
    const char *space = memchr(at, ' ', (size_t)(end - at));
    if ((space ? space : end) - at > METHOD)
        return HTTP_STATUS(501);
    return space && (size_t)(end - space - 1) > limits->uri + 1 + VERSION ? HTTP_STATUS(414) : 0;
}

/* method SP target SP HTTP-version */
static int validate_request_line(const char *at, const char *end, const head_validator_limits *limits)
{
    const char *target = at;
    while (target < end && HEAD_TOKEN[(unsigned char)*target])
        target++;
    if (target - at > METHOD)
        return HTTP_STATUS(501);
    if (target == at || target == end || *target != ' ')
        return HTTP_STATUS(400);
    target++;
    const char *version = memchr(target, ' ', (size_t)(end - target));
    if ((size_t)((version ? version : end) - target) > limits->uri)
        return HTTP_STATUS(414);
    if (!version || version == target)
        return HTTP_STATUS(400);
    version++;
    if (end - version != VERSION || memcmp(version, "HTTP/", 5) != 0 || !isdigit((unsigned char)version[5]) ||
        version[6] != '.' || !isdigit((unsigned char)version[7]))
        return HTTP_STATUS(400);
    return version[5] == '1' && (version[7] == '0' || version[7] == '1') ? 0 : HTTP_STATUS(505);
}

static int validate_header(const char *at, const char *end)
{
    const char *colon = at;
    while (colon < end && HEAD_TOKEN[(unsigned char)*colon])
        colon++;
    return colon == at || colon == end || *colon != ':' ? HTTP_STATUS(400) : 0;
}

long head_validate(head_validator *v, const char *at, size_t length, const head_validator_limits *limits)
{
    const char *const end = at + length;

    for (const char *line = at + v->line;;) {
        const char *stop = line;
        while ((stop = control_byte(stop, end)) < end && *stop == '\t')
            stop++;
        if ((size_t)(stop - at) + 2 > limits->head) {
            const int err = v->lines == 0 ? validate_unfinished_line(line, stop, limits) : 0;
            return err ? err : HTTP_STATUS(431);
        }
        if (stop == end || stop + 1 == end) {
            if (stop < end && *stop != '\r')
                return HTTP_STATUS(400);
            v->line = (size_t)(line - at);
            return v->lines == 0 ? validate_unfinished_line(line, stop, limits) : 0;
        }
        if (stop[0] != '\r' || stop[1] != '\n')
            return HTTP_STATUS(400);

        const bool empty = stop == line;
        if (!empty) {
            int err = v->lines == 0 ? validate_request_line(line, stop, limits) : validate_header(line, stop);
            if (err)
                return err;
            if (v->lines++ > limits->headers)
                return HTTP_STATUS(431);
        }
        line = stop + 2;
        if (empty && v->lines > 0)
            return line - at;
    }
}
