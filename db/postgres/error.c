/* error.c - see error.h. */
#include "error.h"
#include "db/db.h"

#include <string.h>
#include <uv.h>

/* The first that begins an SQLSTATE: one of five letters, or a class of them. */
static const struct { const char *begins; pg_error meaning; } KNOWN[] = {
    { "0A000", { DB_EQUERY, PG_ANEW } },             /* feature_not_supported: a plan may have gone stale */
    { "25006", { UV_EROFS, PG_ELSEWHERE } },         /* read_only_sql_transaction: a standby */
    { "26000", { UV_EAGAIN, PG_UNNAMED } },          /* invalid_sql_statement_name: a pooler has lost it */
    { "40001", { DB_ESERIALIZATION, PG_LATER } },
    { "40002", { DB_EQUERY, PG_FINAL } },            /* transaction_integrity_constraint_violation */
    { "40003", { UV_ECONNRESET, PG_FINAL } },        /* statement_completion_unknown */
    { "40P01", { DB_EDEADLOCK, PG_LATER } },
    { "40",    { UV_EAGAIN, PG_LATER } },            /* transaction_rollback */
    { "42P05", { UV_EAGAIN, PG_UNNAMED } },          /* duplicate_prepared_statement: a pooler has another's */
    { "53100", { UV_ENOSPC, PG_FINAL } },            /* disk_full */
    { "53",    { UV_EAGAIN, PG_LATER } },            /* insufficient_resources */
    { "55P03", { UV_EAGAIN, PG_LATER } },            /* lock_not_available */
    { "57014", { UV_EAGAIN, PG_ONCE } },             /* query_canceled: a request names a connection, not a query */
    { "58030", { UV_EIO, PG_FINAL } },               /* io_error */
};

pg_error pg_error_of(const char *state)
{
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
        if (strncmp(state, KNOWN[i].begins, strlen(KNOWN[i].begins)) == 0)
            return KNOWN[i].meaning;
    return (pg_error){ DB_EQUERY, PG_FINAL };
}

uint64_t pg_error_pause(int sends)
{
    const uint64_t most = 4ull << sends;
    return most / 2 + uv_hrtime() / 1000 % (most / 2);
}
