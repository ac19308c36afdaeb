/* loop_db.h - one loop's side of a SQLite database: makes the jobs, and settles their promises.
 *
 *   loop      gathers the queries of a turn, hands them over at its end   --->  queues of the workers
 *             settles what has come back, all at once                     <---  a stack, one uv_async */
#ifndef DB_SQLITE_LOOP_DB_H
#define DB_SQLITE_LOOP_DB_H

#include "workers.h"

db *sqlite_loop_db_new(sqlite_workers *w, const database_options *options);

#endif
