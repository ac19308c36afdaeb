/* postgres_journal.c - see postgres_journal.h. */
#include "postgres_journal.h"
#include "server/log.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

static const uint64_t SECOND = 1000000000;

void pg_journal_trouble(pg_journal *j, const char *what, const char *why)
{
    if (j->troubled) {
        log_debug("postgres: %s: %s", what, why);
        return;
    }
    log_warning("postgres: %s: %s", what, why);
    j->troubled = true;
    j->trouble_since = uv_hrtime();
}

void pg_journal_recovered(pg_journal *j)
{
    if (j->troubled)
        log_info("postgres: connected again after %.1f s", (double)(uv_hrtime() - j->trouble_since) / 1e9);
    j->troubled = false;
}

static void log_counted(struct pg_logged *e)
{
    if (e->more)
        log_error("%s (%u more)", e->line, e->more);
    e->more = 0;
}

/* The same line within a second is counted, and told with the next one or when its place is needed. */
static void log_once(pg_journal *j, const char *line)
{
    const uint64_t now = uv_hrtime();
    struct pg_logged *oldest = &j->logged[0];

    for (int i = 0; i < PG_LOGGED; i++) {
        struct pg_logged *e = &j->logged[i];
        if (strcmp(line, e->line) == 0 && now - e->at < SECOND) {
            e->more++;
            return;
        }
        if (e->at < oldest->at)
            oldest = e;
    }
    log_counted(oldest);
    log_error("%s", line);
    snprintf(oldest->line, sizeof oldest->line, "%s", line);
    oldest->at = now;
}

void pg_journal_refused(pg_journal *j, const char *statement, const PGresult *r)
{
    const char *primary = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    char line[256];
    snprintf(line, sizeof line, "postgres: %s: %s (%s)", statement, primary ? primary : "", state ? state : "");
    log_once(j, line);
}

void pg_journal_done(pg_journal *j)
{
    for (int i = 0; i < PG_LOGGED; i++)
        log_counted(&j->logged[i]);
}
