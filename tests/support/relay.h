/* relay.h - stands between a client and a server that listens on a loopback port, and does not tell the
 * client when the server hangs up: it keeps that connection, until the client ends it. */
#ifndef RELAY_H
#define RELAY_H

#include <netinet/in.h>

struct sockaddr_in loopback(int port);
int  listen_somewhere(int backlog, int *port);   /* a socket that takes connections; nobody answers on them */

int  relay_to(int port);                     /* a thread relays one connection after the other; its own port */
int  relay_hung_up(void);                    /* how often the server has */
void relay_reset(void);                      /* the connection that it relays, which the client sees as reset */
void relay_vanish(void);                     /* whatever is sent to it from now on is lost, unacknowledged, as if it were gone */
void relay_appear(void);                     /* for whoever connects from now on */
void relay_end(void);

#endif
