/* refusal.c - see refusal.h. */
#include "refusal.h"

#include <stdatomic.h>
#include <stdio.h>

static struct kind {
    const char      *name, *line, *setting;
    bool             time;
    uint64_t         limit;
    _Atomic uint64_t waited, count;
} kinds[REFUSALS] = {
    [REFUSED_DATABASE_WAIT]    = { "database_wait", "requests for the database", "[database] target", true },
    [REFUSED_DATABASE_AHEAD]   = { "database_ahead", "requests for the database", "[database] target", true },
    [REFUSED_DATABASE_TIMEOUT] = { "database_timeout", "requests for the database", "[database] line_timeout", true },
    [REFUSED_DATABASE_LINE]    = { "database_line", "requests for the database", "[database] line", false },
    [REFUSED_PAGE_WAIT]        = { "page_wait", "requests for the database or to render a page", "[database] target", true },
    [REFUSED_PAGE_AHEAD]       = { "page_ahead", "requests for the database or to render a page", "[database] target", true },
    [REFUSED_PAGE_TIMEOUT]     = { "page_timeout", "requests for the database or to render a page", "[database] line_timeout",
                                   true },
    [REFUSED_PAGE_LINE]        = { "page_line", "requests for the database or to render a page", "[database] line", false },
    [REFUSED_CPU_WAIT]         = { "cpu_wait", "jobs for the thread pool", "[threads] target", true },
    [REFUSED_CPU_LINE]         = { "cpu_line", "jobs for the thread pool", "[threads] waiting", false },
    [REFUSED_FILES_WAIT]       = { "files_wait", "files for the thread pool", "[threads] target", true },
    [REFUSED_FILES_LINE]       = { "files_line", "files for the thread pool", "[threads] waiting", false },
    [REFUSED_PROCESSES_WAIT]   = { "processes_wait", "jobs for a worker process", "[processes] target", true },
    [REFUSED_PROCESSES_LINE]   = { "processes_line", "jobs for a worker process", "[processes] line", false },
    [REFUSED_OUTGOING_WAIT]    = { "outgoing_wait", "requests to other servers", "[outgoing] target", true },
    [REFUSED_OUTGOING_LINE]    = { "outgoing_line", "requests to other servers", "[outgoing] line", false },
    [REFUSED_PATTERNS]         = { "patterns", "runs of a pattern", NULL, false },
    [REFUSED_TOPICS]           = { "topics", "topics in use", NULL, false },
    [REFUSED_CONNECTIONS]      = { "connections", "clients", "[limits] connections", false },
    [REFUSED_THREADS]          = { "threads", "clients", "[threads] max", false },
    [REFUSED_MEMORY]           = { "memory", NULL, NULL, false },
};

int refuse(refusal kind, uint64_t waited)
{
    atomic_fetch_add_explicit(&kinds[kind].count, 1, memory_order_relaxed);
    atomic_store_explicit(&kinds[kind].waited, waited, memory_order_relaxed);
    return REFUSED(kind);
}

void refusal_set_limit(refusal kind, uint64_t limit) { kinds[kind].limit = limit; }

refusal_view refusal_look(refusal kind)
{
    struct kind *k = &kinds[kind];
    return (refusal_view){ k->name, k->line, k->setting, k->time, k->limit,
                           atomic_load_explicit(&k->waited, memory_order_relaxed),
                           atomic_load_explicit(&k->count, memory_order_relaxed) };
}

void refusal_explain(const refusal_view *v, char *why, size_t size)
{
    const unsigned long long limit = v->limit, waited = (v->waited + 500000) / 1000000;
    if (v->time)
        snprintf(why, size, "The server is overloaded: %s have waited %llu ms, and %s allows %llu ms.", v->line, waited,
                 v->setting, limit);
    else if (v->setting)
        snprintf(why, size, "The server is overloaded: as many %s wait as %s allows, %llu.", v->line, v->setting, limit);
    else if (!v->line)
        snprintf(why, size, "The server is short of memory.");
    else
        snprintf(why, size, "There are as many %s as there may be at once.", v->line);
}

unsigned refusal_retry_after(const refusal_view *v)
{
    const uint64_t seconds = (2 * v->waited + 999999999) / 1000000000;
    return seconds < 1 ? 1 : seconds > 3600 ? 3600 : (unsigned)seconds;
}
