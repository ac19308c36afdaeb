/* role.h - whether a server takes writes, and whether to look for another that does.
 *
 * A primary that was demoted, or a proxy that leads to one, may keep its connections, which then refuse every write: such a
 * connection is left. One that was read-only from the start is left as well, for a new one may lead elsewhere
 * by now, but not at once: where there are only standbys, reads would be disturbed for nothing. */
#ifndef DB_POSTGRES_ROLE_H
#define DB_POSTGRES_ROLE_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct pg_role {
    bool     read_only;                      /* it was, when the connection came up */
    uint64_t since;                          /* which was then, by uv_hrtime's clock */
} pg_role;

pg_role pg_role_now(const PGconn *pg);

/* As the server has said it since, unasked. Those before 14 do not, nor do all poolers. */
bool    pg_role_demoted(const pg_role *r, const PGconn *pg);

bool    pg_role_worth_leaving(const pg_role *r);             /* after it has refused a write */

#endif
