/* outage_log.h - what the log is told of a database: a trouble once, and each error of a statement.
 *
 * A server that stops breaks every connection, and fails thousands of queries. The log needs one line
 * for when that began, and one for when it ended; of each error it takes a few a second, see server/base/log.h.
 *
 * One user at a time: where threads share one, a lock of theirs guards it. */
#ifndef DB_POSTGRES_JOURNAL_H
#define DB_POSTGRES_JOURNAL_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct pg_outage_log {                  /* all zero is an empty one */
    bool     troubled;                       /* a loss has been told, and not yet the recovery */
    uint64_t trouble_since;
} pg_outage_log;

void pg_journal_trouble(pg_outage_log *j, const char *what, const char *why);   /* told unless one is going on */
void pg_journal_recovered(pg_outage_log *j);                    /* the end of one, if one is going on */
void pg_journal_refused(const char *statement, const PGresult *r);           /* the server said no */

#endif
