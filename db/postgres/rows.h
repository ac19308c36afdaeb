/* rows.h - a PGresult as rows of db.h. */
#ifndef DB_POSTGRES_ROWS_H
#define DB_POSTGRES_ROWS_H

#include "db/db.h"

#include <libpq-fe.h>

/* Takes r, which lives as long as the arena, or is copied there. 0, or an error of db.h if it is not what s says of its
 * columns: another one if it is, or belongs to, something that may have been stored. */
int pg_rows_give(rows *out, arena *a, PGresult *r, const statement *s, bool stored);

#endif
