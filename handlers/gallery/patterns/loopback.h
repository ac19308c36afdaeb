/* loopback.h - this server as its own client, for patterns that need one: a websocket, or events.
 *
 *     loopback *l;
 *     err = loopback_open(r, "/ws/echo", LOOPBACK_WEBSOCKET, &l);
 *     if (!err)
 *         err = loopback_send(l, TEXT("hello"));
 *     if (!err)
 *         err = loopback_receive(l, &message);
 *
 * In both modes; each belongs to one thread, and ends with the run, or before with loopback_close. */
#ifndef LOOPBACK_H
#define LOOPBACK_H

#include "pattern.h"
#include "server/async/either.h"

typedef struct loopback loopback;

typedef enum { LOOPBACK_WEBSOCKET, LOOPBACK_EVENTS } loopback_kind;

int loopback_socket(int *fd);                /* that is being connected to this server, and does not block */

async int loopback_open(run *r, const char *path, loopback_kind kind, loopback **l);
void      loopback_close(loopback *l);       /* without a word; a second time it does nothing */

/* Text to a websocket, which the kernel has to take at once, or it is UV_EAGAIN. */
int       loopback_send(loopback *l, text message);

/* The next message, or the data of the next event; the run's. UV_EOF: there will be no more. */
async int loopback_receive(loopback *l, text *message);
source    loopback_source(loopback *l);      /* for either(): it may have one */

#endif
