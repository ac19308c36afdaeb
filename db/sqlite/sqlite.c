/* sqlite.c - the driver for sqlite:PATH. Threads of its own touch the file, or plain ones, never a loop:
 *
 *   sqlite_file        creates, seeds and checks the file when the database is opened
 *   sqlite_db          a loop's side: queries become jobs, outcomes become settled promises
 *   sqlite_plain       a blocking thread's side: it reads by itself, and waits for the writer
 *   sqlite_shared      the connections that those read on
 *   sqlite_line        jobs that wait for a worker
 *   sqlite_workers     the reading threads, and the one that writes (sqlite_writer)
 *   sqlite_connection  what a job is run on
 *   sqlite_result      its rows */
#include "sqlite.h"
#include "db/schema.h"
#include "loop_db.h"
#include "file.h"
#include "blocking.h"
#include "server/async/loop.h"
#include "server/base/memory.h"

#include <stdio.h>

struct sqlite_database {
    struct database         database;        /* must be first */
    const database_options *options;
    workers                *workers;
    sqlite_shared          *shared;          /* of blocking threads */
    char                   *description;
};

/* Before SQLite's first use: no global lock for the sake of its statistics of memory, and none in
 * connections, which have one thread each. Too late, it changes nothing. */
static void configure(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
}

static int check(const database_options *options, char *why, size_t size)
{
    const char *path;
    return sqlite_file_path(options->url, &path, why, size);
}

static int open_sqlite(database **made, const database_options *options, char *why, size_t size)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, configure);

    const char *path = NULL;
    int err = sqlite_file_path(options->url, &path, why, size);
    if (!err)
        err = sqlite_file_prepare(path, SCHEMA_USERS, why, size);
    if (err)
        return err;
    workers *w;
    err = workers_start(&w, path, options->readers > 0 ? options->readers : 1, options->timeout_ms, why, size);
    if (err)
        return err;
    struct sqlite_database *d = mem_alloc(sizeof *d);
    d->database.driver = &sqlite_driver;
    d->options = options;
    d->workers = w;
    d->shared = sqlite_shared_new(path, w, options);
    const size_t room = strlen(path) + sizeof "SQLite ";
    d->description = mem_alloc(room);
    snprintf(d->description, room, "SQLite %s", path);
    *made = &d->database;
    return 0;
}

static void close_sqlite(database *whole)
{
    struct sqlite_database *d = (struct sqlite_database *)whole;
    sqlite_shared_free(d->shared);
    workers_stop(d->workers);
    mem_free(d->description);
    mem_free(d);
}

static int init(database *d, char *why, size_t size)         /* opening did it */
{
    (void)d, (void)why, (void)size;
    return 0;
}

static const char *describe(const database *d) { return ((const struct sqlite_database *)d)->description; }

static int threads(const database *d, bool writes)
{
    const int readers = ((const struct sqlite_database *)d)->options->readers;
    return writes ? WRITER_GROUP : readers > 0 ? readers : 1;
}

static db *connect_sqlite(database *whole)
{
    struct sqlite_database *d = (struct sqlite_database *)whole;
    return loop_here() ? sqlite_db_new(d->workers, d->options) : sqlite_plain_new(d->shared);
}

sqlite_shared *sqlite_shared_of(const database *d) { return ((const struct sqlite_database *)d)->shared; }

uint64_t sqlite_commits(const database *d)
{
    return workers_commits(((const struct sqlite_database *)d)->workers);
}

const database_driver sqlite_driver = {
    .check = check,
    .open = open_sqlite,
    .close = close_sqlite,
    .init = init,
    .describe = describe,
    .threads = threads,
    .connect = connect_sqlite,
};
