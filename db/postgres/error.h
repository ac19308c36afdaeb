/* error.h - what libpq and the server say, in the terms of db.h: an error, what helps against it, and why.
 *
 * A server that answers a statement with an error has undone it whole, so whatever the statement was, it
 * may be sent again. For some errors that helps, for they pass by themselves. */
#ifndef DB_POSTGRES_ERROR_H
#define DB_POSTGRES_ERROR_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum pg_remedy {
    PG_REMEDY_NONE,                          /* the same again would fail again */
    PG_REMEDY_LATER,                         /* the same, after a pause */
    PG_REMEDY_ONCE,                          /* the same, but only once more */
    PG_REMEDY_PREPARE_ANEW,                  /* the same, not prepared, if it was; the next one prepares it anew */
    PG_REMEDY_UNPREPARED,                    /* the same, not prepared, if it was */
    PG_REMEDY_ELSEWHERE,                     /* the same, on a connection made after this */
} pg_remedy;

typedef struct pg_error {
    int       err;                           /* of db.h */
    pg_remedy remedy;
} pg_error;

enum { PG_MAX_SENDS = 5 };                   /* of one statement */

pg_error pg_error_of(const char *sqlstate);
bool     pg_error_is_cancel(const char *sqlstate);           /* a cancel request has hit it, or statement_timeout */
bool     pg_error_ends_connection(const PGresult *r);
void     pg_error_log(const char *statement, const PGresult *r);

/* Milliseconds before the statement goes again that was sent so often: a little longer each time, and not
 * the same for those that got into each other's way. */
uint64_t pg_error_pause(int sends);

/* Why it is not known whether a write was stored. */
#define PG_DOUBT_LOST    "its connection broke before the server had said so"
#define PG_DOUBT_SILENT  "its time was up, and the server did not say so"
#define PG_DOUBT_STANDBY "its time was up while it waited for a standby"

/* libpq's words on one line, for a person. */
void pg_reason_copy(const char *message, char *why, size_t size);
void pg_reason_copy_of_connect(const char *message, char *why, size_t size);     /* and what helps to connect */
bool pg_reason_is_timeout(const char *reason);               /* the other side did not answer */

/* What the server says unasked; it is logged for debugging. */
typedef struct pg_notice {
    const char *fatal;                       /* why it hangs up next, perhaps some time from now; or NULL */
    bool        unconfirmed;                 /* the commit is not awaited on a standby any longer */
} pg_notice;

pg_notice pg_notice_of(const PGresult *r);

#endif
