/* poller.h - which of a loop's many sockets have something for us: an epoll of its own, watched by the loop's.
 *
 * A stream of libuv costs 248 bytes, and a turn of its loop hands out everything that is ready, however long that takes.
 * Here a socket costs a pointer, and a turn hands out one batch, of which the rest is left for the next turn when enough
 * of it has been done: what is not taken stays in the kernel. First come, first served: the rest of a batch goes before
 * the next one.
 *
 * Sockets are known by their descriptors. Readiness is that of the level: what is left unread is told again. */
#ifndef HTTP_POLLER_H
#define HTTP_POLLER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <uv.h>

enum { POLLER_BATCH = 256 };

typedef struct poller {
    int                epoll;
    uv_poll_t          uv;
    void             **connections;          /* by descriptor; NULL: it is not watched */
    int                size;                 /* of connections */
    int                count;                /* of those in connections */
    int                at, got;              /* which of these come next, and how many there are */
    struct epoll_event events[POLLER_BATCH];
    bool             (*ready)(void *connection, uint32_t events);
} poller;

/* ready is called with a connection whose socket may be read or written, or has failed (EPOLLIN, EPOLLOUT; EPOLLERR and
 * EPOLLHUP stand for both): false if enough has been done in this turn, and it is to be asked again in the next one,
 * first. A poller keeps its loop running while it has sockets. */
int  poller_open(poller *p, bool (*ready)(void *connection, uint32_t events));
void poller_close(poller *p);                /* it must have none */

/* From now on the descriptor is that of connection, and is not watched. */
void poller_add(poller *p, int fd, void *connection);
void poller_remove(poller *p, int fd);       /* before it is closed; ready is not called for it any more */

/* Watches for other events than before. 0, or libuv's error: there is no room in the kernel. */
int  poller_watch(poller *p, int fd, uint32_t before, uint32_t now);

void poller_each(poller *p, void (*visit)(void *connection, void *arg), void *arg);  /* which may remove its own */

#endif
