/* blocking_pool.h - what all blocking threads of a SQLite database share: connections to read on, and how
 * many of their writes wait.
 *
 * There are options->readers of them beside those of the reading threads, and each is opened when it is
 * first needed: a server has one kind of threads or the other. */
#ifndef DB_SQLITE_SHARED_H
#define DB_SQLITE_SHARED_H

#include "connection.h"
#include "workers.h"
#include "server/executor/resource_pool.h"

typedef struct sqlite_shared {
    const database_options *options;
    const char *path;
    workers    *workers;
    atomic_int  waiting;                     /* writes in line */
    resource_pool      readers;
    int         count;
    struct lent { resource base; sqlite_connection connection; } each[];    /* sqlite is NULL in those not opened yet */
} sqlite_shared;

sqlite_shared *sqlite_shared_new(const char *path, workers *w, const database_options *options);
void           sqlite_shared_free(sqlite_shared *s);         /* nobody may have borrowed */
sqlite_shared *sqlite_shared_of(const database *d);

uint64_t sqlite_shared_patience(const sqlite_shared *s);     /* until when to wait in line, of deadline_in */

/* Waits for a connection, in line: 0, or an error of db.h. */
int  sqlite_shared_borrow(sqlite_shared *s, sqlite_connection **c);
void sqlite_shared_return(sqlite_shared *s, sqlite_connection *c);

#endif
