/* target.h - where a database's connections go, and how: libpq's parameters, complete, worked out once.
 *
 * A host name is looked up anew for each attempt to connect. */
#ifndef DB_POSTGRES_TARGET_H
#define DB_POSTGRES_TARGET_H

#include "db/db.h"

#include <libpq-fe.h>
#include <stdatomic.h>

enum { PG_MAX_PARAMETERS = 64, PG_MAX_HOSTS = 16 };

typedef struct pg_host { const char *name, *address, *port; } pg_host;       /* "" for the default */

typedef struct pg_target {
    const database_options *options;
    struct channels *channels;               /* of its database; its owner's to set */
    const char *keywords[PG_MAX_PARAMETERS + 1], *values[PG_MAX_PARAMETERS + 1];  /* all but the hosts */
    char       *memory;                      /* of the values */
    pg_host     hosts[PG_MAX_HOSTS];
    int         count;                       /* of hosts */
    char       *description;                 /* for people: no password in it */
    atomic_int  pools_down;                  /* pools that have no connection, and could make none */
    atomic_bool prepare;                     /* options->prepare, until something between forgets what is prepared */
} pg_target;

/* options must outlive it. */
int     pg_target_init(pg_target *t, const database_options *options, char *why, size_t size);
void    pg_target_done(pg_target *t);
int     pg_target_check(const pg_target *t, char *why, size_t size);         /* what libpq refuses without a network */
PGconn *pg_target_connect(const pg_target *t, const pg_host hosts[], int count);     /* begins; the hosts have addresses */

/* Connects, to the first host of all first, and no longer than timeout_ms, if that is not 0, or until
 * stop says so. It looks up names, and blocks. */
PGconn *pg_target_connect_blocking(const pg_target *t, int first_host, uint64_t timeout_ms, const atomic_bool *stop);

/* Milliseconds for an attempt to connect, after so many to which no server answered: less than the connect timeout
 * at first where there is another host to try. 0: no limit. */
uint64_t pg_target_connect_timeout(const pg_target *t, int silences);

/* A pool notes by *down that it has none, or has one again. */
void    pg_target_pool_is_down(pg_target *t, bool *down, bool is);

/* Milliseconds until the next attempt. Spare: others are up, and the server may have no room for one more. */
uint64_t pg_backoff(uint64_t *backoff, bool later, bool spare);

/* Something between us and the server, a pooler, does not keep what is prepared: from now on nothing is. */
void pg_target_forgets_prepared(pg_target *t);

/* What is behind a statement that this thread asks for now, of the arena; NULL: nothing, for it will be prepared. */
char *pg_target_comment(const pg_target *t, arena *a);

#endif
