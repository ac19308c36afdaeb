/* result.h - the rows of one query, copied out of SQLite so that they can change threads.
 *
 * Two blocks, one of cells and one of the bytes of their texts. Both are kept for the next query
 * of the same job, so that a busy server allocates none. */
#ifndef DB_SQLITE_RESULT_H
#define DB_SQLITE_RESULT_H

#include "db/driver.h"

#include <sqlite3.h>

typedef struct sqlite_cell {
    enum { SQLITE_CELL_NULL, SQLITE_CELL_INTEGER, SQLITE_CELL_REAL, SQLITE_CELL_TEXT } type;
    int32_t length;                          /* of the text */
    union {
        int64_t integer;                     /* of true, 1 */
        double  real;
        size_t  offset;                      /* of the text, in the result's bytes */
    };
} sqlite_cell;

typedef struct sqlite_block {                /* what rows point to */
    sqlite_cell *cells;                      /* row after row */
    char        *bytes;
} sqlite_block;

typedef struct sqlite_result {
    sqlite_block block;                      /* must be first */
    int    count, columns;
    size_t cells_room;
    size_t used, bytes_room;
    size_t most;                             /* bytes of the largest of the last so many answers */
    int    uses;                             /* how many they are */
} sqlite_result;

void sqlite_result_clear(sqlite_result *r);  /* keeps its memory */

/* The row that s stands on, with the letters of db.h or NULL for its columns: -1, or the first column that is not
 * what its letter says; then the row is not there. */
int  sqlite_result_add(sqlite_result *r, sqlite3_stmt *s, const char *types);
void sqlite_result_done(sqlite_result *r);
void sqlite_result_trim(sqlite_result *r);    /* it has been used: clears it, and gives back what only large answers need */

/* The rows of several runs, of which there were so many after each: views into r, in a. */
void sqlite_result_split(const sqlite_result *r, int runs, const int ends[], const statement *s, arena *a, rows out[]);

extern const rows_driver sqlite_rows_driver; /* for rows whose result is a sqlite_block */

#endif
