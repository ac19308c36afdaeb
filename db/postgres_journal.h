/* postgres_journal.h - what the log is told of a database: a trouble once, and floods of errors counted.
 *
 * A server that stops breaks every connection, and fails thousands of queries. The log needs one line
 * for when that began, one for when it ended, and of each error one a second.
 *
 * One user at a time: where threads share one, a lock of theirs guards it. */
#ifndef DB_POSTGRES_JOURNAL_H
#define DB_POSTGRES_JOURNAL_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

enum { PG_LOGGED = 8 };

typedef struct pg_journal {                  /* all zero is an empty one */
    bool     troubled;                       /* a loss has been told, and not yet the recovery */
    uint64_t trouble_since;
    struct pg_logged { char line[256]; uint64_t at; unsigned more; } logged[PG_LOGGED];  /* lately */
} pg_journal;

void pg_journal_trouble(pg_journal *j, const char *what, const char *why);   /* told unless one is going on */
void pg_journal_recovered(pg_journal *j);                    /* the end of one, if one is going on */
void pg_journal_refused(pg_journal *j, const char *statement, const PGresult *r);    /* the server said no */
void pg_journal_done(pg_journal *j);                         /* tells what was only counted */

#endif
