/* blocking.h - a blocking thread's side of a SQLite database.
 *
 *   reads     run in place, in the thread that asks, on a connection that it borrows: to hand a job to a
 *             reader and to be woken by it takes longer than most reads do
 *   writes    are handed to the one writer, which groups them, and waited for */
#ifndef DB_SQLITE_PLAIN_H
#define DB_SQLITE_PLAIN_H

#include "blocking_pool.h"

db *sqlite_plain_new(sqlite_shared *s);

#endif
