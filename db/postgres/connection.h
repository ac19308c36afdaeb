/* connection.h - one connection of a loop: how it comes up, how what it runs is cancelled, how it is lost.
 *
 *     waiting --> connecting --> proving --> up          shut, when the db is closed
 *        ^            |             |         |
 *        +------------+-------------+---------+          failed, or lost
 *
 * A cancel request names a connection, not a query. So from when one is sent the connection is held: it takes
 * nothing new until the request has been delivered and the pipeline is empty. What was in the pipeline
 * and is hit in another's place is sent again. */
#ifndef DB_POSTGRES_CONNECTION_H
#define DB_POSTGRES_CONNECTION_H

#include "attempt.h"
#include "cancel.h"
#include "pipeline.h"

typedef enum pg_connection_state {
    PG_CONNECTION_WAITING,                   /* until the next attempt to connect */
    PG_CONNECTION_CONNECTING,
    PG_CONNECTION_PROVING,                   /* connected, perhaps to a pooler alone: until something answers */
    PG_CONNECTION_UP, PG_CONNECTION_SHUT,
} pg_connection_state;

typedef struct pg_connection {
    pg_pool    *pool;
    pg_pipeline pipeline;
    pg_handle  *poll;                        /* on its socket, once it is connected */
    pg_connection_state state;
    timer       timer;                       /* of the attempt, of the next one, or of a cancel request */
    pg_attempt *attempt;                     /* under way */
    pg_cancel  *cancel;                      /* under way */
    int         ticks;                       /* of the timer since a cancel was wanted */
    bool        failed;                      /* the latest attempt to connect */
    bool        served;                      /* it was up since one failed: the next that fails may have met what ended
                                                it, and is made again at once */
    uint64_t    backoff;                     /* milliseconds */
    uint64_t    up_since;                    /* nanoseconds: connected */
    int         first_host;                  /* to try: a host that did not answer in time goes last */
    int         silences;                    /* attempts in a row to which no server answered */
} pg_connection;

void pg_connection_init(pg_connection *c, pg_pool *p);
void pg_connection_done(pg_connection *c);                   /* it must be shut */
void pg_connection_open(pg_connection *c);                   /* begins to connect */
void pg_connection_shut(pg_connection *c);                   /* for good, once what runs has been cancelled */
bool pg_connection_is_usable(const pg_connection *c);        /* takes one more query */
void pg_connection_leave(pg_connection *c, const char *why); /* lost once its pipeline is empty, which may be at once */

/* If it cannot be sent, the connection is lost, and q with it: it may be in the queue again, or settled and gone. */
void pg_connection_send(pg_connection *c, pg_query *q);
void pg_connection_flush(pg_connection *c);                  /* what has been sent to it this turn */
void pg_connection_stop(pg_connection *c, pg_query *q, int verdict);         /* one of its queries: cancels it */

#endif
