/* proxy.h - a TCP proxy in front of one server, as a load balancer or a virtual address is: where it leads can change. */
#ifndef TESTS_PROXY_H
#define TESTS_PROXY_H

int  proxy_to(int port);                     /* threads relay until the process ends; its own port */
void proxy_turn(int port);                   /* new connections lead there; those that stand still stand */

#endif
