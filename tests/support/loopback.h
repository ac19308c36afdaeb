/* loopback.h - sockets of this machine alone, for the servers that tests put between two ends. */
#ifndef LOOPBACK_H
#define LOOPBACK_H

#include <netinet/in.h>
#include <stdbool.h>

struct sockaddr_in loopback_address(int port);
int  loopback_listen(int backlog, int *port);    /* a socket that takes connections, which no thread accepts yet */
int  loopback_connect(int port);                 /* -1: it is refused */
bool loopback_pass_on(int from, int to);         /* what there is; false: one of them is gone */

#endif
