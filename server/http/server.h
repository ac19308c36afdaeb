/* server.h - the server as a whole: listens, serves in one of two ways, and stops when asked.
 *
 *   async      a loop for each worker; workers share nothing but the routes and the configuration
 *   threads    a thread for each connection, whose every call blocks: for comparison
 *
 * The same routes, limits and answers in both; a handler cannot tell which it is.
 *
 *   SIGTERM, SIGINT, SIGHUP   stop accepting, finish what is under way, return; a second one exits at once. A client
 *                             that is connected may send a request as long as [timeouts] drain lasts: its answer
 *                             says that it is the last. When no client is left, or that time is over, that is the end. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "server/config/config.h"
#include "route.h"

#include <stddef.h>

typedef struct server server;

/* Binds the address. On an error why says in words what is wrong. All of them must outlive the server. */
int  server_open(server **s, const config *c, const site *site, char *why, size_t size);
const char *server_address(const server *s); /* "http://127.0.0.1:8080", with the real port */
const char *server_own_address(const server *s);     /* the same, as this machine reaches it */

/* Serves until told to stop; started(arg) is called when all workers do. Returns 0, or UV_ETIMEDOUT when the drain time
 * passed with work left. */
int  server_run(server *s, void (*started)(void *arg), void *arg);
void server_close(server *s);

#endif
