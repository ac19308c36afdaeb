/* descriptor_budget.c - see descriptor_budget.h. */
#include "descriptor_budget.h"

#include "endpoint.h"
#include "server/base/machine.h"

#include <string.h>
#include <uv.h>

enum {
    PROCESS = 30,                            /* standard ones, signals, the watchdog, static/, the outbox's; and a file now
                                                and then */
    LOOP = 7,                                /* a loop's own, beside a listening socket for each address */
    SQLITE = 3,                              /* the database, its log and what they share */
    OUTGOING = 4,                            /* one in use, one that is kept, and two to look up a name */
    CHILD = 2,                               /* a worker process's socket, and its lifeline */
    LEAST = 8,                               /* clients of a worker: fewer are no service */
    MOST = 1000000,
};

/* From the start: one that is opened later looks for itself whether there is room. */
static bool budget_serves_both(const config *c) { return strcmp(c->server.compare, CONFIG_ON_DEMAND) != 0; }

/* What it has open in any case. */
static int64_t budget_fixed(const config *c)
{
    const bool sqlite = strncmp(c->database.url, "sqlite:", 7) == 0;
    const bool both = budget_serves_both(c);
    const int64_t readers = (both ? 2 : 1) * (int64_t)c->database.readers;           /* threads', and those of blocking threads */
    const int64_t connections = (both ? 2 : 1) * (int64_t)c->server.workers * c->database.connections;
    const int loops = (c->server.mode == MODE_ASYNC || both ? c->server.workers : 0) +
                      (c->server.mode == MODE_THREADS || both);
    const bool admin = strcmp(c->admin.listen, CONFIG_NONE) != 0;
    const int each = LOOP + endpoints_count(c->server.listen) + (admin ? endpoints_count(c->admin.listen) : 0);
    return PROCESS + loops * (int64_t)each + (sqlite ? (readers + 1) * SQLITE : connections);
}

int descriptor_budget_connections(const config *c)
{
    const int64_t left = machine_open_files() - budget_fixed(c);
    const int64_t others = c->server.workers * (c->outgoing.connections * (int64_t)OUTGOING + CHILD * c->processes.pool);
    const int64_t clients = left - (others < left / 2 ? others : left / 2);
    const int64_t each = clients / c->server.workers / (budget_serves_both(c) ? 2 : 1);
    return each < 1 ? 1 : each > MOST ? MOST : (int)each;
}

int descriptor_budget_check(const config *c, char *why, size_t size)
{
    const int64_t files = machine_open_files(), need = budget_fixed(c) + 2 * (int64_t)LEAST * c->server.workers;
    if (files >= need)
        return 0;
    snprintf(why, size, "the limit of open files, %lld, is too low for this configuration: it takes %lld to serve %d clients "
                        "(ulimit -n raises it; fewer [server] workers, or [database] %s, need less)",
             (long long)files, (long long)need, LEAST * c->server.workers,
             strncmp(c->database.url, "sqlite:", 7) == 0 ? "readers" : "connections");
    return UV_EMFILE;
}
