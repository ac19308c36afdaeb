/* compare_work.c - what a comparison asks for: GET /compare/database, a query that takes some ten milliseconds, and
 * GET /compare/cpu, some two milliseconds of computing. */
#include "handlers/handlers.h"
#include "handlers/site.h"
#include "server/executor/thread_pool.h"

/* SQLite has nothing to wait for, so it counts; PostgreSQL waits, and has its processors for others. */
static const statement SLOW_SQLITE = {
    .name = "compare_slow",
    .sql = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 60000) select max(i) from n",
    .reads = true,
    .columns = "i",
};
static const statement SLOW_POSTGRES = { "compare_slow", "select count(pg_sleep(0.01))", .reads = true, .columns = "i" };

async int compare_database(request *req)
{
    rows slow;
    const int err = await(site_query(req, &slow, site_on_postgres() ? &SLOW_POSTGRES : &SLOW_SQLITE, 0, NULL));
    if (err)
        return err;
    return respond(req, 200, "text/plain; charset=utf-8", TEXT("A slow query.\n"));
}

/* Marsaglia's xorshift64: always the same steps. */
static int compare_compute(void *arg)
{
    enum { STEPS = 1000000 };
    uint64_t *x = arg;
    for (int i = 0; i < STEPS; i++) {
        *x ^= *x << 13;
        *x ^= *x >> 7;
        *x ^= *x << 17;
    }
    return 0;
}

async int compare_cpu(request *req)
{
    uint64_t x = 88172645463325252;
    const int err = await(in_thread(compare_compute, &x));
    if (err)
        return err;
    const char *result = arena_printf(request_arena(req), "%llu\n", (unsigned long long)x);
    return respond(req, 200, "text/plain; charset=utf-8", text_of(result));
}
