/* driver.c - chooses the driver by the URL, and passes on to it: a database, a db, and the cells of rows. */
#include "driver.h"
#include "server/async/combine.h"
#include "server/base/log.h"
#include "server/base/memory.h"
#include "server/base/observe/recorder.h"
#include "server/base/observe/shard.h"

#include <assert.h>
#include <string.h>

static const database_driver *driver_for(const database_options *options)
{
    return strncmp(options->url, "sqlite:", 7) == 0 ? &sqlite_driver : &postgres_driver;
}

bool database_is_exclusive(const database_options *options) { return driver_for(options) == &sqlite_driver; }

int database_check(const database_options *options, char *why, size_t size)
{
    return driver_for(options)->check(options, why, size);
}

int database_open(database **d, const database_options *options, char *why, size_t size)
{
    return driver_for(options)->open(d, options, why, size);
}

void        database_close(database *d)                              { d->driver->close(d); }
int         database_init(database *d, char *why, size_t size)       { return d->driver->init(d, why, size); }
const char *database_describe(const database *d)                     { return d->driver->describe(d); }
bool        database_is_postgres(const database *d)                  { return d->driver == &postgres_driver; }

db      *db_new(database *d)   { return d->driver->connect(d); }
promise *db_close(db *d)       { return d->driver->disconnect(d); }
void     db_free(db *d)        { d->driver->free(d); }

int database_threads(const database *d, bool writes) { return d->driver->threads(d, writes); }

int db_room(const db *d, bool writes) { return d->driver->room(d, writes); }

promise *db_query(db *d, arena *a, stopwatch *watch, rows *out, const statement *s, int n,
                  const value parameters[])
{
    return promise_named(d->driver->run(d, a, watch, out, s, n, parameters));
}

promise *driver_run_each(db *d, arena *a, stopwatch *watch, rows out[], const statement *s, int count, int n,
                         const value parameters[])
{
    promise **each = arena_room(a, (size_t)count * sizeof *each);
    for (int i = 0; i < count; i++)
        each[i] = d->driver->run(d, a, watch, &out[i], s, n, driver_parameters_of(i, n, parameters));
    return promise_gather(each, count);
}

promise *driver_run_each_blocking(db *d, arena *a, stopwatch *watch, rows out[], const statement *s, int count, int n,
                                  const value parameters[])
{
    int err = 0;
    for (int i = 0; i < count && !err; i++) {
        promise *const run = d->driver->run(d, a, watch, &out[i], s, n, driver_parameters_of(i, n, parameters));
        const bool settled = promise_take_if_settled(run, &err);
        assert(settled);
        (void)settled;
    }
    return promise_settled(err);
}

promise *db_query_each(db *d, arena *a, stopwatch *watch, rows out[], const statement *s, int count, int n,
                       const value parameters[])
{
    assert(s->reads);
    return promise_named(d->driver->run_each(d, a, watch, out, s, count, n, parameters));
}

promise *db_transaction(db *d, arena *a, stopwatch *watch, int count, const db_step steps[])
{
    bool writes = false;
    for (int i = 0; i < count; i++)
        writes = writes || !steps[i].statement->reads;
    assert(writes && count <= MAX_STEPS);
    (void)writes;
    return promise_named(d->driver->transact(d, a, watch, count, steps));
}

int database_listen(db_listener **l, database *d, const char *channel) { return d->driver->listen(l, d, channel); }

void     db_listener_close(db_listener *l)                { l->driver->close(l); }
int      db_listener_wait(db_listener *l, uint64_t until) { return l->driver->wait(l, until); }
bool     db_listener_hears(const db_listener *l)          { return l->driver->hears(l); }
unsigned db_listener_connections(const db_listener *l)    { return l->driver->connections(l); }

void db_listener_end(db_listener *l)
{
    atomic_store(&l->ended, true);
    channel_listener_wake(&l->ears);
}

int db_listener_query(db_listener *l, arena *a, rows *out, const statement *s, int n, const value parameters[])
{
    return l->driver->query(l, a, out, s, n, parameters);
}

void driver_query_begins(void)
{
    shard_add(SHARD_DATABASE_QUERIES, 1);
    shard_add(SHARD_DATABASE_WAITING, 1);
}

void driver_query_is_begun(void) { shard_add(SHARD_DATABASE_WAITING, -1); }

/* What its client no longer wants has not failed. */
void driver_query_ends(const statement *s, uint64_t since, uint64_t begun, record_for whom, int err)
{
    const uint64_t ended = recorder_clock(), all = ended > since ? ended - since : 0;
    const uint64_t waited = !begun || begun > ended ? all : begun > since ? begun - since : 0;
    recorder_add_begun(RECORD_QUERY, since, begun ? begun : UINT64_MAX, ended, s->name, whom, err);
    shard_count_timed(SHARD_QUERY, s->name, recorder_ns_of(waited), begun ? recorder_ns_of(all - waited) : SHARD_NOT_BEGUN,
                      err && err != UV_ECANCELED);
    shard_add(SHARD_DATABASE_QUERIES, -1);
    shard_add(SHARD_DATABASE_ANSWERED, !err);
    if (!begun)
        driver_query_is_begun();
}

int driver_uncertain(const statement *s, const char *why)
{
    log_error("%s: it is not known whether it was stored: %s", s->name, why);
    return ERR_UNCERTAIN;
}

promise *driver_close_blocking(db *d)
{
    (void)d;
    return promise_settled(0);
}

void driver_free_blocking(db *d) { mem_free(d); }

static const rows_driver *driver_of_cell(const rows *r, int row, int column)
{
    assert(row >= 0 && row < r->count && column >= 0 && column < r->columns);
    return r->driver;
}

static bool is_read_by(const rows *r, int column, char letter)
{
    return r->types && (r->types[column] | 0x20) == letter;          /* in capitals, too */
}

int64_t rows_int(const rows *r, int row, int column)
{
    const rows_driver *driver = driver_of_cell(r, row, column);
    assert(!r->types || is_read_by(r, column, 'i'));
    return driver->integer(r, row, column);
}

double rows_double(const rows *r, int row, int column)
{
    const rows_driver *driver = driver_of_cell(r, row, column);
    assert(is_read_by(r, column, 'f'));
    return driver->real(r, row, column);
}

bool rows_bool(const rows *r, int row, int column)
{
    const rows_driver *driver = driver_of_cell(r, row, column);
    assert(is_read_by(r, column, 'b'));
    return driver->boolean(r, row, column);
}

text rows_text(const rows *r, int row, int column)
{
    const rows_driver *driver = driver_of_cell(r, row, column);
    assert(!r->types || is_read_by(r, column, 't'));
    return driver->text(r, row, column);
}

bool rows_null(const rows *r, int row, int column) { return driver_of_cell(r, row, column)->null(r, row, column); }
