/* pipeline.h - what a connection sends, and what comes back.
 *
 *     Parse? Bind Execute | Parse? Bind Execute | ... Sync        reads of one turn share a Sync
 *     Parse? Bind Execute Bind Execute ...                        a query that runs several times
 *     Parse? Bind Execute Sync                                    a write has its own
 *     Parse? Bind Execute Parse? Bind Execute ... Sync            and so has a transaction
 *
 * All up to a Sync is one implicit transaction, and an error skips the rest of it: reads that another's
 * error has skipped are sent again, each with a Sync of its own. So is whatever a cancel request meant
 * for another has hit, or an error that passes by itself: the server has said that it is undone, so a
 * write, too. A query leaves the pipeline with its result, or with the Sync behind it, which is when a
 * write is committed. */
#ifndef DB_POSTGRES_PIPELINE_H
#define DB_POSTGRES_PIPELINE_H

#include "pool.h"
#include "role.h"

typedef struct pg_pipeline {
    pg_pool      *pool;
    PGconn       *pg;                        /* NULL while not connected */
    pg_query_list queries;                   /* sent, oldest first: the first one runs */
    uint64_t      load;                      /* nanoseconds expected for all of them */
    uint64_t      head_since;                /* when the first one became the first */
    uint64_t      alive_at;                  /* answered, or begun to connect: it has not broken before */
    bool          head_prepared;             /* the answer to its Parse has come */
    bool          unsynced, unflushed;
    bool          held;                      /* takes nothing new: a cancel request may still hit it */
    const char   *leaving;                   /* takes nothing new, and ends with its last query: why; or NULL */
    pg_role       role;
    pg_prepared_names names;
    char          last_words[256];           /* what the server said before it hung up */
} pg_pipeline;

/* From now on pg is in pipeline mode, and a first Sync under way. False: libpq cannot. */
bool pg_pipeline_begin(pg_pipeline *p, PGconn *pg);
bool pg_pipeline_sync(pg_pipeline *p);       /* false: the connection must be given up */

/* Is sent when it is flushed. False: it could not be sent, and the connection must be given up, with all that is in
 * its pipeline: q is in it, too. */
bool pg_pipeline_send(pg_pipeline *p, struct pg_connection *c, pg_query *q);

typedef enum pg_answer {
    PG_ANSWER_PART,                          /* more will come for the first query */
    PG_ANSWER_LAST,                          /* it has left the pipeline */
    PG_ANSWER_BROKEN,                        /* the connection must be given up: last_words say why */
} pg_answer;

pg_answer pg_pipeline_take(pg_pipeline *p, PGresult *r, uint64_t now);       /* takes r */

/* The connection is gone: each query is settled, or goes again elsewhere. */
void pg_pipeline_lost(pg_pipeline *p);

#endif
