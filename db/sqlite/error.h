/* error.h - SQLite's errors in the terms of db.h. */
#ifndef DB_SQLITE_ERROR_H
#define DB_SQLITE_ERROR_H

#include <sqlite3.h>
#include <stdbool.h>

/* Of a commit: what was written to the log is there, perhaps, but not known to be on the disk. Until the next one
 * is written over it, a crash could bring it back. */
bool sqlite_error_leaves_doubt(sqlite3 *s);

int sqlite_error_code(int code);             /* a result code of SQLite's, as db.h has it */

/* Logs the last error of s under this name (a statement's), and returns its code as db.h has it. */
int sqlite_error_log(sqlite3 *s, const char *name);

#endif
