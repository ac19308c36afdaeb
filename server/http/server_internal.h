/* server_internal.h - the inside of server.h: a server, and the two ways to serve. */
#ifndef HTTP_SERVER_INTERNAL_H
#define HTTP_SERVER_INTERNAL_H

#include "server/config/config.h"
#include "listen/listener.h"
#include "peer/peer.h"
#include "router.h"

#include <pthread.h>
#include <stdatomic.h>

struct server;

/* Of what serves, from another thread: each asks all of its loops, or what accepts, to come by: to take the latest
 * configuration, and to show that they still turn. */
typedef struct server_loops {
    void (*ask)(struct server *s);
    bool (*have_answered)(struct server *s);         /* have all since they were asked last? */
} server_loops;

struct server {
    const config *config;                    /* as it was opened */
    _Atomic(const struct config *) latest;   /* the one that holds now */
    pthread_mutex_t lock;                    /* of what follows */
    const server_loops *loops;               /* NULL: it does not run */
    void         *running;                   /* theirs */
    const site   *site;
    router       *router, *admin_router;
    listeners     listeners;                 /* with a socket for each that accepts */
    peer_trust    trust;
    char          addresses[2048], admin_addresses[2048];    /* of the public ones, and the others, for people */
    int           told;                      /* a descriptor that can be read when it is told to stop; -1: signals tell it */
    void        (*stopping)(void *arg);      /* or NULL */
    void         *stopping_arg;
    void        (*started)(void *arg);       /* of server_run */
    void         *started_arg;
    void        (*draining)(void *arg);      /* or NULL */
    void         *draining_arg;
};

/* Each serves until told to stop, and returns what server_run does. */
int server_run_async(struct server *s, void (*started)(void *arg), void *arg);       /* a loop for each worker */
int server_run_threads(struct server *s, void (*started)(void *arg), void *arg);     /* a thread for each connection */

#define SERVER_PUBLIC "public"               /* the name of those listeners at which the site is served */
#define SERVER_ADMIN  "admin"                /* and of those of [admin] listen */

enum { SERVER_STOP_SIGNALS = 2 };
extern const int SERVER_STOP_SIGNAL[SERVER_STOP_SIGNALS];

void server_begin_to_drain(const struct server *s, int signal);    /* says so in the log, and to server_state_now */
_Noreturn void server_end_at_once(int signal);              /* it was told once more: the process ends */
uint64_t server_drain_delay(const struct server *s);        /* milliseconds until it is to stop */
void server_begin_to_stop(struct server *s);                /* says so to whom it concerns */
void server_set_running(struct server *s, const server_loops *loops, void *running);
void server_log_late(int connections);       /* the drain time has passed with so many left; says so too */
void server_trim_thread(void);               /* a thread about to exit gives back what it kept for reuse */

#endif
