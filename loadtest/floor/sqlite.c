/* sqlite.c - see sqlite.h. */
#include "sqlite.h"
#include "floor.h"

static sqlite3 *database;
static sqlite3_stmt *begin, *commit;
static bool in_transaction;
static void (*on_committed)(void);

void sqlite_must(int code)
{
    if (code != SQLITE_OK && code != SQLITE_DONE)
        floor_die(sqlite3_errmsg(database));
}

void sqlite_prepare(const char *sql, sqlite3_stmt **s)
{
    sqlite_must(sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, s, NULL));
}

void sqlite_open(const char *file)
{
    sqlite_must(sqlite3_open_v2(file, &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL));
    sqlite3_busy_timeout(database, 10000);
    sqlite_must(sqlite3_exec(database, "pragma cache_size = -131072; pragma synchronous = full", NULL, NULL, NULL));
    sqlite_prepare("begin", &begin);
    sqlite_prepare("commit", &commit);
}

void sqlite_run(sqlite3_stmt *s)
{
    if (sqlite3_step(s) != SQLITE_DONE)
        floor_die(sqlite3_errmsg(database));
    sqlite3_reset(s);
}

void sqlite_begin(void)
{
    if (!in_transaction)
        sqlite_run(begin);
    in_transaction = true;
}

static void on_turn_ended(void)
{
    if (in_transaction)
        sqlite_run(commit);
    in_transaction = false;
    if (on_committed)
        on_committed();
}

void sqlite_serve(int port, void (*committed)(void))
{
    on_committed = committed;
    floor_run(port, on_turn_ended, NULL);
}
