/* sqlite.c - the driver for sqlite:PATH. Threads of its own touch the file, or blocking threads, never a loop:
 *
 *   file            creates, seeds and checks the file when the database is opened
 *   file_identity   whether it is still there
 *   loop_db         a loop's side: queries become jobs, outcomes become settled promises
 *   blocking_db     a blocking thread's side: it reads by itself, and waits for the writer
 *   blocking_pool   the connections that blocking threads read on
 *   job             what a db gives to a worker: a query, several, or a transaction
 *   job_queue       jobs that wait for a worker
 *   workers         the reading threads, and the one that writes, whose transactions are in writer.c
 *   connection      runs a job
 *   listener        a thread's own connection, which hears what is committed
 *   result          its rows
 *   usual           which statements are quick */
#include "sqlite.h"
#include "blocking_db.h"
#include "db/schema.h"
#include "file.h"
#include "loop_db.h"
#include "server/async/loop.h"
#include "server/base/memory.h"

#include <stdio.h>

/* Before SQLite's first use: no global lock for the sake of its statistics of memory, and none in
 * connections, which have one thread each. Too late, it changes nothing. */
static void sqlite_configure(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
}

static int sqlite_check(const database_options *options, char *why, size_t size)
{
    const char *path;
    return sqlite_file_path(options->url, &path, why, size);
}

static int sqlite_open(database **made, const database_options *options, char *why, size_t size)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, sqlite_configure);

    const char *path = NULL;
    int err = sqlite_file_path(options->url, &path, why, size);
    if (!err)
        err = sqlite_file_prepare(path, SCHEMA_USERS, why, size);
    if (err)
        return err;
    sqlite_database *d = mem_alloc(sizeof *d);
    d->database.driver = &sqlite_driver;
    d->options = options;
    channels_init(&d->database.channels);
    err = sqlite_workers_start(&d->workers, path, options, &d->database.channels, why, size);
    if (err) {
        channels_done(&d->database.channels);
        mem_free(d);
        return err;
    }
    d->pool = sqlite_blocking_pool_new(path, d->workers, options);
    const size_t room = strlen(path) + sizeof "SQLite ";
    d->description = mem_alloc(room);
    snprintf(d->description, room, "SQLite %s", path);
    *made = &d->database;
    return 0;
}

static void sqlite_close(database *whole)
{
    sqlite_database *d = (sqlite_database *)whole;
    sqlite_blocking_pool_free(d->pool);
    sqlite_workers_stop(d->workers);
    channels_done(&d->database.channels);
    mem_free(d->description);
    mem_free(d);
}

/* Opening has created it; but one that was there may be old. */
static int sqlite_init(database *d, char *why, size_t size)
{
    const char *path = NULL;
    const int err = sqlite_file_path(((const sqlite_database *)d)->options->url, &path, why, size);
    return err ? err : sqlite_file_add_boards(path, why, size);
}

static const char *sqlite_describe(const database *d) { return ((const sqlite_database *)d)->description; }

static int sqlite_threads(const database *d, bool writes)
{
    return writes ? SQLITE_WRITER_GROUP : sqlite_connection_readers(((const sqlite_database *)d)->options);
}

static db *sqlite_connect(database *whole)
{
    sqlite_database *d = (sqlite_database *)whole;
    return loop_here() ? sqlite_loop_db_new(d->workers, d->options) : sqlite_blocking_db_new(d->pool);
}

const database_driver sqlite_driver = {
    .check = sqlite_check,
    .open = sqlite_open,
    .close = sqlite_close,
    .init = sqlite_init,
    .describe = sqlite_describe,
    .threads = sqlite_threads,
    .connect = sqlite_connect,
    .listen = sqlite_listen,
};
