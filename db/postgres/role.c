/* role.c - see role.h. */
#include "role.h"

#include <string.h>
#include <uv.h>

static const uint64_t STANDBY_STAYS = 500000000;             /* nanoseconds */

static bool is_on(const PGconn *pg, const char *parameter)
{
    const char *is = PQparameterStatus(pg, parameter);
    return is && strcmp(is, "on") == 0;
}

static bool read_only(const PGconn *pg)
{
    return is_on(pg, "in_hot_standby") || is_on(pg, "default_transaction_read_only");
}

pg_role pg_role_now(const PGconn *pg) { return (pg_role){ read_only(pg), uv_hrtime() }; }

bool pg_role_demoted(const pg_role *r, const PGconn *pg) { return !r->read_only && read_only(pg); }

bool pg_role_worth_leaving(const pg_role *r)
{
    return !r->read_only || uv_hrtime() - r->since >= STANDBY_STAYS;
}
