/* network.c - see network.h. */
#include "network.h"

#include "server/base/units.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <uv.h>

enum { ALL = 128, V4_BEGINS = 96 };          /* bits: of an address, and before those of one of IPv4 */

static const uint8_t V4_PREFIX[12] = { [10] = 0xff, [11] = 0xff };

static ip ip_of_v4(const void *four)
{
    ip a;
    memcpy(a.bytes, V4_PREFIX, sizeof V4_PREFIX);
    memcpy(a.bytes + sizeof V4_PREFIX, four, 4);
    return a;
}

bool ip_is_v4(const ip *a) { return memcmp(a->bytes, V4_PREFIX, sizeof V4_PREFIX) == 0; }

int ip_parse(ip *a, text t)
{
    char copy[IP_TEXT];
    uint8_t bytes[16];
    if (t.length >= sizeof copy || memchr(t.at, '\0', t.length))
        return UV_EINVAL;
    memcpy(copy, t.at, t.length);
    copy[t.length] = '\0';
    if (inet_pton(AF_INET, copy, bytes) == 1) {
        *a = ip_of_v4(bytes);
        return 0;
    }
    if (inet_pton(AF_INET6, copy, bytes) != 1)
        return UV_EINVAL;
    memcpy(a->bytes, bytes, sizeof bytes);
    return 0;
}

int ip_of(ip *a, const struct sockaddr *from)
{
    if (from->sa_family == AF_INET)
        *a = ip_of_v4(&((const struct sockaddr_in *)from)->sin_addr);
    else if (from->sa_family == AF_INET6)
        memcpy(a->bytes, &((const struct sockaddr_in6 *)from)->sin6_addr, sizeof a->bytes);
    else
        return UV_EINVAL;
    return 0;
}

text ip_write(const ip *a, char room[IP_TEXT])
{
    const bool four = ip_is_v4(a);
    inet_ntop(four ? AF_INET : AF_INET6, a->bytes + (four ? sizeof V4_PREFIX : 0), room, IP_TEXT);
    return text_of(room);
}

ip ip_masked(const ip *a, int bits)
{
    ip masked = { { 0 } };
    memcpy(masked.bytes, a->bytes, (size_t)bits / 8);
    if (bits % 8)
        masked.bytes[bits / 8] = (uint8_t)(a->bytes[bits / 8] & 0xff00 >> bits % 8);
    return masked;
}

int network_parse(network *n, text t)
{
    const char *const slash = memchr(t.at, '/', t.length);
    const size_t length = slash ? (size_t)(slash - t.at) : t.length;
    network found = { .bits = ALL };
    char digits[4];
    uint64_t bits;
    if (ip_parse(&found.address, (text){ t.at, length }))
        return UV_EINVAL;
    if (slash) {
        const int before = memchr(t.at, ':', length) ? 0 : V4_BEGINS;
        const size_t count = t.length - length - 1;
        if (count >= sizeof digits)
            return UV_EINVAL;
        memcpy(digits, slash + 1, count);
        digits[count] = '\0';
        if (units_number(digits, &bits) || bits > (uint64_t)(ALL - before))
            return UV_EINVAL;
        found.bits = before + (int)bits;
    }
    const ip first = ip_masked(&found.address, found.bits);
    if (memcmp(&first, &found.address, sizeof first) != 0)
        return UV_EINVAL;
    *n = found;
    return 0;
}

bool network_has(const network *n, const ip *a)
{
    const ip first = ip_masked(a, n->bits);
    return memcmp(&first, &n->address, sizeof first) == 0;
}
