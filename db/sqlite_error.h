/* sqlite_error.h - SQLite's errors in the terms of db.h. */
#ifndef DB_SQLITE_ERROR_H
#define DB_SQLITE_ERROR_H

#include <sqlite3.h>

int sqlite_error_code(int code);             /* a result code of SQLite's, as db.h has it */

/* Logs the last error of s under this name (a statement's), and returns its code as db.h has it.
 * One that comes again within a second is only counted: a broken disk must not fill another one. */
int sqlite_error_log(sqlite3 *s, const char *name);

#endif
