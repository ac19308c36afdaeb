/* outage_log.h - what the log is told of a server that cannot be reached: when that began, and when it ended.
 *
 * A server that stops breaks every connection, and every attempt to connect fails until it is back: the log gets
 * one line for all of them, and one when it is over.
 *
 * For one thread at a time: where threads share one, a lock of theirs guards it. */
#ifndef DB_POSTGRES_OUTAGE_LOG_H
#define DB_POSTGRES_OUTAGE_LOG_H

#include <stdbool.h>
#include <stdint.h>

typedef struct pg_outage_log {               /* all zero: no outage */
    bool     going_on;                       /* its begin has been logged, and not yet its end */
    uint64_t since;
} pg_outage_log;

void pg_outage_log_begin(pg_outage_log *o, const char *what, const char *why);       /* no warning while one goes on */
void pg_outage_log_end(pg_outage_log *o);                    /* no-op while none goes on */

#endif
