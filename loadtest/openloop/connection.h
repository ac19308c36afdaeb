/* connection.h - a keep-alive connection that is asked whether or not it has answered.
 *
 * Requests wait in order until the socket takes them, all that it takes in one write, and then are
 * outstanding until their answers come, in the same order. What could not be sent for a while is
 * given up, as somebody who waits would do, and so what waits takes no more than some memory. A
 * depth gives up at once what would be one too many: a server cannot refuse what lies unread in the
 * kernel.
 *
 * An answer counts from when its request was due to when the kernel received it (SO_TIMESTAMPNS),
 * so that a client that reads late does not make the server look slow. */
#ifndef CONNECTION_H
#define CONNECTION_H

#include "answer.h"
#include "ring.h"

enum { CONNECTION_WAITING = 64 }; /* requests that the socket has not taken, at most */

typedef struct connection {
    int fd;           /* -1 while there is none */
    bool wants_room;  /* epoll tells when the socket takes more */
    int64_t again;    /* it broke: not before this moment it is opened again */
    uint32_t left;    /* bytes of the first waiting request that have been sent */
    ring waiting;     /* for room in the socket */
    ring outstanding; /* for an answer */
    answer answer;    /* that is coming */
} connection;

typedef struct target {
    int port, poller; /* the server's; the epoll descriptor for all connections */
    const char *path; /* "/users/#": each # is replaced by a number from 1 to most */
    const char *accept;
    uint32_t most;
    uint32_t depth;   /* requests of one connection without an answer, at most; more are unsent */
    int64_t patience; /* microseconds after which what the socket has not taken is given up */
} target;

/* Opens it, and waits until it is open. */
void connection_init(connection *c, const target *t);

/* Asks for one more, which was due at that time; connection_flush() sends it. */
void connection_ask(connection *c, const target *t, int64_t due);

/* Sends all that waits, or as much as the socket takes, in one write. */
void connection_flush(connection *c, const target *t);

/* Takes the answers that are here. */
void connection_read(connection *c);

/* Nothing waits and nothing is outstanding. */
bool connection_is_idle(const connection *c);

#endif
