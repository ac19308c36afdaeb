/* prepared_statement.h - a statement with the types of its parameters, what a connection calls it, and sending it.
 *
 * A prepared statement fixes the types of its parameters, and a null has none of its own: the same
 * SQL with a null elsewhere is another prepared statement, in which the server infers that one's type. */
#ifndef DB_POSTGRES_PREPARED_STATEMENT_H
#define DB_POSTGRES_PREPARED_STATEMENT_H

#include "db/db.h"

#include <libpq-fe.h>

typedef struct pg_prepared {
    const statement    *statement;
    unsigned            types;               /* two bits a parameter */
    int                 n, index;
    uint64_t            usual;               /* nanoseconds that it usually runs; at first, rather long */
    struct pg_prepared *next;                /* of the same bucket */
} pg_prepared;

typedef struct pg_prepared_table {           /* all zero: none yet */
    pg_prepared *buckets[64];                /* by a hash of the statement's address */
    int          count;
} pg_prepared_table;

pg_prepared *pg_prepared_of(pg_prepared_table *all, const statement *s, int n, const value parameters[]);
void         pg_prepared_table_done(pg_prepared_table *all);
void         pg_prepared_types(const pg_prepared *prepared, Oid oids[]);

/* The names of what one connection has prepared. Each is a new one: a name that the server may or may not
 * have accepted is never used again. */
typedef struct pg_prepared_names {           /* all zero: none yet */
    unsigned made;                           /* so far, of all that the same struct stood for */
    char   **known;                          /* by the index of a pg_prepared; NULL for none */
    int      size;
} pg_prepared_names;

const char *pg_prepared_name(const pg_prepared_names *names, const pg_prepared *prepared);   /* NULL: it is not there */
const char *pg_prepared_name_new(pg_prepared_names *names, const pg_prepared *prepared);
void        pg_prepared_name_forget(pg_prepared_names *names, const pg_prepared *prepared);  /* no-op if it has none */
void        pg_prepared_names_forget(pg_prepared_names *names);              /* all: the connection is gone */
void        pg_prepared_names_done(pg_prepared_names *names);

typedef struct pg_parameters {               /* as libpq wants them */
    const char *values[MAX_PARAMETERS];
    int         lengths[MAX_PARAMETERS];
    int64_t     integers[MAX_PARAMETERS];    /* big-endian: what values points to */
} pg_parameters;

bool pg_parameters_fit(const statement *s, int n, const value parameters[]);         /* in a message; else it is logged */
void pg_parameters_copy(pg_parameters *to, int n, const value parameters[], arena *a);

/* Both as libpq's functions: 1, or 0 if it cannot be sent. The first gives it a new name; the second takes one, or
 * NULL to run what has not been prepared, with that comment behind it, or NULL. */
int pg_prepared_send_parse(const pg_prepared *prepared, PGconn *pg, pg_prepared_names *names);
int pg_prepared_send(const pg_prepared *prepared, PGconn *pg, const char *name, const pg_parameters *with,
                     const char *comment);

#endif
