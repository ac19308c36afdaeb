/* loopback.c - see loopback.h. */
#include "loopback.h"

#include <arpa/inet.h>
#include <check.h>
#include <sys/socket.h>
#include <unistd.h>

struct sockaddr_in loopback_address(int port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                 .sin_port = htons((uint16_t)port) };
}

int loopback_listen(int backlog, int *port)
{
    struct sockaddr_in a = loopback_address(0);
    socklen_t size = sizeof a;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert(!bind(fd, (struct sockaddr *)&a, size) && !listen(fd, backlog) &&
              !getsockname(fd, (struct sockaddr *)&a, &size));
    *port = ntohs(a.sin_port);
    return fd;
}

int loopback_connect(int port)
{
    const struct sockaddr_in a = loopback_address(port);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (const struct sockaddr *)&a, sizeof a) == 0)
        return fd;
    close(fd);
    return -1;
}

bool loopback_pass_on(int from, int to)
{
    char piece[8192];
    const ssize_t n = recv(from, piece, sizeof piece, 0);
    return n > 0 && send(to, piece, (size_t)n, MSG_NOSIGNAL) == n;
}
