/* sqlite.h - what of the SQLite driver can be asked beside db.h. */
#ifndef DB_SQLITE_H
#define DB_SQLITE_H

#include "db/db.h"

uint64_t sqlite_commits(const database *d);  /* transactions that its writer has committed */

#endif
