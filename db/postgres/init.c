/* init.c - creates and seeds the schema: one transaction, which waits for any other of its kind.
 *
 * It blocks, on a connection of its own: for the command line only. */
#include "postgres.h"
#include "db/schema.h"
#include "server/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOCK_KEY = 0x74656e6b };              /* "tenk" in ASCII */

struct session {
    PGconn *pg;
    char   *why;
    size_t  size;
};

static int refused(struct session *s, const PGresult *r)
{
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    char reason[256];

    pg_reason(primary ? primary : r ? PQresultErrorMessage(r) : PQerrorMessage(s->pg), reason, sizeof reason);
    if (state && strcmp(state, "42501") == 0) {
        snprintf(s->why, s->size, "the user \"%s\" may not create the tables: %s. Let the owner of the "
                 "database run this, or grant create on the schema.", PQuser(s->pg), reason);
        return UV_EACCES;
    }
    snprintf(s->why, s->size, "the database said: %s", reason);
    return state ? pg_error_of(state).err : UV_ECONNRESET;
}

static int run(void *connection, const char *sql, int n, const int64_t parameters[])
{
    struct session *s = connection;
    static const Oid oids[] = { 20, 20, 20, 20 };            /* int8 */
    char numbers[4][24];
    const char *values[4];

    for (int i = 0; i < n; i++) {
        snprintf(numbers[i], sizeof numbers[i], "%lld", (long long)parameters[i]);
        values[i] = numbers[i];
    }
    PGresult *r = PQexecParams(s->pg, sql, n, oids, values, NULL, NULL, 0);
    const ExecStatusType status = PQresultStatus(r);
    const int err = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ? 0 : refused(s, r);
    PQclear(r);
    return err;
}

static int number(struct session *s, const char *sql, int64_t *found)
{
    PGresult *r = PQexec(s->pg, sql);
    const int err = PQresultStatus(r) == PGRES_TUPLES_OK ? 0 : refused(s, r);
    if (!err)
        *found = PQntuples(r) > 0 ? strtoll(PQgetvalue(r, 0, 0), NULL, 10) : 0;
    PQclear(r);
    return err;
}

static int create(struct session *s)
{
    int64_t marker = 0, others = 0, version = 0;
    char lock[64];
    snprintf(lock, sizeof lock, "select pg_advisory_xact_lock(%d)", LOCK_KEY);

    int err = run(s, "begin", 0, NULL);
    if (!err)
        err = run(s, "set local statement_timeout = 0", 0, NULL);
    if (!err)
        err = run(s, lock, 0, NULL);
    if (!err)
        err = number(s, "select (to_regclass('tenk_schema') is not null)::int", &marker);
    if (!err)
        err = number(s, "select (coalesce(to_regclass('users'), to_regclass('posts')) is not null)::int",
                     &others);
    if (!err && marker)
        err = number(s, "select version from tenk_schema", &version);
    if (err)
        return err;
    err = schema_judge((schema_found){ marker, others, version }, PQdb(s->pg), s->why, s->size);
    if (err == SCHEMA_ABSENT)
        err = schema_create(&SCHEMA_POSTGRES, SCHEMA_USERS, run, s);
    return err ? err : run(s, "commit", 0, NULL);
}

static void ignore(void *arg, const PGresult *r) { (void)arg, (void)r; }

int pg_init(database *d, char *why, size_t size)
{
    const postgres *p = (const postgres *)d;
    struct session s = { pg_target_connect_blocking(&p->target, 0, p->options->connect_timeout_ms, NULL), why, size };

    if (!s.pg || PQstatus(s.pg) != CONNECTION_OK) {
        char reason[256];
        const char *message = PQerrorMessage(s.pg);
        pg_reason_to_fail(*message ? message : "no answer within the connect timeout", reason, sizeof reason);
        snprintf(why, size, "cannot connect to %s: %s", p->target.description, reason);
        PQfinish(s.pg);
        return UV_ECONNREFUSED;
    }
    PQsetNoticeReceiver(s.pg, ignore, NULL);
    const int err = create(&s);
    PQfinish(s.pg);                          /* rolls back what has not been committed */
    return err;
}
