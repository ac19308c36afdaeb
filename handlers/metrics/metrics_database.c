/* metrics_database.c - of /metrics: connections to the database, and queries. */
#include "metrics.h"

#include <stdio.h>

/* Of each loop's pool, and of all other threads' together: "shared". */
struct pools { metrics_page *p; shard_cell cell; uint64_t shared; };

static void pool_show(const shard *s, void *arg)
{
    struct pools *const all = arg;
    char loop[32];
    const uint64_t n = counter_read(&s->cells[all->cell]);
    if (!s->number) {
        all->shared += n;
        return;
    }
    snprintf(loop, sizeof loop, "loop %d", s->number);
    exposition_number(&all->p->e, exposition_labels(&all->p->e, "pool", loop, NULL), n);
}

static void pools_write(metrics_page *p, shard_cell cell)
{
    struct pools all = { p, cell, 0 };
    shard_each(pool_show, &all);
    exposition_number(&p->e, exposition_labels(&p->e, "pool", "shared", NULL), all.shared);
}

static void write_connections(metrics_page *p) { pools_write(p, SHARD_DATABASE_CONNECTIONS); }
static void write_connected(metrics_page *p)   { pools_write(p, SHARD_DATABASE_CONNECTED); }
static void write_lost(metrics_page *p)        { pools_write(p, SHARD_DATABASE_LOST); }
static void write_in_flight(metrics_page *p)   { pools_write(p, SHARD_DATABASE_QUERIES); }
static void write_waiting(metrics_page *p)     { exposition_number(&p->e, TEXT(""), shard_sum(SHARD_DATABASE_WAITING)); }

static void write_acquire(metrics_page *p)
{
    const name_sums *names;
    duration_sums all = { .count = 0 };
    const int count = metrics_names(p, SHARD_QUERY, &names);
    for (int i = 0; i < count; i++) {
        for (int b = 0; b < DURATION_BUCKETS; b++)
            all.counts[b] += names[i].waited.counts[b];
        all.time += names[i].waited.time;
    }
    exposition_durations(&p->e, TEXT(""), &all);
}

static void write_queries(metrics_page *p)
{
    const name_sums *names;
    const int count = metrics_names(p, SHARD_QUERY, &names);
    for (int i = 0; i < count; i++)
        exposition_durations(&p->e, exposition_labels(&p->e, "query", names[i].name, NULL), &names[i].took);
}

static void write_errors(metrics_page *p)
{
    const name_sums *names;
    const int count = metrics_names(p, SHARD_QUERY, &names);
    for (int i = 0; i < count; i++)
        exposition_number(&p->e, exposition_labels(&p->e, "query", names[i].name, NULL), names[i].failed);
}

const metric_family METRICS_OF_DATABASE[] = {
    { { "db_pool_connections", "gauge", "Connections to the database that are up, by the loop that has them." },
      write_connections },
    { { "db_pool_connections_opened_total", "counter", "Connections to PostgreSQL that came up." }, write_connected },
    { { "db_pool_connections_lost_total", "counter", "Connections to PostgreSQL that broke." }, write_lost },
    { { "db_queries_in_flight", "gauge", "Queries that were asked for and not answered yet, those in line included." },
      write_in_flight },
    { { "db_queries_waiting", "gauge", "The part of them that no connection has taken." }, write_waiting },
    { { "db_pool_acquire_duration_seconds", "histogram", "How long queries waited until a connection took them." },
      write_acquire },
    { { "db_query_duration_seconds", "histogram", "From then on until their rows were there, by the statement." },
      write_queries },
    { { "db_query_errors_total", "counter", "Queries that failed, but for those that were no longer wanted." }, write_errors },
    { { NULL, NULL, NULL }, NULL },
};
