/* server_internal.h - the inside of server.h: a server, and the two ways to serve. */
#ifndef HTTP_SERVER_INTERNAL_H
#define HTTP_SERVER_INTERNAL_H

#include "server/config/config.h"
#include "listener.h"
#include "router.h"

struct server {
    const config *config;
    const site   *site;
    router       *router;
    listener      listener;                  /* a socket for each that accepts */
};

/* Each serves until told to stop, and returns what server_run does. */
int server_run_async(struct server *s, void (*started)(void *arg), void *arg);       /* a loop for each worker */
int server_run_threads(struct server *s, void (*started)(void *arg), void *arg);     /* a thread for each connection */

enum { SERVER_STOP_SIGNALS = 3 };

/* The signals that say to stop: how many. SIGHUP is none where it is ignored, as under nohup. */
int  server_stop_signals(int numbers[SERVER_STOP_SIGNALS]);
void server_log_stopping(int signal);        /* says so in the log */
void server_log_late(int connections);       /* the drain time has passed with so many left; says so too */
void server_must(int err, const char *what); /* 0, or the end of the process: it cannot begin */
void server_trim_thread(void);               /* a thread about to exit gives back what it kept for reuse */

#endif
