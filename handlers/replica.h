/* replica.h - the gallery's second way to the data: a replica ([patterns] replica), or, where there is none, the same database
 * once more, over connections of its own. It is opened when a pattern first wants it: a server whose gallery nobody looks at
 * pays nothing for it.
 *
 *     db *replica;
 *     err = replica_open(&replica);
 *     if (!err)
 *         err = await(replica_query(replica, arena, &user, &USER_BY_ID, integer(42)));
 *
 *   Ownership.  It belongs to this thread. On a loop it is kept, and ends with the loop; a blocking thread gives it back.
 *   Errors.     Those of database_open, whose words are in the log. */
#ifndef REPLICA_H
#define REPLICA_H

#include "db/db.h"
#include "server/async/task.h"

#define replica_query(replica, arena, out, statement, ...)                                     \
    db_query((replica), (arena), NULL, (out), (statement), (int)(sizeof(value[]){ __VA_ARGS__ } / sizeof(value)), \
             (value[]){ __VA_ARGS__ })

async int replica_open(db **out);
void      replica_give_back(db *replica);    /* on a loop it stays */

/* For main, before the server runs. options->url must outlive it. */
void replica_configure(const database_options *options);

/* On a loop's thread, when the site closes there; and when no thread uses it any more. */
MUST_AWAIT promise *replica_close_here(void);
void replica_close(void);

#endif
