/* blocking_pool.h - what all blocking threads of a database share: connections to read on, and how
 * many of their writes wait.
 *
 * There are options->readers connections beside those of the reading threads, and each is opened when it
 * is first needed: a server has one kind of threads or the other. */
#ifndef DB_SQLITE_BLOCKING_POOL_H
#define DB_SQLITE_BLOCKING_POOL_H

#include "connection.h"
#include "workers.h"
#include "server/executor/resource_pool.h"

typedef struct sqlite_pooled_connection {
    resource          resource;              /* must be first */
    sqlite_connection connection;            /* its sqlite is NULL until it is opened */
} sqlite_pooled_connection;

typedef struct sqlite_blocking_pool {
    const database_options *options;
    const char     *path;
    sqlite_workers *workers;
    atomic_int      waiting;                 /* writes that wait for the writer */
    resource_pool   readers;
    int             count;
    sqlite_pooled_connection each[];
} sqlite_blocking_pool;

sqlite_blocking_pool *sqlite_blocking_pool_new(const char *path, sqlite_workers *w, const database_options *options);
void                  sqlite_blocking_pool_free(sqlite_blocking_pool *p);    /* none may be acquired */

uint64_t sqlite_blocking_pool_wait_limit(const sqlite_blocking_pool *p);     /* when a wait that begins now ends */

/* Waits for a connection: 0, or an error of db.h. */
int  sqlite_blocking_pool_acquire(sqlite_blocking_pool *p, sqlite_connection **c);
void sqlite_blocking_pool_release(sqlite_blocking_pool *p, sqlite_connection *c);

#endif
