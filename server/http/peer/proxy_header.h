/* proxy_header.h - the PROXY protocol's header, versions 1 and 2: what a proxy says of its client before the client's own bytes.
 *
 *   1   PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 CRLF; or TCP6; or UNKNOWN, and anything: a line of 107 bytes at most
 *   2   16 bytes, of which the last two say how many follow: addresses, and then TLVs
 *
 * As HAProxy's doc/proxy-protocol.txt has it, and strictly: whatever does not match it is an error, and its connection is to be
 * ended. Of TLVs only PP2_TYPE_SSL is looked at; a checksum (PP2_TYPE_CRC32C), which TCP has anyway, is not. */
#ifndef HTTP_PROXY_HEADER_H
#define HTTP_PROXY_HEADER_H

#include "server/base/net/network.h"

enum { PROXY_HEADER_MOST = 4096 };           /* bytes of one: with a client's certificate among its TLVs, too */

typedef struct proxy_header {
    bool known;                              /* else the proxy speaks for itself (LOCAL), or for who has no address of IP */
    bool tls;                                /* the client has reached the proxy by TLS, as that says */
    ip   client;
} proxy_header;

extern const text PROXY_HEADER_LOCAL;        /* of one who speaks for itself */

/* Looks at the bytes from a connection's first on. Returns the length of a whole header; 0 if more must come first; or
 * UV_EPROTO, as soon as that is certain. */
long proxy_header_read(proxy_header *h, const char *at, size_t length);

#endif
