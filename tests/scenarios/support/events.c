/* events.c - see events.h. */
#include "events.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

const char *events_until(client *c, const char *part)
{
    enum { MOST = 1 << 20 };
    static char came[MOST + 1];
    const size_t length = strlen(part);
    size_t n = 0;
    do {
        ck_assert_uint_lt(n, MOST);
        if (!client_bytes(c, came + n, 1)) {
            came[n] = '\0';
            ck_abort_msg("'%s' has not come, but:\n%.2000s", part, came);
        }
        n++;
    } while (n < length || memcmp(came + n - length, part, length) != 0);
    came[n] = '\0';
    return came;
}

long events_retry(const char *came)
{
    long ms = -1;
    for (const char *at = came; (at = strstr(at, "retry: ")); at++)
        ms = atol(at + strlen("retry: "));
    return ms;
}
