/* db.h - all that a handler needs of a database, whichever it is.
 *
 *   database *d;                            once in the process, before any loop runs
 *   db       *here = db_new(d);             once a thread: a loop's own connections to it, or in a
 *                                           blocking thread a share in those of all blocking threads
 *   err = await(db_query(here, arena, &watch, &rows, &USER_BY_ID, 1, (value[]){ integer(42) }));
 *
 *   Ownership.  Rows are views into the driver's result, which lives until the arena ends.
 *               Statements are static. Parameters are copied before db_query returns.
 *   Order.      Queries in flight side by side may run in any order. To run one after the other,
 *               await the first.
 *   Writes.     A statement that writes is a transaction of its own. When its promise settles with 0 it
 *               is committed and durable. It is never done twice: it is sent again only where
 *               the database has said that it undid it.
 *   Again.      An error that passes by itself is not reported as long as the statement can be sent again: a read
 *               whose connection broke, a statement that the database undid for the sake of others, or whose plan
 *               has gone stale, a write at a server that takes none any more, where another one does. It goes again
 *               a few times, a little later each time, within the time that it had at first.
 *   Many rows.  All rows of a query come at once. Who wants more of them than memory should hold asks for a page after
 *               the other, each from the key that the one before ended with: where id > $1 order by id limit 20
 *               (handlers/users/export.c). What hands out the rows of one query bit by bit, a cursor, libpq's single rows,
 *               a statement that SQLite steps through, keeps a connection, a reader and a snapshot from all others
 *               for as long as the slowest client likes; here they are free while it is waited for. So pages are
 *               no snapshot: a row that is stored or deleted meanwhile may be there or not; but none comes
 *               twice, and none that was there all the time is missing.
 *   Modes.      In a task the promise settles later; in a blocking thread it has already settled. Blocking
 *               threads wait in one queue, each no longer than its client does: see server/base/blocking_wait.h.
 *               Their db is a few bytes, to make as often as threads are.
 *   Errors.     REFUSED_DATABASE_LINE, _TIMEOUT (refusal.h)   every connection is busy, and the queue is full, or
 *                                it has waited there too long: try later
 *               UV_EAGAIN        not executed: it was disturbed several times over, or the database lacks something
 *                                just now; it may be tried again
 *               DB_ESERIALIZATION, DB_EDEADLOCK  not executed: the same, for the sake of other transactions
 *               UV_ETIMEDOUT     it ran longer than the timeout, or than the deadline of its task or
 *                                blocking thread allows; it has been cancelled at the server
 *               UV_ECANCELED     its promise was cancelled, or the blocking thread's client is gone; it has
 *                                been cancelled at the server
 *               UV_ECONNREFUSED  there is no connection to the database: not executed
 *               UV_ECONNRESET    the connection broke under it: it reads, or has not been run
 *               ERR_UNCERTAIN    (errors.h) it writes, and may or may not be stored: the connection broke, or fell
 *                                silent, before the database said which, or the disk failed while it was committed,
 *                                or its time was up while it waited for a standby. Of all these errors only this
 *                                one leaves that open
 *               UV_ENOSPC, UV_EROFS, UV_EIO  the disk is full, the file or the server takes no writes, or is damaged
 *               DB_EQUERY        the database said no; the log has its words
 *               DB_EVALUE        a value that came is not what the statement says of its column; the log says which.
 *                                Of a write: it is undone. PostgreSQL has stored a write that is alone before that
 *                                is seen: then ERR_UNCERTAIN */
#ifndef DB_H
#define DB_H

#include "server/base/arena.h"
#include "server/async/promise.h"
#include "server/base/observe/stopwatch.h"
#include "server/base/text.h"
#include "server/base/errors.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DB_EQUERY = -30001, DB_EVALUE = -30002, DB_ESERIALIZATION = ERR_TRANSIENT(1), DB_EDEADLOCK = ERR_TRANSIENT(2) };

typedef struct database database;
typedef struct db       db;

typedef struct statement {
    const char *name;                        /* in logs and metrics, and of the prepared statement */
    const char *sql;                         /* the same text for both databases, $1 $2 ...; or PostgreSQL's, if there is: */
    bool        reads;                       /* changes nothing: may share a Sync, and run twice */
    const char *columns;                     /* of its rows, a letter each, see below; NULL: all are texts */
    const char *tells;                       /* a channel that hears when it was committed (listener.h); or NULL */
    const char *sqlite;                      /* what SQLite runs instead, where its own words are quicker: one statement, or
                                                two with a semicolon between, of which the last brings the rows; or NULL */
} statement;

typedef struct value {
    enum { VALUE_NULL, VALUE_INTEGER, VALUE_TEXT } type;
    union {
        int64_t integer;
        text    text;                        /* UTF-8, without NUL */
    };
} value;

static inline value integer(int64_t i) { return (value){ .type = VALUE_INTEGER, .integer = i }; }
static inline value string(text t)     { return (value){ .type = VALUE_TEXT, .text = t }; }

enum { MAX_PARAMETERS = 8, MAX_STEPS = 8 };

typedef struct rows {
    int                       count, columns;
    void                     *result;        /* the driver's own */
    const struct rows_driver *driver;
    const char               *types;         /* columns of the statement */
} rows;

typedef struct database_options {
    const char *url;                         /* sqlite:PATH, or postgresql://... and libpq's other forms */
    int         connections;                 /* to PostgreSQL: for each loop */
    int         blocking_connections;        /* the same for all blocking threads together; 0: as many as that */
    int         pipeline_depth;              /* queries in flight on one of them */
    int         readers;                     /* of SQLite: threads for all loops; connections for all blocking threads */
    size_t      cache;                       /* bytes of SQLite's file that all of these keep in memory together */
    int         line;                        /* queries of blocking threads that may wait for a connection: the queue's length */
    int         loop_line;                   /* the same of each loop; 0: as many as that */
    uint64_t    timeout_ms;                  /* of one query, from when it is sent; 0 for none */
    uint64_t    line_timeout_ms;             /* of waiting there */
    uint64_t    connect_timeout_ms;
    uint64_t    stop_timeout_ms;             /* for PostgreSQL to say what became of a query that was stopped; 0: 200 */
    bool        prepare;                     /* prepared statements; off for a pooler in transaction mode */
    char     *(*comment)(arena *a);          /* makes what is written behind each statement to PostgreSQL that is not prepared, a
                                                comment that says for whom this thread runs it, or NULL; NULL: none has one */
} database_options;

static inline int database_blocking_connections(const database_options *o)
{
    return o->blocking_connections ? o->blocking_connections : o->connections;
}

static inline int database_loop_line(const database_options *o) { return o->loop_line ? o->loop_line : o->line; }

static inline uint64_t database_stop_timeout_ms(const database_options *o)
{
    return o->stop_timeout_ms ? o->stop_timeout_ms : 200;
}

/* May only one process at a time write to it? */
bool database_is_exclusive(const database_options *options);

/* Looks at the options alone, and touches nothing: 0, or UV_EINVAL and why in words for a person. */
int  database_check(const database_options *options, char *why, size_t size);

/* Checks the URL and, for SQLite, opens the file, and creates and seeds it if it is not there yet.
 * A PostgreSQL server that is down is no error: queries fail until it is there. On an error,
 * why says in words for a person what is wrong. options and its url must outlive the database. */
int  database_open(database **d, const database_options *options, char *why, size_t size);
void database_close(database *d);            /* every db of it must be freed */

/* Creates and seeds the schema if it is not there yet (PostgreSQL; for SQLite opening did it), and adds to an old one
 * what it lacks. Blocks: for the command line. Leaves alone what it did not create. */
int  database_init(database *d, char *why, size_t size);

const char *database_describe(const database *d);            /* for people: no password in it */
bool database_is_postgres(const database *d);                /* else it is SQLite's */

db      *db_new(database *d);                /* on the thread that will use it */
MUST_AWAIT promise *db_close(db *db);        /* cancels what is left; settles when all is drained and closed */
void     db_free(db *db);                    /* after db_close has settled */

/* How many more queries, that read or that write, could be under way at once without waiting for others. Below
 * 1: none, for now. Only on a loop: blocking threads wait in a queue of their own. */
int db_room(const db *db, bool writes);

/* How many blocking threads can be in a query at once, that reads or that writes. */
int database_threads(const database *d, bool writes);

/* Runs s with n parameters. On success *out has the rows. watch, if not NULL, runs meanwhile.
 * a, watch and out must outlive the promise. */
MUST_AWAIT promise *db_query(db *db, arena *a, stopwatch *watch, rows *out, const statement *s,
                             int n, const value parameters[]);

/* Runs s, which reads, once for each of count lists of n parameters that follow one another: out[i] are the rows of the
 * i-th. To the database they are so many queries, side by side, and it settles as a gather of them would; but what is
 * known to be quick goes to one connection in one go; PostgreSQL gives it one time limit, too. */
MUST_AWAIT promise *db_query_each(db *db, arena *a, stopwatch *watch, rows out[], const statement *s, int count, int n,
                                  const value parameters[]);

/* One statement of a transaction, as db_query has it. */
typedef struct db_step {
    const statement *statement;
    int              n;
    const value     *parameters;
    rows            *out;                    /* NULL: its rows are not wanted */
} db_step;

/* Runs the statements one after the other, in one transaction: all of them are stored, or none. Once it settles with 0 they
 * are, and each *out has its rows; of any error but ERR_UNCERTAIN nothing has happened. At most MAX_STEPS, of which at
 * least one writes. Steps, and what they point to, are copied before it returns, but for the statements and out.
 *
 *   Again.      What db.h says of a write is true of the whole: it is undone whole, sent again whole, and never done twice.
 *   One trip.   All are sent at once: a later one cannot be made of the rows of an earlier, nor left out by their look.
 *               But in the database a row can leave a text, its key usually, to the statements behind it:
 *
 *                   insert into posts (...) select ... returning id, set_config('tenk.key', cast(id as text), true)
 *                   insert into outbox (...) select ... where current_setting('tenk.key', true) <> ''
 *
 *               They are PostgreSQL's own functions of a setting that ends with its transaction, and SQLite's connections have
 *               them by the same names, for this one setting. (Of lastval() one does not know of which transaction it is: where
 *               the first statement has found nothing to store, the second would take an older key for the new one.)
 *   Isolation.  Read committed in PostgreSQL; in SQLite nobody else writes meanwhile. */
MUST_AWAIT promise *db_transaction(db *db, arena *a, stopwatch *watch, int count, const db_step steps[]);

/* A cell.  What is in a table is not this program's alone to say: a column is altered, a value is stored by
 * hand. So a statement says how its columns are read, and rows with another number of columns, or with a
 * value that cannot be read so, do not come: db_query fails with DB_EVALUE.
 *
 *     letter   read by        what may be in the column                    null     SQLite   PostgreSQL
 *     i        rows_int       a whole number of 64 bits, of any type       no       integer  bigint, numeric ...
 *     f        rows_double    any number; infinity and NaN                 no       real     float8, numeric ...
 *     b        rows_bool      true and false; in SQLite the numbers 1, 0   no       integer  boolean
 *     t        rows_text      anything, as the database writes it          ""       any      any
 *     I, F, B  the same       the same, or null: then 0 or false           yes
 *
 * So by t: a boolean is t or f in PostgreSQL, a numeric has all its digits, a float those that tell it from
 * others (15 in SQLite), a timestamptz is in the session's time zone (2026-01-31 12:00:00+00), a date is
 * 2026-01-31, uuid, json, jsonb and arrays ({1,NULL,"a b"}) are as psql shows them, bytes are \x and two hex
 * digits each: bytea, and SQLite's blob alike.
 *
 * Of a statement that says nothing each column is a text, which rows_int may read as well: then what is no
 * whole number is 0. It is a bug to name a row or column that is not there, or to read one by another letter. */
int64_t rows_int(const rows *r, int row, int column);
double  rows_double(const rows *r, int row, int column);
bool    rows_bool(const rows *r, int row, int column);
text    rows_text(const rows *r, int row, int column);
bool    rows_null(const rows *r, int row, int column);

#endif
