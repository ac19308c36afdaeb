/* client_name.h - a client's address in letters, for logs: asked of the kernel once, while it is sure to know it. */
#ifndef HTTP_CLIENT_NAME_H
#define HTTP_CLIENT_NAME_H

#include "server/base/text.h"

#include <netinet/in.h>

typedef struct client_name {
    uint8_t length;
    char    at[INET6_ADDRSTRLEN];            /* "127.0.0.1", also of one that came so by IPv6; "2001:db8::1"; "unix:" */
} client_name;

void client_name_of(client_name *n, int fd); /* of a connected socket; "" if the client has gone already */

static inline text client_name_text(const client_name *n) { return n ? (text){ n->at, n->length } : TEXT(""); }

#endif
