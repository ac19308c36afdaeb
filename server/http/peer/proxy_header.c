/* proxy_header.c - see proxy_header.h. */
#include "proxy_header.h"

#include <netinet/in.h>
#include <uv.h>

enum { LINE = 107, FIXED = 16 };             /* bytes: of version 1's line at most, and of version 2 before the addresses */
enum { LOCAL = 0x20, PROXY = 0x21 };         /* version 2, and the command */
enum { TCP4 = 0x11, TCP6 = 0x21, MOST_FAMILY = 3, MOST_PROTOCOL = 2 };
enum { TLV_SSL = 0x20, SSL_LEAST = 5, SSL_CLIENT = 0x01 };

static const text FIRST = { "PROXY ", 6 }, SECOND = { "\r\n\r\n\0\r\nQUIT\n", 12 };

const text PROXY_HEADER_LOCAL = { "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", FIXED };

static bool begins_as(text wanted, const char *at, size_t length)
{
    return memcmp(wanted.at, at, length < wanted.length ? length : wanted.length) == 0;
}

/* Version 1. */

/* Up to the next blank, or the end; false: there is none, or nothing before it. */
static bool line_next(text *line, text *word)
{
    const char *const blank = memchr(line->at, ' ', line->length);
    const size_t length = blank ? (size_t)(blank - line->at) : line->length, used = length + (blank != NULL);
    *word = (text){ line->at, length };
    *line = (text){ line->at + used, line->length - used };
    return length > 0 && (!blank || line->length > 0);
}

static bool is_port(text t)
{
    unsigned port = 0;
    if (t.length == 0 || t.length > 5 || (t.at[0] == '0' && t.length > 1))
        return false;
    for (size_t i = 0; i < t.length; i++) {
        if (t.at[i] < '0' || t.at[i] > '9')
            return false;
        port = 10 * port + (unsigned)(t.at[i] - '0');
    }
    return port <= UINT16_MAX;
}

static bool is_address(text t, bool six, ip *a)
{
    return (memchr(t.at, ':', t.length) != NULL) == six && ip_parse(a, t) == 0;
}

static int line_read(proxy_header *h, text line)
{
    static const text UNKNOWN = { "UNKNOWN", 7 };
    text family, source, destination, source_port, port;
    ip ignored;
    if (line.length >= UNKNOWN.length && begins_as(UNKNOWN, line.at, line.length) &&
        (line.length == UNKNOWN.length || line.at[UNKNOWN.length] == ' ')) {
        *h = (proxy_header){ .known = false };
        return 0;
    }
    if (!line_next(&line, &family) || !line_next(&line, &source) || !line_next(&line, &destination) ||
        !line_next(&line, &source_port) || !line_next(&line, &port) || line.length > 0)
        return UV_EPROTO;
    const bool six = text_equal(family, TEXT("TCP6"));
    proxy_header found = { .known = true };
    if ((!six && !text_equal(family, TEXT("TCP4"))) || !is_address(source, six, &found.client) ||
        !is_address(destination, six, &ignored) || !is_port(source_port) || !is_port(port))
        return UV_EPROTO;
    *h = found;
    return 0;
}

static long first_read(proxy_header *h, const char *at, size_t length)
{
    const size_t seen = length < LINE ? length : LINE;
    const char *const end = memchr(at, '\n', seen);
    if (!end)
        return seen == LINE ? UV_EPROTO : 0;
    const text line = { at + FIRST.length, (size_t)(end - at) - FIRST.length - 1 };
    if (end[-1] != '\r' || memchr(line.at, '\r', line.length) || memchr(line.at, '\0', line.length))
        return UV_EPROTO;
    const int err = line_read(h, line);
    return err ? err : end + 1 - at;
}

/* Version 2. */

static size_t number16(const uint8_t *at) { return (size_t)at[0] << 8 | at[1]; }

static int tlvs_read(proxy_header *h, const uint8_t *at, size_t length)
{
    enum { HEAD = 3 };
    while (length > 0) {
        if (length < HEAD || number16(at + 1) > length - HEAD)
            return UV_EPROTO;
        const size_t value = number16(at + 1);
        if (at[0] == TLV_SSL) {
            if (value < SSL_LEAST)
                return UV_EPROTO;
            h->tls = at[HEAD] & SSL_CLIENT;
        }
        at += HEAD + value;
        length -= HEAD + value;
    }
    return 0;
}

static int addresses_read(proxy_header *h, unsigned family, const uint8_t *at, size_t length)
{
    static const size_t SIZES[MOST_FAMILY + 1] = { 0, 12, 36, 216 };
    const size_t size = SIZES[family >> 4];
    if (length < size)
        return UV_EPROTO;
    if (family == TCP4 || family == TCP6) {
        struct sockaddr_in four = { .sin_family = AF_INET };
        struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
        memcpy(&four.sin_addr, at, sizeof four.sin_addr);
        if (family == TCP6)
            memcpy(&six.sin6_addr, at, sizeof six.sin6_addr);
        ip_of(&h->client, family == TCP4 ? (const struct sockaddr *)&four : (const struct sockaddr *)&six);
        h->known = true;
    }
    return tlvs_read(h, at + size, length - size);
}

static long second_read(proxy_header *h, const char *bytes, size_t length)
{
    const uint8_t *const at = (const uint8_t *)bytes;
    proxy_header found = { .known = false };
    if (length > SECOND.length && at[12] != LOCAL && at[12] != PROXY)
        return UV_EPROTO;
    if (length > SECOND.length + 1 && (at[13] >> 4 > MOST_FAMILY || (at[13] & 0xf) > MOST_PROTOCOL))
        return UV_EPROTO;
    if (length < FIXED)
        return 0;
    const size_t size = FIXED + number16(at + 14);
    if (size > PROXY_HEADER_MOST)
        return UV_EPROTO;
    if (length < size)
        return 0;
    const int err = at[12] == PROXY && at[13] >> 4 ? addresses_read(&found, at[13], at + FIXED, size - FIXED) : 0;
    if (err)
        return err;
    *h = found;
    return (long)size;
}

long proxy_header_read(proxy_header *h, const char *at, size_t length)
{
    if (begins_as(FIRST, at, length))
        return length < FIRST.length ? 0 : first_read(h, at, length);
    if (begins_as(SECOND, at, length))
        return second_read(h, at, length);
    return UV_EPROTO;
}
