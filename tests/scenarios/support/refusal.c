/* refusal.c - see refusal.h. */
#include "refusal.h"

#include <stdlib.h>
#include <string.h>

void refused(const char *what, size_t length, int status, int or_status)
{
    char *all = malloc(length + sizeof SMUGGLED);
    memcpy(all, what, length);
    memcpy(all + length, SMUGGLED, sizeof SMUGGLED);
    client *c = client_new();
    client_send(c, all, length + sizeof SMUGGLED - 1);
    const answer a = client_answer(c);
    ck_assert_msg(a.status == status || a.status == or_status, "answered %d, expected %d: %.200s",
                  a.status, status, what);
    ck_assert_msg(header_is(&a, "Connection", "close"), "%.200s: %s", what, a.head);
    if (!header_is(&a, "Content-Length", "0"))
        expect_problem(a, a.status);
    ck_assert_msg(client_closed(c), "it goes on after: %.200s", what);
    client_free(c);
    free(all);
}
