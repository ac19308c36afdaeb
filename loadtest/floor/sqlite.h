/* sqlite.h - what the floors on SQLite share: prepared statements that run right on the loop, those of a turn in one
 * transaction. */
#ifndef SQLITE_H
#define SQLITE_H

#include <sqlite3.h>

/* All of the file fits into the cache: a page that has been read once is not read again. */
void sqlite_open(const char *file);
void sqlite_prepare(const char *sql, sqlite3_stmt **s);

void sqlite_begin(void);           /* unless it has begun in this turn */
void sqlite_run(sqlite3_stmt *s);  /* one that gives no rows */
void sqlite_must(int code);        /* ends the program unless it is SQLITE_OK, or SQLITE_DONE */

/* Serves; ends the transaction with each turn, and then calls committed, if that is not NULL. */
void sqlite_serve(int port, void (*committed)(void));

#endif
