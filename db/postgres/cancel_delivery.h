/* cancel_delivery.h - a cancel request, brought to the server by a thread of its own.
 *
 * Before libpq 17 PQcancel blocks until the server has taken the request, which it may never do: so it
 * runs in a thread that is left behind by a caller who has waited long enough, rather than in libuv's pool,
 * where a few such requests would stop everything. */
#ifndef DB_POSTGRES_CANCEL_DELIVERY_H
#define DB_POSTGRES_CANCEL_DELIVERY_H

#include <libpq-fe.h>

typedef struct pg_cancel_delivery pg_cancel_delivery;

/* Asks the server to stop what pg runs. on_end(arg) is called once, by that thread, when the request has
 * been delivered or could not be. NULL when it cannot begin now: too many are under way, or libpq cannot. */
pg_cancel_delivery *pg_cancel_delivery_send(PGconn *pg, void (*on_end)(void *arg), void *arg);

/* Ends it, or leaves it behind: from now on on_end is not called. Once for each, ended or not. */
void pg_cancel_delivery_leave(pg_cancel_delivery *d);

#endif
