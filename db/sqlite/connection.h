/* connection.h - a connection to the file, one thread's at a time, and the statements it has prepared.
 *
 * It has PostgreSQL's set_config and current_setting, for what one statement of a transaction leaves to those behind it (db.h).
 *
 * Whatever runs on it is stopped by SQLite's own progress and busy handlers, which ask whether the
 * job has been cancelled or is late. An interrupt from outside could hit the next job instead. A connection
 * of the blocking threads' pool asks as well whether the thread's client is gone. */
#ifndef DB_SQLITE_CONNECTION_H
#define DB_SQLITE_CONNECTION_H

#include "job.h"
#include "file_identity.h"

enum { SQLITE_PREPARED = 128, SQLITE_PARTS = 2 };            /* statements, a power of 2; the parts of one */

typedef struct sqlite_connection {
    sqlite3    *sqlite;
    const sqlite_file_identity *file;        /* once it is open; NULL before */
    uint64_t    next_file_check;             /* by one that reads */
    uint64_t    timeout_ms;                  /* of one job; 0 for none */
    const sqlite_job *running, *behind;      /* these jobs, up to behind: cancelling one stops it */
    uint64_t    deadline, lock_deadline;     /* when it is late; when it stops waiting for a lock */
    bool        late;
    bool        blocking, client_gone;       /* a blocking thread uses it, whose client has gone */
    uint64_t    next_client_check;
    sqlite3_value *key;                      /* what the running transaction has left to its statements; or NULL */
    int         count;
    struct sqlite_prepared {
        const statement *statement;
        struct sqlite_part {
            sqlite3_stmt *sqlite;            /* or NULL: there is no second one */
            int           parameters[MAX_PARAMETERS];        /* SQLite's number of $1, $2 ...; 0 if not in it */
        } parts[SQLITE_PARTS];
    } prepared[SQLITE_PREPARED];             /* an open hash table, never full, by the address of the statement */
} sqlite_connection;

enum { SQLITE_CONNECTION_READS = 1, SQLITE_CONNECTION_BLOCKING = 2 };       /* flags: cannot write; of blocking threads */

/* How many read at once: at least one. */
int  sqlite_connection_readers(const database_options *options);

/* SQLite's result code; c must be closed all the same. One that reads may keep its share of options->cache in memory. */
int  sqlite_connection_open(sqlite_connection *c, const char *path, int flags, const database_options *options);
void sqlite_connection_close(sqlite_connection *c);

/* Runs j, and leaves its rows in it. 0 or an error of db.h, which has been logged. What a transaction of
 * several statements had done before it failed is not undone. */
int  sqlite_connection_run(sqlite_connection *c, sqlite_job *j);

/* Runs sql, which is no job's own, for the jobs of a group; the same. Cancelling any of them stops
 * it: UV_ECANCELED. */
int  sqlite_connection_execute(sqlite_connection *c, const sqlite_job *group, const statement *s);

#endif
