/* sqlite.h - a SQLite database, for sqlite.c and the tests. */
#ifndef DB_SQLITE_H
#define DB_SQLITE_H

#include "blocking_pool.h"
#include "db/driver.h"

typedef struct sqlite_database {
    struct database         database;        /* must be first */
    const database_options *options;
    sqlite_workers         *workers;
    sqlite_blocking_pool   *pool;            /* of blocking threads */
    char                   *description;
} sqlite_database;

int sqlite_listen(db_listener **l, database *d, const char *channel);           /* listener.c */

#endif
