/* postgres.c - the driver for postgresql://...: see db.h.
 *
 *     a loop's db_query -> queue -> choice (end of the turn) -> connection: pipeline -> result -> promise
 *                            ^                                     |
 *                            +----- what must be sent again -------+
 *
 *     a blocking thread's db_query: see blocking_pool.h
 *
 *   target               where to connect to, and how
 *   init                 creates the schema
 *   prepared_statement   a statement with its types, what a connection calls it, and how it is sent
 *   error                what an SQLSTATE means, and what helps; why a connection failed
 *   role                 whether the server takes writes
 *   outage_log           what the log is told of a server that cannot be reached
 *   rows                 a PGresult as rows
 *   cancel               stops what runs at the server; cancel_delivery is the thread for it, before libpq 17
 *
 * A loop's side, each of which knows those below it:
 *
 *   loop_db              the db: what is sent, and on which connection
 *   connection           one connection: how it comes up, is cancelled, is lost
 *   pipeline             what it sends, and what comes back
 *   attempt              one attempt to connect
 *   pool                 what the connections share: the queue, and whether the server is there
 *   query                one db_query
 *
 * A blocking thread's side, the same:
 *
 *   blocking_db          the db: a connection for each query, and whether it goes again
 *   blocking_pool        the connections of all blocking threads, and the thread that connects them
 *   blocking_connection  one of them: sends, waits, receives */
#include "postgres.h"
#include "blocking_db.h"
#include "init.h"
#include "loop_db.h"
#include "server/async/loop.h"
#include "server/base/memory.h"

static int pg_check(const database_options *options, char *why, size_t size)
{
    pg_target target;
    int err = pg_target_init(&target, options, why, size);
    if (err)
        return err;
    err = pg_target_check(&target, why, size);
    pg_target_done(&target);
    return err;
}

static int pg_open(database **made, const database_options *options, char *why, size_t size)
{
    pg_database *d = mem_alloc(sizeof *d);
    d->base.driver = &postgres_driver;
    const int err = pg_target_init(&d->target, options, why, size);
    if (err) {
        mem_free(d);
        return err;
    }
    d->pool = pg_blocking_pool_new(&d->target);
    *made = &d->base;
    return 0;
}

static void pg_close(database *whole)
{
    pg_database *d = (pg_database *)whole;
    pg_blocking_pool_free(d->pool);
    pg_target_done(&d->target);
    mem_free(d);
}

static int pg_init_schema(database *d, char *why, size_t size) { return pg_init(&((pg_database *)d)->target, why, size); }

static const char *pg_describe(const database *d) { return ((const pg_database *)d)->target.description; }

static int pg_threads(const database *d, bool writes)
{
    (void)writes;
    return ((const pg_database *)d)->target.options->connections;
}

/* On a thread with a loop queries wait there; a blocking thread waits itself. */
static db *pg_connect(database *whole)
{
    pg_database *d = (pg_database *)whole;
    return loop_here() ? pg_loop_db_new(&d->target) : pg_blocking_db_new(d->pool);
}

const database_driver postgres_driver = {
    .check = pg_check,
    .open = pg_open,
    .close = pg_close,
    .init = pg_init_schema,
    .describe = pg_describe,
    .threads = pg_threads,
    .connect = pg_connect,
};
