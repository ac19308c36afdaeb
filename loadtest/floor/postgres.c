/* postgres.c - see postgres.h. */
#include "postgres.h"
#include "floor.h"

enum { QUEUE = 64 * 1024, MOST_PARAMETERS = 2 };

static PGconn *database;
static void *queue[QUEUE]; /* whose answer is next; NULL where a Sync is */
static unsigned head, tail;
static bool unsynced;
static bool (*take)(void *whose, PGresult *r);
static void (*on_synced)(void);

void postgres_must(bool fine)
{
    if (!fine)
        floor_die(PQerrorMessage(database));
}

void postgres_open(const char *conninfo)
{
    database = PQconnectdb(conninfo);
    postgres_must(PQstatus(database) == CONNECTION_OK);
}

void postgres_prepare(const char *name, const char *sql, int n, const Oid types[])
{
    PGresult *r = PQprepare(database, name, sql, n, types);
    postgres_must(PQresultStatus(r) == PGRES_COMMAND_OK);
    PQclear(r);
}

void postgres_send(const char *statement, int n, const char *const values[], const int lengths[])
{
    static const int BINARY[MOST_PARAMETERS] = { 1, 1 };
    postgres_must(PQsendQueryPrepared(database, statement, n, values, lengths, BINARY, 1));
}

void postgres_expect(void *whose)
{
    queue[tail++ % QUEUE] = whose;
    unsynced = true;
}

static void on_turn_ended(void)
{
    if (!unsynced)
        return;
    postgres_must(PQpipelineSync(database));
    queue[tail++ % QUEUE] = NULL;
    unsynced = false;
}

static void on_result(PGresult *r)
{
    void *whose = queue[head % QUEUE];
    if (whose) {
        head += take(whose, r);
        return;
    }
    postgres_must(PQresultStatus(r) == PGRES_PIPELINE_SYNC);
    PQclear(r);
    head++;
    if (on_synced)
        on_synced();
}

static void on_readable(source *s)
{
    (void)s;
    postgres_must(PQconsumeInput(database));
    while (head != tail && !PQisBusy(database)) {
        PGresult *r = PQgetResult(database);
        if (r) /* NULL ends the results of one query */
            on_result(r);
    }
}

void postgres_run(int port, bool (*result)(void *whose, PGresult *r), void (*synced)(void))
{
    take = result;
    on_synced = synced;
    postgres_must(PQsetnonblocking(database, 1) == 0 && PQenterPipelineMode(database));
    floor_watch(&(source){ .fd = PQsocket(database), .ready = on_readable });
    floor_run(port, on_turn_ended, NULL);
}
