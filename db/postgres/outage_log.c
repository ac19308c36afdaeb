/* outage_log.c - see outage_log.h. */
#include "outage_log.h"
#include "server/base/log.h"

#include <uv.h>

void pg_journal_trouble(pg_outage_log *j, const char *what, const char *why)
{
    if (j->troubled) {
        log_debug("postgres: %s: %s", what, why);
        return;
    }
    log_warning("postgres: %s: %s", what, why);
    j->troubled = true;
    j->trouble_since = uv_hrtime();
}

void pg_journal_recovered(pg_outage_log *j)
{
    if (j->troubled)
        log_info("postgres: connected again after %.1f s", (double)(uv_hrtime() - j->trouble_since) / 1e9);
    j->troubled = false;
}

void pg_journal_refused(const char *statement, const PGresult *r)
{
    const char *primary = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    log_error("postgres: %s: %s (%s)", statement, primary ? primary : "", state ? state : "");
}
