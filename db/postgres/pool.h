/* pool.h - what the connections of one loop share: the queue of its queries, and whether the server is there.
 *
 * The pool is the loop's db: loop_db.c chooses the connection of each query in the queue. */
#ifndef DB_POSTGRES_POOL_H
#define DB_POSTGRES_POOL_H

#include "db/driver.h"
#include "outage_log.h"
#include "query.h"
#include "server/async/loop.h"
#include "server/base/observe/gauge.h"
#include "target.h"

typedef struct pg_pool {
    db              base;                    /* must be first */
    pg_target      *target;
    const database_options *options;
    struct pg_connection *connections;       /* options->connections of them */
    int             open;                    /* of them: not shut for good */
    pg_query_list   queue;
    gauge           waiting;                 /* how many are in it */
    ready           at_turn_end;             /* sends what is in the queue */
    bool            scheduled;
    bool            down;                    /* every connection has failed to connect: do not wait for one */
    timer           rest;                    /* until the first one in the queue has rested */
    pg_outage_log   outage;
    int             handles;                 /* of uv, not yet closed */
    promise        *closing;
    pg_prepared_table prepared;
} pg_pool;

void pg_pool_schedule(pg_pool *p);                           /* the queue is looked at when this turn ends */
void pg_pool_requeue(pg_pool *p, pg_query *q);               /* goes again, before all others */
void pg_pool_fail_queue(pg_pool *p, int err);                /* settles all that is in it */
void pg_pool_is_down(pg_pool *p, const char *why);           /* no connection could be made */
void pg_pool_is_up(pg_pool *p, bool whole);                  /* one is up, or all are */
void pg_pool_connection_shut(pg_pool *p);                    /* for good */
void pg_pool_settle_if_closed(pg_pool *p);

/* A handle of libuv's: freed when it has closed, and until then the pool is not closed. */
typedef struct pg_handle {
    union { uv_handle_t handle; uv_poll_t poll; uv_async_t wake; } uv;          /* must be first; its data is the owner */
    pg_pool *pool;
} pg_handle;

pg_handle *pg_handle_async(pg_pool *p, uv_async_cb on_wake, void *owner);
int        pg_handle_poll(pg_handle **h, pg_pool *p, int fd, int events, uv_poll_cb on_ready, void *owner);
void       pg_handle_close(pg_handle **h);                   /* no-op if it is NULL; sets it to NULL */

#endif
