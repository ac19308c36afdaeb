/* second_server.h - both ways to serve in one process: beside the first server one of the other mode, to compare them.
 *
 *     first:   mode async     a loop for each worker                     second:   mode threads   a thread for each connection
 *     first:   mode threads   a thread for each connection               second:   mode async     a loop for each worker
 *
 * It serves the same site from the same database, by the same settings but for the mode and the address: a site's
 * open() and close() see for each thread which way it is (a db of db.h does, too). It runs on a thread of its own, takes no
 * signals, and stops when the first is told to stop, within the same time.
 *
 *   Cost.     Until it is opened, none. From then on a listening socket, and a thread that accepts or, of mode async, the
 *             loops and the thread pool, all of which sleep.
 *   Threads.  Any may open it and ask for its address; new and free are for the one that runs the first. */
#ifndef HTTP_SECOND_SERVER_H
#define HTTP_SECOND_SERVER_H

#include "server.h"

typedef struct second_server second_server;

/* Before the first runs; all of them must outlive it. */
second_server *second_server_new(server *first, const config *c, const site *site);

/* Listens at HOST:PORT, NULL: any free port of this machine's loopback, and serves when it returns. 0, also if it did so
 * before, wherever that was; UV_ESHUTDOWN: the first one stops; or another error. why says in words what is wrong. It
 * takes milliseconds, and blocks: not for a loop. */
int second_server_open(second_server *s, const char *at, char *why, size_t size);

const char *second_server_address(const second_server *s);   /* "http://127.0.0.1:8081"; NULL: it is not open */
mode        second_server_mode(const second_server *s);
bool        second_server_is_stopping(second_server *s);     /* has the first been told to? Then this one has, too */
const char *second_server_first_address(const second_server *s);

/* As server_reconfigure, also if it is not open yet: it goes by that configuration, but for mode and address. */
void second_server_reconfigure(second_server *s, const config *c);

/* When the first has returned: waits for its end, and returns what its server_run did; 0 if it was never open. */
int second_server_free(second_server *s);

#endif
