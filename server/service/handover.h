/* handover.h - one tenk takes the place of another, with the sockets that it listens on: nobody is refused meanwhile.
 *
 * Each tenk with a [server] handover listens at that path, on a unix socket, and gives its listening sockets to the next one that
 * asks: the sockets themselves, by SCM_RIGHTS (unix(7)), so that who waits in their queues waits for the new one.
 *
 *     new                                             old
 *     asks at the path                  ----------->  serves
 *                                       <-----------  here are my sockets, and so long I may take to end
 *     opens its database, and serves
 *     take                              ----------->  leaves the path, stops accepting, and drains
 *     listens at the path               <-----------  going
 *
 * Two processes do not write one file of SQLite: for that the order is another one, and who connects meanwhile waits in the
 * queue.
 *
 *     take                              ----------->  leaves the path, stops accepting, and drains
 *     listens at the path               <-----------  going
 *     opens its database, and serves    <-----------  closed: its database; or it ends
 *
 * Until it is told to take its leave the old one serves on as if nothing had been: a new one that cannot start harms nobody.
 *
 *   Who may.   The same user, or root: looked at by SO_PEERCRED.
 *   Threads.   The side of the new one is for main, before any other thread. The other side: for one thread, but for
 *   handover_closed. */
#ifndef HANDOVER_H
#define HANDOVER_H

#include "server/http/listen/socket_file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The new one's side. {.channel = -1}: there is no old one. */
typedef struct handover {
    int      channel;                        /* to the old one */
    long     process;                        /* its number */
    uint64_t drain_ms;                       /* it ends in that time */
    bool     taken;
} handover;

/* Asks whoever listens at path for its sockets, which are then in listening_sockets.h. 0: also if nobody does. Else an error
 * after saying in why what is wrong: it may be tried again. */
int  handover_ask(handover *h, const char *path, char *why, size_t size);

/* The other one is to go: it has left the path when this returns. Nothing if there is none, or it has been told. */
void handover_take(handover *h);

/* Waits until the other one has closed its database: 0, or UV_ETIMEDOUT, if it takes longer than it said. */
int  handover_wait_closed(const handover *h);

void handover_end(handover *h);

/* The old one's side. */
typedef struct handover_server {
    int         listening;                   /* poll it for POLLIN: someone asks; -1: none any more */
    int         asking;                      /* the same: who asks has more to say; -1: nobody does */
    socket_file file;
} handover_server;

int  handover_open(handover_server *s, const char *path, char *why, size_t size);
void handover_asked(handover_server *s, uint64_t drain_ms);  /* one can be read: gives our sockets to whom asks for them */
bool handover_answered(handover_server *s);  /* the other can: true if we are to go; our sockets stay then */
void handover_closed(handover_server *s);    /* once we go: our database is closed */
void handover_close(handover_server *s);

#endif
