/* server.h - the server as a whole: listens, serves in one of two ways, and stops when asked.
 *
 *   async      a loop for each worker; workers share nothing but the routes and the configuration
 *   threads    a thread for each connection, whose every call blocks: for comparison
 *
 * The same routes, limits and answers in both; a handler cannot tell which it is.
 *
 *   SIGTERM, SIGINT   after [timeouts] drain_delay, in which it serves as before but is not ready (server_state_now): stop
 *                     accepting, finish what is under way, return; a second one exits at once. A client that is connected
 *                     may send a request as long as [timeouts] drain lasts: its answer says that it is the last. When no
 *                     client is left, or that time is over, that is the end. Who waits in the queue of a socket that
 *                     another process has, too (listening_sockets.h), is left to that. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "server/config/config.h"
#include "route.h"

#include <stddef.h>

typedef struct server server;

/* Binds all addresses of [server] listen, and of [admin] listen. On an error why says in words what is wrong. The configuration
 * must outlive the server. */
int  server_open(server **s, const config *c, char *why, size_t size);
void server_set_site(server *s, const site *site);   /* before it runs; the site must outlive it, too */
const char *server_addresses(const server *s);       /* "http://127.0.0.1:8080, unix:/run/tenk.sock", with real ports */
const char *server_admin_addresses(const server *s);         /* the same of [admin] listen; "": there are none */
const char *server_own_address(const server *s);     /* of the first with a port, as this machine reaches it; NULL: none has */

/* Serves until told to stop; started(arg) is called when all workers do. Returns 0, or UV_ETIMEDOUT when the drain time
 * passed with work left; or another error, which the log has, if it could not start: then started is not called. */
int  server_run(server *s, void (*started)(void *arg), void *arg);

/* stopping(arg) is called once it has been told to stop, before it does: on its first thread. Before server_run. */
void server_on_stopping(server *s, void (*stopping)(void *arg), void *arg);

/* What the server of this process does; of two, the first (second_server.h). Any thread. */
typedef enum server_state { SERVER_STARTING, SERVER_SERVING, SERVER_STOPPING } server_state;
server_state server_state_now(void);         /* SERVER_STOPPING as soon as it has been told to, in the drain delay, too */

/* draining(arg) is called as soon as it has been told to stop, before [timeouts] drain_delay: likewise. */
void server_on_draining(server *s, void (*draining)(void *arg), void *arg);

/* While it runs, from any other thread: each loop takes that configuration at its next turn, and what accepts, and threads that
 * serve a client, as soon as they look. Of it, what may change then (setting.live) is all that differs, and it must
 * outlive the server. */
void server_reconfigure(server *s, const config *c);

/* The same: asks each loop, or the thread that accepts, to show that it still turns; and whether all have since. */
void server_ask(server *s);
bool server_has_answered(server *s);

/* For one beside another in the process (second_server.h): it takes no signals, but stops when it is told to, once, from
 * whatever thread. Before server_run; 0 or an error. Of each mode one may run. */
int  server_be_told(server *s);
void server_tell_to_stop(server *s);
void server_close(server *s);

#endif
