/* listener.c - db/listener.h for SQLite: the writer tells, and what it asks goes to a pool of its own, of one connection.
 *
 * Other processes that write to the file are not heard. */
#include "blocking_db.h"
#include "server/base/blocking_wait.h"
#include "server/base/memory.h"
#include "sqlite.h"

#include <assert.h>
#include <poll.h>

typedef struct sqlite_listener {
    db_listener              base;              /* must be first */
    sqlite_blocking_pool *pool;
    db                   *db;
    bool                  begun;
} sqlite_listener;

static int sqlite_listener_wait(db_listener *whole, uint64_t until)
{
    sqlite_listener *l = (sqlite_listener *)whole;
    for (;;) {
        const bool told = channel_listener_take(&l->base.ears);
        if (atomic_load(&l->base.ended))
            return UV_ECANCELED;
        if (told || !l->begun) {
            l->begun = true;
            return 0;
        }
        const int err = blocking_wait(l->base.ears.fd, POLLIN, until);
        if (err)
            return err;
    }
}

static int sqlite_listener_query(db_listener *whole, arena *a, rows *out, const statement *s, int n, const value parameters[])
{
    db *d = ((sqlite_listener *)whole)->db;
    int err = 0;
    const bool settled = promise_take_if_settled(d->driver->run(d, a, NULL, out, s, n, parameters), &err);
    assert(settled);
    (void)settled;
    return err;
}

static bool     sqlite_listener_hears(const db_listener *l)       { return l != NULL; }
static unsigned sqlite_listener_connections(const db_listener *l) { return l != NULL; }

static void sqlite_listener_close(db_listener *whole)
{
    sqlite_listener *l = (sqlite_listener *)whole;
    channel_listener_close(&l->base.ears);
    driver_free_blocking(l->db);
    sqlite_blocking_pool_free(l->pool);
    mem_free(l);
}

static const db_listener_driver driver = {
    .wait = sqlite_listener_wait, .query = sqlite_listener_query, .hears = sqlite_listener_hears,
    .connections = sqlite_listener_connections, .close = sqlite_listener_close
};

int sqlite_listen(db_listener **made, database *whole, const char *channel)
{
    const sqlite_database *d = (sqlite_database *)whole;
    sqlite_listener *l = mem_alloc(sizeof *l);
    const int err = channel_listener_open(&l->base.ears, &whole->channels, channel);
    if (err) {
        mem_free(l);
        return err;
    }
    l->base.driver = &driver;
    l->pool = sqlite_blocking_pool_new(d->pool->path, d->workers, d->options);
    l->db = sqlite_blocking_db_new(l->pool);
    *made = &l->base;
    return 0;
}
