/* query.h - one db_query of a loop: its parameters, its clock, its outcome.
 *
 * Or several of the same statement, from db_query_each, or those of a db_transaction, which are sent, answered, and sent
 * again as one.
 *
 * It belongs to the pool's queue or to a connection's pipeline until it is settled, which frees it. */
#ifndef DB_POSTGRES_QUERY_H
#define DB_POSTGRES_QUERY_H

#include "prepared_statement.h"
#include "server/async/timer.h"

typedef struct pg_query {
    struct pg_query      *next, *prev;       /* in the queue or the pipeline */
    struct pg_pool       *pool;
    struct pg_connection *connection;        /* NULL in the queue */
    promise     *promise;                    /* NULL: it has settled, for the server did not say what became of it */
    arena       *arena;                      /* of who waits: it, watch and out end when the promise settles */
    stopwatch   *watch;
    rows        *out;                        /* count of them */
    int          count;                      /* how often it runs: 1, or more for db_query_each; statements of a transaction */
    int          answers, successes;         /* of them, since it was sent the last time */
    pg_prepared *prepared;                   /* the first one of a transaction */
    struct channels *heard;                  /* told of what was committed */
    struct pg_step *steps;                   /* of a transaction, in the arena, or without a promise the query's; else NULL */
    pg_parameters parameters, *each;         /* where it runs once; else those of each run */
    char        *comment;                    /* behind what is not prepared; or NULL */
    PGresult    *result;                     /* has come, but what follows it has not; of several, each is given at once */
    timer        timer;                      /* of the queue, then of the query, then of its being stopped */
    uint64_t     since;                      /* recorder_clock when it was asked for */
    uint64_t     sent;                       /* nanoseconds of uv_hrtime */
    uint64_t     went;                       /* recorder_clock at that time; 0: it was not sent yet */
    int          lane;                       /* if it is watched, on which connection of the loop, from 1 on */
    uint64_t     expected;                   /* nanoseconds; its part of the pipeline's load */
    int          outcome;                    /* 0, or the error that has come */
    int          verdict;                    /* why it is being stopped: UV_ETIMEDOUT, UV_ECANCELED; or 0 */
    uint64_t     lost_at;                    /* when its connection broke, and it was to be sent again; or 0 */
    uint64_t     not_before;                 /* nanoseconds: it stays in the queue until then; or 0 */
    char         sends;                      /* how often it was sent */
    bool         anew;                       /* only on a connection that was made since lost_at */
    bool         alone;                      /* shares no Sync */
    bool         unconfirmed;                /* committed here, but its standby has not said so: see pg_notice */
    bool         aborted;                    /* it has not run, or was undone, and may go again */
    bool         reads;                      /* all that it runs */
    bool         named;                      /* it runs what was prepared */
    bool         unprepared;                 /* it does not, for that had gone stale */
    bool         syncs;                      /* a Sync follows it */
    unsigned     prepares;                   /* a bit for each run that has a Parse before it */
} pg_query;

typedef struct pg_step {                     /* of a transaction */
    pg_prepared *prepared;
    rows        *out;                        /* or NULL */
    PGresult    *result;                     /* has come, but the Sync has not */
} pg_step;

/* Without a promise; its watch runs. */
pg_query *pg_query_new(struct pg_pool *p, arena *a, stopwatch *w, rows out[], pg_prepared *prepared, int count,
                       const value parameters[]);
pg_query *pg_query_new_transaction(struct pg_pool *p, arena *a, stopwatch *w, pg_prepared_table *all, int count,
                                   const db_step steps[]);
void      pg_query_take(pg_query *q, PGresult *r);           /* the rows of its next run */
void      pg_query_forget(pg_query *q);                      /* what has come: it is undone */
void      pg_query_settle(pg_query *q, int err);             /* 0 hands out the result */

/* What its i-th run runs; behind the last, that one. */
static inline pg_prepared *pg_query_prepared(const pg_query *q, int i)
{
    return q->steps ? q->steps[i < q->count ? i : q->count - 1].prepared : q->prepared;
}

/* It has been sent, and is being stopped. The server's answer decides, and a success that comes all the same is one:
 * but after so many ms the promise settles without it. The query stays where it is. */
void      pg_query_settle_soon(pg_query *q, int verdict, uint64_t ms);

typedef struct pg_query_list { pg_query *first, *last; int count; } pg_query_list;

void pg_query_list_append(pg_query_list *l, pg_query *q);
void pg_query_list_prepend(pg_query_list *l, pg_query *q);
void pg_query_list_remove(pg_query_list *l, pg_query *q);

#endif
