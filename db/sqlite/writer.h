/* writer.h - what the one writing thread does; see workers.h. */
#ifndef DB_SQLITE_WRITER_H
#define DB_SQLITE_WRITER_H

#include "connection.h"

/* Runs the group, linked by next, to its end. Those that are cancelled before the others have begun are
 * reported at once, and leave it; of those that remain each one's err is set, but it is not reported yet.
 * Returns how many transactions were committed: 1 or 0. *took is how many nanoseconds that needed, if it was tried. */
int sqlite_writer_run(sqlite_connection *c, sqlite_job **group, uint64_t *took);

#endif
