/* postgres.c - the driver for PostgreSQL: see db.h, and postgres.h for its parts. */
#include "blocking_pool.h"
#include "server/base/log.h"
#include "server/base/memory.h"

static int check(const database_options *options, char *why, size_t size)
{
    pg_target target = { 0 };
    int err = pg_target_init(&target, options, why, size);
    if (err)
        return err;
    err = pg_target_check(&target, why, size);
    pg_target_done(&target);
    return err;
}

static int open_database(database **d, const database_options *options, char *why, size_t size)
{
    postgres *made = mem_alloc(sizeof *made);
    *made = (postgres){ .base.driver = &postgres_driver, .options = options, .prepare = options->prepare };
    const int err = pg_target_init(&made->target, options, why, size);
    if (err) {
        mem_free(made);
        return err;
    }
    made->shared = pg_shared_new(made);
    *d = &made->base;
    return 0;
}

static void close_database(database *d)
{
    postgres *p = (postgres *)d;
    pg_shared_free(p->shared);
    pg_target_done(&p->target);
    mem_free(p);
}

void pg_forgets_prepared(postgres *d)
{
    if (atomic_exchange(&d->prepare, false))
        log_warning("postgres: what was prepared is not there any more, as behind a pooler: it goes on without. "
                    "[database] prepare = off would have said so from the start");
}

static const char *describe(const database *d) { return ((const postgres *)d)->target.description; }

static int threads(const database *d, bool writes)
{
    (void)writes;
    return ((const postgres *)d)->options->connections;
}

/* On a thread with a loop queries wait there; a blocking thread waits itself. */
static db *connect_database(database *d)
{
    return loop_here() ? pg_pool_new((postgres *)d) : pg_blocking_new((postgres *)d);
}

const database_driver postgres_driver = {
    .check = check,
    .open = open_database,
    .close = close_database,
    .init = pg_init,
    .describe = describe,
    .threads = threads,
    .connect = connect_database,
};
