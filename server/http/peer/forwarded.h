/* forwarded.h - what proxies say in a head of the client that they speak for: X-Forwarded-For, -Proto and -Host, or Forwarded
 * (RFC 7239).
 *
 * Each proxy on the way puts the address that it was asked from behind what it got:
 *
 *     client 192.0.2.1 ---> proxy 198.51.100.1 ---> proxy 10.0.0.2 ---> us:    192.0.2.1, 198.51.100.1
 *
 * Who asked us is known; whether what it says counts, is asked of trusted.h; and so on, from the right. The first one whose
 * word does not count is the client, and what stands before it is anybody's invention. What is no address, or hidden
 * ("unknown", "_hidden"), ends the walk at the proxy that has said so.
 *
 * One of both ways is believed, that which the setting names: for a proxy that knows one of them hands on what a client made up
 * of the other. */
#ifndef HTTP_FORWARDED_H
#define HTTP_FORWARDED_H

#include "server/http/message/head.h"
#include "trusted.h"

typedef enum forwarded_way { FORWARDED_X, FORWARDED_RFC7239 } forwarded_way;         /* as [server] forwarded has them */

typedef struct forwarded {
    ip   client;
    text scheme;                             /* "http" or "https"; "": that is not said */
    text host;                               /* HOST or HOST:PORT, a view into the head; "": that is not said */
} forwarded;

/* What the head says, if the one who has sent it is trusted: false if it names no client. */
bool forwarded_find(forwarded *f, forwarded_way way, const trusted *t, const char *at, const header headers[], int count);

#endif
