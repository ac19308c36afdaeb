/* blocking_connection.h - one connection of blocking threads, while a thread has acquired it: send, wait, receive.
 *
 * A query costs a send, a poll and a recv, and so does a transaction, which is sent as a pipeline with one Sync. One that
 * is out of time, or whose client is gone, is stopped at the server and its answer awaited, for a cancel request names a
 * connection, not a query: until it has been delivered and the server is ready for the next query, the connection takes
 * none. One that does not get there in time is closed. */
#ifndef DB_POSTGRES_BLOCKING_CONNECTION_H
#define DB_POSTGRES_BLOCKING_CONNECTION_H

#include "prepared_statement.h"
#include "role.h"
#include "target.h"
#include "server/executor/resource_pool.h"

typedef struct pg_blocking_connection {
    resource    base;                        /* must be first */
    pg_target  *target;
    PGconn     *pg;                          /* NULL while not connected */
    pg_prepared_table prepared;
    pg_prepared_names names;
    pg_role     role;
    uint64_t    up_since;                    /* nanoseconds: connected */
    uint64_t    alive_at;                    /* answered, or begun to connect: it has not broken before */
    bool        unconfirmed;                 /* a commit of this query: see pg_notice */
    int         first_host;                  /* that was tried when it connected */
    bool        elsewhere;                   /* its host was silent, or takes no writes any more: another first */
    bool        silent;                      /* its server did not even answer a cancel request */
    bool        lost;                        /* it has broken, and last_words has why */
    char        last_words[256];
} pg_blocking_connection;

typedef struct pg_blocking_step {
    db_step       is;
    pg_parameters parameters;
    PGresult     *result;                    /* of a query that has ended well */
} pg_blocking_step;

typedef struct pg_blocking_query {           /* or a transaction */
    pg_blocking_step *steps;                 /* of a query, one */
    int           count;
    bool          reads;                     /* all that it runs */
    int           sends;                     /* how often it was sent */
    bool          again;                     /* it has not run, or was undone, and may go again */
    char         *comment;                   /* behind what is not prepared; or NULL */
    bool          named;                     /* it runs what was prepared */
    bool          unprepared;                /* it does not, for that had gone stale */
    bool          silent;                    /* its server did not even answer a cancel request */
    uint64_t      pause;                     /* milliseconds before it does */
    uint64_t      deadline;                  /* of deadline_in, once it is sent */
    uint64_t      lost_at;                   /* when its connection broke, and it was to be sent again; or 0 */
    uint64_t      began;                     /* recorder_clock when it was sent first; or 0 */
} pg_blocking_query;

/* Connects, no longer than so many milliseconds, if that is not 0, to the first host to try first, and asks whether
 * there is a server. 0, or UV_ETIMEDOUT: no answer, or UV_ECONNREFUSED, and why. */
int  pg_blocking_connection_open(pg_blocking_connection *c, int first_host, uint64_t timeout_ms,
                                 const atomic_bool *stop, char *why, size_t size);
void pg_blocking_connection_close(pg_blocking_connection *c);

/* Whether it still stands, as far as can be seen without asking the server: else it is lost. */
bool pg_blocking_connection_stands(pg_blocking_connection *c);
bool pg_blocking_connection_takes_writes(pg_blocking_connection *c);         /* the same, of its server */
bool pg_blocking_connection_answers(pg_blocking_connection *c, uint64_t until);      /* asks the server */
bool pg_blocking_connection_says(pg_blocking_connection *c, const char *sql, uint64_t until);    /* it does so, or is lost */

/* Runs q: 0 and the results, or an error. If q->again, it may be run again, here or, if this connection is lost, on
 * another. UV_ECONNRESET: it is lost, and q may or may not have run. */
int  pg_blocking_connection_run(pg_blocking_connection *c, pg_blocking_query *q);

#endif
