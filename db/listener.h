/* listener.h - hears that something was committed, here or by others: a thread's own connection, which PostgreSQL's LISTEN
 * has. In SQLite the same, within the process.
 *
 *     db_listener *l;
 *     err = database_listen(&l, d, "outbox");              on a thread without a loop, which it blocks
 *     while ((err = db_listener_wait(l, deadline_in(1000))) != UV_ECANCELED)
 *         db_listener_query(l, &arena, &rows, &NEWER, 1, (value[]){ integer(seen) });
 *
 *   Telling.     A statement that names a channel (.tells) tells it when it has been committed: alone, or as part of a
 *                transaction. Listeners of this process wake at once. Those of others hear it by NOTIFY, which the listeners
 *                here send, one for all that was committed within LISTENER_NOTIFY_MS: never within the transaction that it is
 *                about, for a commit that notifies holds a lock of the whole cluster until it is on disk. So a process
 *                that tells should listen, too.
 *   Hearing.     Only that something was committed, not what, and perhaps once too often. But never too rarely, as long as
 *                db_listener_hears: after a connection was lost it counts as told.
 *   Connection.  Beside those of the pools. It is made in db_listener_wait, and again after it was lost, to a server that takes
 *                writes: with a pause after one that failed, and not while a pool has none, for those go first.
 *   Pooler.      One in transaction mode passes on no notifications. Where [database] prepare = off says that there is one, or
 *                it was found out, nothing is heard of other processes, but they are told. */
#ifndef DB_LISTENER_H
#define DB_LISTENER_H

#include "db.h"

enum { LISTENER_NOTIFY_MS = 4 };

typedef struct db_listener db_listener;

int  database_listen(db_listener **l, database *d, const char *channel);        /* 0 or an error; channel must outlive it */
void db_listener_close(db_listener *l);            /* before its database is */

/* Until the channel has been told something since this returned 0 the last time, or at first when there is a connection: 0.
 * Or until the time until, of deadline_in: UV_ETIMEDOUT. Or until db_listener_end: UV_ECANCELED. */
int  db_listener_wait(db_listener *l, uint64_t until);
void db_listener_end(db_listener *l);              /* from any thread: it connects and waits no more */

/* Runs s on this connection: 0 and the rows, or an error of db.h. Once, whatever the error. */
int  db_listener_query(db_listener *l, arena *a, rows *out, const statement *s, int n, const value parameters[]);

bool     db_listener_hears(const db_listener *l);  /* of what other processes commit, too, or there are none */
unsigned db_listener_connections(const db_listener *l);            /* how many it has had */

#endif
