/* acceptor.h - a worker's own socket of one listener: clients become connections. */
#ifndef HTTP_ACCEPTOR_H
#define HTTP_ACCEPTOR_H

#include "server/async/timer.h"

#include <uv.h>

typedef struct acceptor {
    uv_poll_t uv;                            /* on the worker's loop */
    int       fd;                            /* of the listener, bound and non-blocking; owned */
    int       listener;                      /* which it is, of the worker's */
    bool      shared;                        /* other workers accept from it, too */
    timer     again;                         /* set: the process has no room for another one, for now */
} acceptor;

/* Listens from now on, and has fd from now on, on an error as well. Clients for whom a turn has no time wait in the
 * kernel, as do those for whom the process has no descriptor. */
int  acceptor_open(acceptor *a, int fd, int listener, bool shared);
void acceptor_drop(acceptor *a);             /* nobody has been accepted, nor will be */

/* Clients that have connected by now become connections all the same, unless another process has the socket, too. */
void acceptor_close(acceptor *a);

#endif
