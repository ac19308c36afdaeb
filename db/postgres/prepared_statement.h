/* prepared_statement.h - a statement with the types of its parameters, and what a connection calls it.
 *
 * A prepared statement fixes the types of its parameters, and a null has none of its own: the same
 * SQL with a null elsewhere is a plan of its own, in which the server infers that one's type. */
#ifndef DB_POSTGRES_PLAN_H
#define DB_POSTGRES_PLAN_H

#include "db/db.h"

#include <libpq-fe.h>

typedef struct pg_statement {
    const statement *statement;
    unsigned         types;                  /* two bits a parameter */
    int              n, index;
    uint64_t         usual;                  /* nanoseconds that it usually runs; at first, rather long */
    struct pg_statement  *next;                   /* of the same bucket */
} pg_statement;

typedef struct pg_statements {                    /* all zero: none yet */
    pg_statement *buckets[64];                    /* by a hash of the statement's address */
    int      count;
} pg_statements;

pg_statement *pg_plan_of(pg_statements *all, const statement *s, int n, const value parameters[]);
void     pg_plans_done(pg_statements *all);
void     pg_oids(const pg_statement *plan, Oid oids[]);

/* The prepared statements of one connection. Each gets a new name: one that the server may or may not
 * have accepted is never used again. */
typedef struct pg_names {                    /* all zero: none yet */
    unsigned made;                           /* so far, of all that the same struct stood for */
    char   **known;                          /* by the index of a plan; NULL for none */
    int      size;
} pg_names;

const char *pg_name_of(const pg_names *names, const pg_statement *plan);      /* NULL: it is not prepared */
const char *pg_name_new(pg_names *names, const pg_statement *plan);
void        pg_name_forget(pg_names *names, const pg_statement *plan);        /* no-op if it has none */
void        pg_names_forget(pg_names *names);                /* all: the connection is gone */
void        pg_names_done(pg_names *names);

#endif
