/* listener.h - the sockets that clients connect to: where they are, and what for.
 *
 * A listener is one address. A list in a setting names several (endpoint.h), and a host's name may have several: all of
 * them are the listeners of a server, in one array, by whose index a connection knows its own. Whoever accepts, be it a
 * loop or the one thread of threads mode, has a socket of its own of each:
 *
 *     TCP          bound to the same port with SO_REUSEPORT: the kernel spreads the clients over them; who accepts calls
 *                  listen() first
 *     unix socket  the same one, duplicated: whoever looks first accepts
 *
 *   Ownership.  Sockets are the listener's, non-blocking and bound, but for those that are -1: an acceptor has them.
 *   Threads.    One opens, leaves and closes. Meanwhile who accepts takes its own sockets, and all else is only read. */
#ifndef HTTP_LISTENER_H
#define HTTP_LISTENER_H

#include "socket_file.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    LISTENER_BACKLOG = 4096,
    LISTENER_ADDRESS = 288,                  /* any address fits into so many characters */
    LISTENERS_MOST = 255,                    /* of one server */
};

struct router;

typedef struct listener {
    const char          *name;               /* what it is for, "public"; whoever opened it has it for as long */
    bool                 admin;              /* its clients may be more than clients may be: they look why */
    const struct router *router;             /* of the routes that clients find here: the server's */
    bool                 proxy_protocol;     /* trusted proxies begin with its header (proxy_header.h) */
    char                 address[LISTENER_ADDRESS];          /* "http://127.0.0.1:8080", its real port; "unix:/run/tenk.sock" */
    char                 own_address[LISTENER_ADDRESS];      /* the same, as this machine reaches it; "" of a unix socket */
    int                  count;              /* of sockets: at least one for each that accepts */
    bool                 shared;             /* some are the same: who accepts from one leaves some for the others */
    int                 *sockets;
    socket_file          file;               /* of a unix socket that has one */
} listener;

typedef struct listeners {
    listener *at;
    int       count;
} listeners;

/* Adds those of a list, with so many sockets each; the array may move. 0, or an error after saying in why what is wrong: then
 * the others are as they were. */
int  listeners_open(listeners *all, const char *name, const char *list, int sockets, char *why, size_t size);

/* No new client is wanted: files of sockets are removed, so that another server may take their place. What has been
 * connected, and sockets, stay. */
void listeners_leave(listeners *all);
void listeners_stop(listeners *all);         /* closes the sockets that they still have; connections know the listeners yet */
void listeners_close(listeners *all);

/* The addresses of those of that name, parted by ", ": as much as there is room for, terminated. */
void listeners_write(const listeners *all, const char *name, char *to, size_t size);

#endif
