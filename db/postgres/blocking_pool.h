/* blocking_pool.h - the connections that all blocking threads of a database share.
 *
 *     db_query -> lender: a line of threads -> session: send, wait, receive -> rows
 *                   ^                             |
 *                   |                             +- broken -+
 *                   +---- connector, one thread <------------+
 *
 *   shared     the sessions, and the thread that connects them                blocking_pool.c
 *   session    one connection, while a thread has borrowed it                 blocking_connection.c
 *   question   one db_query of a blocking thread                                 blocking_query.c
 *   stop       how what a session runs is cancelled at the server             stop.c
 *
 * No thread that serves a client ever connects: where nobody answers, it would wait for the connect
 * timeout, and each other one after it. It waits in line, like any, until the connector brings a
 * session, or says that the server is down, which all hear at once until it is up again. */
#ifndef DB_POSTGRES_SHARED_H
#define DB_POSTGRES_SHARED_H

#include "postgres.h"
#include "server/executor/resource_pool.h"

#include <stdatomic.h>

typedef struct pg_blocking_connection {
    resource        base;                        /* must be first */
    struct pg_shared *shared;
    PGconn     *pg;                          /* NULL while not connected */
    pg_statements    plans;
    pg_names    names;
    pg_role     role;
    uint64_t    up_since;                    /* nanoseconds: connected */
    uint64_t    alive_at;                    /* answered, or begun to connect: it has not broken before */
    bool        unconfirmed;                 /* a commit of this query, as in postgres.h */
    int         first_host;                  /* that was tried when it connected */
    bool        elsewhere;                   /* its host was silent, or takes no writes any more: another first */
    bool        silent;                      /* its server did not even answer a cancel request */
    bool        lost;                        /* it has broken, and last_words has why */
    char        last_words[256];
} pg_blocking_connection;

typedef struct pg_blocking_query {
    const statement *statement;
    const value *parameters;
    int          n;
    const char  *values[MAX_PARAMETERS];     /* as PQsendQueryPrepared wants them */
    int          lengths[MAX_PARAMETERS];
    int64_t      integers[MAX_PARAMETERS];   /* big-endian */
    int          sends;                      /* how often it was sent */
    bool         again;                      /* it has not run, or was undone, and may go again */
    bool         named, prepares;            /* it runs what was prepared; for itself */
    bool         silent;                     /* its server did not even answer a cancel request */
    uint64_t     pause;                      /* milliseconds before it does */
    uint64_t     deadline;                   /* of deadline_in, once it is sent */
    uint64_t     lost_at;                    /* when its connection broke, and it was to be sent again; or 0 */
    PGresult    *result;
} pg_blocking_query;

/* Connects, blocking, no longer than so many milliseconds, if that is not 0, to the first host to try first,
 * and asks whether there is a server. 0, or UV_ETIMEDOUT: nobody answered, or UV_ECONNREFUSED, and why. */
int  pg_session_connect(pg_blocking_connection *s, int first_host, uint64_t patience_ms, const atomic_bool *stop,
                        char *why, size_t size);
void pg_session_close(pg_blocking_connection *s);

/* Whether it still stands, as far as can be seen without asking the server: else it is lost. */
bool pg_session_stands(pg_blocking_connection *s);
bool pg_session_writes(pg_blocking_connection *s);       /* the same, of whether its server takes writes */
bool pg_session_answers(pg_blocking_connection *s, uint64_t until);      /* asks the server */

/* Runs q: 0 and q->result, or an error. If q->again, it may be asked again, here or, if this one is lost, on
 * another. UV_ECONNRESET: it is lost, and q may or may not have run. */
int  pg_session_ask(pg_blocking_connection *s, pg_blocking_query *q);

/* Asks the server to stop what pg runs, and waits until it has been asked, or could not be. False: not
 * by the time until, of deadline_in; then the request may hit whatever that connection runs later. */
bool pg_stop(PGconn *pg, uint64_t until);
int  pg_wait_anyway(int fd, short events, uint64_t until);   /* blocking_wait, but for a client that is gone too */

typedef struct pg_shared {
    postgres   *database;
    resource_pool      resource_pool;                      /* of the sessions that are connected */
    pg_blocking_connection *sessions;                    /* options->connections of them */
    uv_mutex_t  lock;                        /* of all below; may be held when the lender's is taken */
    uv_cond_t   news;                        /* for the connector */
    uv_thread_t connector;
    bool        started;                     /* the connector, with the first query */
    atomic_bool closing;
    resource       *unconnected;
    int         wanted, up;                  /* sessions that were needed so far, and that are connected */
    bool        down;                        /* no session is up, and none could connect: do not wait for one */
    bool        served;                      /* one was up since an attempt failed: the next that fails may have met what
                                                ended that one, and is made again at once */
    bool        suspicious;                  /* one has been lost: what about those that are idle? */
    uint64_t    backoff, next_attempt;       /* milliseconds; of deadline_in */
    int         first_host;                  /* to try: a host that did not answer in time goes last */
    int         silences;                    /* attempts in a row to which nobody answered */
    pg_outage_log  journal;
} pg_shared;

pg_shared *pg_shared_new(postgres *d);
void       pg_shared_free(pg_shared *p);     /* nobody may have borrowed */

/* As resource_pool_acquire; UV_ECONNREFUSED while the server is down. */
int  pg_shared_borrow(pg_shared *p, pg_blocking_connection **s, uint64_t until, bool ahead);
void pg_shared_return(pg_shared *p, pg_blocking_connection *s);          /* one that is lost is connected again */
void pg_shared_refused(pg_shared *p, const statement *s, const PGresult *r);     /* for the log */

#endif
