/* schema.h - what every database of ours holds: schema.sql, outbox.sql, boards.sql and seed.sql, built into the program.
 *
 *   err = schema_check(found, "tenk.db", why, size);        what is there already?
 *   if (err == SCHEMA_ABSENT)
 *       err = schema_create(&SCHEMA_SQLITE, SCHEMA_USERS, run, connection);     in one transaction
 *
 * Both drivers make the same rows: tests/unit/db/test_schema.c has their digest. */
#ifndef DB_SCHEMA_H
#define DB_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCHEMA_VERSION = 1, SCHEMA_USERS = 10000, SCHEMA_POSTS_EACH = 10, SCHEMA_ITEMS_EACH = 10 };

typedef struct schema_dialect {
    const char *generated_key;               /* these stand for words of schema.sql and the others */
    const char *whole_number, *truth, *document, *types_kept;
    const char *finish;                      /* statements to end with, "" for none */
} schema_dialect;

extern const schema_dialect SCHEMA_SQLITE, SCHEMA_POSTGRES;

/* Runs one statement with n parameters, all integers. 0 or an error, which ends schema_create. */
typedef int schema_run(void *connection, const char *sql, int n, const int64_t parameters[]);

/* Creates the tables and seeds them with this many users, through run, with a progress bar if stderr
 * is a terminal. The caller begins a transaction before, and commits or rolls back after. */
int schema_create(const schema_dialect *dialect, int users, schema_run *run, void *connection);

/* The same for the tables of boards.sql alone, in a database of ours that lacks them: it is an old one. They have as many
 * worlds as there are users, and SCHEMA_ITEMS_EACH times as many items. */
int schema_add_boards(const schema_dialect *dialect, int users, schema_run *run, void *connection);

/* The same for that of outbox.sql. */
int schema_add_outbox(const schema_dialect *dialect, schema_run *run, void *connection);

/* What a database holds already. */
typedef struct schema_found {
    bool    marker;                          /* there is a table tenk_schema */
    bool    others;                          /* there is something that we must not add to: in PostgreSQL
                                                a table of one of our names, in SQLite anything at all */
    int64_t version;                         /* the one in the marker; 0 if it has none */
} schema_found;

enum { SCHEMA_ABSENT = 1 };

/* 0: it is ours and complete. SCHEMA_ABSENT: create it. UV_EEXIST: it must be left alone; why says
 * so to a person, calling the database what. */
int schema_check(schema_found found, const char *what, char *why, size_t size);

/* The next statement of *sql, allocated, without its comments and semicolon; NULL at the end. */
char *schema_next_statement(const char **sql);

#endif
