/* client_name.c - see client_name.h. */
#include "client_name.h"

#include <arpa/inet.h>
#include <sys/socket.h>

void client_name_of(client_name *n, int fd)
{
    union { struct sockaddr any; struct sockaddr_in v4; struct sockaddr_in6 v6; struct sockaddr_storage room; } a = { 0 };
    socklen_t length = sizeof a;
    n->at[0] = '\0';
    if (getpeername(fd, &a.any, &length) == 0) {
        if (a.any.sa_family == AF_INET)
            inet_ntop(AF_INET, &a.v4.sin_addr, n->at, sizeof n->at);
        else if (a.any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a.v6.sin6_addr))
            inet_ntop(AF_INET, &a.v6.sin6_addr.s6_addr[12], n->at, sizeof n->at);
        else if (a.any.sa_family == AF_INET6)
            inet_ntop(AF_INET6, &a.v6.sin6_addr, n->at, sizeof n->at);
        else
            memcpy(n->at, "unix:", sizeof "unix:");
    }
    n->length = (uint8_t)strlen(n->at);
}
