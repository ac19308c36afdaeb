/* outage_log.c - see outage_log.h. */
#include "outage_log.h"
#include "server/base/log.h"

#include <uv.h>

void pg_outage_log_begin(pg_outage_log *o, const char *what, const char *why)
{
    if (o->going_on) {
        log_debug("postgres: %s: %s", what, why);
        return;
    }
    log_warning("postgres: %s: %s", what, why);
    o->going_on = true;
    o->since = uv_hrtime();
}

void pg_outage_log_end(pg_outage_log *o)
{
    if (o->going_on)
        log_info("postgres: connected again after %.1f s", (double)(uv_hrtime() - o->since) / 1e9);
    o->going_on = false;
}
