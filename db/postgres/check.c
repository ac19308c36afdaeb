/* check.c - what can be said of a URL without a network: what libpq refuses before it connects.
 *
 * It is let go as far as the address, which is one that cannot be: what is wrong before that it says, and
 * else that this address is none. */
#include "postgres.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char NOWHERE[] = "no-address-but-a-look-at-the-settings";

static bool is_number(const char *s)
{
    char *end;
    strtol(s, &end, 10);
    return *s && !*end;
}

/* These it reads only when it has connected. */
static int check_numbers(const pg_target *t, char *why, size_t size)
{
    static const char *const NUMBERS[] = { "connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval",
                                           "keepalives_count", "tcp_user_timeout" };
    for (int i = 0; t->keywords[i]; i++)
        for (size_t k = 0; k < sizeof NUMBERS / sizeof *NUMBERS; k++)
            if (strcmp(t->keywords[i], NUMBERS[k]) == 0 && !is_number(t->values[i])) {
                snprintf(why, size, "%s is '%s', and no whole number", NUMBERS[k], t->values[i]);
                return UV_EINVAL;
            }
    return 0;
}

/* Takes pg. */
static int verdict(PGconn *pg, char *why, size_t size)
{
    const bool good = !pg || strstr(PQerrorMessage(pg), NOWHERE);
    if (!good)
        pg_reason(PQerrorMessage(pg), why, size);
    PQfinish(pg);
    return good ? 0 : UV_EINVAL;
}

static int check_host(const pg_target *t, const struct pg_host *host, char *why, size_t size)
{
    const struct pg_host nowhere = { host->name, NOWHERE, host->port };
    return verdict(pg_target_connect(t, &nowhere, 1), why, size);
}

/* The target does without one that is not there. */
static int check_service(char *why, size_t size)
{
    const char *service = getenv("PGSERVICE");
    const char *const keywords[] = { "service", "host", "hostaddr", "port", NULL };
    const char *const values[] = { service, "x", NOWHERE, "5432", NULL };
    return service ? verdict(PQconnectStartParams(keywords, values, 0), why, size) : 0;
}

int pg_target_check(const pg_target *t, char *why, size_t size)
{
    int err = check_service(why, size);
    if (!err)
        err = check_numbers(t, why, size);
    for (int i = 0; i < t->count && !err; i++)
        err = check_host(t, &t->hosts[i], why, size);
    return err;
}
