/* postgres.c - the driver for postgresql://...: see db.h.
 *
 *     a loop's db_query -> queue -> choice (end of the turn) -> connection: pipeline -> result -> promise
 *                            ^                                     |
 *                            +----- what must be sent again -------+
 *
 *     a blocking thread's db_query: see blocking_pool.h
 *
 *   target               where to connect to, and how
 *   prepared_statement   a statement with its types, what a connection calls it, and how it is sent
 *   error                what an SQLSTATE means, and what helps; why a connection failed
 *   role                 whether the server takes writes
 *   outage_log           what the log is told of a server that cannot be reached
 *   rows                 a PGresult as rows
 *   cancel               stops what runs at the server
 *   listener             a thread's own connection, which hears
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
#include "db/schema.h"
#include "error.h"
#include "loop_db.h"
#include "server/async/loop.h"
#include "server/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

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
    channels_init(&d->base.channels);
    d->target.channels = &d->base.channels;
    d->pool = pg_blocking_pool_new(&d->target);
    *made = &d->base;
    return 0;
}

static void pg_close(database *whole)
{
    pg_database *d = (pg_database *)whole;
    pg_blocking_pool_free(d->pool);
    pg_target_done(&d->target);
    channels_done(&d->base.channels);
    mem_free(d);
}

enum { LOCK_KEY = 0x74656e6b };              /* "tenk" in ASCII */

struct schema_connection {
    PGconn *pg;
    char   *why;
    size_t  size;
};

static int statement_failed(struct schema_connection *c, const PGresult *r)
{
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    char reason[256];

    pg_reason_copy(primary ? primary : r ? PQresultErrorMessage(r) : PQerrorMessage(c->pg), reason, sizeof reason);
    if (state && strcmp(state, "42501") == 0) {
        snprintf(c->why, c->size, "the user \"%s\" may not create the tables: %s. Let the owner of the "
                 "database run this, or grant create on the schema.", PQuser(c->pg), reason);
        return UV_EACCES;
    }
    snprintf(c->why, c->size, "the database said: %s", reason);
    return state ? pg_error_of(state).err : UV_ECONNRESET;
}

static int run_statement(void *connection, const char *sql, int n, const int64_t parameters[])
{
    struct schema_connection *c = connection;
    static const Oid oids[] = { 20, 20, 20, 20 };            /* int8 */
    char numbers[4][24];
    const char *values[4];

    for (int i = 0; i < n; i++) {
        snprintf(numbers[i], sizeof numbers[i], "%lld", (long long)parameters[i]);
        values[i] = numbers[i];
    }
    PGresult *r = PQexecParams(c->pg, sql, n, oids, values, NULL, NULL, 0);
    const ExecStatusType status = PQresultStatus(r);
    const int err = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ? 0 : statement_failed(c, r);
    PQclear(r);
    return err;
}

static int ask_number(struct schema_connection *c, const char *sql, int64_t *found)
{
    PGresult *r = PQexec(c->pg, sql);
    const int err = PQresultStatus(r) == PGRES_TUPLES_OK ? 0 : statement_failed(c, r);
    if (!err)
        *found = PQntuples(r) > 0 ? strtoll(PQgetvalue(r, 0, 0), NULL, 10) : 0;
    PQclear(r);
    return err;
}

static int create_schema(struct schema_connection *c)
{
    static const char HAS_OTHERS[] =
        "select count(*) from unnest(array['users', 'posts', 'outbox', 'world', 'fortune', 'items']) n"
        " where to_regclass(n) is not null";
    static const char LACKS_OUTBOX[] = "select (to_regclass('outbox') is null)::int";
    static const char LACKS_BOARDS[] =
        "select (count(*) < 3)::int from unnest(array['world', 'fortune', 'items']) n where to_regclass(n) is not null";
    int64_t marker = 0, others = 0, version = 0, old = 0, older = 0;
    char lock[64];
    snprintf(lock, sizeof lock, "select pg_advisory_xact_lock(%d)", LOCK_KEY);

    int err = run_statement(c, "begin", 0, NULL);
    if (!err)
        err = run_statement(c, "set local statement_timeout = 0", 0, NULL);
    if (!err)
        err = run_statement(c, lock, 0, NULL);
    if (!err)
        err = ask_number(c, "select (to_regclass('tenk_schema') is not null)::int", &marker);
    if (!err)
        err = ask_number(c, HAS_OTHERS, &others);
    if (!err)
        err = ask_number(c, LACKS_BOARDS, &old);
    if (!err)
        err = ask_number(c, LACKS_OUTBOX, &older);
    if (!err && marker)
        err = ask_number(c, "select version from tenk_schema", &version);
    if (err)
        return err;
    err = schema_check((schema_found){ marker, others, version }, PQdb(c->pg), c->why, c->size);
    if (err == SCHEMA_ABSENT)
        err = schema_create(&SCHEMA_POSTGRES, SCHEMA_USERS, run_statement, c);
    else if (!err && old)
        err = schema_add_boards(&SCHEMA_POSTGRES, SCHEMA_USERS, run_statement, c);
    if (!err && marker && older)
        err = schema_add_outbox(&SCHEMA_POSTGRES, run_statement, c);
    return err ? err : run_statement(c, "commit", 0, NULL);
}

static void ignore_notice(void *arg, const PGresult *r) { (void)arg, (void)r; }

/* One transaction, which waits for any other of its kind, on a connection of its own. */
static int pg_init(database *d, char *why, size_t size)
{
    const pg_target *t = &((const pg_database *)d)->target;
    struct schema_connection c = { pg_target_connect_blocking(t, 0, t->options->connect_timeout_ms, NULL), why, size };

    if (!c.pg || PQstatus(c.pg) != CONNECTION_OK) {
        char reason[256];
        const char *message = PQerrorMessage(c.pg);
        pg_reason_copy_of_connect(*message ? message : "no answer within the connect timeout", reason, sizeof reason);
        snprintf(why, size, "cannot connect to %s: %s", t->description, reason);
        PQfinish(c.pg);
        return UV_ECONNREFUSED;
    }
    PQsetNoticeReceiver(c.pg, ignore_notice, NULL);
    const int err = create_schema(&c);
    PQfinish(c.pg);                          /* rolls back what has not been committed */
    return err;
}

static const char *pg_describe(const database *d) { return ((const pg_database *)d)->target.description; }

static int pg_threads(const database *d, bool writes)
{
    (void)writes;
    return database_blocking_connections(((const pg_database *)d)->target.options);
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
    .init = pg_init,
    .describe = pg_describe,
    .threads = pg_threads,
    .connect = pg_connect,
    .listen = pg_listen,
};
