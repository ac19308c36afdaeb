/* listener.h - the sockets that a server listens on, all at one address.
 *
 * Several share it with SO_REUSEPORT: the kernel spreads the clients over them. */
#ifndef HTTP_LISTENER_H
#define HTTP_LISTENER_H

#include <netdb.h>
#include <stddef.h>

enum { LISTENER_BACKLOG = 4096 };

typedef struct listener {
    int  count;
    int *sockets;                            /* owned, and -1 where an acceptor has it by now; non-blocking, bound */
    char address[64 + NI_MAXHOST];           /* "http://127.0.0.1:8080", with the real port */
    char own_address[64 + NI_MAXHOST];       /* the same, as this machine reaches it */
} listener;

/* Binds so many sockets to HOST:PORT, or to :PORT, which is every address, of IPv4 and IPv6. On an error why says in
 * words what is wrong. */
int  listener_open(listener *l, const char *at, int count, char *why, size_t size);
void listener_close(listener *l);

/* Tells a client why there is no room for it, a REFUSED error: its socket is the caller's to close. */
void listener_turn_away(int client, int err);

#endif
