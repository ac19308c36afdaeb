/* trusted.h - whose word counts on behalf of others: the proxies of [server] trusted_proxies. */
#ifndef HTTP_TRUSTED_H
#define HTTP_TRUSTED_H

#include "server/base/net/network.h"

typedef struct trusted trusted;

/* Of a list of networks, "unix" for whoever comes by a unix socket, and none (network_list.h), which is right. NULL for none. */
trusted *trusted_new(const char *list);
void     trusted_free(trusted *t);

bool     trusted_has(const trusted *t, const ip *a);         /* NULL has nobody */
bool     trusted_has_unix(const trusted *t);

#endif
