/* address.c - see address.h. */
#include "address.h"

#include "server/base/units.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <uv.h>

enum { MAX_PORT = 65535 };

static const char IN_NAMES[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";

static int is_ipv6(const char *host)         /* fe80::1%eth0 has a zone behind it */
{
    char bare[INET6_ADDRSTRLEN];
    struct in6_addr ignored;
    const size_t length = strcspn(host, "%");
    if (length >= sizeof bare || strcmp(host + length, "%") == 0)
        return 0;
    memcpy(bare, host, length);
    bare[length] = '\0';
    return inet_pton(AF_INET6, bare, &ignored) == 1;
}

int address_parse(address *a, const char *text)
{
    const char *colon = strrchr(text, ':');
    uint64_t port;
    if (!colon || units_number(colon + 1, &port) || port > MAX_PORT)
        return UV_EINVAL;

    address found = { .port = (int)port };
    const size_t length = (size_t)(colon - text);
    if (length >= sizeof found.host)
        return UV_EINVAL;
    if (text[0] == '[') {
        if (length < 2 || colon[-1] != ']')
            return UV_EINVAL;
        memcpy(found.host, text + 1, length - 2);
        if (!is_ipv6(found.host))
            return UV_EINVAL;
    } else {
        memcpy(found.host, text, length);
        if (strspn(found.host, IN_NAMES) != length)
            return UV_EINVAL;
    }
    *a = found;
    return 0;
}

bool address_is_loopback(const address *a)
{
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton(AF_INET, a->host, &four) == 1)
        return ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
    if (inet_pton(AF_INET6, a->host, &six) == 1)
        return IN6_IS_ADDR_LOOPBACK(&six) || (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == IN_LOOPBACKNET);
    return strcasecmp(a->host, "localhost") == 0;
}

void address_to_ask(address *a)
{
    if (a->host[0] == '\0' || strcmp(a->host, "0.0.0.0") == 0)
        strcpy(a->host, "127.0.0.1");
    else if (strcmp(a->host, "::") == 0)
        strcpy(a->host, "::1");
}

void address_write(const address *a, char text[ADDRESS_TEXT])
{
    const char *format = strchr(a->host, ':') ? "[%s]:%d" : "%s:%d";
    snprintf(text, ADDRESS_TEXT, format, a->host, a->port);
}
