/* attempt.h - one attempt of a loop to connect, without blocking: names, sockets, sign-in.
 *
 * Host names are looked up on libuv's pool and given to libpq as addresses, each address of a name as
 * one more host: libpq's own order, target_session_attrs and TLS names hold. */
#ifndef DB_POSTGRES_ATTEMPT_H
#define DB_POSTGRES_ATTEMPT_H

#include "pool.h"

typedef struct pg_attempt pg_attempt;

/* The attempt has ended, and is freed when this returns: with a connection, which is the callee's now, and which may
 * have broken at any time after since, of uv_hrtime; or with NULL, and why. */
typedef void pg_attempt_end(struct pg_connection *c, PGconn *pg, uint64_t since, const char *why);

pg_attempt *pg_attempt_new(pg_pool *p, pg_attempt_end *on_end, struct pg_connection *c);
void        pg_attempt_start(pg_attempt *a, int first_host);                 /* on_end may be called at once */
void        pg_attempt_abandon(pg_attempt *a);               /* frees it; on_end is not called */

#endif
