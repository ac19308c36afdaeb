/* acceptor.h - a worker's listening socket: clients become connections. */
#ifndef HTTP_ACCEPTOR_H
#define HTTP_ACCEPTOR_H

#include "server/async/timer.h"

#include <uv.h>

typedef struct acceptor {
    uv_poll_t uv;                            /* on the worker's loop */
    int       fd;                            /* of the listener, bound and non-blocking; owned */
    timer     again;                         /* set: the process has no room for another one, for now */
} acceptor;

/* Listens from now on, and has fd from now on, on an error as well. Clients for whom a turn has no time wait in the
 * kernel, as do those for whom the process has no descriptor. */
int  acceptor_open(acceptor *a, int fd);
void acceptor_close(acceptor *a);            /* clients that have connected by now become connections all the same */

#endif
