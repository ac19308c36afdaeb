/* relay.h - stands between a client and a server that listens on a loopback port, and does not tell the
 * client when the server hangs up: it keeps that connection, until the client ends it. */
#ifndef RELAY_H
#define RELAY_H

int  relay_to(int port);                     /* a thread relays one connection after the other; its own port */
int  relay_hung_up(void);                    /* how often the server has */
void relay_reset(void);                      /* the connection that it relays, which the client sees as reset */
void relay_vanish(void);                     /* what is sent to it from now on is lost, unacknowledged, as if it were gone */
void relay_appear(void);                     /* for those that connect from now on */
void relay_end(void);

#endif
