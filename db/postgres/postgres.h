/* postgres.h - a PostgreSQL database, for postgres.c and the tests. */
#ifndef DB_POSTGRES_H
#define DB_POSTGRES_H

#include "blocking_pool.h"
#include "db/driver.h"
#include "target.h"

typedef struct pg_database {
    database          base;                  /* must be first */
    pg_target         target;
    pg_blocking_pool *pool;                  /* of blocking threads */
} pg_database;

int pg_listen(db_listener **l, database *d, const char *channel);               /* listener.c */

#endif
