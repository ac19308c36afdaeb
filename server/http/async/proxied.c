/* proxied.c - see connection.h: connections of a listener at which proxies say for whom they speak (proxy_header.h).
 *
 * They are larger than others, by what that is: whichever listener a connection came by tells which of both it is. */
#include "connection.h"
#include "server/base/list.h"
#include "server/base/log.h"
#include "server/base/memory.h"

typedef struct proxied {
    connection   connection;
    client_name  client;                     /* right behind it, as with any other */
    proxy_header told;
} proxied;

_Static_assert(offsetof(proxied, client) == sizeof(connection), "connection_client looks there");

static _Thread_local pool connections_proxied = POOL(proxied);

static proxied *proxied_of(const connection *c) { return (proxied *)container_of(c, proxied, connection); }

connection *proxied_new(void)
{
    proxied *p = pool_get(&connections_proxied);
    *p = (proxied){ 0 };
    return &p->connection;
}

void proxied_free(connection *c) { pool_put(&connections_proxied, proxied_of(c)); }

peer connection_peer(const connection *c)
{
    const bool told = connection_listener(c)->proxy_protocol;
    return (peer){ c->fd, worker_here->trust, told ? &proxied_of(c)->told : NULL, client_name_text(connection_client(c)) };
}

size_t proxied_take(connection *c, const char *at, size_t length)
{
    const long size = proxy_header_read(&proxied_of(c)->told, at, length);
    if (size < 0) {
        log_warning("a trusted proxy has not begun with a header of the PROXY protocol, at %s", connection_listener(c)->address);
        connection_abandon(c);
        return length;
    }
    if (size > 0) {
        c->announces = false;
        c->phase = CONNECTION_NEW;           /* what follows has the rest of its time */
    }
    return (size_t)size;
}
