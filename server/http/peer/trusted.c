/* trusted.c - see trusted.h. */
#include "trusted.h"
#include "server/base/memory.h"
#include "server/config/network_list.h"

struct trusted {
    bool    unix_sockets;
    int     count;
    network networks[];
};

trusted *trusted_new(const char *list)
{
    trusted *t = NULL;
    text rest = text_of(list);
    network n;
    for (bool is_unix, unix_sockets = false; network_list_next(&rest, &n, &is_unix);) {
        const int count = t ? t->count : 0;
        unix_sockets |= is_unix;
        t = mem_resize(t, sizeof *t + (size_t)(count + 1) * sizeof t->networks[0]);
        t->unix_sockets = unix_sockets;
        t->count = count + !is_unix;
        if (!is_unix)
            t->networks[count] = n;
    }
    return t;
}

void trusted_free(trusted *t) { mem_free(t); }

bool trusted_has(const trusted *t, const ip *a)
{
    for (int i = 0; t && i < t->count; i++)
        if (network_has(&t->networks[i], a))
            return true;
    return false;
}

bool trusted_has_unix(const trusted *t) { return t && t->unix_sockets; }
