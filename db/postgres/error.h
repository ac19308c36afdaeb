/* error.h - what an SQLSTATE means: an error of db.h, and what helps against it.
 *
 * A server that answers a statement with an error has undone it whole, so whatever the statement was, it
 * may be sent again. For some errors that helps, for they pass by themselves. */
#ifndef DB_POSTGRES_ERROR_H
#define DB_POSTGRES_ERROR_H

#include <stdint.h>

typedef enum pg_remedy {
    PG_FINAL,                                /* none: the same again would fail again */
    PG_LATER,                                /* the same, after a pause */
    PG_ONCE,                                 /* the same, but only once more */
    PG_ANEW,                                 /* the same, prepared anew, if it was prepared before */
    PG_UNNAMED,                              /* the same, not prepared, if it was */
    PG_ELSEWHERE,                            /* the same, on a connection made after this */
} pg_remedy;

typedef struct pg_error {
    int       err;                           /* of db.h */
    pg_remedy remedy;
} pg_error;

enum { PG_MOST_SENDS = 5 };                  /* of one statement */

pg_error pg_error_of(const char *state);

/* Milliseconds before the statement goes again that was sent so often: a little longer each time, and not
 * the same for those that got into each other's way. */
uint64_t pg_error_pause(int sends);

#endif
