/* error.c - see error.h. */
#include "error.h"
#include "db/db.h"
#include "server/base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

/* The first that begins an SQLSTATE: one of five letters, or a class of them. */
static const struct { const char *begins; pg_error meaning; } KNOWN[] = {
    { "0A000", { DB_EQUERY, PG_REMEDY_PREPARE_ANEW } },             /* feature_not_supported: a plan may have gone stale */
    { "25006", { UV_EROFS, PG_REMEDY_ELSEWHERE } },         /* read_only_sql_transaction: a standby */
    { "26000", { UV_EAGAIN, PG_REMEDY_UNPREPARED } },          /* invalid_sql_statement_name: a pooler has lost it */
    { "40001", { DB_ESERIALIZATION, PG_REMEDY_LATER } },
    { "40002", { DB_EQUERY, PG_REMEDY_NONE } },            /* transaction_integrity_constraint_violation */
    { "40003", { UV_ECONNRESET, PG_REMEDY_NONE } },        /* statement_completion_unknown */
    { "40P01", { DB_EDEADLOCK, PG_REMEDY_LATER } },
    { "40",    { UV_EAGAIN, PG_REMEDY_LATER } },            /* transaction_rollback */
    { "42P05", { UV_EAGAIN, PG_REMEDY_UNPREPARED } },          /* duplicate_prepared_statement: a pooler has another's */
    { "53100", { UV_ENOSPC, PG_REMEDY_NONE } },            /* disk_full */
    { "53",    { UV_EAGAIN, PG_REMEDY_LATER } },            /* insufficient_resources */
    { "55P03", { UV_EAGAIN, PG_REMEDY_LATER } },            /* lock_not_available */
    { "57014", { UV_EAGAIN, PG_REMEDY_ONCE } },             /* query_canceled: a request names a connection, not a query */
    { "58030", { UV_EIO, PG_REMEDY_NONE } },               /* io_error */
};

pg_error pg_error_of(const char *sqlstate)
{
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
        if (strncmp(sqlstate, KNOWN[i].begins, strlen(KNOWN[i].begins)) == 0)
            return KNOWN[i].meaning;
    return (pg_error){ DB_EQUERY, PG_REMEDY_NONE };
}

uint64_t pg_error_pause(int sends)
{
    const uint64_t most = 4ull << sends;
    return most / 2 + uv_hrtime() / 1000 % (most / 2);
}

bool pg_error_is_cancel(const char *sqlstate) { return strcmp(sqlstate, "57014") == 0; }       /* query_canceled */

bool pg_error_ends_connection(const PGresult *r)
{
    const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
    return !severity || !PQresultErrorField(r, PG_DIAG_SQLSTATE) || strcmp(severity, "FATAL") == 0 ||
           strcmp(severity, "PANIC") == 0;
}

void pg_error_log(const char *statement, const PGresult *r)
{
    const char *primary = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    log_error("postgres: %s: %s (%s)", statement, primary ? primary : "", state ? state : "");
}

/* libpq's messages end with a newline, and may have several lines. */
void pg_reason_copy(const char *message, char *why, size_t size)
{
    snprintf(why, size, "%s", message);
    size_t length = strlen(why);
    while (length && (why[length - 1] == '\n' || why[length - 1] == ' '))
        why[--length] = '\0';
    for (char *s = why; *s; s++)
        if (*s == '\n' || *s == '\t')
            *s = ' ';
}

/* PgBouncer's words, and those of others like it. */
void pg_reason_copy_of_connect(const char *message, char *why, size_t size)
{
    pg_reason_copy(message, why, size);
    const size_t length = strlen(why);
    if (strstr(why, "startup parameter"))
        snprintf(why + length, size - length, " (a pooler's: [database] prepare = off sends it none)");
}

bool pg_reason_is_timeout(const char *reason) { return strstr(reason, strerror(ETIMEDOUT)) != NULL; }

pg_notice pg_notice_of(const PGresult *r)
{
    const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *primary = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    const char *function = PQresultErrorField(r, PG_DIAG_SOURCE_FUNCTION);
    if (!primary)
        return (pg_notice){ 0 };
    log_debug("postgres: %s: %s", severity ? severity : "notice", primary);
    return (pg_notice){
        .fatal = severity && strcmp(severity, "FATAL") == 0 ? primary : NULL,
        .unconfirmed = function && strcmp(function, "SyncRepWaitForLSN") == 0,       /* the words are in the server's language */
    };
}
