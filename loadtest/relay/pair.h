/* pair.h - a client and the server that it is connected to, and the bytes between them.
 *
 * Each direction is a ring of bytes, first those that are due. One that holds LARGEST bytes is not read
 * until some have left. Only one thread, with one epoll descriptor, has pairs. */
#ifndef PAIR_H
#define PAIR_H

#include "spoil.h"

#include <stdint.h>
#include <sys/socket.h>

typedef struct way {                         /* one direction */
    char   *ring;
    size_t  size, start, held, due;
    bool    ended;                           /* there is no more to read */
    bool    ending;                          /* and that is due */
    bool    done;                            /* and the other side has been told */
    answers answers;
} way;

typedef struct end {
    struct pair *pair;
    int          fd;
    uint32_t     events;                     /* that epoll watches for */
    bool         watched;
} end;

typedef struct pair {                        /* ways[i] leads from ends[i] to ends[1 - i] */
    end          ends[2];
    way          ways[2];
    int          marks;                      /* how often a delay still points here */
    bool         connecting, dead;
    struct pair *next;                       /* among the dead */
} pair;

typedef struct route {
    int                     poller;          /* of epoll: an event's data points to its end */
    struct sockaddr_storage to;              /* the server */
    socklen_t               to_length;
    unsigned                percent;         /* of its answers become errors */
} route;

void pairs_open(const route *r);             /* of all pairs; stays the caller's */
void pair_new(int client);                   /* takes the client's socket, and connects to the server */
void pair_event(end *e, uint32_t events);
void pair_due(pair *p, int which, size_t length);            /* 0: the end */
void pairs_bury(void);                       /* between events: frees those that have ended */

void *need(void *memory);                    /* or else ends the program, as this does */
void  die(const char *what);

#endif
