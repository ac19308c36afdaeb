/* blocking_pool.h - the connections that all blocking threads of a database share.
 *
 *     db_query -> resource pool: threads wait -> connection: send, wait, receive -> rows
 *                   ^                             |
 *                   |                             +- broken -+
 *                   +---- connector, one thread <------------+
 *
 * No thread that serves a client ever connects: where no server answers, it would wait for the connect
 * timeout, and each other one after it. It waits in the resource pool until the connector brings a
 * connection, or says that the server is down, which all hear at once until it is up again. */
#ifndef DB_POSTGRES_BLOCKING_POOL_H
#define DB_POSTGRES_BLOCKING_POOL_H

#include "blocking_connection.h"
#include "outage_log.h"

#include <uv.h>

typedef struct pg_blocking_pool {
    pg_target    *target;
    resource_pool idle;                      /* connections that are up, and threads that wait for one */
    pg_blocking_connection *connections;     /* database_blocking_connections of them */
    uv_mutex_t    lock;                      /* of all below; may be held when the resource pool's is taken */
    uv_cond_t     news;                      /* for the connector */
    pthread_t     connector;
    bool          started;                   /* the connector, with the first query */
    atomic_bool   closing;
    resource     *unconnected;
    int           wanted, up;                /* connections that were needed so far, and that are up */
    bool          down;                      /* no connection is up, and none could connect: do not wait for one */
    bool          served;                    /* one was up since an attempt failed: the next that fails may have met what
                                                ended that one, and is made again at once */
    bool          suspicious;                /* one has been lost: what about those that are idle? */
    uint64_t      backoff, next_attempt;     /* milliseconds; of deadline_in */
    int           first_host;                /* to try: a host that did not answer in time goes last */
    int           silences;                  /* attempts in a row to which no server answered */
    pg_outage_log outage;
} pg_blocking_pool;

pg_blocking_pool *pg_blocking_pool_new(pg_target *t);        /* t must outlive it */
void              pg_blocking_pool_free(pg_blocking_pool *p);        /* no connection may be acquired */

/* As resource_pool_acquire; UV_ECONNREFUSED while the server is down. */
int  pg_blocking_pool_acquire(pg_blocking_pool *p, pg_blocking_connection **c, uint64_t until, bool ahead);
void pg_blocking_pool_release(pg_blocking_pool *p, pg_blocking_connection *c);       /* connects again one that is lost */

#endif
