/* rate_limit.h - how often one client may ask: beyond it the answer is 429, with Retry-After.
 *
 * As middleware (route.h), by address:
 *
 *     { "POST", "/letters", .await = letter_new, .before = BEFORE(rate_limited) }           as often as [rate_limit] says
 *
 * and by whatever tells clients apart:
 *
 *     static const rate_limit KEYS = { "keys", 100, 60000 };
 *     static int by_key(request *req) { return rate_limit_take(req, &KEYS, request_header(req, "x-api-key")); }
 *
 * Each client has a bucket of tokens (token_buckets.h), so that it may ask all at once, or evenly, and never more in a window
 * than twice as often. Answers say what is left, in RateLimit and RateLimit-Policy, as draft-ietf-httpapi-ratelimit-headers-09
 * has them. The clients of all limits share one table, in which those who have asked least are forgotten when it is full.
 *
 * An address of IPv6 stands for its network of 64 bits, which one customer has; behind proxies see request_client_address.
 * Whoever comes by a unix socket of which no more is known is one client. */
#ifndef HTTP_RATE_LIMIT_H
#define HTTP_RATE_LIMIT_H

#include "server/base/text.h"
#include "server/http/route.h"

typedef struct rate_limit {
    const char *name;                        /* of letters, by which answers speak of it */
    uint32_t    requests;                    /* in a window; 0: any */
    uint64_t    window_ms;
} rate_limit;

/* Once, before a server is opened: that of [rate_limit], whose name must outlive it, and how many clients are remembered. */
void rate_limit_configure(const rate_limit *usual, int clients);

int  rate_limited(request *req);             /* the middleware */

/* Takes one of that client's requests. 0, or the error after answering with 429. */
int  rate_limit_take(request *req, const rate_limit *l, text client);

#endif
