/* cancel_delivery.h - a cancel request, brought to the server by a thread of its own.
 *
 * Before libpq 17 PQcancel blocks until the server has taken the request, which it may never do: so it
 * runs in a thread that whoever has waited long enough leaves behind, rather than in libuv's pool,
 * where a few of them would stop everything. */
#ifndef DB_POSTGRES_DELIVERY_H
#define DB_POSTGRES_DELIVERY_H

#include <libpq-fe.h>

typedef struct pg_delivery pg_delivery;

/* Asks the server to stop what pg runs. told(arg) is called once, by that thread, when the request has
 * been delivered or could not be. NULL when it cannot begin now: too many are under way, or libpq cannot. */
pg_delivery *pg_delivery_send(PGconn *pg, void (*told)(void *arg), void *arg);

/* Ends it, or leaves it behind: from now on told is not called. Once for each, told or not. */
void pg_delivery_leave(pg_delivery *d);

#endif
