/* cancel.h - asks the server to stop what a connection runs, over another connection that is made for it.
 *
 * libpq 17 can do so without blocking; before that a thread does it. */
#ifndef DB_POSTGRES_CANCEL_H
#define DB_POSTGRES_CANCEL_H

#include "pool.h"

typedef struct pg_cancel pg_cancel;

/* For a loop: on_end(c), from the loop, when the request has been delivered or could not be; then it is freed.
 * NULL when it cannot begin now. */
pg_cancel *pg_cancel_send(PGconn *pg, pg_pool *p, void (*on_end)(struct pg_connection *c), struct pg_connection *c);
void       pg_cancel_forget(pg_cancel *c);   /* on_end is not called */

/* For a blocking thread: waits until it has been delivered, or could not be. False: not by the time until, of
 * deadline_in; then the request may hit whatever that connection runs later. */
bool pg_cancel_blocking(PGconn *pg, uint64_t until);

/* blocking_wait, but for a client that is gone too. */
int pg_wait_without_client(int fd, short events, uint64_t until);

#endif
