/* network.h - IP addresses, and networks of them as CIDR writes them (RFC 4632, RFC 4291).
 *
 * Of both versions in one form: IPv4's are those that IPv6 has for them (::ffff:192.0.2.1), so that it does not matter
 * whether a client came by a socket of one version or of both. They are written as people know them: 192.0.2.1. */
#ifndef NETWORK_H
#define NETWORK_H

#include "server/base/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

typedef struct ip { uint8_t bytes[16]; } ip;

typedef struct network {
    ip  address;
    int bits;                                /* of those that all its addresses share: 0 to 128 */
} network;

enum { IP_TEXT = 46 };                       /* any address fits into so many characters, terminated */

int  ip_parse(ip *a, text t);                /* bare: no port, no brackets, no zone. 0, or UV_EINVAL and *a is untouched */
int  ip_of(ip *a, const struct sockaddr *from);      /* 0, or UV_EINVAL: it is none of IP */
text ip_write(const ip *a, char room[IP_TEXT]);      /* RFC 5952's form; a view of room */
bool ip_is_v4(const ip *a);
ip   ip_masked(const ip *a, int bits);       /* its first bits, and zeros behind them */

/* "10.0.0.0/8", "fe80::/10", or an address alone. 0, or UV_EINVAL and *n is untouched: bits behind the length that are set
 * are an error, too. */
int  network_parse(network *n, text t);
bool network_has(const network *n, const ip *a);

#endif
