/* blocking_db.h - the db of a blocking thread.
 *
 *   reads     run in the thread itself, on a connection of the pool: to hand a job to a reading thread and to be
 *             woken by it takes longer than most reads do
 *   writes    are handed to the one writer, which groups them, and waited for */
#ifndef DB_SQLITE_BLOCKING_DB_H
#define DB_SQLITE_BLOCKING_DB_H

#include "blocking_pool.h"

db *sqlite_blocking_db_new(sqlite_blocking_pool *p);

#endif
