/* sqlite_db.h - one thread's side of a SQLite database: makes the jobs, and settles their promises.
 *
 *   loop      gathers the queries of a turn, hands them over at its end   --->  lines of the workers
 *             settles what has come back, all at once                     <---  a stack, one uv_async
 *
 * In a plain thread there is no turn: a query is handed over and waited for. */
#ifndef DB_SQLITE_DB_H
#define DB_SQLITE_DB_H

#include "sqlite_workers.h"

db      *sqlite_db_new(workers *w, const database_options *options);
promise *sqlite_db_close(db *here);
void     sqlite_db_free(db *here);
promise *sqlite_db_query(db *here, arena *a, stopwatch *watch, rows *out, const statement *s, int n,
                         const value parameters[]);

#endif
