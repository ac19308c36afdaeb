/* blocking_db.h - the db of a blocking thread: it acquires a connection for each query, and waits.
 *
 * The outcomes are those of the loop's db: a query out of time is cancelled at the server, one whose
 * connection broke fails, but goes again, once and before all others, if it reads; and so does one that the
 * server has undone for a reason that passes. */
#ifndef DB_POSTGRES_BLOCKING_DB_H
#define DB_POSTGRES_BLOCKING_DB_H

#include "blocking_pool.h"

db *pg_blocking_db_new(pg_blocking_pool *p); /* p must outlive it */

#endif
