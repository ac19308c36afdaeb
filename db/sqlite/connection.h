/* connection.h - a connection to the file, one thread's at a time, and the statements it has prepared.
 *
 * Whatever runs on it is stopped by SQLite's own progress and busy handlers, which ask whether the
 * job has been cancelled or is late. An interrupt from outside could hit the next job instead. One that
 * blocking threads lend to each other asks as well whether the client of the thread is gone. */
#ifndef DB_SQLITE_CONNECTION_H
#define DB_SQLITE_CONNECTION_H

#include "job.h"
#include "file_identity.h"

enum { PREPARED = 128 };                     /* statements; a power of 2 */

typedef struct sqlite_connection {
    sqlite3    *sqlite;
    const sqlite_place *place;               /* of its files, once they are open; NULL before */
    uint64_t    next_check;                  /* of that, by one that reads */
    uint64_t    timeout_ms;                  /* of one job; 0 for none */
    const job  *running, *behind;            /* these jobs, up to behind: cancelling one stops it */
    uint64_t    deadline, patience;          /* when it is late; when it stops waiting for a lock */
    bool        late, follows, gone;         /* the last two: of the client of a blocking thread */
    uint64_t    next_look;                   /* for that client */
    int         count;
    struct prepared {
        const statement *statement;
        sqlite3_stmt    *sqlite;
        int              parameters[MAX_PARAMETERS];         /* SQLite's number of $1, $2 ...; 0 if not in it */
    } prepared[PREPARED];
} sqlite_connection;

enum { CONNECTION_READS = 1, CONNECTION_FOLLOWS = 2 };       /* flags: cannot write; looks for the client */

/* SQLite's result code; c must be closed all the same. */
int  sqlite_connection_open(sqlite_connection *c, const char *path, int flags, uint64_t timeout_ms);
void sqlite_connection_close(sqlite_connection *c);

/* Runs j, and leaves its rows in it. 0 or an error of db.h, which has been logged. */
int  sqlite_connection_run(sqlite_connection *c, job *j);

/* Runs sql, which is no job's own, for the jobs of a group; the same. Cancelling any of them stops
 * it: UV_ECANCELED. */
int  sqlite_connection_execute(sqlite_connection *c, const job *group, const statement *s);

#endif
