/* peer.c - see peer.h. */
#include "peer.h"

/* AF_INET, with its address; AF_UNIX; or AF_UNSPEC: it is gone, and nobody knows. */
static int peer_family(const peer *p, ip *a)
{
    struct sockaddr_storage from = { .ss_family = AF_UNSPEC };
    socklen_t length = sizeof from;
    if (p->name.length > 0)
        return ip_parse(a, p->name) == 0 ? AF_INET : AF_UNIX;
    if (getpeername(p->fd, (struct sockaddr *)&from, &length))
        return AF_UNSPEC;
    return ip_of(a, (const struct sockaddr *)&from) == 0 ? AF_INET : from.ss_family;
}

static bool peer_family_is_trusted(const trusted *proxies, int family, const ip *a)
{
    return family == AF_INET ? trusted_has(proxies, a) : family == AF_UNIX && trusted_has_unix(proxies);
}

bool peer_is_trusted(const peer *p)
{
    ip a;
    return p->trust->proxies && peer_family_is_trusted(p->trust->proxies, peer_family(p, &a), &a);
}

peer_client peer_find_client(const peer *p, const char *at, const header headers[], int count)
{
    const trusted *const proxies = p->trust->proxies;
    peer_client found = { .scheme = p->told && p->told->tls ? TEXT("https") : TEXT("http"),
                          .host = header_find(at, headers, count, "host") };
    forwarded said;
    if (p->told && p->told->known)
        found.family = AF_INET, found.address = p->told->client;
    else
        found.family = peer_family(p, &found.address);
    if (!proxies || !peer_family_is_trusted(proxies, found.family, &found.address))
        return found;
    if (forwarded_find(&said, p->trust->way, proxies, at, headers, count)) {
        found.family = AF_INET;
        found.address = said.client;
    }
    if (said.scheme.length > 0)
        found.scheme = said.scheme;
    if (said.host.length > 0)
        found.host = said.host;
    return found;
}

/* Where nobody's word counts it takes no look at the connection. */
text peer_find_host(const peer *p, const char *at, const header headers[], int count)
{
    return p->trust->proxies ? peer_find_client(p, at, headers, count).host : header_find(at, headers, count, "host");
}

text peer_client_write(const peer_client *c, char room[IP_TEXT])
{
    return c->family == AF_INET ? ip_write(&c->address, room) : c->family == AF_UNIX ? TEXT("unix:") : TEXT("");
}

text peer_find_name(const peer *p, const char *at, const header headers[], int count, char room[IP_TEXT])
{
    if (!p->trust->proxies && p->name.length > 0)
        return p->name;
    const peer_client c = peer_find_client(p, at, headers, count);
    return peer_client_write(&c, room);
}
