/* rate_limit.c - see rate_limit.h. */
#include "rate_limit.h"
#include "server/http/request.h"
#include "server/http/request_internal.h"
#include "server/base/overload/token_buckets.h"

#include <pthread.h>

static rate_limit     usual;
static int            most_clients = 65536;
static token_buckets *buckets;               /* of all limits; made when the first is asked for */
static pthread_once_t made = PTHREAD_ONCE_INIT;

void rate_limit_configure(const rate_limit *l, int clients)
{
    usual = *l;
    most_clients = clients;
}

static void make_buckets(void) { buckets = token_buckets_new(most_clients); }

/* The limit's name is a part of the key: a client has a bucket for each. */
static text rate_limit_key(request *req, const rate_limit *l, text client)
{
    const size_t name = strlen(l->name) + 1;
    char *const key = request_alloc(req, name + client.length);
    memcpy(key, l->name, name);
    memcpy(key + name, client.at, client.length);
    return (text){ key, name + client.length };
}

static unsigned long long seconds(uint64_t ns) { return (ns + 999999999) / 1000000000; }

int rate_limit_take(request *req, const rate_limit *l, text client)
{
    if (l->requests == 0)
        return 0;
    pthread_once(&made, make_buckets);
    const token_limit limit = { l->requests, l->window_ms * 1000000 };
    const token_state s = token_buckets_take(buckets, rate_limit_key(req, l, client), &limit, request_started(req));
    respond_header(req, "RateLimit-Policy", "\"%s\";q=%u;w=%llu", l->name, l->requests, seconds(limit.window));
    respond_header(req, "RateLimit", "\"%s\";r=%u;t=%llu", l->name, s.left, seconds(s.full));
    if (s.taken)
        return 0;
    respond_header(req, "Retry-After", "%llu", seconds(s.wait));
    return respond_problem(req, 429, "%u requests in %llu s are allowed to each client. Please try again in %llu s.", l->requests,
                           seconds(limit.window), seconds(s.wait));
}

int rate_limited(request *req)
{
    enum { NETWORK = 64 };                   /* bits of an address of IPv6 */
    if (usual.requests == 0)
        return 0;
    const peer_client c = request_client(req);
    if (c.family != AF_INET)
        return rate_limit_take(req, &usual, TEXT("unix:"));
    const ip from = ip_is_v4(&c.address) ? c.address : ip_masked(&c.address, NETWORK);
    return rate_limit_take(req, &usual, (text){ (const char *)from.bytes, sizeof from.bytes });
}
