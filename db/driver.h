/* driver.h - what a kind of database implements. Nobody but the drivers includes it: all others use db.h. */
#ifndef DB_DRIVER_H
#define DB_DRIVER_H

#include "channel.h"
#include "db.h"
#include "listener.h"
#include "server/base/observe/record_for.h"

/* Of a cell that is there, and fits the letter of its column. */
typedef struct rows_driver {
    int64_t (*integer)(const rows *r, int row, int column);
    text    (*text)(const rows *r, int row, int column);
    bool    (*null)(const rows *r, int row, int column);
    double  (*real)(const rows *r, int row, int column);
    bool    (*boolean)(const rows *r, int row, int column);
} rows_driver;

/* Each function does what the one of the same name in db.h says. */
typedef struct database_driver {
    int  (*check)(const database_options *options, char *why, size_t size);
    int  (*open)(database **d, const database_options *options, char *why, size_t size);
    void (*close)(database *d);
    int  (*init)(database *d, char *why, size_t size);
    const char *(*describe)(const database *d);
    int  (*threads)(const database *d, bool writes);         /* database_threads */
    db      *(*connect)(database *d);        /* db_new */
    promise *(*disconnect)(db *db);          /* db_close */
    void     (*free)(db *db);
    int      (*room)(const db *db, bool writes);             /* of a loop's */
    promise *(*run)(db *db, arena *a, stopwatch *watch, rows *out, const statement *s, int n,
                    const value parameters[]);
    promise *(*run_each)(db *db, arena *a, stopwatch *watch, rows out[], const statement *s, int count, int n,
                         const value parameters[]);
    promise *(*transact)(db *db, arena *a, stopwatch *watch, int count, const db_step steps[]);
    int  (*listen)(db_listener **l, database *d, const char *channel);          /* database_listen */
} database_driver;

/* The same of a listener.h. */
typedef struct db_listener_driver {
    void (*close)(db_listener *l);
    int  (*wait)(db_listener *l, uint64_t until);
    int  (*query)(db_listener *l, arena *a, rows *out, const statement *s, int n, const value parameters[]);
    bool (*hears)(const db_listener *l);
    unsigned (*connections)(const db_listener *l);
} db_listener_driver;

/* The n parameters of that run, of lists that follow one another; without any it may be NULL, which C lets nobody index. */
static inline const value *driver_parameters_of(int run, int n, const value parameters[])
{
    return n ? &parameters[run * n] : parameters;
}

/* run_each by a call of run for each: on a loop side by side; in a blocking thread up to the first that fails. */
MUST_AWAIT promise *driver_run_each(db *d, arena *a, stopwatch *watch, rows out[], const statement *s, int count, int n,
                                    const value parameters[]);
MUST_AWAIT promise *driver_run_each_blocking(db *d, arena *a, stopwatch *watch, rows out[], const statement *s, int count,
                                             int n, const value parameters[]);

/* Every query begins, and ends, since recorder_clock said so; begun is when it was given to a connection, or a thread: 0, it has
 * not been. Then it is recorded, and counted. */
void driver_query_begins(void);
void driver_query_is_begun(void);            /* once, when begun is set */
void driver_query_ends(const statement *s, uint64_t since, uint64_t begun, record_for whom, int err);

/* Logs that it is not known what became of this write, and why, once a second at most: ERR_UNCERTAIN. */
int driver_uncertain(const statement *s, const char *why);

/* The db of a blocking thread: its query, if there was one, has ended. */
MUST_AWAIT promise *driver_close_blocking(db *d);
void     driver_free_blocking(db *d);        /* with mem_free */

/* These are the first member of the driver's own. */
struct database { const database_driver *driver; channels channels; };
struct db       { const database_driver *driver; };
struct db_listener { const db_listener_driver *driver; channel_listener ears; atomic_bool ended; };

extern const database_driver sqlite_driver, postgres_driver;

#endif
