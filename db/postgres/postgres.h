/* postgres.h - what the files of the PostgreSQL driver share. Nobody else includes it.
 *
 *     db_query -> line -> choice (end of the turn) -> link: pipeline -> result -> promise
 *                   ^                                   |
 *                   +---- reads that must be resent ----+
 *
 *   target     whom to connect to, from the URL and libpq's environment       target.c
 *              what of that libpq refuses without a network               check.c
 *   pool       one loop's db: the line, and the choice of a link              pool.c
 *   link       one connection while it is up                                  connection.c
 *              what it sends, and what comes back                             pipeline.c
 *              how it comes up, and again after it broke                      connect.c
 *              how what it runs is cancelled at the server                    cancel.c
 *   query      one db_query, from its copy of the parameters to its outcome   query.c
 *   plan       a statement with its types, and a connection's name for it     prepared_statement.c
 *   error      what an SQLSTATE means, and what helps                         error.c
 *   role       whether the server takes writes                                role.c
 *   journal    what the log is told                                           outage_log.c
 *   rows       views into a PGresult                                          rows.c
 *   blocking   the db of a blocking thread                                       blocking_query.c
 *   shared     what all of those share: sessions, a connector                 blocking_pool.h
 *   init       the schema                                                     init.c */
#ifndef POSTGRES_H
#define POSTGRES_H

#include "db/driver.h"
#include "error.h"
#include "outage_log.h"
#include "prepared_statement.h"
#include "role.h"
#include "server/base/deadline.h"
#include "server/async/loop.h"
#include "server/async/timer.h"

#include <libpq-fe.h>
#include <stdatomic.h>

typedef struct pg_pool  pg_pool;
typedef struct pg_connection  pg_connection;
typedef struct pg_query pg_query;

/* Target: libpq's parameters, complete. A host name is looked up anew for each attempt to connect. */
enum { PG_MAX_PARAMETERS = 64, PG_MAX_HOSTS = 16 };

typedef struct pg_target {
    const char *keywords[PG_MAX_PARAMETERS + 1], *values[PG_MAX_PARAMETERS + 1];  /* all but the hosts */
    char       *memory;                      /* of the values */
    struct pg_host { const char *name, *address, *port; } hosts[PG_MAX_HOSTS];    /* "" for the default */
    int         count;                       /* of hosts */
    char       *description;
} pg_target;

int     pg_target_init(pg_target *t, const database_options *options, char *why, size_t size);
void    pg_target_done(pg_target *t);
int     pg_target_check(const pg_target *t, char *why, size_t size);     /* what libpq refuses without a network */
PGconn *pg_target_connect(const pg_target *t, const struct pg_host hosts[], int count);  /* begins */

/* Connects, to the first host of all first, and no longer than timeout_ms, if that is not 0, or until
 * stop says so. It looks up names, and blocks. */
PGconn *pg_target_connect_blocking(const pg_target *t, int first_host, uint64_t timeout_ms, const atomic_bool *stop);
void    pg_reason(const char *message, char *why, size_t size);      /* libpq's words, on one line */
void    pg_reason_to_fail(const char *message, char *why, size_t size);      /* to connect: and what helps */
bool    pg_timed_out(const char *reason);    /* they say that nobody answered */

/* Milliseconds for an attempt to connect, after so many to which nobody answered: less than the connect timeout at
 * first where there is another host to try. 0: no limit. */
uint64_t pg_target_patience(const pg_target *t, const database_options *options, int silences);

typedef struct postgres {
    database                base;            /* must be first */
    const database_options *options;
    pg_target               target;
    atomic_bool             prepare;         /* options->prepare, until something between forgets what is prepared */
    struct pg_shared       *shared;          /* of blocking threads */
} postgres;

/* Query. It belongs to the line or to a link until it is settled, which frees it. */
struct pg_query {
    pg_query   *next, *prev;
    pg_pool    *pool;
    pg_connection    *link;                        /* NULL in line */
    promise    *promise;                     /* NULL: it has settled, for the server did not say what became of it */
    arena      *arena;
    stopwatch  *watch;
    rows       *out;
    pg_statement    *plan;
    PGresult   *result;                      /* has come, but what follows it has not */
    timer       timer;                       /* of the line, then of the query, then of its being stopped */
    uint64_t    sent;                        /* nanoseconds of uv_hrtime */
    uint64_t    expected;                    /* nanoseconds; its part of the link's load */
    int         outcome;                     /* 0, or the error that has come */
    int         verdict;                     /* why it is being stopped: UV_ETIMEDOUT, UV_ECANCELED; or 0 */
    uint64_t    lost_at;                     /* when its link broke, and it was to be sent again; or 0 */
    uint64_t    not_before;                  /* nanoseconds: it rests in line until then; or 0 */
    char        sends;                       /* how often it was sent */
    bool        anew;                        /* only on a link that has connected since lost_at */
    bool        alone;                       /* shares no Sync */
    bool        unconfirmed;                 /* committed here, but its standby has not said so: see on_notice */
    bool        aborted;                     /* it has not run, or was undone, and may go again */
    bool        named;                       /* it runs what was prepared */
    bool        prepares, syncs;             /* a Parse goes before it; a Sync follows it */
    const char *values[MAX_PARAMETERS];      /* as PQsendQueryPrepared wants them */
    int         lengths[MAX_PARAMETERS];
    int64_t     integers[MAX_PARAMETERS];    /* big-endian */
};

#define PG_LOST        "its connection broke before the server had said so"
#define PG_SILENT      "its time was up, and the server did not say so"
#define PG_UNCONFIRMED "its time was up while it waited for a standby"

extern const int  pg_binary[MAX_PARAMETERS];
extern const rows_driver pg_rows_driver;

/* Something between us and the server, a pooler, does not keep what is prepared: from now on nothing is. */
void      pg_forgets_prepared(postgres *d);

pg_query *pg_query_new(pg_pool *p, arena *a, stopwatch *w, rows *out, pg_statement *plan, const value parameters[]);
void      pg_query_settle(pg_query *q, int err);         /* 0 hands out the result */
bool      pg_unconfirms(const PGresult *notice);         /* says that the commit is not awaited on a standby any longer */
void      pg_query_stop(pg_query *q, int verdict);       /* its time is up, or nobody wants it any more */
bool      pg_fits(const statement *s, int n, const value parameters[]);          /* in a message; else it is logged */
int       pg_encode(const value *v, arena *a, int64_t *room, const char **at);    /* its length */
int       pg_rows_give(rows *out, arena *a, PGresult *r, const statement *s);    /* takes r; 0 or an error */

typedef struct pg_list { pg_query *first, *last; int count; } pg_list;

void pg_list_append(pg_list *l, pg_query *q);
void pg_list_prepend(pg_list *l, pg_query *q);
void pg_list_remove(pg_list *l, pg_query *q);

/* Link. */
typedef enum pg_state {
    PG_WAITING,                              /* until the next attempt to connect */
    PG_RESOLVING, PG_CONNECTING,
    PG_PROVING,                              /* connected, perhaps to a pooler alone: until something answers */
    PG_UP, PG_SHUT,
} pg_state;

struct pg_connection {
    pg_pool    *pool;
    PGconn     *pg;                          /* while connecting and up */
    uv_poll_t  *poll;                        /* on its socket */
    pg_state    state;
    timer       timer;                       /* of the attempt, of the next one, or of a cancel request */
    pg_list     pipeline;                    /* sent, oldest first: the first one runs */
    uint64_t    load;                        /* nanoseconds expected for all of it */
    uint64_t    head_since;                  /* when the first one became the first */
    bool        head_prepared;               /* the answer to its Parse has come */
    bool        unsynced, unflushed;
    bool        held;                        /* takes nothing new: a cancel request may still hit it */
    const char *leaving;                     /* takes nothing new, and ends with its pipeline: why; or NULL */
    pg_role     role;
    bool        failed;                      /* the latest attempt to connect */
    bool        served;                      /* it was up since one failed: the next that fails may have met what ended
                                                it, and is made again at once */
    int         ticks;                       /* of the timer since a cancel was wanted */
    pg_names    names;                       /* of its prepared statements */
    char        last_words[256];             /* what the server said before it hung up */
    struct pg_cancel *cancel;                /* under way */
    struct pg_lookup *lookup;                /* of the host names, under way */
    uint64_t    backoff;                     /* milliseconds */
    uint64_t    up_since;                    /* nanoseconds: connected */
    uint64_t    alive_at;                    /* answered, or begun to connect: it has not broken before */
    int         first_host;                  /* to try: a host that did not answer in time goes last */
    int         silences;                    /* attempts in a row to which nobody answered */
};

bool pg_link_usable(const pg_connection *l);
void pg_link_flush(pg_connection *l);
void pg_link_prove(pg_connection *l);                          /* it has connected: is there a server? */
void pg_link_lost(pg_connection *l, const char *why);          /* connects again, unless the pool closes */
void pg_link_stop_head(pg_connection *l);                      /* cancels what runs */
void pg_link_leave(pg_connection *l, const char *why);         /* lost once its pipeline is empty, which may be at once */
pg_connection *pg_link_of(uv_poll_t *poll);
void pg_link_close_poll(pg_connection *l);
void pg_link_shut(pg_connection *l);

void pg_link_wait_for_cancel(pg_connection *l);                /* until nothing new can be hit by one */

/* Leaves with pg_link_flush. If it cannot be sent, the link is lost as by pg_link_lost, and q with it: it
 * may be in line again, or settled and gone. */
void pg_pipeline_send(pg_connection *l, pg_query *q);
bool pg_pipeline_sync(pg_connection *l);                       /* false: the link must be given up */
bool pg_pipeline_take(pg_connection *l, PGresult *r, uint64_t now);    /* true if it ends the connection; takes r */

void pg_connect(pg_connection *l);                             /* begin an attempt */
void pg_connect_again(pg_connection *l, bool later);           /* after a loss or a failure */
void pg_connect_soon(pg_connection *l);                        /* a waiting link need not wait longer */
void pg_connect_end(pg_connection *l);                         /* give up the one under way */
void pg_connect_failed(pg_connection *l, const char *why);     /* the one under way; there will be another */

/* Milliseconds until the next attempt. Spare: others are up, and the server may have no room for one more. */
uint64_t pg_backoff(uint64_t *backoff, bool later, bool spare);

struct pg_cancel *pg_cancel_send(pg_connection *l);            /* NULL when it cannot begin now */
void              pg_cancel_forget(struct pg_cancel *c);
void              pg_link_cancelled(pg_connection *l);         /* the request has been delivered */

/* Pool: the db of one loop. */
struct pg_pool {
    db         base;                         /* must be first */
    postgres  *database;
    const database_options *options;
    pg_connection   *links;                        /* options->connections of them */
    pg_list    line;
    ready      at_turn_end;
    bool       scheduled;
    bool       down;                         /* every link has failed to connect: do not wait for one */
    timer      rest;                         /* until the first one in line has rested */
    pg_outage_log journal;
    int        handles;                      /* of uv, not yet closed */
    promise   *closing;
    pg_statements   plans;
};

void pg_pool_schedule(pg_pool *p);                       /* dispatch at the end of this turn */
void pg_pool_requeue(pg_pool *p, pg_query *q);           /* goes again, before all others */
void pg_pool_failed(pg_pool *p, const char *why);        /* a link could not connect */
void pg_pool_recovered(pg_pool *p);                      /* a link is up */
bool pg_pool_serves(const pg_pool *p);                   /* at least one is */
void pg_pool_check_closed(pg_pool *p);
void pg_handle_opened(pg_pool *p, void *handle);         /* on the heap; freed when closed */
void pg_handle_close(void *handle);

db  *pg_pool_new(postgres *d);
db  *pg_blocking_new(postgres *d);
int  pg_init(database *d, char *why, size_t size);

#endif
