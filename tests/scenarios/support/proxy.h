/* proxy.h - a TCP proxy in front of one server, as a load balancer or a virtual address is: where it leads can change, and it
 * can be cut, as a network can.
 *
 * Marked are connections by which a client has sent a certain word; so some can be cut, and the others not. */
#ifndef TESTS_PROXY_H
#define TESTS_PROXY_H

#include <stdbool.h>

int  proxy_to(int port);                     /* threads relay until the process ends; its own port */
void proxy_turn(int port);                   /* new connections lead there; those that stand still stand */
void proxy_mark(const char *word);           /* from now on; it must stay */
bool proxy_has_marked(void);                 /* is there one now? */

typedef enum proxied { PROXIED_ALL, PROXIED_MARKED } proxied;

/* From now on no packet of theirs arrives, neither here nor there: none is acknowledged, and none refused. Of all: nor do those
 * of connections that are yet to be made. */
void proxy_cut(proxied which);
void proxy_mend(void);                       /* packets arrive again; those of before, when they are sent again */
void proxy_reset(proxied which);             /* both ends see the connection reset */

/* What a client sends with the mark in it arrives but for its last byte; then all is cut. */
void proxy_cut_within_marked(void);
bool proxy_is_cut(void);

#endif
